//! What a healthy service writes.

use std::collections::{BTreeMap, BTreeSet};

use settlewatch_tests::broker::{Cluster, Group, Outgoing, PAYER, Record, Setup, Traffic, untold};

use crate::script::{delays_ms, pass_beginning, pass_ms, settle, spread};

/// Alerts of a kind that are derived again.
const OF_EACH_KIND: usize = 2;

pub(crate) fn live_equals_replay() {
    let cluster = Cluster::shared();
    let mut group = Group::new(&cluster, "plain", Setup::default());
    let service = group.start_ready("one");
    pass_beginning(&group);
    let traffic = Traffic::start(&group, 1, 40);
    pass_ms(10_000);
    let told = traffic.finish();
    assert!(untold(&told).is_empty(), "never told: {:?}", untold(&told));
    let expected = settle(&group);
    let pages = ["/metrics", "/livez", "/readyz", "/api/v1/status"].map(|path| service.get(path));
    let log = service.log();
    // What else only a live reader meets: none of it here.
    let holes = service.metric("settlewatch_input_holes_total", "");
    let beginning = service.metric("settlewatch_events_applied_total", "before_horizon");
    println!("input holes {holes:?}; before the beginning {beginning:?}");
    assert!(holes.unwrap_or(0.0) < 0.5 && beginning.unwrap_or(0.0) < 0.5);
    service.stop();
    expected.compare(&group).assert("a healthy service");
    let [median, p99, max] = spread(&delays_ms(&group.output("alerts")));
    println!("due to appended: median {median} ms, p99 {p99} ms, at most {max} ms");
    for page in pages {
        let (status, text) = page.expect("a page is answered");
        assert!(
            !text.contains(PAYER),
            "a payer stands in a page of status {status}: {text}"
        );
    }
    assert!(!log.contains(PAYER), "a payer stands in the log: {log}");
    // Its broker is alone, so what it writes has no second replica.
    let warned = log.matches("replication factor of 1").count();
    assert_eq!(warned, 1, "it is not told once: {log}");
    alerts_are_derived_again(&mut group);
}

/// Alerts of each kind follow from the records; under other rules those of missing credits do not.
fn alerts_are_derived_again(group: &mut Group<'_>) {
    let mut by_kind: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for record in group.output("alerts") {
        let line = record.json();
        let text = |field: &str| line[field].as_str().expect("a text").to_owned();
        by_kind
            .entry(text("kind"))
            .or_default()
            .insert(text("alert_id"));
    }
    assert!(by_kind.len() >= 7, "{:?}", by_kind.keys());
    for (kind, ids) in &by_kind {
        // Twins are resolved by what becomes of either.
        let twins = kind == "duplicate_payment";
        for id in ids.iter().take(if twins { 12 } else { OF_EACH_KIND }) {
            let (status, told) = group.command(&["verify", id]);
            assert_eq!(status, Some(0), "{kind}: {told}");
        }
    }
    let missing = by_kind["credit_missing"].first().expect("there is one");
    forge(group, missing);
    let (status, told) = group.command(&["verify", missing]);
    assert_eq!(status, Some(1), "{told}");
    assert!(told.contains("WRONG  amount_minor"), "{told}");
    // Of an alert that other rules raised, its deadline is not judged, the rest is.
    for rule in &mut group.setup.rules.rules {
        rule.tiers.iter_mut().for_each(|tier| tier.after_ms += 1);
    }
    let other = by_kind["credit_missing"].last().expect("there is one");
    let (status, told) = group.command(&["verify", other]);
    assert_eq!(status, Some(0), "{told}");
    assert!(told.contains("is not judged"), "{told}");
}

/// Writes a further revision of an alert, with its proof but another amount.
fn forge(group: &Group<'_>, alert_id: &str) {
    let alerts = group.output("alerts");
    let of_it = |record: &&Record| record.json()["alert_id"] == alert_id;
    let last = alerts.iter().rfind(of_it).expect("it is there");
    let mut line = last.json();
    line["revision"] = (line["revision"].as_u64().expect("a number") + 1).into();
    line["amount_minor"] = (line["amount_minor"].as_u64().expect("an amount") + 1).into();
    let proof = last.header("settlewatch-proof").expect("it has a proof");
    let key = line["payment_id"].as_str().expect("an id").to_owned();
    let value = line.to_string();
    let topic = group.topic("alerts");
    let forged = Outgoing {
        partition: Some(last.partition),
        headers: &[("settlewatch-proof", proof.as_bytes())],
        ..Outgoing::event(&topic, &key, &value)
    };
    group.producer().send(&forged).wait();
}
