//! New rules date anew what waits, and a change that would alert too many is refused.

use std::sync::Arc;

use super::common::{Bench, rule, settings, told, usual};
use settlewatch_join::settings::Matcher;
use settlewatch_join::{Reload, ReloadRefused, Settings};

fn rules(default_ms: u64) -> Arc<Settings> {
    let slow = Matcher {
        channel: vec!["slow".into()],
        ..Matcher::default()
    };
    settings(
        2,
        vec![
            rule("slow", slow, &[("warn", 60_000)]),
            rule(
                "default",
                Matcher::default(),
                &[("warn", default_ms), ("breach", 3_000)],
            ),
        ],
    )
}

#[test]
fn a_longer_tier_moves_the_deadline_of_what_waits() {
    let mut bench = Bench::new(&usual(), 0);
    bench.pay("SLOW", 10_000, "slow");
    bench.pay("FAST", 10_000, "fast");
    assert_eq!(
        bench.partition.reload(&rules(1_000)),
        Reload {
            redated: 1,
            at_once: 0
        }
    );
    assert_eq!(
        told(&bench.known(12_000)),
        ["11000 FAST credit_missing warn"]
    );
    let later = bench.known(70_001);
    assert!(
        told(&later).contains(&"70000 SLOW credit_missing warn".into()),
        "{:?}",
        told(&later)
    );
}

#[test]
fn a_deadline_that_new_rules_put_into_the_past_passes_when_they_come_into_force() {
    let mut bench = Bench::new(&usual(), 0);
    bench.pay("P1", 10_000, "a");
    bench.known(10_900);
    let reload = bench.partition.reload(&rules(200));
    assert_eq!(reload.at_once, 1);
    let alerts = bench.known(10_901);
    assert_eq!(told(&alerts), ["10900 P1 credit_missing warn"]);
    assert_eq!(alerts[0].deadline, Some(super::common::at(10_200)));
}

#[test]
fn tiers_that_were_passed_stay_passed() {
    let mut bench = Bench::new(&usual(), 0);
    bench.pay("P1", 10_000, "a");
    assert_eq!(bench.known(11_500).len(), 1);
    bench.partition.reload(&rules(2_000));
    assert_eq!(
        told(&bench.known(13_001)),
        ["13000 P1 credit_missing breach"]
    );
}

#[test]
fn a_plan_changes_nothing_and_tells_what_would_happen() {
    let mut bench = Bench::new(&usual(), 0);
    for i in 0..20 {
        bench.pay(&format!("P{i}"), 10_000, "a");
    }
    bench.known(10_900);
    let plan = bench.partition.plan_reload(&rules(200));
    assert_eq!(
        plan,
        Reload {
            redated: 20,
            at_once: 20
        }
    );
    assert_eq!(
        plan.check(10),
        Err(ReloadRefused {
            at_once: 20,
            limit: 10
        })
    );
    assert_eq!(plan.check(20), Ok(()));
    assert!(bench.known(11_000).is_empty());
    assert_eq!(bench.known(11_001).len(), 20);
}

#[test]
fn an_inspection_names_the_rule_and_its_version() {
    let mut bench = Bench::new(&usual(), 0);
    bench.pay("SLOW", 10_000, "slow");
    bench.partition.reload(&rules(1_000));
    let seen = bench.partition.inspect(None, "SLOW").expect("it waits");
    assert_eq!((seen.rule.as_deref(), seen.version), (Some("slow"), 2));
    assert_eq!(
        seen.deadlines,
        [("warn".to_string(), super::common::at(70_000))]
    );
}
