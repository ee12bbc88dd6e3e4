//! Credits without a payment.

use settlewatch_tests::story::Story;

use crate::tell::tell;

fn orphan() -> Story {
    Story::new().at("12:00:00").credit("P9").amount(500)
}

#[test]
fn a_credit_whose_payment_does_not_come_is_an_orphan_after_its_grace() {
    tell(orphan()).until("12:01:59.999").says(&[]);
    tell(orphan())
        .until("12:02:00")
        .says(&["12:02:00 | P9 orphan_credit open breach ORPHAN_CREDIT 500 CNY"])
        .counts([0, 0, 0, 0, 0])
        .records("credits", [1, 0, 0, 0, 0]);
}

#[test]
fn a_payment_appended_by_the_end_of_the_grace_is_in_time() {
    let story = orphan().at("12:02:00").pay("P9").amount(500);
    tell(story)
        .until("12:30:00")
        .says(&[])
        .counts([1, 0, 0, 0, 0]);
}

#[test]
fn a_payment_after_the_grace_completes_the_orphan() {
    let story = orphan().at("12:02:00.001").pay("P9").amount(500);
    tell(story)
        .until("12:30:00")
        .says(&[
            "12:02:00 | P9 orphan_credit open breach ORPHAN_CREDIT 500 CNY",
            "12:02:00.001 | P9 orphan_credit resolved completed breach ORPHAN_CREDIT 500 CNY lag -120001",
        ])
        .counts([1, 0, 0, 0, 0]);
}

#[test]
fn the_payment_of_an_orphan_is_compared_with_it() {
    let story = orphan().at("12:03:00").pay("P9").occurred("11:59:00");
    tell(story).until("12:30:00").says(&[
        "12:02:00 | P9 orphan_credit open breach ORPHAN_CREDIT 500 CNY",
        "12:03:00 | P9 orphan_credit resolved completed breach ORPHAN_CREDIT 500 CNY lag 60000",
        "12:03:00 | P9 amount_mismatch open breach AMOUNT_MISMATCH 10000 CNY lag 60000",
    ]);
}

#[test]
fn a_further_orphan_of_the_same_id_is_a_revision() {
    let story = orphan().at("12:00:30").credit("P9").amount(700);
    let lines = [
        "12:02:00 | P9 orphan_credit open breach ORPHAN_CREDIT 500 CNY",
        "12:02:30 | P9 orphan_credit open breach ORPHAN_CREDIT 700 CNY",
    ];
    tell(story).until("12:30:00").says(&lines);
}

#[test]
fn a_credit_of_before_the_recording_is_no_orphan() {
    let story = Story::new()
        .at("12:00:00")
        .credit("P9")
        .occurred("10:59:59.999")
        .credit("P8")
        .occurred("11:00:00");
    tell(story)
        .until("12:30:00")
        .says(&["12:02:00 | P8 orphan_credit open breach ORPHAN_CREDIT"])
        .records("credits", [1, 0, 0, 1, 0]);
}

#[test]
fn an_orphan_says_where_its_credit_went() {
    let story = orphan().with("channel", "wallet").place("M4", "T4");
    let told = tell(story)
        .until("12:30:00")
        .says(&["12:02:00 | P9 orphan_credit open breach ORPHAN_CREDIT 500 CNY"]);
    let alert = &told.alerts()[0];
    assert_eq!(alert["channel"], "wallet");
    assert_eq!(alert["merchant_id"], "M4");
    assert_eq!(alert["terminal_id"], "T4");
    for unknown in [
        "paid_at",
        "deadline",
        "lag_ms",
        "related_payment_id",
        "dimensions",
    ] {
        assert!(alert[unknown].is_null(), "{unknown}: {alert}");
    }
}
