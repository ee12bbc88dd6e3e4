//! A whole line of `alerts.ndjson`.

use serde_json::json;
use settlewatch_tests::story::Story;

use crate::tell::tell;

#[test]
fn an_alert_says_everything_that_is_known_of_its_payment() {
    let rules = "dimensions: [gateway, region, store_id, attrs.shift]
rules:
  - name: default
    tiers: {breach: 30s}
";
    let story = Story::new()
        .at("12:00:00")
        .pay("P1")
        .with("gateway", "gw-a")
        .with("region", "east")
        .with("payer_hash", "payer-1")
        .with("attrs", json!({"shift": "late", "cashier": "c7"}))
        .occurred("11:59:58.765")
        .at("12:00:41")
        .credit("P1")
        .occurred("12:00:40");
    let told = tell(story).under(rules).says(&[
        "12:00:30 | P1 credit_missing open breach 10000 CNY",
        "12:00:41 | P1 credit_missing resolved credited_late breach 10000 CNY due 12:00:30 lag 41235",
    ]);
    let resolved = &told.alerts()[1];
    let expected = json!({
        "schema": "settlewatch.alert/1",
        "alert_id": resolved["alert_id"],
        "revision": 2,
        "payment_id": "P1",
        "kind": "credit_missing",
        "state": "resolved",
        "tier": "breach",
        "channel": "wallet",
        "merchant_id": "M1",
        "terminal_id": "T1",
        "amount_minor": 10_000,
        "currency": "CNY",
        "paid_at": "2026-03-02T11:59:58.765Z",
        "deadline": "2026-03-02T12:00:30.000Z",
        "decided_at": "2026-03-02T12:00:41.000Z",
        "resolution": "credited_late",
        "lag_ms": 41_235,
        "verdict": null,
        "related_payment_id": null,
        "dimensions": {"gateway": "gw-a", "region": "east", "attrs.shift": "late"},
    });
    assert_eq!(*resolved, expected);
}

#[test]
fn the_id_of_an_alert_depends_on_the_payment_and_the_kind_alone() {
    let id = |story: Story, expected: &[&str]| {
        let told = tell(story).says(expected);
        told.alerts()[0]["alert_id"].clone()
    };
    let missing = id(
        Story::new()
            .at("12:00:00")
            .pay("P1")
            .at("12:00:30")
            .heartbeat("T1"),
        &["12:00:30 | P1 credit_missing open warn 10000 CNY"],
    );
    let later = id(
        Story::new()
            .at("14:00:00")
            .pay("P1")
            .amount(7)
            .place("M2", "T2")
            .at("14:00:45")
            .heartbeat("T1"),
        &["14:00:30 | P1 credit_missing open warn 7 CNY"],
    );
    assert_eq!(missing, later);
    let mismatch = id(
        Story::new()
            .at("12:00:00")
            .pay("P1")
            .with("order_amount_minor", 7),
        &["12:00:00 | P1 amount_mismatch open breach USER_AMOUNT_ERROR 10000 CNY"],
    );
    assert_ne!(missing, mismatch);
}
