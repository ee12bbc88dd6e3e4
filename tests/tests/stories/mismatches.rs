//! Credits that do not fit their payment.

use settlewatch_tests::story::Story;

use crate::tell::{Told, tell};

/// A payment with a fee of 0.60, and a credit five seconds later that says what `say` adds.
fn credited(say: impl Fn(Story) -> Story, expected: &[&str]) -> Told {
    let paid = Story::new()
        .at("12:00:00")
        .pay("P1")
        .with("fee_minor", 60)
        .with("mcc", "5411");
    let story = say(paid.at("12:00:05").credit("P1"));
    let told = tell(story).until("12:30:00").says(expected);
    told.counts([1, 0, 0, 0, 0])
}

#[test]
fn gross_and_net_of_the_payments_own_fee_fit_and_so_does_silence() {
    credited(|credit| credit, &[]);
    credited(|credit| credit.amount(10_000).place("M1", "T1"), &[]);
    credited(|credit| credit.amount(9_940), &[]);
    credited(|credit| credit.with("amount_minor", 9_940), &[]);
}

#[test]
fn another_amount_is_a_mismatch_at_once_and_the_payment_is_closed_all_the_same() {
    for amount_minor in [1, 9_939, 9_941, 9_999, 10_001] {
        credited(
            |credit| credit.with("amount_minor", amount_minor),
            &["12:00:05 | P1 amount_mismatch open breach AMOUNT_MISMATCH 10000 CNY lag 5000"],
        );
    }
}

#[test]
fn the_credits_own_fee_explains_but_proves_nothing() {
    let mismatch = ["12:00:05 | P1 amount_mismatch open breach FEE_MISMATCH 10000 CNY lag 5000"];
    credited(
        |credit| credit.amount(9_900).with("fee_minor", 100),
        &mismatch,
    );
    let unexplained =
        ["12:00:05 | P1 amount_mismatch open breach AMOUNT_MISMATCH 10000 CNY lag 5000"];
    credited(
        |credit| credit.amount(9_800).with("fee_minor", 100),
        &unexplained,
    );
    credited(|credit| credit.amount(9_940).with("fee_minor", 100), &[]);
}

#[test]
fn another_category_of_merchant_explains_what_a_fee_would() {
    let by_category = ["12:00:05 | P1 amount_mismatch open breach FEE_MISMATCH 10000 CNY lag 5000"];
    credited(
        |credit| credit.amount(9_945).with("mcc", "5812"),
        &by_category,
    );
    let unexplained =
        ["12:00:05 | P1 amount_mismatch open breach AMOUNT_MISMATCH 10000 CNY lag 5000"];
    credited(
        |credit| credit.amount(9_945).with("mcc", "5411"),
        &unexplained,
    );
    credited(
        |credit| credit.amount(5_000).with("mcc", "5812"),
        &unexplained,
    );
}

#[test]
fn another_currency_is_a_mismatch_and_its_amount_is_not_compared() {
    let mismatch =
        ["12:00:05 | P1 currency_mismatch open breach CURRENCY_MISMATCH 10000 CNY lag 5000"];
    credited(|credit| credit.amount(10_000).currency("USD"), &mismatch);
    credited(|credit| credit.amount(1_450).currency("USD"), &mismatch);
}

#[test]
fn another_terminal_or_merchant_is_a_mismatch() {
    let mismatch =
        ["12:00:05 | P1 terminal_mismatch open breach TERMINAL_MISMATCH 10000 CNY lag 5000"];
    credited(|credit| credit.with("terminal_id", "T2"), &mismatch);
    credited(|credit| credit.with("merchant_id", "M2"), &mismatch);
    credited(|credit| credit.place("M2", "T2"), &mismatch);
}

#[test]
fn several_mismatches_are_several_alerts() {
    credited(
        |credit| credit.amount(9_000).place("M1", "T2"),
        &[
            "12:00:05 | P1 amount_mismatch open breach AMOUNT_MISMATCH 10000 CNY lag 5000",
            "12:00:05 | P1 terminal_mismatch open breach TERMINAL_MISMATCH 10000 CNY lag 5000",
        ],
    );
}

