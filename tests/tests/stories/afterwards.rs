//! Credits after the payment is closed.

use settlewatch_tests::story::Story;

use crate::tell::tell;

fn credited() -> Story {
    Story::new()
        .at("12:00:00")
        .pay("P1")
        .at("12:00:05")
        .credit("P1")
        .amount(10_000)
}

#[test]
fn further_credits_are_duplicates_and_add_up() {
    let story = credited()
        .at("12:00:20")
        .credit("P1")
        .amount(10_000)
        .at("12:00:30")
        .credit("P1")
        .amount(5_000);
    tell(story)
        .says(&[
            "12:00:20 | P1 duplicate_credit open breach DUPLICATE_CREDIT 10000 CNY lag 20000",
            "12:00:30 | P1 duplicate_credit open breach DUPLICATE_CREDIT 15000 CNY lag 30000",
        ])
        .counts([1, 0, 0, 0, 0])
        .records("credits", [3, 0, 0, 0, 0]);
}

#[test]
fn the_same_credit_again_is_redelivery_whatever_else_it_says() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1")
        .at("12:00:05")
        .credit("P1")
        .with("credit_id", "C1")
        .amount(10_000)
        .at("12:00:20")
        .credit("P1")
        .with("credit_id", "C1")
        .amount(777)
        .place("M9", "T9");
    tell(story).says(&[]).records("credits", [1, 1, 0, 0, 0]);
}

#[test]
fn a_day_of_redelivery_is_no_alert() {
    let story = credited()
        .at("2026-03-03T13:00:00Z")
        .again()
        .at("2026-03-03T13:00:01Z")
        .pay("P1")
        .occurred("12:00:00");
    tell(story)
        .until("2026-03-03T14:00:00Z")
        .says(&[])
        .counts([1, 0, 0, 0, 0])
        .records("payments", [1, 1, 0, 0, 0])
        .records("credits", [1, 1, 0, 0, 0]);
}

#[test]
fn a_duplicate_credit_resolves_by_a_full_refund_and_a_further_one_is_of_another_kind() {
    let story = credited()
        .at("12:00:20")
        .credit("P1")
        .amount(10_000)
        .at("12:01:00")
        .refund("P1", "R1", "succeeded")
        .at("12:02:00")
        .credit("P1")
        .amount(10_000);
    tell(story)
        .says(&[
            "12:00:20 | P1 duplicate_credit open breach DUPLICATE_CREDIT 10000 CNY lag 20000",
            "12:01:00 | P1 duplicate_credit resolved refunded breach DUPLICATE_CREDIT 10000 CNY",
            "12:02:00 | P1 credit_after_reversal open breach 10000 CNY lag 120000",
        ])
        .counts([1, 0, 0, 0, 0]);
}

#[test]
fn a_credit_after_a_reversal_decline_or_full_refund_is_an_alert_of_its_own() {
    let paid = || Story::new().at("12:00:00").pay("P1").at("12:00:10");
    let ended = [
        paid().reverse("P1"),
        paid().decline("P1"),
        paid().refund("P1", "R1", "succeeded"),
    ];
    for story in ended {
        tell(story.at("12:00:20").credit("P1").amount(10_000))
            .until("12:30:00")
            .says(&["12:00:20 | P1 credit_after_reversal open breach 10000 CNY lag 20000"])
            .counts([0, 1, 0, 0, 0]);
    }
}

#[test]
fn a_further_case_reopens_what_was_resolved() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1")
        .at("12:00:10")
        .refund("P1", "R1", "succeeded")
        .at("12:00:20")
        .credit("P1")
        .at("12:00:30")
        .reverse("P1")
        .at("12:00:40")
        .credit("P1");
    let told = tell(story).says(&[
        "12:00:20 | P1 credit_after_reversal open breach 10000 CNY lag 20000",
        "12:00:30 | P1 credit_after_reversal resolved reversed breach 10000 CNY",
        "12:00:40 | P1 credit_after_reversal open breach 10000 CNY lag 40000",
    ]);
    assert_eq!(told.summary("/alerts/credit_after_reversal/open"), 1);
    assert_eq!(told.summary("/alerts/credit_after_reversal/resolved"), 0);
}

#[test]
fn a_credit_before_the_decline_that_comes_first_in_append_time_is_in_order() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1")
        .at("12:00:10")
        .credit("P1")
        .occurred("12:00:12")
        .decline("P1")
        .occurred("12:00:11");
    tell(story)
        .until("12:30:00")
        .says(&[])
        .counts([1, 0, 0, 0, 0]);
}

#[test]
fn another_credit_on_the_next_day_is_still_a_duplicate_though_the_payment_is_no_longer_at_hand() {
    let story = credited()
        .at("2026-03-03T08:00:00Z")
        .credit("P1")
        .amount(9_000);
    let told = tell(story)
        .says(&["03-03 08:00:00 | P1 duplicate_credit open breach DUPLICATE_CREDIT 9000 CNY"])
        .counts([1, 0, 0, 0, 0])
        .records("credits", [2, 0, 0, 0, 0]);
    for forgotten in ["paid_at", "merchant_id", "dimensions", "lag_ms"] {
        assert!(told.alerts()[0][forgotten].is_null(), "{forgotten}");
    }
}
