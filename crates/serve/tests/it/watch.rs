//! What the watch tells: only the active one speaks of incidents.

use std::time::Duration;

use settlewatch_watch::incident::cause::Cause;
use settlewatch_watch::incident::{Basis, Evidence, Finding, Incident, Severity};

use crate::{NOON, at, metrics};

fn incident(cause: Cause) -> Incident {
    Incident {
        id: "inc-1".into(),
        revision: 1,
        severity: Severity::Critical,
        finding: Finding {
            cause,
            basis: Basis::Inferred,
            confidence: 0.9,
            ruled_out: Vec::new(),
        },
        scope: Vec::new(),
        opened_at: at(0),
        started_at: at(0),
        updated_at: at(0),
        resolved_at: None,
        evidence: Evidence::default(),
        samples: Vec::new(),
    }
}

/// Lines of samples of a metric.
fn samples(text: &str, metric: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| line.starts_with(metric));
    lines.map(str::to_owned).collect()
}

#[test]
fn only_the_active_watch_speaks_of_incidents_and_seconds() {
    let metrics = metrics(100);
    let watch = metrics.watch();
    let of_active = [
        "settlewatch_incidents_open{",
        "settlewatch_watch_behind_seconds ",
        "settlewatch_watch_blind_partitions ",
    ];
    assert!(!metrics.is_ready(), "the group has not answered");
    watch.elected(false);
    assert!(metrics.is_ready(), "another one is active");
    let text = metrics.render();
    assert_eq!(
        samples(&text, "settlewatch_watch_active "),
        ["settlewatch_watch_active 0"]
    );
    for metric in of_active {
        assert!(samples(&text, metric).is_empty(), "{metric}");
    }
    watch.elected(true);
    watch.look("restoring", (false, None, 0), Some(at(0)));
    assert!(!metrics.is_ready(), "its state is not restored");
    let stopped = incident(Cause::ChannelDown);
    watch.open([&stopped].into_iter());
    watch.judged(Duration::from_millis(3), std::slice::from_ref(&stopped));
    watch.look("running", (true, Some(NOON / 1000), 2), Some(at(3_000)));
    assert!(metrics.is_ready());
    let text = metrics.render();
    assert_eq!(
        samples(&text, "settlewatch_incidents_open{"),
        ["settlewatch_incidents_open{severity=\"critical\",verdict=\"CHANNEL_DOWN\"} 1"]
    );
    assert_eq!(
        samples(&text, "settlewatch_watch_blind_partitions "),
        ["settlewatch_watch_blind_partitions 2"]
    );
    let (_, status) = metrics.watch_status().expect("there is one");
    // The second ended at one second past noon.
    let behind_ms = status.behind_ms().expect("both are known");
    assert!((2_000..2_500).contains(&behind_ms), "{behind_ms}");
    // It loses its place: what it said is another's to say.
    watch.elected(false);
    assert!(samples(&metrics.render(), "settlewatch_incidents_open{").is_empty());
}