#[test]
fn a_late_credit_that_does_not_fit_resolves_and_opens() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1")
        .at("12:00:31")
        .credit("P1")
        .amount(9_000);
    tell(story).says(&[
        "12:00:30 | P1 credit_missing open warn 10000 CNY",
        "12:00:31 | P1 credit_missing resolved credited_late warn 10000 CNY due 12:00:30 lag 31000",
        "12:00:31 | P1 amount_mismatch open breach AMOUNT_MISMATCH 10000 CNY lag 31000",
    ]);
}

#[test]
fn a_credit_less_what_was_refunded_in_part_fits() {
    for amount_minor in [7_000, 6_940] {
        let story = Story::new()
            .at("12:00:00")
            .pay("P1")
            .with("fee_minor", 60)
            .at("12:00:05")
            .refund("P1", "R1", "succeeded")
            .with("amount_minor", 3_000)
            .at("12:00:10")
            .credit("P1")
            .amount(amount_minor);
        tell(story).says(&[]).counts([1, 0, 0, 0, 0]);
    }
}

#[test]
fn a_mismatch_of_an_early_credit_is_decided_when_its_payment_comes() {
    let story = Story::new()
        .at("12:00:00")
        .credit("P1")
        .amount(9_000)
        .at("12:00:07")
        .pay("P1")
        .occurred("11:59:59");
    tell(story)
        .says(&["12:00:07 | P1 amount_mismatch open breach AMOUNT_MISMATCH 10000 CNY lag 1000"]);
}

#[test]
fn paying_another_amount_than_the_orders_is_seen_when_the_payment_is_accepted() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1")
        .with("order_amount_minor", 10_100)
        .pay("P2")
        .with("order_amount_minor", 10_000)
        .at("12:00:05")
        .credit("P1")
        .credit("P2");
    tell(story).says(&["12:00:00 | P1 amount_mismatch open breach USER_AMOUNT_ERROR 10000 CNY"]);
}

#[test]
fn a_further_mismatch_of_the_same_payment_is_a_revision() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1")
        .with("order_amount_minor", 10_100)
        .at("12:00:05")
        .credit("P1")
        .amount(9_000);
    let told = tell(story).says(&[
        "12:00:00 | P1 amount_mismatch open breach USER_AMOUNT_ERROR 10000 CNY",
        "12:00:05 | P1 amount_mismatch open breach AMOUNT_MISMATCH 10000 CNY lag 5000",
    ]);
    assert_eq!(told.summary("/alerts/amount_mismatch/open"), 1);
}

#[test]
fn mismatches_resolve_by_a_later_full_refund_or_reversal() {
    let mismatched = || {
        Story::new()
            .at("12:00:00")
            .pay("P1")
            .at("12:00:05")
            .credit("P1")
            .amount(9_000)
            .place("M1", "T2")
            .at("12:01:00")
    };
    let opened = [
        "12:00:05 | P1 amount_mismatch open breach AMOUNT_MISMATCH 10000 CNY lag 5000",
        "12:00:05 | P1 terminal_mismatch open breach TERMINAL_MISMATCH 10000 CNY lag 5000",
    ];
    let with = |how: &str| {
        [
            opened[0].to_owned(),
            opened[1].to_owned(),
            format!(
                "12:01:00 | P1 amount_mismatch resolved {how} breach AMOUNT_MISMATCH 10000 CNY"
            ),
            format!(
                "12:01:00 | P1 terminal_mismatch resolved {how} breach TERMINAL_MISMATCH 10000 CNY"
            ),
        ]
    };
    let says = |story: Story, lines: &[String]| {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        tell(story).says(&lines);
    };
    let refund = mismatched().refund("P1", "R1", "succeeded");
    says(refund, &with("refunded"));
    says(mismatched().reverse("P1"), &with("reversed"));
    let partial = mismatched().refund("P1", "R1", "succeeded");
    tell(partial.with("amount_minor", 1_000)).says(&opened);
}
