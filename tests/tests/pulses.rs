//! Lanes say to the watch what a replay says, whatever dies on the way.

use std::collections::BTreeSet;

use settlewatch_join::{Span, Timestamp};
use settlewatch_sim::{Fault, Plan, PlanBuilder, Scenario};
use settlewatch_tests::check::seeds;
use settlewatch_tests::lanes::{Deaths, Recording, Told, Written, replayed, written};

/// How many seeds an ordinary run looks at.
const SEEDS: u64 = 6;

/// Scenarios that come in turn, some at once: what pulses speak of must occur.
const SCENARIOS: &[&[Scenario]] = &[
    &[Scenario::Everyday, Scenario::GatewayDelay],
    &[Scenario::ChannelStopped, Scenario::AmountMismatch],
    &[Scenario::MerchantBackendSlow, Scenario::Hold],
    &[
        Scenario::Orphan,
        Scenario::DuplicateCredit,
        Scenario::Refund,
    ],
    &[Scenario::IdCorrupted, Scenario::Split],
    &[Scenario::DuplicatePayment, Scenario::T1, Scenario::Decline],
];

fn plan(seed: u64) -> Plan {
    let scenarios = SCENARIOS[seed as usize % SCENARIOS.len()];
    let faults = scenarios.iter().map(|&scenario| {
        let fault = Fault::new(scenario);
        match scenario {
            Scenario::Everyday => fault.share_permille(60),
            _ => fault,
        }
    });
    let builder = Plan::builder()
        .seed(seed)
        .duration_ms(200_000)
        .partitions(3 + seed as u32 % 3)
        .terminals(40)
        .varied();
    let plan = faults.fold(builder, PlanBuilder::fault).build();
    plan.expect("the plan can be carried out")
}

fn recording(seed: u64) -> Recording {
    let share = ["", "\nwatch: {share: \"0.3\"}\n"][seed as usize / 2 % 2];
    Recording::of(&plan(seed), share).with_noise(97)
}

/// The first second that is not compared.
fn end_of(recording: &Recording) -> Timestamp {
    let last = recording.ends() + Span::from_secs(200);
    Timestamp::from_millis(last.millis() / 1000 * 1000)
}

fn told(written: &Written, until: Timestamp) -> Told {
    let pulses = written.records.iter().flatten().flat_map(|it| &it.pulses);
    Told::of(pulses, until.millis() / 1000)
}

/// Known times of a partition never go back, every second has its record, and none has two but in parts.
fn is_in_order(written: &Written, begins: Timestamp) {
    for records in &written.records {
        let mut known = begins.millis() / 1000;
        let mut spoken = i64::MIN;
        for record in records {
            let next = record.known_ms / 1000;
            assert_eq!(record.known_ms % 1000, 0);
            assert!(next >= known, "{next} after {known}");
            for pulse in &record.pulses {
                assert!(pulse.second >= known, "{} is said twice", pulse.second);
                assert!(pulse.second >= spoken);
                spoken = pulse.second;
            }
            known = next;
        }
    }
}

#[test]
fn lanes_say_what_a_replay_says() {
    let (mut compared, mut late) = (0, 0);
    let mut kinds = BTreeSet::new();
    for seed in seeds(SEEDS) {
        let recording = recording(seed);
        let until = end_of(&recording);
        let expected = Told::of(&replayed(&recording, 1, until), until.millis() / 1000);
        let seven = Told::of(&replayed(&recording, 7, until), until.millis() / 1000);
        let difference = expected.difference(&seven);
        assert_eq!(difference, None, "seed {seed}: replay with 1 and 7");
        let lanes = written(&recording, seed, Deaths::NONE, until);
        is_in_order(&lanes, recording.begins());
        let said = told(&lanes, until);
        if let Some(difference) = expected.difference(&said) {
            panic!("seed {seed}: replay against lanes: {difference}");
        }
        compared += said.len();
        late += said.late.len();
        let of_kind = said.seconds.values().flatten().chain(&said.late);
        kinds.extend(of_kind.map(|it| it.split([' ', '{']).next().unwrap_or("").to_owned()));
    }
    println!("{compared} compared, {late} of them late: {kinds:?}");
    assert!(compared > 10_000 && late > 0);
    for kind in [
        "Note",
        "Case",
        "ChannelCount",
        "StreamCount",
        "Arrivals",
        "Leg",
        "Ack",
    ] {
        assert!(kinds.contains(kind), "no {kind} was compared");
    }
}

#[test]
fn a_lane_that_dies_says_the_same_once() {
    let (mut compared, mut deaths, mut restores) = (0, 0, 0);
    for seed in seeds(SEEDS) {
        let recording = recording(seed);
        let until = end_of(&recording);
        let lives = told(&written(&recording, seed, Deaths::NONE, until), until);
        let dying = Deaths {
            turns_permille: 8,
            transactions_permille: 8,
        };
        let dies = written(&recording, seed + 100, dying, until);
        is_in_order(&dies, recording.begins());
        let alerts: BTreeSet<_> = dies.alerts.iter().collect();
        assert_eq!(
            alerts.len(),
            dies.alerts.len(),
            "an alert was written twice"
        );
        let said = told(&dies, until);
        if let Some(difference) = lives.difference(&said) {
            panic!("seed {seed}: living against dying: {difference}");
        }
        compared += said.len();
        deaths += dies.deaths;
        restores += dies.restores;
    }
    println!("{compared} compared, {deaths} deaths, {restores} restores");
    assert!(compared > 10_000 && deaths > 20);
}
