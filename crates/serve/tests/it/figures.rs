//! What is counted, and what waits.

use std::time::Duration;

use settlewatch_protocol::{RulesNews, SourceId, TxnOutcome};
use settlewatch_serve::{Metric, MetricKind};

use crate::{Bench, PRIVATE, at, expect, metrics, value};

#[test]
fn what_waits_is_what_was_paid_and_not_credited() {
    let metrics = metrics(100);
    let mut bench = Bench::new(&metrics);
    bench.pay("pay-0001", "wechat", 1_000);
    bench.pay("pay-0002", "wechat", 2_000);
    bench.pay("pay-0003", "alipay", 2_500);
    bench.credit("pay-0001", 4_000);
    bench.known(60_000);
    bench.publish();
    let text = metrics.render();
    expect(
        &text,
        r#"settlewatch_pending_payments{channel="wechat"}"#,
        "1",
    );
    expect(
        &text,
        r#"settlewatch_pending_amount{channel="wechat",currency="CNY"}"#,
        "128",
    );
    expect(
        &text,
        r#"settlewatch_overdue_payments{channel="wechat"}"#,
        "1",
    );
    expect(
        &text,
        r#"settlewatch_pending_payments{channel="alipay"}"#,
        "1",
    );
    expect(
        &text,
        r#"settlewatch_payments_total{channel="wechat"}"#,
        "2",
    );
    expect(
        &text,
        r#"settlewatch_payments_closed_total{channel="wechat",outcome="credited"}"#,
        "1",
    );
    expect(
        &text,
        r#"settlewatch_events_consumed_total{stream="payments"}"#,
        "3",
    );
    let alerts = r#"settlewatch_alerts_total{channel="alipay",kind="credit_missing",tier="warn"}"#;
    expect(&text, alerts, "1");
}

