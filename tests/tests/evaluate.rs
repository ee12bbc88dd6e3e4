//! The evaluation counts what it must: it would not call a wrong incident right, nor a missing one found.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use settlewatch_sim::{Fault, Plan, Scenario, generate};
use settlewatch_tests::evaluate::{
    Calibration, Held, Incident, Payments, Subject, Table, Trial, Turns, hold,
};

const START_MS: i64 = 1_773_108_000_000;
const MINUTE_MS: i64 = 60_000;

/// A quarter of an hour in which `fault` is on from the fifth to the tenth minute, and of which `said` was said.
fn trial(fault: Fault, said: &[Value]) -> Trial {
    let fault = fault.during(5 * MINUTE_MS, 10 * MINUTE_MS);
    let scenario = fault.scenario;
    let plan = Plan::builder()
        .start_ms(START_MS)
        .fault(fault)
        .build()
        .unwrap();
    let mut payments = Payments::default();
    for record in generate(&plan).filter(|record| record.topic.name() == "payments") {
        payments.push(record.ts_ms, record.payload.into_bytes());
    }
    let lines: Vec<String> = said.iter().map(Value::to_string).collect();
    Trial {
        subject: Subject::One(scenario),
        seed: 1,
        told: plan.told(&[1]),
        incidents: Incident::read(lines.join("\n").as_bytes()),
        payments,
        calibration: Calibration::default(),
        span_ms: (plan.start_ms(), plan.end_ms()),
    }
}

/// A revision of the incident `id`, raised `at_s` seconds after the start.
fn revision(id: &str, verdict: &str, scope: Value, at_s: i64) -> Value {
    let at = jiff::Timestamp::from_millisecond(START_MS + at_s * 1000).unwrap();
    json!({
        "incident_id": id, "verdict": verdict, "scope": scope, "severity": "warning", "basis": "inferred",
        "opened_at": at.to_string(), "started_at": at.to_string(), "evidence": {"ruled_out": []},
    })
}

fn stopped() -> Fault {
    Fault::new(Scenario::ChannelStopped).channel("alipay")
}

/// Found, verdict, scope, delay in seconds, and how many incidents were about the fault and about nothing.
fn summary(held: &Held) -> (bool, bool, bool, Option<i64>, usize, usize) {
    let score = &held.scores[0];
    (
        score.best.is_some(),
        score.verdict,
        score.scope,
        score.delay_ms.map(|ms| ms / 1000),
        score.incidents.len(),
        held.false_ones.len(),
    )
}

fn summary_of(fault: Fault, said: &[Value]) -> (bool, bool, bool, Option<i64>, usize, usize) {
    summary(&hold(&trial(fault, said)))
}

#[test]
fn a_right_incident_is_right_whatever_its_first_revision_said() {
    let scope = json!({"channel": "alipay"});
    let said = [
        revision("I1", "CHANNEL_CONGESTED", json!({}), 308),
        revision("I1", "CHANNEL_DOWN", scope, 308),
    ];
    assert_eq!(
        summary_of(stopped(), &said),
        (true, true, true, Some(8), 1, 0)
    );
}

#[test]
fn what_is_wrong_is_counted_as_wrong() {
    let wrong = [revision(
        "I1",
        "CHANNEL_CONGESTED",
        json!({"channel": "visa"}),
        310,
    )];
    let none = (false, false, false, None, 0, 0);
    assert_eq!(summary_of(stopped(), &[]), none);
    assert_eq!(
        summary_of(stopped(), &wrong),
        (true, false, false, Some(10), 1, 0)
    );
    let unrelated = [revision(
        "I1",
        "FEE_MISMATCH",
        json!({"channel": "alipay"}),
        310,
    )];
    assert_eq!(
        summary_of(stopped(), &unrelated),
        (false, false, false, None, 1, 0)
    );
}

#[test]
fn an_incident_that_no_fault_can_have_caused_is_false() {
    let scope = || json!({"channel": "alipay"});
    let said = [
        revision("I1", "CHANNEL_DOWN", scope(), 120),
        revision("I2", "CHANNEL_DOWN", scope(), 305),
        revision("I3", "UNEXPLAINED", json!({}), 895),
    ];
    let (.., about, nothing) = summary_of(stopped(), &said);
    assert_eq!(
        (about, nothing),
        (2, 1),
        "the last is within the tail of the fault"
    );
}

