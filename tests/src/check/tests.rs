//! The property bites: a replay that is the reference passes, one that is slightly wrong does not.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::compare::Aspect;
use crate::reference::{Config, Outcome, Rec, Revision, STREAMS, Sums, rfc3339};

/// The records of a recording in canonical order.
fn records(lines: &[String]) -> Vec<Rec> {
    let parse = |line: &String| {
        let line: Value = serde_json::from_str(line).expect("a line is JSON");
        let number = |field: &str| line[field].as_i64().expect("a number");
        let payload = line["payload"].as_str().expect("a payload");
        Rec {
            at_ms: number("ts"),
            stream: STREAMS
                .iter()
                .position(|stream| line["topic"] == **stream)
                .expect("a stream"),
            partition: i32::try_from(number("partition")).expect("a partition"),
            offset: number("offset"),
            value: serde_json::from_str(payload).expect("a payload is JSON"),
        }
    };
    let mut records: Vec<Rec> = lines.iter().map(parse).collect();
    records.sort_by_key(Rec::place);
    records
}

fn written(outcome: &Outcome) -> (Vec<Value>, Value) {
    let mut alerts: Vec<Value> = outcome.revisions.iter().map(alert).collect();
    alerts.sort_by_key(|it| {
        (
            it["decided_at"].to_string(),
            it["alert_id"].to_string(),
            it["revision"].as_u64(),
        )
    });
    let mut states = BTreeMap::<&str, BTreeMap<&str, i32>>::new();
    let mut last = BTreeMap::new();
    for it in &outcome.revisions {
        last.insert((&it.tenant, &it.payment_id, it.kind), it.state);
    }
    for ((_, _, kind), state) in last {
        *states.entry(kind).or_default().entry(state).or_default() += 1;
    }
    let records = STREAMS.iter().zip(&outcome.records).map(|(stream, it)| {
        let counts = json!({"used": it.used, "duplicate": it.duplicate, "late": it.late,
            "before_horizon": it.before_horizon, "rejected": 0});
        ((*stream).to_owned(), counts)
    });
    let mut summary = sums(&outcome.counts, |it| json!(it as i64));
    let money: serde_json::Map<String, Value> = outcome
        .amounts
        .iter()
        .map(|(currency, it)| (currency.clone(), sums(it, |it| json!(it.to_string()))))
        .collect();
    summary["amount_minor"] = money.into();
    summary["records"] = records.collect::<serde_json::Map<_, _>>().into();
    summary["alerts"] = json!(states);
    summary["waits"] = json!(outcome.waits);
    summary["from"] = rfc3339(outcome.from_ms).into();
    summary["to"] = rfc3339(outcome.to_ms).into();
    (alerts, summary)
}

fn sums(it: &Sums, number: impl Fn(i128) -> Value) -> Value {
    json!({"payments": number(it.payments), "credited": number(it.credited), "explained": number(it.explained),
        "written_off": number(it.written_off), "pending": number(it.pending), "overdue": number(it.overdue)})
}

fn alert(it: &Revision) -> Value {
    json!({
        "alert_id": format!("{:?}/{}/{}", it.tenant, it.payment_id, it.kind),
        "payment_id": it.payment_id, "kind": it.kind, "revision": it.revision, "state": it.state,
        "tier": it.tier, "resolution": it.resolution, "verdict": it.verdict,
        "related_payment_id": it.related_payment_id, "amount_minor": it.amount_minor.map(|it| it as i64),
        "currency": it.currency, "deadline": it.deadline_ms.map(rfc3339),
        "decided_at": rfc3339(it.decided_at_ms), "lag_ms": it.lag_ms,
        "paid_at": it.paid.as_ref().map(|it| rfc3339(it.at_ms)),
        "channel": it.paid.as_ref().map(|it| &it.channel),
        "merchant_id": it.paid.as_ref().map(|it| &it.merchant_id),
        "terminal_id": it.paid.as_ref().map(|it| &it.terminal_id),
    })
}

