//! Inputs that say nothing, or hide something.

use std::collections::BTreeSet;

use settlewatch_tests::broker::{Cluster, Group, Producer, Setup, Tail, now_ms, until};
use settlewatch_tests::reference::parse_ms;

use crate::script::{
    SOON, Script, by_payment, credit, delays_ms, pass_ms, payment, settle, spread,
};

/// For so long a transaction stays open.
const OPEN_MS: i64 = 60_000;

pub(crate) fn deadlines_fire_when_every_input_is_silent_behind_a_commit_marker() {
    let cluster = Cluster::shared();
    let group = Group::new(&cluster, "silent", Setup::default());
    let service = group.start_ready("one");
    let upstream = Producer::transactional(&cluster, "silent-upstream");
    upstream.begin();
    for i in 0..30 {
        let id = format!("silent-{i}");
        upstream.append(&group.topic("payments"), &id, &payment(&id));
    }
    upstream.commit();
    for i in 0..30 {
        upstream.begin();
        let id = format!("silent-{}", i % 10);
        upstream.append(&group.topic("credits"), &id, &credit(&id));
        upstream.commit();
    }
    let expected = settle(&group);
    service.stop();
    expected.compare(&group).assert("silent inputs");
    let alerts = group.output("alerts");
    assert!(
        by_payment(&alerts).len() >= 20,
        "twenty payments were never credited"
    );
    let [median, p99, max] = spread(&delays_ms(&alerts));
    println!("due to appended: median {median} ms, p99 {p99} ms, at most {max} ms");
    assert!(p99 < 3_000, "deadlines wait for records: p99 {p99} ms");
}

pub(crate) fn a_credit_in_an_open_transaction_holds_its_partition_and_alerts_nobody() {
    let cluster = Cluster::shared();
    let group = Group::new(&cluster, "open", Setup::default());
    let service = group.start_ready("one");
    let script = Script::new(&group);
    let upstream = Producer::transactional(&cluster, "open-upstream");
    let hidden: Vec<String> = (0..8).map(|i| format!("open-{i}")).collect();
    let partition = script.pay(&hidden[0]).partition;
    let begun = now_ms();
    upstream.begin();
    upstream.append(&group.topic("credits"), &hidden[0], &credit(&hidden[0]));
    let mut blind = BTreeSet::from([partition]);
    for id in &hidden[1..] {
        script.pay(id);
        blind.insert(
            upstream
                .append(&group.topic("credits"), id, &credit(id))
                .partition,
        );
    }
    // One that is never credited in each partition: where nothing is hidden, it alerts.
    let lost: Vec<(String, i32)> = (0..12)
        .map(|i| {
            let id = format!("open-lost-{i}");
            let partition = script.pay(&id).partition;
            (id, partition)
        })
        .collect();
    let seen = lost.iter().filter(|(_, at)| !blind.contains(at));
    script.until_alerted(seen.map(|(id, _)| id.as_str()));
    pass_ms(begun + OPEN_MS - now_ms());
    let series =
        |at: i32| service.metric("settlewatch_blind_seconds", &format!("partition=\"{at}\""));
    let told: Vec<_> = blind.iter().map(|&at| (at, series(at))).collect();
    let alerted = by_payment(&group.output("alerts"));
    for (id, at) in lost.iter().filter(|(_, at)| blind.contains(at)) {
        assert!(
            !alerted.contains_key(id),
            "{id} in partition {at} was not held"
        );
    }
    for (partition, blind_s) in told {
        assert!(
            blind_s.is_some_and(|it| it > 50.0),
            "partition {partition}: blind for {blind_s:?} s"
        );
    }
    upstream.commit();
    script.until_alerted(lost.iter().map(|(id, _)| id.as_str()));
    let expected = settle(&group);
    service.stop();
    let alerted = by_payment(&group.output("alerts"));
    for id in &hidden {
        assert!(
            !alerted.contains_key(id),
            "{id} was credited in time: {:?}",
            alerted[id]
        );
    }
    expected.compare(&group).assert("an open transaction");
}

pub(crate) fn timestamps_of_1970_move_no_clock() {
    let cluster = Cluster::shared();
    let setup = Setup {
        create_time: true,
        input_settings: [("message.timestamp.after.max.ms", "9223372036854775807")].into(),
        ..Setup::default()
    };
    let group = Group::new(&cluster, "ancient", setup);
    let service = group.start_ready("one");
    let script = Script::new(&group);
    let mut begun = Vec::new();
    for i in 0..20 {
        let id = format!("ancient-{i}");
        let stamp = [0, 1_000, now_ms(), now_ms() + 40 * 86_400_000][i % 4];
        let before = now_ms();
        script.append_at("payments", &id, &payment(&id), stamp);
        begun.push((id.clone(), before, now_ms()));
        if i % 2 == 0 {
            script.append_at("credits", &id, &credit(&id), stamp);
        }
    }
    let lost = begun.iter().enumerate().filter(|(i, _)| i % 2 == 1);
    let lost: Vec<_> = lost.map(|(_, payment)| payment).collect();
    script.until_alerted(lost.iter().map(|(id, _, _)| id.as_str()));
    // Until they are written off.
    let mut tail = Tail::new(&cluster, &group.topic("alerts"), true);
    until("all are written off", SOON, || {
        let records = tail.refresh();
        let closed = records.iter().filter(|it| it.json()["state"] == "resolved");
        (closed.count() >= lost.len()).then_some(())
    });
    service.stop();
    let alerted = by_payment(&group.output("alerts"));
    assert_eq!(alerted.len(), lost.len(), "{:?}", alerted.keys());
    for (id, before, after) in lost {
        let first = &alerted[id][0];
        let decided_at = first["decided_at"]
            .as_str()
            .and_then(parse_ms)
            .expect("a time");
        // The append time is known as exactly as there were probes.
        let bounds = before + 1_200 - 2_500..=after + 1_200 + 2_500;
        assert!(
            bounds.contains(&decided_at),
            "{id}, paid at {before}: {first}"
        );
    }
}
