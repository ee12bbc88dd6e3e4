//! Ids that were damaged on one side: a payment without a credit and a credit without a payment.

use settlewatch_tests::story::Story;

use crate::tell::tell;

#[test]
fn an_overdue_payment_and_an_orphan_of_nearly_its_id_name_each_other() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1001")
        .at("12:00:05")
        .credit("P1010")
        .amount(10_000);
    tell(story)
        .until("12:05:00")
        .says(&[
            "12:00:30 | P1001 credit_missing open warn 10000 CNY",
            "12:02:00 | P1001 credit_missing open breach 10000 CNY",
            "12:02:05 | P1010 orphan_credit open breach ORPHAN_CREDIT 10000 CNY",
            "12:02:05 | P1010 orphan_credit open breach ID_CORRUPTED 10000 CNY with P1001",
            "12:02:05 | P1001 credit_missing open breach ID_CORRUPTED 10000 CNY due 12:02:00 with P1010",
        ])
        .counts([0, 0, 0, 1, 1]);
}

#[test]
fn it_is_known_at_the_first_deadline_where_that_is_the_later() {
    let story = Story::new()
        .at("11:58:00")
        .credit("P1009")
        .at("12:00:10")
        .pay("P1001");
    tell(story).until("12:01:00").says(&[
        "12:00:00 | P1009 orphan_credit open breach ORPHAN_CREDIT",
        "12:00:40 | P1001 credit_missing open warn 10000 CNY",
        "12:00:40 | P1001 credit_missing open warn ID_CORRUPTED 10000 CNY with P1009",
        "12:00:40 | P1009 orphan_credit open breach ID_CORRUPTED with P1001",
    ]);
}

#[test]
fn ids_of_other_length_with_three_differences_or_another_amount_are_strangers() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1001")
        .credit("P10011")
        .credit("P1112")
        .credit("P1002")
        .amount(9_000)
        .credit("P1003")
        .with("currency", "USD");
    tell(story).until("12:02:00").says(&[
        "12:00:30 | P1001 credit_missing open warn 10000 CNY",
        "12:02:00 | P1001 credit_missing open breach 10000 CNY",
        "12:02:00 | P10011 orphan_credit open breach ORPHAN_CREDIT",
        "12:02:00 | P1112 orphan_credit open breach ORPHAN_CREDIT",
        "12:02:00 | P1002 orphan_credit open breach ORPHAN_CREDIT 9000 CNY",
        "12:02:00 | P1003 orphan_credit open breach ORPHAN_CREDIT ? USD",
    ]);
}

#[test]
fn a_payment_that_is_no_longer_missing_is_not_named() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1001")
        .credit("P1002")
        .at("12:01:00")
        .credit("P1001");
    tell(story).until("12:02:00").says(&[
        "12:00:30 | P1001 credit_missing open warn 10000 CNY",
        "12:01:00 | P1001 credit_missing resolved credited_late warn 10000 CNY due 12:00:30 lag 60000",
        "12:02:00 | P1002 orphan_credit open breach ORPHAN_CREDIT",
    ]);
}

#[test]
fn of_several_payments_the_one_with_the_fewest_differences_is_named() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1083")
        .at("12:00:01")
        .pay("P1001")
        .at("12:00:02")
        .credit("P1002");
    tell(story).until("12:02:02").says(&[
        "12:00:30 | P1083 credit_missing open warn 10000 CNY",
        "12:00:31 | P1001 credit_missing open warn 10000 CNY",
        "12:02:00 | P1083 credit_missing open breach 10000 CNY",
        "12:02:01 | P1001 credit_missing open breach 10000 CNY",
        "12:02:02 | P1002 orphan_credit open breach ORPHAN_CREDIT",
        "12:02:02 | P1002 orphan_credit open breach ID_CORRUPTED with P1001",
        "12:02:02 | P1001 credit_missing open breach ID_CORRUPTED 10000 CNY due 12:02:01 with P1002",
    ]);
}

#[test]
fn of_equally_near_payments_the_one_appended_first_is_named() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1005")
        .at("12:00:01")
        .pay("P1001")
        .at("12:00:02")
        .credit("P1002");
    tell(story).until("12:02:02").says(&[
        "12:00:30 | P1005 credit_missing open warn 10000 CNY",
        "12:00:31 | P1001 credit_missing open warn 10000 CNY",
        "12:02:00 | P1005 credit_missing open breach 10000 CNY",
        "12:02:01 | P1001 credit_missing open breach 10000 CNY",
        "12:02:02 | P1002 orphan_credit open breach ORPHAN_CREDIT",
        "12:02:02 | P1002 orphan_credit open breach ID_CORRUPTED with P1005",
        "12:02:02 | P1005 credit_missing open breach ID_CORRUPTED 10000 CNY due 12:02:00 with P1002",
    ]);
}

#[test]
fn a_stronger_verdict_stays_and_a_rejection_is_weaker() {
    let story = |kind: &dyn Fn(Story) -> Story| {
        let story = Story::new().at("12:00:00").pay("P1001").credit("P1002");
        tell(kind(story.at("12:00:10"))).until("12:02:00")
    };
    story(&|story| story.reject("P1001", "frozen")).says(&[
        "12:00:30 | P1001 credit_missing open warn ACCOUNT_FROZEN 10000 CNY",
        "12:02:00 | P1001 credit_missing open breach ACCOUNT_FROZEN 10000 CNY",
        "12:02:00 | P1001 credit_missing open breach ID_CORRUPTED 10000 CNY with P1002",
        "12:02:00 | P1002 orphan_credit open breach ORPHAN_CREDIT",
        "12:02:00 | P1002 orphan_credit open breach ID_CORRUPTED with P1001",
    ]);
    story(&|story| story.refund("P1001", "R1", "created")).says(&[
        "12:00:30 | P1001 credit_missing open warn REFUND_IN_FLIGHT 10000 CNY",
        "12:02:00 | P1001 credit_missing open breach REFUND_IN_FLIGHT 10000 CNY",
        "12:02:00 | P1001 credit_missing open breach REFUND_IN_FLIGHT 10000 CNY with P1002",
        "12:02:00 | P1002 orphan_credit open breach ORPHAN_CREDIT",
        "12:02:00 | P1002 orphan_credit open breach ID_CORRUPTED with P1001",
    ]);
}

#[test]
fn the_two_are_never_joined() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1001")
        .credit("P1002")
        .at("12:03:00")
        .pay("P1002")
        .at("12:04:00")
        .credit("P1001");
    tell(story)
        .says(&[
            "12:00:30 | P1001 credit_missing open warn 10000 CNY",
            "12:02:00 | P1001 credit_missing open breach 10000 CNY",
            "12:02:00 | P1001 credit_missing open breach ID_CORRUPTED 10000 CNY with P1002",
            "12:02:00 | P1002 orphan_credit open breach ORPHAN_CREDIT",
            "12:02:00 | P1002 orphan_credit open breach ID_CORRUPTED with P1001",
            "12:03:00 | P1002 orphan_credit resolved completed breach ID_CORRUPTED lag -180000 with P1001",
            "12:04:00 | P1001 credit_missing resolved credited_late breach ID_CORRUPTED 10000 CNY due 12:02:00 lag 240000 \
             with P1002",
        ])
        .counts([2, 0, 0, 0, 0]);
}
