//! What holds for every plan.
#![allow(clippy::unwrap_used)]

mod check;

use std::collections::{BTreeMap, BTreeSet};

use settlewatch_sim::{Fault, Plan, PlanError, Rate, Record, Scenario, Topic, Truth, generate};

/// A quarter of an hour of one scenario that touches a good part of the payments.
fn plan(seed: u64, scenarios: &[Scenario]) -> Plan {
    let builder = Plan::builder()
        .seed(seed)
        .rate(Rate::per_second(4))
        .partitions(5)
        .terminals(40);
    let faults = scenarios.iter().map(|scenario| Fault::new(*scenario));
    faults
        .fold(builder, |builder, fault| builder.fault(fault))
        .build()
        .unwrap()
}

fn run(plan: &Plan) -> (Vec<Record>, Truth) {
    let mut generator = generate(plan);
    let records = generator.by_ref().collect();
    (records, generator.into_truth())
}

fn everything() -> Plan {
    plan(11, &Scenario::all().collect::<Vec<_>>())
}

#[test]
fn the_same_seed_gives_the_same_records_and_truth() {
    let plan = everything();
    let ((first, truth), (second, other)) = (run(&plan), run(&plan));
    assert!(first == second);
    assert_eq!(truth.json(&plan), other.json(&plan));
}

#[test]
fn another_seed_gives_other_records() {
    let (first, _) = run(&plan(1, &[]));
    let (second, _) = run(&plan(2, &[]));
    assert!(first != second);
}

#[test]
fn every_record_is_canonical_and_in_its_place() {
    let plan = everything();
    check::places(&run(&plan).0, 5);
}

#[test]
fn no_record_lies_outside_of_the_plan_and_no_business_time_before_it() {
    let plan = everything();
    let (records, _) = run(&plan);
    assert_eq!(
        records[0].ts_ms,
        plan.start_ms(),
        "the first heartbeat opens the recording"
    );
    assert!(
        records
            .iter()
            .all(|record| (plan.start_ms()..=plan.end_ms()).contains(&record.ts_ms))
    );
}

#[test]
fn healthy_traffic_calls_for_no_alert() {
    for seed in 0..3 {
        let (_, truth) = run(&plan(seed, &[Scenario::Healthy]));
        assert_eq!(truth.alerts, [], "seed {seed}");
        assert!(truth.payments.credited > 3000, "seed {seed}");
    }
}

#[test]
fn every_scenario_shows_in_the_truth() {
    use Scenario as S;
    let expected: &[(S, &[&str])] = &[
        (S::ChannelStopped, &["credit_missing"]),
        (S::ChannelSlowed, &["credit_missing"]),
        (S::Loss, &["credit_missing"]),
        (S::Late, &["credit_missing"]),
        (S::Split, &["credit_missing", "amount_mismatch"]),
        (S::DuplicateCredit, &["duplicate_credit"]),
        (S::DuplicatePayment, &["duplicate_payment"]),
        (S::Orphan, &["orphan_credit"]),
        (
            S::Mismatch,
            &["amount_mismatch", "currency_mismatch", "terminal_mismatch"],
        ),
        (S::Refund, &["credit_missing", "credit_after_reversal"]),
        (S::Reversal, &["credit_missing", "credit_after_reversal"]),
        (S::Decline, &["credit_missing", "credit_after_reversal"]),
        (S::Hold, &["credit_missing", "hold_overdue"]),
        (S::T1, &["credit_missing"]),
        (S::Redelivery, &[]),
        (S::ClockSkew, &[]),
        (S::Silence, &["credit_missing"]),
        (S::IdCorrupted, &["credit_missing", "orphan_credit"]),
    ];
    for (scenario, kinds) in expected {
        let (_, truth) = run(&plan(5, &[*scenario]));
        assert!(truth.touched[0] > 0, "{} touched nothing", scenario.name());
        let seen: BTreeSet<_> = truth.alerts.iter().map(|alert| alert.kind).collect();
        let wanted: BTreeSet<_> = kinds.iter().copied().collect();
        assert_eq!(seen, wanted, "{}", scenario.name());
    }
}

#[test]
fn every_variant_of_every_case_is_injected() {
    let (_, truth) = run(&everything());
    let seen: BTreeSet<_> = truth
        .injected
        .iter()
        .map(|one| (one.scenario, one.detail))
        .collect();
    assert!(seen.len() >= 35, "{seen:?}");
    assert!(truth.injected.iter().all(|one| one.detail != "none"));
}

#[test]
fn resolutions_of_every_kind_are_staged() {
    let (_, truth) = run(&everything());
    let seen: BTreeSet<_> = truth
        .alerts
        .iter()
        .filter_map(|alert| Some((alert.kind, alert.resolved?.0)))
        .collect();
    let wanted = [
        ("credit_missing", "credited_late"),
        ("credit_missing", "refunded"),
        ("credit_missing", "reversed"),
        ("credit_missing", "declined"),
        ("hold_overdue", "completed"),
        ("orphan_credit", "completed"),
        ("duplicate_payment", "refunded"),
    ];
    for pair in wanted {
        assert!(seen.contains(&pair), "{pair:?} is not among {seen:?}");
    }
}

