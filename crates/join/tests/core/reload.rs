//! New rules date anew what waits, and a change that would alert too many is refused.

use std::sync::Arc;

use super::common::{Bench, at, payment, rule, settings, told, usual};
use settlewatch_join::settings::{Due, Matcher, Rule};
use settlewatch_join::{
    Body, Calendar, Day, Partition, PaymentState, Reload, ReloadRefused, Settings, Span,
};

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
    assert_eq!(alerts[0].deadline, Some(at(10_200)));
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
    assert_eq!(seen.deadlines, [("warn".to_string(), at(70_000))]);
}

/// One rule for everything.
fn one(tiers: &[(&str, u64)]) -> Rule {
    rule("default", Matcher::default(), tiers)
}

/// One rule for everything, due on a day of the calendar: days of 100 s, due at their middle.
fn batch(tiers: &[(&str, u64)]) -> Rule {
    let days = (0..20).map(|day| Day {
        cut_off: at(day * 100_000 + 90_000),
        credit_by: at(day * 100_000 + 50_000),
        business: true,
    });
    let calendar = Calendar::new(days.collect()).expect("cut-offs increase");
    Rule {
        due: Some(Due {
            calendar: Arc::new(calendar),
            business_days: 1,
        }),
        ..one(tiers)
    }
}

fn reload(bench: &mut Bench, rules: Vec<Rule>) -> Reload {
    let rules = settings(2, rules);
    let plan = bench.partition.plan_reload(&rules);
    let done = bench.partition.reload(&rules);
    assert_eq!(plan, done, "what was planned is what is done");
    done
}

/// Written, and read back under other rules.
fn restarted(bench: Bench, rules: Vec<Rule>) -> Bench {
    let mut bytes = Vec::new();
    bench
        .partition
        .snapshot(&mut |chunk| bytes.extend_from_slice(chunk));
    let partition = Partition::restore(settings(2, rules), [bytes]).expect("it was written so");
    Bench::of(partition)
}

#[test]
fn a_hold_stands_under_new_rules_and_its_release_starts_their_clock() {
    let mut bench = Bench::new(&usual(), 0);
    bench.pay("P1", 10_000, "a");
    bench.hold("P1", 10_500, 30_000);
    let tiers = [("warn", 200), ("breach", 5_000)];
    let nothing_due = Reload::default();
    assert_eq!(reload(&mut bench, vec![one(&tiers)]), nothing_due);
    let seen = bench.partition.inspect(None, "P1").expect("it waits");
    assert_eq!(
        (seen.state, seen.held_until),
        (PaymentState::Held, Some(at(30_000)))
    );
    assert!(bench.known(20_001).is_empty(), "the clock stands");
    assert!(bench.release("P1", 20_001).is_empty());
    let expected = [
        "20201 P1 credit_missing warn",
        "25001 P1 credit_missing breach",
    ];
    assert_eq!(told(&bench.known(25_002)), expected);
}

#[test]
fn a_hold_overdue_is_given_up_by_the_new_rule() {
    let mut bench = Bench::new(&usual(), 0);
    bench.pay("P1", 10_000, "a");
    bench.hold("P1", 10_500, 30_000);
    let overdue = bench.known(30_001);
    assert_eq!(told(&overdue), ["30000 P1 hold_overdue breach"]);
    let patient = Rule {
        give_up: Span::from_millis(7_000),
        ..one(&[("warn", 1_000)])
    };
    assert_eq!(reload(&mut bench, vec![patient]).at_once, 0);
    assert!(bench.known(37_000).is_empty());
    let ended = bench.known(37_001);
    assert_eq!(told(&ended), ["37000 P1 hold_overdue written_off"]);
}

#[test]
fn a_released_payment_is_dated_from_its_release() {
    let mut bench = Bench::new(&usual(), 0);
    bench.pay("P1", 10_000, "a");
    bench.hold("P1", 10_500, 30_000);
    bench.release("P1", 20_000);
    reload(&mut bench, vec![one(&[("warn", 2_000)])]);
    let alerts = bench.known(22_001);
    assert_eq!(told(&alerts), ["22000 P1 credit_missing warn"]);
    // Of a batch, the calendar counts from the release too.
    let mut bench = Bench::new(&usual(), 0);
    bench.pay("P1", 10_000, "a");
    bench.hold("P1", 10_500, 130_000);
    bench.release("P1", 120_000);
    reload(&mut bench, vec![batch(&[("breach", 0)])]);
    assert!(bench.known(250_000).is_empty());
    let alerts = bench.known(250_001);
    assert_eq!(told(&alerts), ["250000 P1 credit_missing breach"]);
}

#[test]
fn a_payment_moves_into_a_batch_and_out_of_it() {
    let mut bench = Bench::new(&usual(), 0);
    bench.pay("P1", 10_000, "a");
    let into = reload(&mut bench, vec![batch(&[("breach", 10)])]);
    assert_eq!((into.redated, into.at_once), (1, 0));
    assert!(bench.known(150_010).is_empty());
    let out = reload(&mut bench, vec![one(&[("warn", 200_000)])]);
    assert_eq!((out.redated, out.at_once), (1, 0));
    let alerts = bench.known(210_001);
    assert_eq!(told(&alerts), ["210000 P1 credit_missing warn"]);
}