#[test]
fn every_deadline_is_an_edge_and_holds_what_is_credited_at_it() {
    let metrics = metrics(100);
    let mut bench = Bench::new(&metrics);
    bench.pay("pay-0001", "wechat", 1_000);
    bench.pay("pay-0002", "wechat", 1_000);
    bench.credit("pay-0001", 8_000);
    bench.credit("pay-0002", 8_001);
    bench.publish();
    let text = metrics.render();
    let bucket =
        |le| format!(r#"settlewatch_credit_lag_seconds_bucket{{channel="wechat",le="{le}"}}"#);
    expect(&text, &bucket("5"), "0");
    expect(&text, &bucket("7"), "1");
    expect(&text, &bucket("10"), "2");
    expect(&text, &bucket("77"), "2");
}

#[test]
fn other_rules_bring_other_edges() {
    let metrics = metrics(100);
    let mut bench = Bench::new(&metrics);
    bench.pay("pay-0001", "wechat", 1_000);
    bench.publish();
    let mut rules = crate::settings();
    rules.version = 8;
    metrics.set_rules(&rules).expect("the same deadlines");
    rules.rules[0].tiers[0].after = settlewatch_join::Span::from_secs(9);
    metrics.set_rules(&rules).expect("other deadlines");
    std::thread::sleep(Duration::from_millis(260));
    bench.publish();
    bench.credit("pay-0001", 10_000);
    std::thread::sleep(Duration::from_millis(260));
    bench.publish();
    let text = metrics.render();
    expect(&text, "settlewatch_rules_version", "8");
    expect(
        &text,
        r#"settlewatch_credit_lag_seconds_bucket{channel="wechat",le="9"}"#,
        "1",
    );
    assert!(!text.contains(r#"le="7""#), "{text}");
}

#[test]
fn what_is_applied_again_waits_again_but_is_not_counted_again() {
    let metrics = metrics(100);
    let mut bench = Bench::new(&metrics);
    bench.again = true;
    bench.pay("pay-0001", "wechat", 1_000);
    bench.pay("pay-0002", "wechat", 1_000);
    bench.credit("pay-0001", 3_000);
    bench.known(30_000);
    bench.publish();
    let text = metrics.render();
    expect(
        &text,
        r#"settlewatch_pending_payments{channel="wechat"}"#,
        "1",
    );
    expect(
        &text,
        r#"settlewatch_payments_total{channel="wechat"}"#,
        "0",
    );
    assert!(!text.contains("settlewatch_alerts_total{"), "{text}");
    expect(
        &text,
        r#"settlewatch_credit_lag_seconds_count{channel="wechat"}"#,
        "0",
    );
}

#[test]
fn a_restored_partition_shows_at_once_what_waits_in_it() {
    let metrics = metrics(100);
    let mut bench = Bench::new(&metrics);
    bench.pay("pay-0001", "wechat", 1_000);
    bench.pay("pay-0002", "wechat", 2_000);
    bench.known(30_000);
    // The lane begins anew: what it knew is void, and comes back with the state.
    bench.observer.restored(0, &bench.partition);
    bench.publish();
    let text = metrics.render();
    expect(
        &text,
        r#"settlewatch_pending_payments{channel="wechat"}"#,
        "2",
    );
    expect(
        &text,
        r#"settlewatch_overdue_payments{channel="wechat"}"#,
        "2",
    );
    bench.credit("pay-0001", 31_000);
    bench.credit("pay-0002", 31_000);
    std::thread::sleep(Duration::from_millis(260));
    bench.publish();
    let text = metrics.render();
    expect(
        &text,
        r#"settlewatch_pending_payments{channel="wechat"}"#,
        "0",
    );
    expect(
        &text,
        r#"settlewatch_pending_amount{channel="wechat",currency="CNY"}"#,
        "0",
    );
    expect(
        &text,
        r#"settlewatch_oldest_pending_age_seconds{channel="wechat"}"#,
        "0",
    );
}

#[test]
fn what_was_taken_away_is_shown_no_more() {
    let metrics = metrics(100);
    let mut bench = Bench::new(&metrics);
    bench.pay("pay-0001", "wechat", 1_000);
    bench.publish();
    bench.observer.rebalanced(&[]);
    let text = metrics.render();
    expect(
        &text,
        r#"settlewatch_pending_payments{channel="wechat"}"#,
        "0",
    );
    expect(
        &text,
        r#"settlewatch_payments_total{channel="wechat"}"#,
        "1",
    );
    assert!(!text.contains("settlewatch_blind_seconds{"), "{text}");
}

#[test]
fn channels_beyond_the_limit_are_counted_together() {
    let metrics = metrics(2);
    let mut bench = Bench::new(&metrics);
    for (i, channel) in ["a", "b", "c", "d"].into_iter().enumerate() {
        bench.pay(&format!("pay-{i}"), channel, 1_000);
    }
    bench.publish();
    let text = metrics.render();
    expect(&text, r#"settlewatch_pending_payments{channel="a"}"#, "1");
    expect(
        &text,
        r#"settlewatch_pending_payments{channel="other"}"#,
        "2",
    );
    expect(
        &text,
        r#"settlewatch_limit_hits_total{kind="channels"}"#,
        "2",
    );
    assert!(!text.contains(r#"channel="c""#), "{text}");
}

#[test]
fn what_ends_otherwise_is_counted_by_its_reason() {
    let metrics = metrics(100);
    let bench = Bench::new(&metrics);
    let observer = &bench.observer;
    observer.applied(SourceId(1), Err("too_large"));
    observer.transaction(TxnOutcome::Committed, Duration::from_millis(3));
    observer.transaction(TxnOutcome::Indefinite, Duration::from_secs(3));
    observer.hole(SourceId(0));
    observer.alert_visible(at(0), at(80));
    observer.rules(RulesNews::Stale { partition: 0 });
    metrics.client_error("AllBrokersDown");
    bench.publish();
    let text = metrics.render();
    expect(
        &text,
        r#"settlewatch_events_rejected_total{reason="too_large",stream="credits"}"#,
        "1",
    );
    expect(
        &text,
        r#"settlewatch_dead_letters_total{stream="credits"}"#,
        "1",
    );
    expect(
        &text,
        r#"settlewatch_limit_hits_total{kind="record_bytes"}"#,
        "1",
    );
    expect(
        &text,
        r#"settlewatch_transactions_total{outcome="indefinite"}"#,
        "1",
    );
    expect(
        &text,
        r#"settlewatch_input_holes_total{stream="payments"}"#,
        "1",
    );
    expect(
        &text,
        r#"settlewatch_detection_delay_seconds_bucket{le="0.1"}"#,
        "1",
    );
    expect(&text, "settlewatch_config_stale", "1");
    expect(&text, "settlewatch_rules_version", "7");
    expect(
        &text,
        r#"settlewatch_client_errors_total{reason="AllBrokersDown"}"#,
        "1",
    );
    expect(
        &text,
        r#"settlewatch_build_info{revision="",version="1.2.3"}"#,
        "1",
    );
    expect(
        &text,
        r#"settlewatch_blind_seconds{partition="0",stream="payments"}"#,
        "inf",
    );
    let cpu = value(&text, "settlewatch_process_cpu_seconds_total").expect("a reading");
    assert!(cpu > 0.0 && cpu < 3600.0, "{cpu}");
    let memory = value(&text, "settlewatch_process_resident_memory_bytes").expect("a reading");
    assert!(memory > 1e5, "{memory}");
}

#[test]
fn the_exposition_is_what_the_table_says_and_nothing_else() {
    let metrics = metrics(100);
    let mut bench = Bench::new(&metrics);
    bench.pay("pay-0001", "wechat", 1_000);
    bench.credit("pay-0001", 9_000);
    bench.publish();
    let text = metrics.render();
    let mut families = 0;
    for line in text.lines().filter(|line| line.starts_with("# TYPE ")) {
        let mut words = line.split(' ').skip(2);
        let (name, kind) = (words.next().expect("a name"), words.next().expect("a type"));
        let metric = Metric::ALL
            .iter()
            .find(|metric| metric.description().name == name);
        let metric = metric.unwrap_or_else(|| panic!("{name} is not in the table"));
        assert_eq!(kind, metric.description().kind.as_str());
        families += 1;
    }
    assert!(families > 20, "{text}");
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        sample_of_the_table(line);
    }
    for private in PRIVATE {
        assert!(!text.contains(private), "{private} is shown");
    }
}

/// `NAME{LABEL="VALUE",…} NUMBER`, with the labels of its metric.
fn sample_of_the_table(line: &str) {
    let (sample, number) = line.rsplit_once(' ').expect("a value");
    let number = if number == "+Inf" { "inf" } else { number };
    number.parse::<f64>().unwrap_or_else(|_| panic!("{line}"));
    let (name, labels) = sample.split_once('{').unwrap_or((sample, ""));
    let metric = Metric::ALL
        .iter()
        .map(|metric| metric.description())
        .find(|metric| {
            let is_histogram = metric.kind == MetricKind::Histogram;
            let rest = name.strip_prefix(metric.name);
            rest.is_some_and(|rest| {
                rest.is_empty() || (is_histogram && ["_bucket", "_sum", "_count"].contains(&rest))
            })
        });
    let metric = metric.unwrap_or_else(|| panic!("{line}: no such metric"));
    for pair in labels
        .trim_end_matches('}')
        .split(',')
        .filter(|pair| !pair.is_empty())
    {
        let (label, value) = pair.split_once('=').expect("a label with a value");
        assert!(value.starts_with('"') && value.ends_with('"'), "{line}");
        let known = label == "le" || metric.labels.iter().any(|known| known.as_str() == label);
        assert!(known, "{line}: {label}");
    }
}
