//! Feeds that change verdicts: that nothing comes of one is said once, and accuses nobody.

use settlewatch_config::{Config, Env, Purpose, load_str};
use settlewatch_join::Timestamp;
use settlewatch_replay::{Observer, Replay, Until};
use settlewatch_sim::{Plan, Rate, Topic, config, generate};
use settlewatch_tests::placed::place_of;
use settlewatch_watch::incident::Incident;

#[derive(Default)]
struct Incidents(Vec<Incident>);

impl Observer for Incidents {
    fn incident(&mut self, incident: &Incident) {
        self.0.push(incident.clone());
    }
}

/// Healthy traffic of ten minutes, without the heartbeats of the seconds `from` to `until`.
fn incidents(seed: u64, (from, until): (i64, i64)) -> (i64, Vec<Incident>) {
    let plan = Plan::builder()
        .seed(seed)
        .rate(Rate::per_second(30))
        .duration_ms(720_000)
        .build()
        .expect("a plan");
    let config: Config = {
        let loaded = load_str("c.yaml", &config(&plan), Purpose::Replay, &Env::empty());
        loaded.expect("it is valid").config
    };
    let mut first_ms = None;
    let records = generate(&plan).filter_map(|record| {
        let since_ms = record.ts_ms - *first_ms.get_or_insert(record.ts_ms);
        let is_lost =
            record.topic == Topic::Terminals && (from * 1000..until * 1000).contains(&since_ms);
        let place = place_of(&record);
        (!is_lost).then(|| (place, record.payload.into_bytes()))
    });
    let records: Vec<_> = records.collect();
    let mut seen = Incidents::default();
    Replay::new(&config, 1, Until::LastRecord)
        .watched()
        .records(records, &mut seen)
        .expect("a replay ends");
    (first_ms.expect("there are records"), seen.0)
}

#[test]
fn heartbeats_that_stop_everywhere_are_one_silent_feed_and_no_terminal_s_fault() {
    for seed in 1..=3 {
        let (first_ms, said) = incidents(seed, (300, 520));
        let labels: Vec<_> = said.iter().map(|it| it.finding.cause.row().label).collect();
        assert_eq!(labels, ["SOURCE_SILENT"; 2], "seed {seed}");
        let (opened, resolved) = (&said[0], &said[1]);
        let scope = [("stream".to_owned(), vec!["terminals".to_owned()])];
        assert_eq!(opened.scope, scope, "seed {seed}");
        let since = |at: Timestamp| (at.millis() - first_ms) / 1000;
        assert!(
            (299..=301).contains(&since(opened.started_at)),
            "seed {seed}"
        );
        // Every terminal has missed two of its heartbeats by then, one a minute.
        assert!(
            (420..=423).contains(&since(opened.opened_at)),
            "seed {seed}"
        );
        assert!(resolved.resolved_at.is_some(), "seed {seed}");
    }
}

#[test]
fn heartbeats_that_are_late_by_one_are_no_silence() {
    for seed in 1..=3 {
        let (_, said) = incidents(seed, (300, 410));
        assert!(said.is_empty(), "seed {seed}: {said:?}");
    }
}
