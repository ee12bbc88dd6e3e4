//! A watch that is written down and read again, whenever that is, says what one says that never stopped.

use settlewatch_config::{Config, Env, Purpose, load_str};
use settlewatch_replay::{Observer, Replay, Until, incident_json, watch_settings};
use settlewatch_sim::{Plan, Rate, Scenario, config, generate};
use settlewatch_tests::generate::Rng;
use settlewatch_tests::placed::place_of;
use settlewatch_watch::incident::Incident;
use settlewatch_watch::pulse::Pulse;
use settlewatch_watch::{Unreadable, Watch, WatchSettings};

/// A recording as the watch sees it, and what it says.
#[derive(Default)]
struct Seen {
    pulses: Vec<Pulse>,
    said: Vec<String>,
}

impl Observer for Seen {
    fn pulse(&mut self, pulse: &Pulse) {
        self.pulses.push(pulse.clone());
    }

    fn incident(&mut self, incident: &Incident) {
        self.said.push(incident_json(incident).to_string());
    }
}

/// Four faults at once; which ones the seed chooses.
fn scenarios(seed: u64) -> Vec<Scenario> {
    let named = |name| Scenario::parse(name).expect("a scenario");
    let all = [
        [
            "channel-stopped",
            "terminal-offline",
            "amount-mismatch",
            "merchant-backend-slow",
        ],
        [
            "sync-delay",
            "network-region",
            "fee-mismatch",
            "gateway-delay",
        ],
        [
            "silence",
            "terminal-release-fault",
            "orphan",
            "account-frozen",
        ],
    ];
    all[(seed % 3) as usize].map(named).into()
}

fn recording(seed: u64) -> (Config, Seen) {
    let plan = Plan::drawn(seed, &scenarios(seed))
        .rate(Rate::per_second(20))
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
    Replay::new(&config, 1, Until::LastRecord)
        .showing_pulses()
        .records(records, &mut seen)
        .expect("a replay ends");
    assert!(seen.pulses.len() > 600, "a recording of some minutes");
    (config, seen)
}

/// What happens to a watch between two seconds.
type Between<'a> = &'a mut dyn FnMut(i64, Watch) -> Watch;

/// What a watch says of the pulses, and what happens to it after each second.
fn watched(settings: &WatchSettings, pulses: &[Pulse], between: Between<'_>) -> Vec<String> {
    let mut watch = Watch::new(settings.clone());
    let mut said = Vec::new();
    let mut next = pulses[0].second;
    for pulse in pulses {
        while next < pulse.second {
            let revisions = watch.end_second(next);
            said.extend(revisions.iter().map(|it| incident_json(it).to_string()));
            watch = between(next, watch);
            next += 1;
        }
        watch.absorb(pulse.clone());
    }
    let revisions = watch.end_second(next);
    said.extend(revisions.iter().map(|it| incident_json(it).to_string()));
    said
}

fn written_and_read(settings: &WatchSettings, watch: &Watch) -> Watch {
    let chunks = watch.snapshot();
    assert!(chunks.iter().all(|chunk| chunk.len() <= 512 << 10));
    let read = Watch::restore(settings.clone(), &chunks).expect("what was written can be read");
    let again = read.snapshot();
    assert!(chunks == again, "what was read is what was written");
    read
}

#[test]
fn a_watch_that_is_restored_at_any_second_says_the_same_bytes() {
    let mut during_incidents = 0;
    for seed in 1..=3 {
        let (config, seen) = recording(seed);
        let settings = watch_settings(&config);
        let revisions = seen.said.len();
        assert!(revisions >= 6, "seed {seed}: {revisions} revisions");
        let mut rng = Rng::new(seed);
        let again = watched(&settings, &seen.pulses, &mut |second, watch| {
            // Often for some minutes, then seldom.
            let often = if second / 256 % 2 == 0 { 4 } else { 60 };
            if !rng.bits().is_multiple_of(often) {
                return watch;
            }
            during_incidents += usize::from(watch.open().next().is_some());
            written_and_read(&settings, &watch)
        });
        assert_eq!(again, seen.said, "seed {seed}");
    }
    assert!(
        during_incidents > 50,
        "{during_incidents} times during an incident"
    );
}

