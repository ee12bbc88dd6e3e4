//! Credits without payments, and ids that nearly match.

use super::*;

#[test]
fn an_orphan_is_told_after_its_grace_unless_its_payment_came_by_then() {
    let story = Story::new()
        .credit("P1")
        .with("amount_minor", 5)
        .credit("P2")
        .at("12:02:00")
        .pay("P2");
    let outcome = story.judged(&usual(), "12:02:01");
    assert_eq!(said(&outcome), ["12:02:00 P1 orphan_credit#1 breach"]);
    assert_eq!(
        (
            outcome.revisions[0].amount_minor,
            &outcome.revisions[0].currency
        ),
        (Some(5), &None)
    );
}

#[test]
fn the_payment_completes_its_orphans() {
    let story = Story::new().credit("P1").at("12:00:01").credit("P1");
    let story = story.at("12:02:01.001").pay("P1");
    let expected = [
        "12:02:00 P1 orphan_credit#1 breach",
        "12:02:01 P1 orphan_credit#2 breach",
        "12:02:01.001 P1 orphan_credit#3 completed lag -120001",
        "12:02:01.001 P1 duplicate_credit#1 breach lag -120001",
    ];
    assert_eq!(told(&story, "13:00:00"), expected);
}

#[test]
fn a_credit_from_before_the_recording_is_no_orphan() {
    let story = Story::new()
        .credit("P1")
        .occurred("10:59:59.999")
        .credit("P2")
        .occurred("11:00:00");
    let outcome = story.judged(&usual(), "13:00:00");
    assert_eq!(said(&outcome), ["12:02:00 P2 orphan_credit#1 breach"]);
    assert_eq!(
        (outcome.records[1].used, outcome.records[1].before_horizon),
        (1, 1)
    );
}

#[test]
fn a_near_id_is_told_when_both_are_open() {
    let story = Story::new().pay("P1001").at("12:00:05").credit("P1010");
    let expected = [
        "12:00:30 P1001 credit_missing#1 warn",
        "12:02:00 P1001 credit_missing#2 breach",
        "12:02:05 P1010 orphan_credit#1 breach",
        "12:02:05 P1001 credit_missing#3 breach ID_CORRUPTED with P1010",
        "12:02:05 P1010 orphan_credit#2 breach ID_CORRUPTED with P1001",
        "12:10:00 P1001 credit_missing#4 escalate ID_CORRUPTED with P1010",
    ];
    assert_eq!(told(&story, "13:00:00"), expected);
}

#[test]
fn a_near_id_with_another_amount_or_a_payment_closed_by_then_is_none() {
    let story = Story::new()
        .pay("P1001")
        .credit("P1002")
        .with("amount_minor", 1);
    assert!(
        told(&story, "12:09:00")
            .iter()
            .all(|it| !it.contains("ID_CORRUPTED"))
    );
    let story = Story::new()
        .pay("P1001")
        .credit("P1002")
        .at("12:02:00")
        .credit("P1001");
    assert!(
        told(&story, "12:09:00")
            .iter()
            .all(|it| !it.contains("ID_CORRUPTED"))
    );
}

#[test]
fn the_fewest_differences_win_and_pairs_are_one_to_one() {
    let story = Story::new()
        .pay("P1100")
        .at("12:00:00.001")
        .pay("P1001")
        .credit("P1000");
    let story = story.at("12:00:01").credit("P1003").at("12:03:00");
    let near: Vec<_> = told(&story, "12:09:00")
        .into_iter()
        .filter(|it| it.contains("with"))
        .collect();
    let expected = [
        "12:02:00.001 P1100 credit_missing#3 breach ID_CORRUPTED with P1000",
        "12:02:00.001 P1000 orphan_credit#2 breach ID_CORRUPTED with P1100",
        "12:02:01 P1001 credit_missing#3 breach ID_CORRUPTED with P1003",
        "12:02:01 P1003 orphan_credit#2 breach ID_CORRUPTED with P1001",
    ];
    assert_eq!(near, expected, "equal differences: the earlier payment");
}
