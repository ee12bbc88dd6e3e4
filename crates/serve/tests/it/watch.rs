//! What the watch tells: only the active one speaks of incidents.

use std::time::Duration;

use settlewatch_join::event::Currency;
use settlewatch_watch::incident::cause::Cause;
use settlewatch_watch::incident::{Basis, Evidence, Finding, Incident, Severity, Told};
use settlewatch_watch::{Expected, LagQuantiles};

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
        told: Told {
            cause,
            severity: Severity::Critical,
            scope: Vec::new(),
        },
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
        "settlewatch_incident_places{",
        "settlewatch_incident_pages{",
        "settlewatch_watch_behind_seconds ",
        "settlewatch_watch_blind_partitions ",
        "settlewatch_credit_lag_quantile_seconds{",
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
    watch.lags(vec![LagQuantiles {
        channel: "qr".into(),
        lag_ms: [Some(1500), Some(9000), None],
    }]);
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
    // The payments that wait are among them: what cannot be known yet is no number.
    let quantile = |q: &str| {
        format!("settlewatch_credit_lag_quantile_seconds{{channel=\"qr\",quantile=\"{q}\"}} ")
    };
    let lags = [("0.5", "1.5"), ("0.95", "9"), ("0.99", "inf")];
    for (q, expected) in lags {
        assert_eq!(samples(&text, &quantile(q)), [quantile(q) + expected]);
    }
    let (_, status) = metrics.watch_status().expect("there is one");
    // The second ended at one second past noon.
    let behind_ms = status.behind_ms().expect("both are known");
    assert!((2_000..2_500).contains(&behind_ms), "{behind_ms}");
    // It loses its place: what it said is another's to say.
    watch.elected(false);
    let text = metrics.render();
    for metric in of_active {
        assert!(samples(&text, metric).is_empty(), "{metric}");
    }
}

/// An incident of a channel's scope, or of several channels'.
fn of_channels(channels: &[&str], open: u64, amount_minor: u128) -> Incident {
    let cny = Currency::new(*b"CNY").expect("three capitals");
    let mut made = incident(Cause::ChannelDown);
    let values = channels.iter().map(|&channel| channel.to_owned());
    made.scope = vec![
        ("region".into(), vec!["east".into()]),
        ("channel".into(), values.collect()),
    ];
    made.started_at = at(-20_000);
    made.evidence.open = open;
    made.evidence.amount_minor = [(cny, amount_minor)].into();
    made
}

#[test]
fn a_page_stays_what_it_was_when_the_incident_is_corrected() {
    let metrics = metrics(100);
    let watch = metrics.watch();
    watch.elected(true);
    let mut corrected = of_channels(&["qr"], 3, 1_250);
    corrected.told = Told {
        cause: Cause::InterfaceFault,
        severity: Severity::Warning,
        scope: vec![("connector".into(), vec!["c1".into()])],
    };
    watch.open([&corrected].into_iter());
    watch.look("running", (true, Some(NOON / 1000), 0), Some(at(3_000)));
    let text = metrics.render();
    let labels = |channel: &str, severity: &str, verdict: &str| {
        format!(
            "{{channel=\"{channel}\",severity=\"{severity}\",stream=\"\",verdict=\"{verdict}\"}} 1"
        )
    };
    for (metric, labels) in [
        ("pages", labels("", "warning", "INTERFACE_FAULT")),
        ("places", labels("qr", "critical", "CHANNEL_DOWN")),
    ] {
        let metric = format!("settlewatch_incident_{metric}");
        let expected = format!("{metric}{labels}");
        assert_eq!(samples(&text, &format!("{metric}{{")), [expected]);
    }
}

#[test]
fn incidents_are_counted_with_what_is_missing_by_the_one_channel_of_their_scope() {
    let metrics = metrics(1);
    let watch = metrics.watch();
    watch.elected(true);
    let mut first = of_channels(&["qr"], 3, 1_250);
    first.evidence.expected_missing = Some(Expected {
        of: 40,
        count: 38.5,
        low: 33.0,
        high: 40.0,
        amount_minor: first.evidence.amount_minor.clone(),
    });
    let open = [
        first,
        of_channels(&["qr"], 4, 250),
        // Two channels are one incident; and beyond `limits.channels` a channel has no name.
        of_channels(&["qr", "card"], 5, 100),
        of_channels(&["card"], 6, 100),
    ];
    watch.open(open.iter());
    watch.judged(Duration::from_millis(3), &open);
    watch.look("running", (true, Some(NOON / 1000), 0), Some(at(3_000)));
    let text = metrics.render();
    let labels = |channel: &str, currency: &str| {
        format!(
            "{{channel=\"{channel}\",{currency}severity=\"critical\",stream=\"\",verdict=\"CHANNEL_DOWN\"}}"
        )
    };
    let line = |metric: &str, channel: &str, currency: &str, value: &str| {
        let labels = labels(channel, currency);
        format!("settlewatch_incident_{metric}{labels} {value}")
    };
    for (metric, currency, by_channel) in [
        ("places", "", [("", "1"), ("other", "1"), ("qr", "2")]),
        (
            "missing_payments",
            "",
            [("", "5"), ("other", "6"), ("qr", "7")],
        ),
        (
            "missing_amount",
            "currency=\"CNY\",",
            [("", "1"), ("other", "1"), ("qr", "15")],
        ),
    ] {
        let wanted = by_channel.map(|(channel, value)| line(metric, channel, currency, value));
        let name = format!("settlewatch_incident_{metric}{{");
        assert_eq!(samples(&text, &name), wanted);
    }
    assert_eq!(
        samples(&text, "settlewatch_incident_expected_"),
        [
            line("expected_amount", "qr", "currency=\"CNY\",", "12.5"),
            line("expected_payments", "qr", "", "38.5"),
        ]
    );
    assert_eq!(
        samples(&text, "settlewatch_incidents_open{"),
        ["settlewatch_incidents_open{severity=\"critical\",verdict=\"CHANNEL_DOWN\"} 4"]
    );
    assert_eq!(
        samples(&text, "settlewatch_incident_onset_seconds_sum"),
        ["settlewatch_incident_onset_seconds_sum 80"]
    );
    assert_eq!(
        samples(&text, "settlewatch_limit_hits_total"),
        ["settlewatch_limit_hits_total{kind=\"channels\"} 1"]
    );
}
