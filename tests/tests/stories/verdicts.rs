//! What a missing credit says about its cause.

use settlewatch_tests::story::Story;

use crate::tell::tell;

#[test]
fn the_class_of_a_rejected_credit_is_the_verdict() {
    let verdicts = [
        ("limit", " LIMIT_EXCEEDED"),
        ("frequency", " LIMIT_EXCEEDED"),
        ("insufficient", " BALANCE_INSUFFICIENT"),
        ("frozen", " ACCOUNT_FROZEN"),
        ("duplicate", " DUPLICATE_PAYMENT"),
        ("auth_incomplete", " AUTH_INCOMPLETE"),
        ("format", " INTERFACE_FAULT"),
        ("not_permitted", ""),
        ("issuer_down", ""),
        ("timeout", ""),
        ("system", ""),
        ("other", ""),
        ("never heard of", ""),
    ];
    for (class, verdict) in verdicts {
        let story = Story::new()
            .at("12:00:00")
            .pay("P1")
            .at("12:00:10")
            .reject("P1", class);
        tell(story).until("12:01:00").says(&[&format!(
            "12:00:30 | P1 credit_missing open warn{verdict} 10000 CNY"
        )]);
    }
}

#[test]
fn each_change_of_the_verdict_is_a_revision_at_its_cause() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1")
        .at("12:00:40")
        .reject("P1", "limit")
        .at("12:00:50")
        .reject("P1", "frozen")
        .at("12:01:00")
        .hold("P1")
        .at("12:01:10")
        .refund("P1", "R1", "created")
        .at("12:01:20")
        .refund("P1", "R1", "failed")
        .at("12:01:30")
        .release("P1");
    tell(story).until("12:02:00").says(&[
        "12:00:30 | P1 credit_missing open warn 10000 CNY",
        "12:00:40 | P1 credit_missing open warn LIMIT_EXCEEDED 10000 CNY due 12:00:30",
        "12:00:50 | P1 credit_missing open warn ACCOUNT_FROZEN 10000 CNY due 12:00:30",
        "12:01:00 | P1 credit_missing open warn RISK_HOLD 10000 CNY due 12:00:30",
        "12:01:10 | P1 credit_missing open warn REFUND_IN_FLIGHT 10000 CNY due 12:00:30",
        "12:01:20 | P1 credit_missing open warn RISK_HOLD 10000 CNY due 12:00:30",
        "12:01:30 | P1 credit_missing open warn ACCOUNT_FROZEN 10000 CNY due 12:00:30",
        "12:02:00 | P1 credit_missing open breach ACCOUNT_FROZEN 10000 CNY",
    ]);
}

#[test]
fn the_same_verdict_again_is_no_revision() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1")
        .at("12:00:40")
        .reject("P1", "limit")
        .at("12:00:50")
        .reject("P1", "frequency");
    tell(story).until("12:01:00").says(&[
        "12:00:30 | P1 credit_missing open warn 10000 CNY",
        "12:00:40 | P1 credit_missing open warn LIMIT_EXCEEDED 10000 CNY due 12:00:30",
    ]);
}

#[test]
fn a_refund_in_flight_that_is_done_resolves_the_alert() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1")
        .at("12:00:10")
        .refund("P1", "R1", "created")
        .at("12:01:00")
        .refund("P1", "R1", "succeeded");
    tell(story)
        .says(&[
            "12:00:30 | P1 credit_missing open warn REFUND_IN_FLIGHT 10000 CNY",
            "12:01:00 | P1 credit_missing resolved refunded warn REFUND_IN_FLIGHT 10000 CNY due 12:00:30",
        ])
        .counts([0, 1, 0, 0, 0]);
}

#[test]
fn a_verdict_known_before_the_deadline_stands_in_the_first_revision() {
    let story = Story::new()
        .at("11:59:50")
        .reject("P1", "format")
        .at("12:00:00")
        .pay("P1");
    tell(story)
        .until("12:00:30")
        .says(&["12:00:30 | P1 credit_missing open warn INTERFACE_FAULT 10000 CNY"]);
}
