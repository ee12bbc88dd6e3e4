//! What is not read is our own fault: a partition that a watch does not hear accuses nobody, and a watch that took its
//! silence for nothing having happened would accuse somebody.

use settlewatch_config::{Config, Env, Purpose, load_str};
use settlewatch_join::Timestamp;
use settlewatch_replay::{Observer, Replay, Until, watch_settings};
use settlewatch_sim::{Plan, Rate, config, generate};
use settlewatch_tests::placed::place_of;
use settlewatch_watch::Watch;
use settlewatch_watch::pulse::Pulse;

const PARTITIONS: i32 = 4;

/// The partition that is not heard any more, and from which second of the recording on.
const BLIND: (i32, i64) = (2, 300);

#[derive(Default)]
struct Pulses(Vec<Pulse>);

impl Observer for Pulses {
    fn pulse(&mut self, pulse: &Pulse) {
        self.0.push(pulse.clone());
    }
}

/// Healthy traffic, as a watch hears it that does not hear one partition from some second on.
fn heard(seed: u64) -> (Config, Vec<Pulse>) {
    let plan = Plan::builder()
        .seed(seed)
        .rate(Rate::per_second(30))
        .duration_ms(480_000)
        .partitions(PARTITIONS as u32)
        .build()
        .expect("a plan");
    let loaded = load_str("c.yaml", &config(&plan), Purpose::Replay, &Env::empty());
    let config = loaded.expect("it is valid").config;
    let (blind, after_s) = BLIND;
    let mut first_s = None;
    let mut is_unheard = |at: Timestamp, partition: i32| {
        let second = at.millis().div_euclid(1000);
        partition == blind && second - *first_s.get_or_insert(second) >= after_s
    };
    let records = generate(&plan).map(|record| {
        let place = place_of(&record);
        (place, record.payload.into_bytes())
    });
    let records: Vec<_> = records
        .filter(|(place, _)| !is_unheard(place.at, place.partition))
        .collect();
    let mut pulses = Pulses::default();
    Replay::new(&config, 1, Until::LastRecord)
        .showing_pulses()
        .records(records, &mut pulses)
        .expect("a replay ends");
    // A replay knows that nothing came; who does not hear a partition knows nothing of it.
    let mut pulses = pulses.0;
    let first_s = pulses[0].second;
    for pulse in pulses
        .iter_mut()
        .filter(|it| it.second - first_s >= after_s)
    {
        pulse.notes.retain(|note| note.partition != blind);
    }
    assert!(pulses.len() > 400, "a recording of some minutes");
    (config, pulses)
}

/// The verdicts of all incidents; a watch that `counts` takes the partition for one of which everything is known.
fn verdicts(config: &Config, pulses: &[Pulse], counts: bool) -> Vec<&'static str> {
    let mut watch = Watch::new(watch_settings(config));
    let (blind, after_s) = BLIND;
    let first_s = pulses[0].second;
    let mut said = Vec::new();
    for pulse in pulses {
        let second = pulse.second;
        watch.absorb(pulse.clone());
        for partition in 0..PARTITIONS {
            if partition != blind || counts || second - first_s < after_s {
                watch.known(partition, second);
            }
        }
        let revisions = watch.end_second(second);
        said.extend(revisions.iter().map(|it| it.finding.cause.row().label));
    }
    said.sort_unstable();
    said.dedup();
    said
}

#[test]
fn a_partition_that_is_not_heard_is_our_fault_and_would_be_somebody_elses_if_it_counted() {
    for seed in 1..=2 {
        let (config, pulses) = heard(seed);
        assert_eq!(verdicts(&config, &pulses, false), ["MONITOR_BEHIND"]);
        let accused = verdicts(&config, &pulses, true);
        println!("seed {seed}: {accused:?} if it counted");
        assert!(!accused.is_empty(), "seed {seed}: nobody is accused");
        assert!(!accused.contains(&"MONITOR_BEHIND"));
    }
}