#[test]
fn a_scope_that_selects_the_same_payments_is_exact_and_a_wider_one_is_not() {
    let fault = || Fault::new(Scenario::ChannelStopped).channel("bank_app");
    let scope_of =
        |scope: Value| summary_of(fault(), &[revision("I1", "CHANNEL_DOWN", scope, 306)]).2;
    assert!(scope_of(
        json!({"channel": "bank_app", "method": "qr_dynamic"})
    ));
    assert!(scope_of(
        json!({"channel": ["bank_app"], "gateway": ["gw-b", "gw-c"]})
    ));
    assert!(!scope_of(json!({"channel": "bank_app", "gateway": "gw-c"})));
    assert!(!scope_of(json!({"method": "qr_dynamic"})));
    assert!(!scope_of(json!({})));
}

#[test]
fn the_bars_are_missed_by_silence_and_by_a_page_for_nothing() {
    let reached = |trial: &Trial| {
        let mut table = Table::default();
        table.add(trial, &hold(trial));
        table.told().1
    };
    let right = revision("I1", "CHANNEL_DOWN", json!({"channel": "alipay"}), 306);
    assert!(reached(&trial(stopped(), std::slice::from_ref(&right))));
    assert!(!reached(&trial(stopped(), &[])));
    let late = revision("I1", "CHANNEL_DOWN", json!({"channel": "alipay"}), 330);
    assert!(!reached(&trial(stopped(), &[late])));
    let peak = || Fault::new(Scenario::Peak).channel("alipay");
    assert!(reached(&trial(peak(), &[])));
    assert!(!reached(&trial(peak(), &[right])));
}

#[test]
fn what_was_expected_is_held_against_the_alerts_after_that_minute() {
    let minute = |minute: i64| jiff::Timestamp::from_millisecond(minute * MINUTE_MS).unwrap();
    let row = |at: i64, of: u64, count: f64| {
        let expected = json!({"of": of, "count": count, "low": count - 1.0, "high": count + 1.0});
        json!({"minute": minute(at).to_string(), "channel": "alipay", "expected_missing": expected})
            .to_string()
    };
    let alert = |id: &str, revision: u32, deadline_ms: i64| {
        let deadline = jiff::Timestamp::from_millisecond(deadline_ms).unwrap();
        json!({"kind": "credit_missing", "revision": revision, "payment_id": id, "channel": "alipay",
               "deadline": deadline.to_string()})
        .to_string()
    };
    // At the end of the first minute two wait that will miss their deadline; one came after it.
    let accepted = [("a", 50_000), ("b", 59_000), ("c", 61_000)];
    let accepted = accepted.map(|(id, at)| (id.to_owned(), at)).into();
    let alerts = [
        alert("a", 1, 80_000),
        alert("a", 2, 170_000),
        alert("b", 1, 89_000),
        alert("c", 1, 91_000),
    ];
    let rows = [row(0, 4, 2.0), row(1, 100, 50.0)].join("\n");
    let alerts = alerts.join("\n");
    let counted = |turns: &Turns| {
        let counted = Calibration::of(&rows, &alerts, &accepted, 10 * MINUTE_MS, turns);
        counted.unwrap().text()
    };
    let text = counted(&Turns::default());
    assert_eq!(text.lines().count(), 3, "{text}");
    // 52 of 104 were expected, 2 came; only the first interval holds what came.
    let words: Vec<&str> = text.lines().nth(2).unwrap().split_whitespace().collect();
    assert_eq!(
        words[4..12],
        ["50.0", "%", "1.9", "%", "50.0", "%", "of", "2"]
    );
    // Moments far from any fault, within one, and at a turn of one.
    let moments = |from: i64, to: i64, grows: bool| -> Vec<u64> {
        let text = counted(&Turns(vec![(from * MINUTE_MS, to * MINUTE_MS, grows)]));
        let words: Vec<&str> = text.lines().nth(2).unwrap().split_whitespace().collect();
        let mut columns = words[4..].iter().copied();
        let mut found = Vec::new();
        while let Some(word) = columns.next() {
            match word {
                "-" => found.push(0),
                "of" => found.push(columns.next().unwrap().parse().unwrap()),
                _ => {}
            }
        }
        found
    };
    assert_eq!(moments(20, 30, false), [2, 0, 0]);
    assert_eq!(moments(4, 9, false), [1, 0, 1], "the next deadlines count");
    assert_eq!(moments(-9, 9, false), [0, 2, 0]);
    assert_eq!(
        moments(-9, 9, true),
        [0, 0, 2],
        "what grows is never steady"
    );
}
