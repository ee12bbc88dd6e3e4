//! The evaluation counts what it must: it would not call a wrong incident right, nor a missing one found.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};
use settlewatch_sim::{Fault, Plan, Scenario, generate};
use settlewatch_tests::evaluate::{Held, Incident, Payments, Subject, Table, Trial, hold};

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