#[test]
fn the_sums_are_those_of_the_records() {
    let plan = everything();
    let (records, truth) = run(&plan);
    let payments = truth.payments;
    assert_eq!(
        payments.total,
        payments.credited + payments.explained + payments.rest
    );
    let mut amounts: BTreeMap<String, u128> = BTreeMap::new();
    let mut ids = BTreeSet::new();
    for record in records
        .iter()
        .filter(|record| record.topic == Topic::Payments)
    {
        let event = check::event(record);
        if ids.insert(record.key.clone()) {
            let currency = event["currency"].as_str().unwrap().to_owned();
            *amounts.entry(currency).or_default() +=
                u128::from(event["amount_minor"].as_u64().unwrap());
        }
    }
    assert_eq!(payments.total, ids.len() as u128);
    let totals: BTreeMap<_, _> = truth
        .amount_minor
        .iter()
        .map(|(currency, sums)| ((*currency).to_owned(), sums.total))
        .collect();
    assert_eq!(totals, amounts);
    for sums in truth.amount_minor.values() {
        assert_eq!(sums.total, sums.credited + sums.explained + sums.rest);
    }
    let written: u64 = truth.records.values().map(|(written, _)| written).sum();
    assert_eq!(written, records.len() as u64);
}

#[test]
fn a_credit_on_the_deadline_is_in_time_and_a_millisecond_later_is_not() {
    let (_, truth) = run(&plan(3, &[Scenario::Late]));
    let alert_of = |id: &str| truth.alerts.iter().find(|alert| alert.payment_id == id);
    let of = |detail| {
        truth
            .injected
            .iter()
            .filter(move |one| one.detail == detail)
    };
    assert!(of("on_the_deadline").count() > 3);
    assert!(of("on_the_deadline").all(|one| alert_of(&one.payment_id).is_none()));
    for one in of("a_millisecond_late") {
        let alert = alert_of(&one.payment_id).expect("late");
        assert_eq!(alert.resolved, Some(("credited_late", alert.opens_at + 1)));
    }
}

#[test]
fn a_corrupted_id_is_near_the_payment_and_both_alerts_name_each_other() {
    let (_, truth) = run(&plan(3, &[Scenario::IdCorrupted]));
    let known = truth.alerts.iter().filter(|alert| alert.related.is_some());
    assert!(known.clone().count() > 10);
    for alert in known {
        let (_, other) = alert.related.as_ref().expect("related");
        assert_eq!(
            alert.verdicts.last().map(|(_, verdict)| *verdict),
            Some("ID_CORRUPTED")
        );
        let differing = alert
            .payment_id
            .bytes()
            .zip(other.bytes())
            .filter(|(a, b)| a != b)
            .count();
        assert!(alert.payment_id.len() == other.len() && (1..=2).contains(&differing));
    }
}

#[test]
fn redelivered_records_are_the_same_bytes() {
    let (records, truth) = run(&plan(3, &[Scenario::Redelivery]));
    let mut seen = BTreeSet::new();
    let again = records
        .iter()
        .filter(|record| !seen.insert((record.topic, &record.key, &record.payload)));
    let counted: u64 = truth.records.values().map(|(_, again)| again).sum();
    assert_eq!(again.count() as u64, counted);
    assert!(counted > 50);
}

#[test]
fn faults_stay_within_their_time_and_channel() {
    let fault = Fault::new(Scenario::Loss)
        .channel("alipay")
        .during(60_000, 120_000)
        .share_permille(500);
    let plan = Plan::builder().seed(4).fault(fault).build().unwrap();
    let (records, truth) = run(&plan);
    let lost: BTreeSet<_> = truth
        .injected
        .iter()
        .map(|one| one.payment_id.as_str())
        .collect();
    let mut payments = records
        .iter()
        .filter(|record| record.topic == Topic::Payments);
    assert!(lost.len() > 50);
    assert!(
        payments
            .by_ref()
            .filter(|record| lost.contains(record.key.as_str()))
            .all(|record| {
                let after_ms = record.ts_ms - plan.start_ms();
                check::event(record)["channel"] == "alipay" && (60_000..120_000).contains(&after_ms)
            })
    );
}

#[test]
fn the_rate_is_kept() {
    for (text, payments) in [("0.5", 400..500), ("10", 8500..9450)] {
        let plan = Plan::builder()
            .rate(Rate::parse(text).unwrap())
            .stages_permille(0)
            .build()
            .unwrap();
        let (_, truth) = run(&plan);
        assert!(
            payments.contains(&truth.payments.total),
            "{text}: {}",
            truth.payments.total
        );
    }
}

#[test]
fn a_plan_that_cannot_be_is_refused_with_a_reason() {
    let refusal = |fault| {
        Plan::builder()
            .fault(fault)
            .build()
            .expect_err("refused")
            .to_string()
    };
    assert_eq!(
        refusal(Fault::new(Scenario::Loss).channel("unionpay-qr")),
        "unknown channel `unionpay-qr`: did you mean `unionpay_qr`?"
    );
    let backwards = refusal(Fault::new(Scenario::Late).during(5000, 1000));
    assert_eq!(
        backwards,
        "`late` lasts from 5000 ms to 1000 ms: it must begin before it ends and while payments come"
    );
    let elsewhere = Plan::builder()
        .channel("alipay")
        .fault(Fault::new(Scenario::Loss).channel("visa"))
        .build();
    assert!(matches!(
        elsewhere,
        Err(PlanError::ChannelNotPlanned { .. })
    ));
    for rate in ["0", "-1", "1.2345", "fast", "", "."] {
        assert_eq!(Rate::parse(rate), Err(PlanError::BadRate(rate.to_owned())));
    }
    assert!(matches!(
        Plan::builder().partitions(0).build(),
        Err(PlanError::OutOfRange { .. })
    ));
}
