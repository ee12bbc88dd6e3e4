//! Faults that have a place: they are there, nowhere else, and show as they do in life.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use settlewatch_sim::{
    Expectation, Fault, Field, Load, Plan, PlanBuilder, PlanError, Rate, Scenario, generate,
};

const MINUTE_MS: i64 = 60_000;

/// Ten minutes with `fault` from the fourth to the seventh.
fn plan(fault: Fault) -> PlanBuilder {
    Plan::builder()
        .seed(3)
        .rate(Rate::per_second(10))
        .duration_ms(10 * MINUTE_MS)
        .fault(fault.during(4 * MINUTE_MS, 7 * MINUTE_MS))
}

/// The events of `builder`'s plan: minutes after the start as they are appended, and the event.
fn events(builder: PlanBuilder) -> Vec<(i64, Value)> {
    let plan = builder.build().unwrap();
    let records = generate(&plan);
    records
        .map(|record| {
            let minute = (record.ts_ms - plan.start_ms()) / MINUTE_MS;
            (minute, serde_json::from_str(&record.payload).unwrap())
        })
        .collect()
}

fn of_type<'a>(
    events: &'a [(i64, Value)],
    kind: &'a str,
) -> impl Iterator<Item = &'a (i64, Value)> {
    events
        .iter()
        .filter(move |(_, event)| event["type"] == kind)
}

/// The payments that were never credited.
fn missing(events: &[(i64, Value)]) -> Vec<&Value> {
    let credited: BTreeSet<_> = of_type(events, "terminal.credited")
        .map(|(_, event)| event["payment_id"].as_str().unwrap())
        .collect();
    let paid = of_type(events, "payment.succeeded").map(|(_, event)| event);
    paid.filter(|event| !credited.contains(event["payment_id"].as_str().unwrap()))
        .collect()
}

#[test]
fn a_fault_is_where_it_is_said_to_be() {
    let fault = Fault::new(Scenario::InterfaceFault)
        .within(Field::Connector, "conn-b2")
        .within(Field::Region, "east")
        .share_permille(1000);
    let events = events(plan(fault));
    let lost: Vec<_> = missing(&events);
    let here = lost
        .iter()
        .filter(|event| event["connector"] == "conn-b2" && event["region"] == "east");
    assert!(here.count() > 30);
    // What was paid in the last moments is not credited by the end.
    let elsewhere = lost.iter().filter(|event| event["connector"] != "conn-b2");
    assert!(elsewhere.count() < 60, "{}", lost.len());
    let rejected = of_type(&events, "credit.rejected").filter(|(_, it)| it["class"] == "format");
    assert!(rejected.count() > 10);
    let (minute, marker) = of_type(&events, "marker").next().unwrap();
    assert!((3..=4).contains(minute) && marker["scope"]["connector"] == "conn-b2");
}

#[test]
fn a_region_that_is_offline_is_silent_and_catches_up() {
    let events = events(plan(
        Fault::new(Scenario::NetworkRegion).within(Field::Region, "north"),
    ));
    let north: BTreeSet<_> = of_type(&events, "payment.succeeded")
        .filter(|(_, event)| event["region"] == "north")
        .map(|(_, event)| event["terminal_id"].as_str().unwrap())
        .collect();
    let mut minutes: BTreeMap<(i64, bool), u32> = BTreeMap::new();
    for (minute, event) in of_type(&events, "terminal.heartbeat") {
        let is_north = north.contains(event["terminal_id"].as_str().unwrap());
        *minutes.entry((*minute, is_north)).or_default() += 1;
    }
    assert!(minutes[&(3, true)] > 10 && minutes[&(7, true)] > 10);
    assert!((4..7).all(|minute| !minutes.contains_key(&(minute, true))));
    assert!((0..10).all(|minute| minutes[&(minute, false)] > 100));
    let late = of_type(&events, "terminal.credited")
        .filter(|(minute, event)| *minute == 7 && event["channel"] != "bank_app");
    assert!(late.count() > 600, "a burst on top of ten a second");
}

