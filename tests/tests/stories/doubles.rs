//! The same payer pays the same twice.

use settlewatch_tests::story::Story;

use crate::tell::tell;

/// A payment of a payer that is credited a second later.
trait Buy {
    fn buys(self, payment_id: &str, payer: &str) -> Self;
}

impl Buy for Story {
    fn buys(self, payment_id: &str, payer: &str) -> Self {
        let credit_first = self.credit(payment_id);
        credit_first.pay(payment_id).with("payer_hash", payer)
    }
}

#[test]
fn the_later_payment_is_the_duplicate_and_names_the_earlier() {
    let story = Story::new()
        .at("12:00:00")
        .buys("P1", "payer-1")
        .at("12:10:00")
        .buys("P2", "payer-1");
    tell(story)
        .says(&["12:10:00 | P2 duplicate_payment open breach DUPLICATE_PAYMENT 10000 CNY with P1"])
        .counts([2, 0, 0, 0, 0]);
}

#[test]
fn a_millisecond_beyond_the_window_is_a_payment_like_any_other() {
    let story = Story::new()
        .at("12:00:00")
        .buys("P1", "payer-1")
        .at("12:10:00.001")
        .buys("P2", "payer-1");
    tell(story).says(&[]);
}

#[test]
fn of_several_earlier_payments_the_latest_is_named() {
    let story = Story::new()
        .at("12:00:00")
        .buys("P1", "payer-1")
        .at("12:01:00")
        .buys("P2", "payer-1")
        .at("12:02:00")
        .buys("P3", "payer-1");
    tell(story).says(&[
        "12:01:00 | P2 duplicate_payment open breach DUPLICATE_PAYMENT 10000 CNY with P1",
        "12:02:00 | P3 duplicate_payment open breach DUPLICATE_PAYMENT 10000 CNY with P2",
    ]);
}

#[test]
fn another_payer_place_amount_or_currency_is_another_payment() {
    let story = Story::new()
        .at("12:00:00")
        .buys("P1", "payer-1")
        .at("12:01:00")
        .buys("P2", "payer-2")
        .buys("P3", "payer-1")
        .place("M1", "T2")
        .buys("P4", "payer-1")
        .place("M2", "T1")
        .buys("P5", "payer-1")
        .amount(10_001)
        .buys("P6", "payer-1")
        .currency("USD")
        .credit("P7")
        .pay("P7");
    tell(story).says(&[]);
}

#[test]
fn payments_without_a_payer_are_never_duplicates() {
    let story = Story::new()
        .at("12:00:00")
        .credit("P1")
        .pay("P1")
        .credit("P2")
        .pay("P2");
    tell(story).says(&[]);
}

#[test]
fn an_earlier_payment_that_was_given_back_by_then_counts_for_nothing() {
    let first = || {
        let story = Story::new().at("12:00:00").pay("P1");
        story.with("payer_hash", "payer-1").at("12:00:10")
    };
    let ended = [
        first().refund("P1", "R1", "succeeded"),
        first().reverse("P1"),
        first().decline("P1"),
    ];
    for story in ended {
        tell(story.at("12:01:00").buys("P2", "payer-1")).says(&[]);
    }
    let in_part = first()
        .refund("P1", "R1", "succeeded")
        .with("amount_minor", 1_000)
        .credit("P1");
    tell(in_part.at("12:01:00").buys("P2", "payer-1"))
        .says(&["12:01:00 | P2 duplicate_payment open breach DUPLICATE_PAYMENT 10000 CNY with P1"]);
}

#[test]
fn giving_either_back_resolves_it() {
    let twice = || {
        Story::new()
            .at("12:00:00")
            .buys("P1", "payer-1")
            .at("12:01:00")
            .buys("P2", "payer-1")
            .at("12:02:00")
    };
    let open = "12:01:00 | P2 duplicate_payment open breach DUPLICATE_PAYMENT 10000 CNY with P1";
    let resolved = |how: &str| {
        format!(
            "12:02:00 | P2 duplicate_payment resolved {how} breach DUPLICATE_PAYMENT 10000 CNY with P1"
        )
    };
    for payment in ["P1", "P2"] {
        tell(twice().refund(payment, "R1", "succeeded")).says(&[open, &resolved("refunded")]);
        tell(twice().reverse(payment)).says(&[open, &resolved("reversed")]);
        tell(twice().decline(payment)).says(&[open, &resolved("declined")]);
        let in_part = twice().refund(payment, "R1", "succeeded");
        tell(in_part.with("amount_minor", 9_999)).says(&[open]);
    }
}

#[test]
fn twins_find_each_other_in_whatever_partitions_they_lie() {
    let mut story = Story::new().at("12:00:00");
    let mut expected = Vec::new();
    for i in 0..40 {
        let (earlier, later) = (format!("A{i}"), format!("B{i}"));
        let payer = format!("payer-{i}");
        story = story.at("12:00:00").buys(&earlier, &payer);
        story = story.at("12:00:30").buys(&later, &payer);
        expected.push(format!(
            "12:00:30 | {later} duplicate_payment open breach DUPLICATE_PAYMENT 10000 CNY with {earlier}"
        ));
    }
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    tell(story).says(&expected);
}