/// That the comparison above can fail: without what is usual a watch in the middle of an incident says something else.
#[test]
fn a_watch_that_forgets_what_is_usual_in_an_incident_says_something_else() {
    let (config, seen) = recording(1);
    let settings = watch_settings(&config);
    let mut forgot = false;
    let again = watched(&settings, &seen.pulses, &mut |_, watch| {
        if forgot || watch.open().next().is_none() {
            return watch;
        }
        forgot = true;
        Watch::new(settings.clone())
    });
    assert!(forgot, "no incident was open");
    assert_ne!(again, seen.said);
}

#[test]
fn names_are_let_go_after_the_same_second_wherever_it_runs() {
    let (config, seen) = recording(2);
    let mut settings = watch_settings(&config);
    // Whenever there are twice as many.
    settings.names = 0;
    let pulses = &seen.pulses[..seen.pulses.len() / 2];
    let never = watched(&settings, pulses, &mut |_, watch| watch);
    let again = watched(&settings, pulses, &mut |second, watch| {
        if second % 10 == 0 {
            written_and_read(&settings, &watch)
        } else {
            watch
        }
    });
    assert!(!never.is_empty(), "nothing is compared");
    assert_eq!(again, never);
}

/// The same configuration with another dimension, and a stream of another name.
fn changed(settings: &WatchSettings) -> WatchSettings {
    let attr = settlewatch_join::settings::Dimension::parse("attrs.lane").expect("an attribute");
    let mut dims: Vec<_> = settings
        .dims
        .localised()
        .iter()
        .map(|dim| {
            let name = settings.dims.name(*dim);
            settlewatch_join::settings::Dimension::parse(&name).expect("a dimension")
        })
        .collect();
    dims.push(attr);
    let mut changed = settings.clone();
    changed.dims = settlewatch_watch::pulse::Dims::new(&dims);
    changed.streams.push("more".into());
    changed
}

#[test]
fn other_dimensions_and_streams_are_found_by_their_names() {
    let (config, seen) = recording(1);
    let settings = watch_settings(&config);
    let mut open = 0;
    let again = watched(&settings, &seen.pulses, &mut |second, mut watch| {
        if second % 100 != 0 {
            return watch;
        }
        let before: Vec<Incident> = watch.open().cloned().collect();
        for settings in [changed(&settings), settings.clone()] {
            watch.reconfigure(settings, second).expect("it can be read");
            let after: Vec<Incident> = watch.open().cloned().collect();
            assert_eq!(after, before, "second {second}");
        }
        open += before.len();
        watch
    });
    assert!(open > 0, "no incident was open");
    assert_eq!(
        again, seen.said,
        "one more dimension without values changes nothing"
    );
}

#[test]
fn bytes_of_somebody_else_are_refused() {
    let (config, seen) = recording(2);
    let settings = watch_settings(&config);
    let mut watch = Watch::new(settings.clone());
    let first = seen.pulses[0].second;
    for pulse in &seen.pulses[..120] {
        watch.absorb(pulse.clone());
    }
    watch.end_second(first + 60);
    let bytes = watch.snapshot().concat();
    let read = |bytes: &[u8]| Watch::restore(settings.clone(), &[bytes]).map(|_| ());
    assert_eq!(read(&bytes), Ok(()));
    let mut of_next_year = bytes.clone();
    of_next_year[0] = 99;
    assert_eq!(read(&of_next_year), Err(Unreadable::Version { is: 99 }));
    let mut rng = Rng::new(7);
    let mut refused = 0;
    for _ in 0..300 {
        let cut = rng.bits() as usize % bytes.len();
        refused += usize::from(read(&bytes[..cut]).is_err());
        let mut damaged = bytes.clone();
        let at = rng.bits() as usize % damaged.len();
        damaged[at] ^= 1 << (rng.bits() % 8);
        // Where it can still be read, it can be used.
        if let Ok(mut watch) = Watch::restore(settings.clone(), &[&damaged]) {
            watch.end_second(first + 61);
        }
    }
    assert_eq!(refused, 300, "what is cut off is refused");
}
