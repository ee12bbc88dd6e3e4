//! What becomes of records, and whose they are.

use settlewatch_tests::story::Story;

use crate::tell::tell;

#[test]
fn every_record_is_counted_by_what_became_of_it() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1")
        .again()
        .credit("P1")
        .again()
        .at("12:00:10")
        .stage("P1", "merchant_ack")
        .stage("P1", "merchant_ack")
        .hold("P1")
        .credit("P0")
        .occurred("10:30:00")
        .heartbeat("T7")
        .again()
        .pay("P2")
        .with("currency", "XXQ");
    let told = tell(story)
        .until("12:30:00")
        .says(&[])
        .counts([1, 0, 0, 0, 0])
        .records("payments", [1, 1, 0, 0, 1])
        .records("credits", [1, 1, 0, 1, 0])
        .records("lifecycle", [1, 1, 1, 0, 0])
        .records("terminals", [2, 1, 0, 0, 0]);
    assert_eq!(told.summary("/from"), "2026-03-02T11:00:00.000Z");
    assert_eq!(told.summary("/to"), "2026-03-02T12:30:00.000Z");
}

#[test]
fn tenants_are_kept_apart() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1")
        .with("tenant", "north")
        .pay("P1")
        .with("tenant", "south")
        .pay("P1")
        .at("12:00:10")
        .credit("P1")
        .with("tenant", "north");
    tell(story)
        .until("12:01:00")
        .says(&[
            "12:00:30 | P1 credit_missing open warn 10000 CNY",
            "12:00:30 | south/P1 credit_missing open warn 10000 CNY",
        ])
        .counts([1, 0, 0, 2, 2]);
}

#[test]
fn tenants_share_neither_twins_nor_near_ids() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1001")
        .with("tenant", "north")
        .with("payer_hash", "payer-1")
        .credit("P1002")
        .with("tenant", "south")
        .at("12:00:10")
        .credit("P2001")
        .with("tenant", "south")
        .pay("P2001")
        .with("tenant", "south")
        .with("payer_hash", "payer-1");
    tell(story).until("12:02:00").says(&[
        "12:00:30 | north/P1001 credit_missing open warn 10000 CNY",
        "12:02:00 | north/P1001 credit_missing open breach 10000 CNY",
        "12:02:00 | south/P1002 orphan_credit open breach ORPHAN_CREDIT",
    ]);
}

#[test]
fn money_is_summed_by_currency_and_outcome() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1")
        .pay("P2")
        .amount(250)
        .pay("P3")
        .amount(7)
        .currency("JPY")
        .pay("P4")
        .amount(i64::MAX)
        .pay("P5")
        .amount(i64::MAX)
        .at("12:00:10")
        .credit("P1")
        .reverse("P3")
        .credit("P4")
        .credit("P5");
    let told = tell(story)
        .until("12:01:00")
        .says(&["12:00:30 | P2 credit_missing open warn 250 CNY"])
        .counts([3, 1, 0, 1, 1]);
    let yuan = told.summary("/amount_minor/CNY");
    assert_eq!(yuan["payments"], "18446744073709561864");
    assert_eq!(yuan["credited"], "18446744073709561614");
    assert_eq!(yuan["pending"], "250");
    assert_eq!(yuan["overdue"], "250");
    let yen = told.summary("/amount_minor/JPY");
    assert_eq!(yen["payments"], "7");
    assert_eq!(yen["explained"], "7");
    assert_eq!(yen["overdue"], "0");
}

#[test]
fn a_payment_redelivered_with_another_amount_changes_nothing() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1")
        .at("12:00:05")
        .pay("P1")
        .amount(99)
        .currency("USD")
        .at("12:00:10")
        .credit("P1")
        .amount(10_000);
    let told = tell(story)
        .says(&[])
        .counts([1, 0, 0, 0, 0])
        .records("payments", [1, 1, 0, 0, 0]);
    assert!(told.summary("/amount_minor/USD").is_null());
}