#[test]
fn heartbeats_tell_hardware_from_software_and_queues() {
    let said = |scenario, variant| {
        let terminal = "T1000003";
        let fault = Fault::new(scenario)
            .within(Field::Terminal, terminal)
            .variant(variant);
        let events = events(plan(fault));
        let of_terminal = of_type(&events, "terminal.heartbeat")
            .filter(|(minute, event)| (4..7).contains(minute) && event["terminal_id"] == terminal);
        of_terminal
            .map(|(_, event)| event.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(said(Scenario::TerminalOffline, 0).len(), 0);
    let error = |event: &Value| event["error_code"] == "E_SECURE_MODULE";
    let faulty = said(Scenario::TerminalHardware, 0);
    assert!(faulty.len() == 3 && faulty.iter().all(error));
    assert_eq!(
        said(Scenario::TerminalHardware, 1)
            .iter()
            .filter(|it| error(it))
            .count(),
        2
    );
    let restarts = said(Scenario::TerminalHardware, 2);
    assert!(
        restarts
            .iter()
            .all(|event| event["uptime_s"].as_u64().unwrap() < 60)
    );
    assert!(
        said(Scenario::TerminalFault, 0)
            .iter()
            .all(|event| !error(event))
    );
    let busy = said(Scenario::TerminalBusy, 0);
    assert!(
        busy.iter()
            .any(|event| event["queue_depth"].as_u64().unwrap() > 5)
    );
    let idle = said(Scenario::MerchantOperation, 0);
    assert!(idle.len() == 3 && idle.iter().all(|event| event["signed_in"] == false));
}

#[test]
fn a_peak_multiplies_the_payments_of_its_channel_alone() {
    let peak = Fault::new(Scenario::Peak)
        .channel("alipay")
        .times_permille(4000);
    let events = events(plan(peak));
    let count = |is_peak: bool, is_alipay: bool| {
        of_type(&events, "payment.succeeded")
            .filter(|(minute, event)| {
                (4..7).contains(minute) == is_peak && (event["channel"] == "alipay") == is_alipay
            })
            .count()
    };
    let times = count(true, true) * 7 / (count(false, true) * 3 / 10).max(1);
    assert!((330..470).contains(&(times * 10)), "{times}");
    let others = count(true, false) * 70 / (count(false, false) * 3);
    assert!((8..=12).contains(&others), "{others}");
}

#[test]
fn a_late_feed_appends_late_what_happened_in_time() {
    let fault = Fault::new(Scenario::SyncDelay)
        .within(Field::Gateway, "gw-b")
        .delay_ms(100_000);
    let plan = plan(fault).build().unwrap();
    let mut late = BTreeMap::new();
    for record in generate(&plan).filter(|record| record.topic.name() == "payments") {
        let event: Value = serde_json::from_str(&record.payload).unwrap();
        let told = event["occurred_at"].as_str().unwrap();
        let minute_told: i64 = told[14..16].parse().unwrap();
        let minute = (record.ts_ms - plan.start_ms()) / MINUTE_MS;
        if minute - minute_told >= 1 {
            *late.entry(event["gateway"].to_string()).or_insert(0) +=
                u32::from(minute - minute_told > 1);
        }
    }
    let of_others: u32 = late
        .iter()
        .filter(|(name, _)| *name != "\"gw-b\"")
        .map(|(_, n)| n)
        .sum();
    assert!(late["\"gw-b\""] > 100 && of_others == 0, "{late:?}");
}

#[test]
fn a_place_where_nobody_pays_is_refused() {
    let refusal = |field, value| {
        let fault = Fault::new(Scenario::Loss).within(field, value);
        plan(fault).build().expect_err("refused").to_string()
    };
    assert_eq!(
        refusal(Field::Gateway, "gw-z"),
        "`loss` is about gateway `gw-z`, where nobody pays in this plan"
    );
    let unknown = Field::parse("gatway").expect_err("misspelt");
    assert_eq!(
        unknown.to_string(),
        "unknown field `gatway`: did you mean `gateway`?"
    );
    assert!(matches!(
        Load::parse("night"),
        Err(PlanError::UnknownLoad { .. })
    ));
}

#[test]
fn every_scenario_finds_a_place_and_something_to_do_in_a_drawn_plan() {
    for scenario in Scenario::all() {
        let plan = Plan::drawn(5, &[scenario]).build().unwrap();
        let told = plan.told(&[0; 4]);
        let own = told.iter().find(|told| told.scenario == scenario);
        let has_place = own.is_some_and(|told| !told.scope.is_empty());
        let global = [Scenario::PlatformBackend, Scenario::SyncDelay];
        let is_placed = !matches!(
            scenario.expectation(),
            Expectation::Incident(..) | Expectation::Pattern(_)
        ) || global.contains(&scenario);
        assert!(has_place || is_placed, "{}", scenario.name());
    }
}
