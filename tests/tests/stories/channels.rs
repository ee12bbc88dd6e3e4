//! The rows of `channels.ndjson`.

use serde_json::Value;
use settlewatch_tests::story::Story;

use crate::tell::tell;

/// The row of a channel and minute.
fn row<'a>(rows: &'a [Value], channel: &str, time: &str) -> &'a Value {
    let minute = format!("2026-03-02T{time}:00.000Z");
    rows.iter()
        .find(|row| row["channel"] == channel && row["minute"] == minute.as_str())
        .expect("a row of the channel and minute")
}

/// A quantile is as exact as its histogram: two digits.
fn about(quantile: &Value, exact_ms: u64) -> bool {
    let ms = quantile.as_u64().expect("a quantile is an integer");
    ms.abs_diff(exact_ms) * 100 <= exact_ms
}

#[test]
fn a_row_counts_its_minute_and_what_waits_at_its_end() {
    let story = Story::new()
        .at("12:00:10")
        .pay("P1")
        .pay("P2")
        .pay("P3")
        .pay("P4")
        .with("channel", "card")
        .at("12:00:12")
        .credit("P1")
        .credit("P2")
        .at("12:01:05")
        .credit("P3");
    let told = tell(story).until("12:02:00").says(&[
        "12:00:40 | P3 credit_missing open warn 10000 CNY",
        "12:00:40 | P4 credit_missing open warn 10000 CNY",
        "12:01:05 | P3 credit_missing resolved credited_late warn 10000 CNY due 12:00:40 lag 55000",
    ]);
    let rows = told.channels();
    let wallet = row(&rows, "wallet", "12:00");
    let counts =
        |row: &Value| ["payments", "credits", "pending", "overdue"].map(|it| row[it].clone());
    assert_eq!(counts(wallet), [3, 2, 1, 1].map(Value::from));
    assert!(about(&wallet["lag_p50_ms"], 2_000), "{wallet}");
    assert!(wallet["lag_p95_ms"].is_null(), "{wallet}");
    assert!(wallet["lag_p99_ms"].is_null(), "{wallet}");
    let after = row(&rows, "wallet", "12:01");
    assert_eq!(counts(after), [0, 1, 0, 0].map(Value::from));
    assert!(about(&after["lag_p95_ms"], 55_000), "{after}");
    let card = row(&rows, "card", "12:00");
    assert_eq!(counts(card), [1, 0, 1, 1].map(Value::from));
    for quantile in ["lag_p50_ms", "lag_p95_ms", "lag_p99_ms"] {
        assert!(card[quantile].is_null(), "{card}");
    }
    let columns = [
        "minute",
        "channel",
        "payments",
        "credits",
        "pending",
        "overdue",
        "lag_p50_ms",
        "lag_p95_ms",
        "lag_p99_ms",
        "within_sla",
        "expected_missing",
    ];
    let written: Vec<&String> = card.as_object().expect("an object").keys().collect();
    assert_eq!(written, columns);
}

#[test]
fn quantiles_forget_payments_after_five_minutes() {
    let story = Story::new()
        .at("12:00:10")
        .pay("P1")
        .at("12:00:12")
        .credit("P1");
    let told = tell(story).until("12:08:00").says(&[]);
    let rows = told.channels();
    assert!(about(&row(&rows, "wallet", "12:04")["lag_p99_ms"], 2_000));
    assert!(row(&rows, "wallet", "12:05")["lag_p99_ms"].is_null());
}
