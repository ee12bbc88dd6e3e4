//! Credits in parts.

use settlewatch_tests::story::Story;

use crate::tell::tell;

fn paid() -> Story {
    Story::new().at("12:00:00").pay("P1").with("fee_minor", 60)
}

#[test]
fn parts_that_add_up_in_time_close_the_payment() {
    let gross = paid()
        .at("12:00:10")
        .part("P1", 4_000)
        .at("12:00:20")
        .part("P1", 6_000);
    tell(gross)
        .until("12:30:00")
        .says(&[])
        .counts([1, 0, 0, 0, 0])
        .records("credits", [2, 0, 0, 0, 0]);
    let net = paid()
        .at("12:00:10")
        .part("P1", 4_000)
        .at("12:00:20")
        .part("P1", 5_940);
    tell(net)
        .until("12:30:00")
        .says(&[])
        .counts([1, 0, 0, 0, 0]);
}

#[test]
fn a_payment_waits_for_its_last_part() {
    let story = paid()
        .at("12:00:10")
        .part("P1", 4_000)
        .at("12:00:40")
        .part("P1", 6_000);
    tell(story).says(&[
        "12:00:30 | P1 credit_missing open warn 10000 CNY",
        "12:00:40 | P1 credit_missing resolved credited_late warn 10000 CNY due 12:00:30 lag 40000",
    ]);
}

#[test]
fn parts_that_exceed_close_the_payment_and_are_a_mismatch() {
    let story = paid()
        .at("12:00:10")
        .part("P1", 4_000)
        .at("12:00:20")
        .part("P1", 7_000);
    tell(story)
        .until("12:30:00")
        .says(&["12:00:20 | P1 amount_mismatch open breach AMOUNT_MISMATCH 10000 CNY lag 20000"])
        .counts([1, 0, 0, 0, 0]);
}

#[test]
fn a_part_told_twice_counts_once() {
    let story = paid()
        .at("12:00:10")
        .part("P1", 5_000)
        .with("credit_id", "C1")
        .at("12:00:20")
        .part("P1", 5_000)
        .with("credit_id", "C1");
    tell(story)
        .until("12:01:00")
        .says(&["12:00:30 | P1 credit_missing open warn 10000 CNY"])
        .records("credits", [1, 1, 0, 0, 0]);
}

#[test]
fn a_partial_refund_lowers_what_parts_must_add_up_to() {
    let refunded_first = paid()
        .at("12:00:05")
        .refund("P1", "R1", "succeeded")
        .with("amount_minor", 3_000)
        .at("12:00:10")
        .part("P1", 7_000);
    tell(refunded_first)
        .until("12:30:00")
        .says(&[])
        .counts([1, 0, 0, 0, 0]);
    let refunded_last = paid()
        .at("12:00:10")
        .part("P1", 7_000)
        .at("12:00:20")
        .refund("P1", "R1", "succeeded")
        .with("amount_minor", 3_000);
    tell(refunded_last)
        .until("12:30:00")
        .says(&[])
        .counts([1, 0, 0, 0, 0]);
}

#[test]
fn a_part_in_another_currency_is_a_mismatch_and_adds_nothing() {
    let story = paid()
        .at("12:00:10")
        .part("P1", 10_000)
        .currency("USD")
        .at("12:00:20")
        .part("P1", 10_000);
    tell(story)
        .until("12:30:00")
        .says(&[
            "12:00:10 | P1 currency_mismatch open breach CURRENCY_MISMATCH 10000 CNY lag 10000",
        ])
        .counts([1, 0, 0, 0, 0]);
}

#[test]
fn parts_before_their_payment_wait_for_it() {
    let story = Story::new()
        .at("12:00:00")
        .part("P1", 4_000)
        .part("P1", 6_000)
        .at("12:00:10")
        .pay("P1");
    tell(story)
        .until("12:30:00")
        .says(&[])
        .counts([1, 0, 0, 0, 0]);
}
