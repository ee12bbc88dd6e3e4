//! Batches: due by a calendar, or when the payment says.

use settlewatch_tests::story::Story;

use crate::tell::{Tale, tell};

/// Shanghai is eight hours ahead: 18:00 there is 10:00 here. Thursday and Friday are holidays, Saturday is worked.
const RULES: &str = "calendars:
  cn:
    time_zone: Asia/Shanghai
    weekend: [sat, sun]
    holidays: [2026-03-05, 2026-03-06]
    workdays: [2026-03-07]
    cut_off: \"23:00\"
    credit_by: \"18:00\"
rules:
  - name: batch
    match: {settle_mode: [d0, t1]}
    due: {calendar: cn, business_days: 1}
    tiers: {breach: 0s, escalate: 2h}
    give_up: 5d
  - name: default
    tiers: {breach: 2m}
";

/// A payment of the next batch at this time, which nobody credits.
fn batch(paid: &str) -> Tale {
    tell(Story::new().at(paid).pay("P1").with("settle_mode", "t1")).under(RULES)
}

#[test]
fn a_batch_is_due_on_the_next_business_day() {
    let story = || {
        let story = Story::new().at("12:00:00").pay("P1");
        story.with("settle_mode", "t1")
    };
    let in_time = story().at("2026-03-03T10:00:00Z").credit("P1");
    tell(in_time).under(RULES).says(&[]);
    let late = story().at("2026-03-03T12:00:00.001Z").credit("P1");
    tell(late).under(RULES).says(&[
        "03-03 10:00:00 | P1 credit_missing open breach 10000 CNY",
        "03-03 12:00:00 | P1 credit_missing open escalate 10000 CNY",
        "03-03 12:00:00.001 | P1 credit_missing resolved credited_late escalate 10000 CNY due 03-03 12:00:00 \
         lag 86400001",
    ]);
}

#[test]
fn what_is_appended_after_the_cut_off_belongs_to_the_next_day() {
    let breach = ["03-03 10:00:00 | P1 credit_missing open breach 10000 CNY"];
    let at_cut_off = batch("15:00:00").until("2026-03-03T10:00:00Z");
    at_cut_off.says(&breach);
    let later = batch("15:00:00.001").until("2026-03-04T10:00:00Z");
    later.says(&["03-04 10:00:00 | P1 credit_missing open breach 10000 CNY"]);
}

#[test]
fn holidays_are_skipped_and_a_worked_saturday_counts() {
    let wednesday = batch("2026-03-04T04:00:00Z").until("2026-03-07T11:00:00Z");
    wednesday.says(&["03-07 10:00:00 | P1 credit_missing open breach 10000 CNY"]);
    let saturday = batch("2026-03-07T04:00:00Z").until("2026-03-09T11:00:00Z");
    saturday.says(&["03-09 10:00:00 | P1 credit_missing open breach 10000 CNY"]);
}

#[test]
fn a_payment_on_a_day_off_belongs_to_the_next_business_day() {
    let holiday = batch("2026-03-05T04:00:00Z").until("2026-03-09T11:00:00Z");
    holiday.says(&["03-09 10:00:00 | P1 credit_missing open breach 10000 CNY"]);
    let sunday = batch("2026-03-08T04:00:00Z").until("2026-03-10T11:00:00Z");
    sunday.says(&["03-10 10:00:00 | P1 credit_missing open breach 10000 CNY"]);
}

#[test]
fn the_payments_own_due_time_wins_over_the_calendar() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1")
        .with("settle_mode", "d0")
        .with("expected_credit_by", "2026-03-02T14:00:00+00:00")
        .at("14:00:00.001")
        .credit("P1");
    tell(story).under(RULES).says(&[
        "14:00:00 | P1 credit_missing open breach 10000 CNY",
        "14:00:00.001 | P1 credit_missing resolved credited_late breach 10000 CNY due 14:00:00 lag 7200001",
    ]);
}

#[test]
fn a_due_time_that_has_gone_by_counts_from_the_payment() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1")
        .with("settle_mode", "t1")
        .with("expected_credit_by", "2026-03-02T09:00:00Z");
    tell(story).under(RULES).until("14:00:00").says(&[
        "12:00:00 | P1 credit_missing open breach 10000 CNY",
        "14:00:00 | P1 credit_missing open escalate 10000 CNY",
    ]);
}

#[test]
fn a_rule_without_due_does_not_look_at_the_payments_own_due_time() {
    let story = Story::new()
        .at("12:00:00")
        .pay("P1")
        .with("expected_credit_by", "2026-03-02T20:00:00Z");
    tell(story)
        .under(RULES)
        .until("12:02:00")
        .says(&["12:02:00 | P1 credit_missing open breach 10000 CNY"]);
}

#[test]
fn a_batch_payment_waits_for_its_bank_until_it_is_due() {
    let told = batch("12:00:00").until("2026-03-03T09:59:59Z").says(&[]);
    assert_eq!(told.summary("/waits/BANK_BATCH_WAIT"), 1);
    let told = batch("12:00:00")
        .until("2026-03-03T10:00:00Z")
        .says(&["03-03 10:00:00 | P1 credit_missing open breach 10000 CNY"]);
    assert!(told.summary("/waits/BANK_BATCH_WAIT").is_null());
}

#[test]
fn a_batch_has_the_patience_of_its_rule() {
    batch("12:00:00").drained().says(&[
        "03-03 10:00:00 | P1 credit_missing open breach 10000 CNY",
        "03-03 12:00:00 | P1 credit_missing open escalate 10000 CNY",
        "03-08 12:00:00 | P1 credit_missing resolved written_off escalate 10000 CNY due 03-03 12:00:00",
    ]);
}
