//! Whether credits fit.

use super::*;

/// A payment of 100.00 with a fee of 0.60, and a credit of `amount` with further fields.
fn credited(amount: i64, more: &[(&str, &str)], fee: Option<i64>) -> Vec<String> {
    let mut story = Story::new()
        .pay("P1")
        .with("fee_minor", 60)
        .with("mcc", "5411");
    story = story
        .at("12:00:01")
        .credit("P1")
        .with("amount_minor", amount);
    for (field, value) in more {
        story = story.with(field, *value);
    }
    if let Some(fee) = fee {
        story = story.with("fee_minor", fee);
    }
    let outcome = story.judged(&usual(), "12:00:10");
    assert_eq!(outcome.counts.credited, 1);
    said(&outcome)
}

fn amount_mismatch(verdict: &str) -> Vec<String> {
    let plain = if verdict.is_empty() {
        String::new()
    } else {
        format!(" {verdict}")
    };
    vec![format!(
        "12:00:01 P1 amount_mismatch#1 breach{plain} lag 1000"
    )]
}

#[test]
fn gross_and_net_fit() {
    assert!(credited(10_000, &[], None).is_empty());
    assert!(credited(9_940, &[], None).is_empty());
    assert!(
        credited(9_940, &[], Some(70)).is_empty(),
        "the credit's own fee proves nothing"
    );
}

#[test]
fn another_amount_is_a_mismatch() {
    assert_eq!(credited(9_939, &[], None), amount_mismatch(""));
    assert_eq!(credited(10_001, &[], None), amount_mismatch(""));
    assert_eq!(credited(9_930, &[], Some(60)), amount_mismatch(""));
}

#[test]
fn another_fee_explains_what_is_missing() {
    assert_eq!(
        credited(9_930, &[], Some(70)),
        amount_mismatch("FEE_MISMATCH")
    );
    assert_eq!(credited(9_930, &[], Some(71)), amount_mismatch(""));
}

#[test]
fn another_category_explains_a_rate_of_a_fee() {
    let other = [("mcc", "5812")];
    assert_eq!(
        credited(9_990, &other, None),
        amount_mismatch("FEE_MISMATCH")
    );
    assert_eq!(credited(9_991, &other, None), amount_mismatch(""));
    assert_eq!(
        credited(9_500, &other, None),
        amount_mismatch("FEE_MISMATCH")
    );
    assert_eq!(credited(9_499, &other, None), amount_mismatch(""));
    assert_eq!(
        credited(9_500, &[("mcc", "5411")], None),
        amount_mismatch("")
    );
}

#[test]
fn another_currency_is_its_own_mismatch_and_amounts_are_not_compared() {
    let expected = ["12:00:01 P1 currency_mismatch#1 breach lag 1000"];
    assert_eq!(credited(1, &[("currency", "USD")], None), expected);
}

#[test]
fn another_terminal_or_merchant_is_a_terminal_mismatch() {
    let expected = ["12:00:01 P1 terminal_mismatch#1 breach lag 1000"];
    assert_eq!(credited(10_000, &[("terminal_id", "T2")], None), expected);
    assert_eq!(
        credited(
            10_000,
            &[("merchant_id", "M2"), ("terminal_id", "T1")],
            None
        ),
        expected
    );
}

#[test]
fn what_was_refunded_in_part_is_not_credited() {
    let story = Story::new()
        .pay("P1")
        .refund("P1", "R1", "succeeded")
        .with("amount_minor", 4_000);
    let story = story.at("12:00:01");
    let fits = story.clone().credit("P1").with("amount_minor", 6_000);
    assert!(told(&fits, "12:00:10").is_empty());
    let whole = story.credit("P1").with("amount_minor", 10_000);
    assert_eq!(told(&whole, "12:00:10"), amount_mismatch(""));
}

#[test]
fn parts_add_up() {
    let story = Story::new()
        .pay("P1")
        .part("P1", 4_000)
        .at("12:00:20")
        .part("P1", 5_999);
    assert_eq!(story.judged(&usual(), "12:00:29").counts.pending, 1);
    let enough = story.clone().at("12:00:31").part("P1", 1);
    let expected = [
        "12:00:30 P1 credit_missing#1 warn",
        "12:00:31 P1 credit_missing#2 credited_late lag 31000",
    ];
    assert_eq!(told(&enough, "13:00:00"), expected);
    let too_much = story.at("12:00:25").part("P1", 2);
    let expected = ["12:00:25 P1 amount_mismatch#1 breach lag 25000"];
    assert_eq!(told(&too_much, "13:00:00"), expected);
}

#[test]
fn a_part_that_does_not_count_still_tells_what_is_wrong() {
    let story = Story::new().pay("P1").part("P1", 10_000).currency("USD");
    let story = story.part("P1", 10_000).with("terminal_id", "T9");
    let expected = [
        "12:00:00 P1 currency_mismatch#1 breach lag 0",
        "12:00:00 P1 terminal_mismatch#1 breach lag 0",
    ];
    assert_eq!(told(&story, "13:00:00"), expected);
}

#[test]
fn the_same_credit_again_is_redelivery_whatever_it_says() {
    let story = Story::new().pay("P1").credit("P1").with("credit_id", "C1");
    let story = story
        .credit("P1")
        .with("credit_id", "C1")
        .with("amount_minor", 1)
        .with("currency", "USD");
    let outcome = story.judged(&usual(), "13:00:00");
    assert!(outcome.revisions.is_empty());
    assert_eq!(
        (outcome.records[1].used, outcome.records[1].duplicate),
        (1, 1)
    );
}

#[test]
fn extra_credits_are_summed_in_the_currency_of_the_first() {
    let extra = |story: Story, amount: i64, currency: &str| {
        story
            .credit("P1")
            .with("amount_minor", amount)
            .currency(currency)
    };
    let story = Story::new().pay("P1").credit("P1");
    let story = extra(extra(extra(story, 300, "CNY"), 7, "USD"), 30, "CNY");
    let story = story.at("12:01:00").refund("P1", "R1", "succeeded");
    let outcome = story.judged(&usual(), "13:00:00");
    let expected = [
        "12:00:00 P1 duplicate_credit#1 breach lag 0",
        "12:00:00 P1 duplicate_credit#2 breach lag 0",
        "12:00:00 P1 duplicate_credit#3 breach lag 0",
        "12:01:00 P1 duplicate_credit#4 refunded",
    ];
    assert_eq!(said(&outcome), expected);
    let amounts: Vec<_> = outcome.revisions.iter().map(|it| it.amount_minor).collect();
    assert_eq!(amounts, [Some(300), Some(300), Some(330), Some(330)]);
}

#[test]
fn an_order_of_another_amount_is_told_when_the_payment_is_accepted() {
    let story = Story::new().pay("P1").with("order_amount_minor", 9_000);
    let story = story
        .at("12:00:02")
        .credit("P1")
        .with("amount_minor", 9_000);
    let expected = [
        "12:00:00 P1 amount_mismatch#1 breach USER_AMOUNT_ERROR",
        "12:00:02 P1 amount_mismatch#2 breach lag 2000",
    ];
    assert_eq!(told(&story, "13:00:00"), expected);
}