#[test]
fn the_due_time_that_a_payment_names_outlives_a_rule_without_due() {
    let online = Matcher {
        channel: vec!["a".into()],
        ..Matcher::default()
    };
    let mixed = vec![
        rule("online", online, &[("warn", 60_000)]),
        batch(&[("breach", 0)]),
    ];
    let mut bench = Bench::new(&settings(1, mixed), 0);
    let mut paid = payment("P1", "a");
    paid.expected_credit_by = Some(at(30_000));
    bench.apply(0, 10_000, 10_000, "P1", Body::Succeeded(paid));
    reload(&mut bench, vec![batch(&[("breach", 0)])]);
    assert!(bench.known(30_000).is_empty());
    let alerts = bench.known(30_001);
    assert_eq!(told(&alerts), ["30000 P1 credit_missing breach"]);
}

#[test]
fn a_shorter_patience_writes_off_at_once_and_is_counted_so() {
    let mut bench = Bench::new(&usual(), 0);
    bench.pay("P1", 10_000, "a");
    assert_eq!(bench.known(20_000).len(), 2);
    let impatient = Rule {
        give_up: Span::from_millis(1_000),
        ..one(&[("warn", 1_000), ("breach", 3_000)])
    };
    assert_eq!(reload(&mut bench, vec![impatient]).at_once, 1);
    let ended = bench.known(20_001);
    assert_eq!(told(&ended), ["20000 P1 credit_missing written_off"]);
}

#[test]
fn a_tier_put_before_those_passed_does_not_pass_them_again() {
    let before = settings(1, vec![one(&[("breach", 1_000), ("escalate", 5_000)])]);
    let mut bench = Bench::new(&before, 0);
    bench.pay("P1", 10_000, "a");
    let alerts = bench.known(12_000);
    assert_eq!(told(&alerts), ["11000 P1 credit_missing breach"]);
    let more = [("warn", 500), ("breach", 1_000), ("escalate", 5_000)];
    assert_eq!(reload(&mut bench, vec![one(&more)]), Reload::default());
    let alerts = bench.known(15_001);
    assert_eq!(told(&alerts), ["15000 P1 credit_missing escalate"]);
}

#[test]
fn a_tier_taken_away_before_those_passed_loses_none_that_follow() {
    let three = [("warn", 500), ("breach", 1_000), ("escalate", 5_000)];
    let two = [("breach", 1_000), ("escalate", 5_000)];
    let opened = || {
        let mut bench = Bench::new(&settings(1, vec![one(&three)]), 0);
        bench.pay("P1", 10_000, "a");
        assert_eq!(bench.known(12_000).len(), 2);
        bench
    };
    let expected = ["15000 P1 credit_missing escalate"];
    let mut bench = opened();
    reload(&mut bench, vec![one(&two)]);
    assert_eq!(told(&bench.known(15_001)), expected);
    // A restart under other rules means the same.
    let mut bench = restarted(opened(), vec![one(&two)]);
    assert_eq!(told(&bench.known(15_001)), expected);
    // There and back again.
    let mut bench = opened();
    reload(&mut bench, vec![one(&two)]);
    reload(&mut bench, vec![one(&three)]);
    assert_eq!(told(&bench.known(15_001)), expected);
}

#[test]
fn tiers_under_new_names_are_passed_as_far_as_their_deadlines_were() {
    let mut bench = Bench::new(&usual(), 0);
    bench.pay("P1", 10_000, "a");
    assert_eq!(bench.known(14_000).len(), 2);
    let renamed = [
        ("soon", 500),
        ("now", 3_000),
        ("late", 3_001),
        ("end", 9_000),
    ];
    reload(&mut bench, vec![one(&renamed)]);
    let expected = [
        "14000 P1 credit_missing late",
        "19000 P1 credit_missing end",
    ];
    assert_eq!(told(&bench.known(19_001)), expected);
}

#[test]
fn a_rule_with_fewer_tiers_gives_up_after_its_last() {
    let mut bench = Bench::new(&usual(), 0);
    bench.pay("P1", 10_000, "a");
    assert_eq!(bench.known(14_000).len(), 2);
    let fewer = Rule {
        give_up: Span::from_millis(9_000),
        ..one(&[("warn", 1_000)])
    };
    reload(&mut bench, vec![fewer]);
    assert!(bench.known(20_000).is_empty());
    let ended = bench.known(20_001);
    assert_eq!(told(&ended), ["20000 P1 credit_missing written_off"]);
}

#[test]
fn a_credit_after_the_deadline_that_held_is_late_though_the_new_one_is_later() {
    let mut bench = Bench::new(&usual(), 0);
    bench.pay("P1", 10_000, "a");
    assert_eq!(bench.known(11_001).len(), 1);
    reload(&mut bench, vec![one(&[("warn", 60_000)])]);
    let resolved = bench.credit("P1", 12_000, 12_000);
    assert_eq!(told(&resolved), ["12000 P1 credit_missing credited_late"]);
}
