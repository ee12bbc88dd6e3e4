//! What closes a payment, what does not, and how its alert resolves.

use settlewatch_tests::story::Story;

use crate::tell::tell;

/// A payment that has passed its first deadline.
fn overdue() -> Story {
    Story::new().at("12:00:00").pay("P1").at("12:01:00")
}

const WARN: &str = "12:00:30 | P1 credit_missing open warn 10000 CNY";

#[test]
fn a_credit_before_its_payment_is_no_alert() {
    let story = Story::new()
        .at("12:00:00")
        .credit("P1")
        .at("12:00:50")
        .pay("P1")
        .occurred("11:59:59");
    tell(story)
        .until("12:30:00")
        .says(&[])
        .counts([1, 0, 0, 0, 0])
        .records("credits", [1, 0, 0, 0, 0]);
}

#[test]
fn a_full_refund_resolves_as_refunded() {
    tell(overdue().refund("P1", "R1", "succeeded"))
        .says(&[
            WARN,
            "12:01:00 | P1 credit_missing resolved refunded warn 10000 CNY due 12:00:30",
        ])
        .counts([0, 1, 0, 0, 0]);
}

#[test]
fn refunds_that_add_up_to_the_whole_close_it() {
    let story = overdue()
        .refund("P1", "R1", "succeeded")
        .with("amount_minor", 4_000)
        .at("12:01:10")
        .refund("P1", "R2", "succeeded")
        .with("amount_minor", 6_000);
    tell(story)
        .says(&[
            WARN,
            "12:01:10 | P1 credit_missing resolved refunded warn 10000 CNY due 12:00:30",
        ])
        .counts([0, 1, 0, 0, 0]);
}

#[test]
fn a_refund_told_twice_counts_once() {
    let story = overdue()
        .refund("P1", "R1", "succeeded")
        .with("amount_minor", 5_000)
        .at("12:01:10")
        .again();
    tell(story)
        .says(&[WARN])
        .counts([0, 0, 0, 1, 1])
        .records("lifecycle", [1, 1, 0, 0, 0]);
}

#[test]
fn a_reversal_resolves_as_reversed_as_soon_as_it_is_asked_for() {
    for status in ["created", "succeeded"] {
        tell(overdue().reverse("P1").with("status", status))
            .says(&[
                WARN,
                "12:01:00 | P1 credit_missing resolved reversed warn 10000 CNY due 12:00:30",
            ])
            .counts([0, 1, 0, 0, 0]);
    }
    tell(overdue().reverse("P1").with("status", "failed"))
        .says(&[WARN])
        .counts([0, 0, 0, 1, 1]);
}

#[test]
fn a_decline_resolves_as_declined_unless_it_was_of_an_earlier_attempt() {
    tell(overdue().decline("P1"))
        .says(&[
            WARN,
            "12:01:00 | P1 credit_missing resolved declined warn 10000 CNY due 12:00:30",
        ])
        .counts([0, 1, 0, 0, 0]);
    tell(overdue().decline("P1").occurred("11:59:59.999"))
        .says(&[WARN])
        .counts([0, 0, 0, 1, 1]);
}

#[test]
fn what_explains_a_payment_in_time_raises_nothing() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1")
        .pay("P2")
        .pay("P3")
        .at("12:00:30")
        .refund("P1", "R1", "succeeded")
        .reverse("P2")
        .decline("P3");
    let told = tell(story).until("12:30:00").says(&[]);
    let told = told.counts([0, 3, 0, 0, 0]);
    for wait in ["REFUNDED", "REVERSED", "DECLINED"] {
        assert_eq!(told.summary(&format!("/waits/{wait}")), 1, "{wait}");
    }
}

#[test]
fn a_refund_or_reversal_before_its_payment_explains_it() {
    let story = Story::new()
        .at("12:00:00")
        .reverse("P1")
        .refund("P2", "R2", "succeeded")
        .at("12:00:05")
        .pay("P1")
        .occurred("11:59:50")
        .pay("P2")
        .occurred("11:59:50");
    tell(story)
        .until("12:30:00")
        .says(&[])
        .counts([0, 2, 0, 0, 0]);
}

#[test]
fn authorisations_stages_and_rejections_neither_close_nor_hurry() {
    let story = Story::new()
        .at("11:59:58")
        .authorize("P1")
        .stage("P1", "gateway_in")
        .at("12:00:00")
        .pay("P1")
        .at("12:00:10")
        .stage("P1", "account_posted")
        .reject("P1", "timeout")
        .refund("P1", "R1", "failed");
    tell(story)
        .until("12:01:00")
        .says(&[WARN])
        .counts([0, 0, 0, 1, 1]);
}

#[test]
fn an_authorisation_alone_is_no_debt() {
    let story = Story::new()
        .at("12:00:00")
        .authorize("P1")
        .stage("P2", "gateway_in")
        .decline("P3")
        .with("class", "auth_incomplete");
    let told = tell(story).until("12:30:00").says(&[]);
    let told = told.counts([0, 0, 0, 0, 0]);
    assert_eq!(told.summary("/waits/AUTH_INCOMPLETE"), 1);
    assert_eq!(told.summary("/waits/USER_INCOMPLETE"), 2);
}

#[test]
fn the_first_that_closes_counts() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1")
        .at("12:00:10")
        .credit("P1")
        .at("12:00:20")
        .refund("P1", "R1", "succeeded");
    tell(story).says(&[]).counts([1, 0, 0, 0, 0]);
}
