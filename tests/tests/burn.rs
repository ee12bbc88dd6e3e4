//! Error budgets burn while a fault lasts, and never where nothing is wrong.

use settlewatch_config::{Env, Purpose, load_str};
use settlewatch_replay::{Observer, Replay, Until, watch_settings};
use settlewatch_sim::{Plan, Rate, Scenario, config, generate};
use settlewatch_tests::placed::place_of;
use settlewatch_watch::pulse::Pulse;
use settlewatch_watch::{Burn, Watch, WatchSettings};

#[derive(Default)]
struct Seen(Vec<Pulse>);

impl Observer for Seen {
    fn pulse(&mut self, pulse: &Pulse) {
        self.0.push(pulse.clone());
    }
}

/// A recording as the watch sees it, in `partitions` parts.
fn recorded(seed: u64, scenarios: &[&str], partitions: usize) -> (WatchSettings, Vec<Pulse>) {
    let scenarios = scenarios.iter();
    let scenarios: Vec<_> = scenarios
        .map(|name| Scenario::parse(name).expect("a scenario"))
        .collect();
    let plan = Plan::drawn(seed, &scenarios)
        .rate(Rate::per_second(25))
        .build()
        .expect("a plan");
    let loaded = load_str("c.yaml", &config(&plan), Purpose::Replay, &Env::empty());
    let config = loaded.expect("it is valid").config;
    let records = generate(&plan).map(|record| {
        let place = place_of(&record);
        (place, record.payload.into_bytes())
    });
    let records: Vec<_> = records.collect();
    let mut seen = Seen::default();
    Replay::new(&config, partitions, Until::LastRecord)
        .showing_pulses()
        .records(records, &mut seen)
        .expect("a replay ends");
    assert!(seen.0.len() > 600, "a recording of some minutes");
    (watch_settings(&config), seen.0)
}

/// How fast each channel burns at the end of each second.
fn burns(settings: &WatchSettings, pulses: Vec<Pulse>) -> Vec<(i64, Vec<Burn>)> {
    let mut watch = Watch::new(settings.clone());
    let mut said = Vec::new();
    let mut next = pulses[0].second;
    for pulse in pulses {
        while next < pulse.second {
            watch.end_second(next);
            said.push((next, watch.burns(next)));
            next += 1;
        }
        watch.absorb(pulse);
    }
    said
}

fn is_fast(burns: &[Burn]) -> bool {
    burns.iter().any(|burn| burn.fast.burns)
}

#[test]
fn where_nothing_is_wrong_no_budget_burns() {
    let mut channels = 0;
    for seed in [61, 62, 63] {
        let (settings, pulses) = recorded(seed, &[], 1);
        for (second, burns) in burns(&settings, pulses) {
            channels += burns.len();
            let burning = burns.iter().find(|burn| burn.fast.burns || burn.slow.burns);
            assert_eq!(burning, None, "seed {seed} at {second}");
        }
    }
    assert!(channels > 3 * 600, "{channels} rates of channels");
}

#[test]
fn a_channel_that_stops_burns_and_no_other_one_and_not_for_ever() {
    for seed in [61, 62] {
        let (settings, pulses) = recorded(seed, &["channel-stopped"], 1);
        let said = burns(&settings, pulses);
        let fast = said.iter().filter(|(_, burns)| is_fast(burns));
        let fast: Vec<_> = fast.collect();
        assert!(fast.len() >= 10, "seed {seed}: {} seconds", fast.len());
        let mut names: Vec<_> = fast
            .iter()
            .flat_map(|(_, burns)| burns.iter().filter(|burn| burn.fast.burns))
            .map(|burn| burn.channel.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 1, "seed {seed}: {names:?}");
        let (last, _) = said.last().expect("some seconds");
        assert!(fast.last().is_some_and(|(second, _)| second < last));
    }
}

#[test]
fn rates_do_not_depend_on_partitions() {
    let said = [1, 7].map(|partitions| {
        let (settings, pulses) = recorded(61, &["channel-stopped"], partitions);
        burns(&settings, pulses)
    });
    assert!(said[0].iter().any(|(_, burns)| is_fast(burns)));
    assert_eq!(said[0], said[1]);
}