/// A replay that judges by the reference under changed rules.
fn judged(world: &World, change: impl Fn(&mut Config), lines: &[String]) -> (Vec<Value>, Value) {
    let records = records(lines);
    let mut config = world.config.clone();
    change(&mut config);
    let end = records.last().map_or(0, |rec| rec.at_ms);
    written(&judge(&records, &config, end))
}

fn exact() -> Property {
    let folder = std::env::temp_dir().join("settlewatch-property");
    Property {
        lateness: Lateness::Exact,
        folder,
    }
}

#[test]
fn a_replay_that_says_what_the_reference_says_passes() {
    for seed in 0..100 {
        let world = World::new(seed);
        exact()
            .check(seed, &|lines, _| judged(&world, |_| {}, lines))
            .expect("equal to itself");
    }
}

#[test]
fn deadlines_a_millisecond_off_are_found_and_shrunk() {
    let late = |config: &mut Config| {
        config
            .rules
            .iter_mut()
            .flat_map(|rule| &mut rule.tiers)
            .for_each(|tier| tier.after_ms += 1);
    };
    let broken = |seed| {
        let world = World::new(seed);
        exact()
            .check(seed, &|lines, _| judged(&world, late, lines))
            .err()
    };
    let report = (0..50).find_map(broken).expect("some world has a deadline");
    assert!(
        report.starts_with("seed ") && report.contains("Alerts:"),
        "{report}"
    );
    let records = report
        .lines()
        .filter(|line| line.starts_with("  ("))
        .count();
    assert!(records <= 3, "{report}");
}

#[test]
fn every_aspect_is_compared() {
    let world = World::new(11);
    let outcome = judge(&world.records(1), &world.config, world.end_ms());
    let (alerts, summary) = written(&outcome);
    let aspects = |alerts: &[Value], summary: &Value| -> Vec<Aspect> {
        compare(&outcome, alerts, summary, Lateness::Exact)
            .into_iter()
            .map(|it| it.aspect)
            .collect()
    };
    assert_eq!(aspects(&alerts, &summary), []);
    assert!(aspects(&alerts[1..], &summary).contains(&Aspect::Alerts));
    let reversed: Vec<Value> = alerts.iter().rev().cloned().collect();
    assert_eq!(aspects(&reversed, &summary), [Aspect::Order]);
    let changed = |path: &str| {
        let mut summary = summary.clone();
        *summary.pointer_mut(path).expect("a path of the summary") = json!(99);
        aspects(&alerts, &summary)
    };
    assert_eq!(changed("/pending"), [Aspect::Sums]);
    assert_eq!(changed("/records/credits/used"), [Aspect::Records]);
    let mut more = summary.clone();
    more["waits"]["RISK_HOLD"] = json!(99);
    assert_eq!(aspects(&alerts, &more), [Aspect::Waits]);
}

#[test]
fn a_panic_is_a_failure_with_a_seed() {
    let panics = |_: &[String], _: &str| -> (Vec<Value>, Value) { panic!("on purpose") };
    let report = exact().check(1, &panics).expect_err("it panicked");
    assert!(
        report.starts_with("seed 1,") && report.contains("Panicked:"),
        "{report}"
    );
}

type Change = fn(&mut Config);

/// Any rule that is a millisecond off shows in some world.
#[test]
fn every_span_is_found_wrong() {
    let changes: [(&str, Change); 5] = [
        ("give_up", |config| config.give_up_ms += 1),
        ("orphan_credit.after", |config| config.orphan_after_ms -= 1),
        ("duplicate_payment.window", |config| {
            config.duplicate_window_ms -= 1
        }),
        ("hold.limit", |config| config.hold_limit_ms += 1),
        ("due", |config| {
            let dues = config.rules.iter_mut().filter_map(|rule| rule.due.as_mut());
            dues.flat_map(|due| &mut due.calendar.days)
                .for_each(|day| day.credit_by_ms += 1);
        }),
    ];
    for (name, change) in changes {
        let wrong = |seed| {
            let world = World::new(seed);
            exact()
                .check(seed, &|lines, _| judged(&world, change, lines))
                .is_err()
        };
        assert!((0..200).any(wrong), "{name}");
    }
}
