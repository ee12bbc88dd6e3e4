//! `test`: unit tests of a configuration.

use crate::{CONFIG, Ran, folder, run, run_in};

const HEAD: &str = "config: c.yaml
start: 2026-03-02T12:00:00Z
payment: {channel: qr, merchant_id: M1, terminal_id: T1, amount_minor: 1250, currency: EUR}
cases:
";

fn test(cases: &str) -> Ran {
    let folder = folder(&[("c.yaml", CONFIG), ("t.yaml", &format!("{HEAD}{cases}"))]);
    run_in(folder.path(), &["test", "t.yaml"])
}

/// The diagnostics about `cases`, which must not run.
fn refused(cases: &str) -> String {
    let ran = test(cases);
    assert_eq!(ran.status, 78, "{}{}", ran.out, ran.err);
    assert_eq!(ran.out, "");
    ran.err
}

#[test]
fn the_shipped_cases_pass() {
    let ran = run(&["test", "examples/settlewatch-test.yaml"]);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{}", ran.out);
    assert!(ran.out.ends_with("cases passed\n"), "{}", ran.out);
}

#[test]
fn what_differs_is_shown_in_time_order() {
    let ran = test(
        "  - name: in a hurry
    until: +5m
    events:
      - {at: +0s, pay: P1}
      - {at: +3m, pay: P2}
    expect:
      - {at: +10m, kind: orphan_credit, payment_id: P9}
      - {at: +30s, kind: credit_missing, payment_id: P1, tier: breach, state: open}
      - {at: +2m, kind: credit_missing, payment_id: P1, tier: breach, lag_ms: null}
",
    );
    assert_eq!(ran.status, 1);
    let expected = "FAIL  t.yaml:5: in a hurry
    - 12:00:30      credit_missing  P1  open  breach
    + 12:00:30      credit_missing  P1  open  warn   (differs: tier)
      12:02:00      credit_missing  P1  open  breach  lag_ms=null
    + 12:03:30      credit_missing  P2  open  warn   (not expected)
    + 12:05:00      credit_missing  P2  open  breach   (not expected)
    - 12:10:00      orphan_credit  P9   (did not come)

- expected   + came
";
    assert_eq!(ran.out, expected);
    assert_eq!(ran.err, "error: 1 of 1 case failed\n");
}

#[test]
fn others_can_be_ignored() {
    let ran = test(
        "  - name: only the breach matters
    others: ignore
    events: [{at: +0s, pay: P1}]
    expect: [{kind: credit_missing, tier: breach, state: open}]
",
    );
    assert_eq!(ran.status, 0, "{}", ran.out);
}

#[test]
fn nothing_stays_hidden_behind_the_last_event() {
    let ran = test(
        "  - name: no credit ever
    events: [{at: +0s, pay: P1}]
    expect_no_alerts: true
",
    );
    assert_eq!(ran.status, 1);
    assert!(ran.out.contains("written_off"), "{}", ran.out);
}

#[test]
fn batches_parts_and_other_types_can_be_told() {
    let ran = test(
        "  - name: a batch in two parts
    until: 2026-03-03T19:00:00Z
    events:
      - {at: +0s, pay: P1, settle_mode: t1}
      - {at: +1s, type: payment.stage, payment_id: P1, stage: gateway_in, stream: credits}
      - {at: 2026-03-03T18:00:00Z, credit: P1, credit_id: C1, amount_minor: 1000, partial: true}
      - {at: 2026-03-03T18:00:01Z, credit: P1, credit_id: C2, amount_minor: 250, partial: true}
    expect:
      - {at: 2026-03-03T18:00:00Z, kind: credit_missing, tier: breach}
      - {at: 2026-03-03T18:00:01Z, kind: credit_missing, resolution: credited_late}
",
    );
    assert_eq!(ran.status, 0, "{}{}", ran.out, ran.err);
}

#[test]
fn a_run_without_cases_has_failed() {
    let ran = test("  []\n");
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("there are no cases"), "{}", ran.err);
}

#[test]
fn mistakes_are_shown_where_they_stand_with_a_remedy() {
    let mistakes = refused(
        "  - name: mistakes
    evnts: []
    events:
      - {at: noon, pay: P1}
      - {at: +0s, pays: P1}
      - {at: +0s, pay: P1, settle_mode: tomorrow}
      - {at: +0s, pay: P1, amount_minor: 12.5}
      - {at: +0s, pay: P1, currency: EURO}
      - {pay: P1}
      - {at: +0s, type: payment.suceeded, payment_id: P1}
      - {at: +0s, pay: P1, stream: credit}
      - {at: +0s, pay: P1, credit: P1}
    expect:
      - {at: +30s, kind: credit_mising}
      - {at: +30s, kind: credit_missing, tier: wran}
      - {at: +30s}
",
    );
    for part in [
        "t.yaml:6:5",
        "unknown key `evnts`",
        "did you mean `events`?",
        "t.yaml:8:14",
        "`at` is not a time: `noon`",
        "did you mean `pay`?",
        "unknown settle_mode `tomorrow`",
        "`amount_minor` is not a whole number: `12.5`",
        "this record would be rejected: bad_currency",
        "the event has no time",
        "did you mean `payment.succeeded`?",
        "did you mean `credits`?",
        "`credit` says type and payment a second time",
        "did you mean `credit_missing`?",
        "did you mean `warn`?",
        "must name its `kind`",
    ] {
        assert!(mistakes.contains(part), "{part} is not in\n{mistakes}");
    }
}

#[test]
fn a_clock_that_stops_before_every_event_is_a_mistake() {
    let case = |until: &str| {
        format!(
            "  - name: too early
    until: {until}
    events: [{{at: +1h, pay: P1}}, {{at: +2h, credit: P1}}]
    expect_no_alerts: true
"
        )
    };
    let mistake = refused(&case("+59m"));
    assert!(mistake.contains("t.yaml:6:12"), "{mistake}");
    assert!(mistake.contains("before every event"), "{mistake}");
    assert!(mistake.contains("`drained`"), "{mistake}");
    assert_eq!(test(&case("+1h")).status, 0);
}

#[test]
fn a_case_must_say_what_it_expects() {
    let nothing = refused("  - {name: x, events: [{at: +0s, pay: P1}]}\n");
    assert!(nothing.contains("the case expects nothing"), "{nothing}");
    let both = refused(
        "  - {name: x, events: [{at: +0s, pay: P1}], expect: [{kind: credit_missing}], expect_no_alerts: true}\n",
    );
    assert!(both.contains("exclude each other"), "{both}");
}

#[test]
fn hostile_files_are_refused_without_a_panic() {
    for text in [
        "",
        "[]",
        "cases: 7",
        "config: [c.yaml]",
        "config: c.yaml\ncases: {}",
        "config: c.yaml\ncases: [7, [], {}]",
        "config: c.yaml\nstart: 2026\ncases: [{name: x, events: [1], expect: 3}]",
        "config: c.yaml\nstart: é\ncases: [{name: x, events: {}, expect: [x]}]",
        "config: c.yaml\nstart: 2026-03-02T12:00:00Z\ncases: [{name: x, events: [{at: é23456, pay: {}}], expect: []}]",
        "config: nowhere.yaml\ncases: []",
        "config: c.yaml\npayment: 7\ncases: []",
        "config: c.yaml\nenv: [x]\ncases: []",
        "config: \"\ncases: []",
    ] {
        let folder = folder(&[("c.yaml", CONFIG), ("t.yaml", text)]);
        let ran = run_in(folder.path(), &["test", "t.yaml"]);
        assert_eq!(ran.status, 78, "{text}\n{}{}", ran.out, ran.err);
        assert!(!ran.err.contains("panicked"), "{text}\n{}", ran.err);
    }
}

#[test]
fn a_case_beyond_the_end_of_a_calendar_is_warned_of() {
    let config = CONFIG.replace(
        "weekend: [sat, sun],",
        "weekend: [sat, sun], holidays: [2025-12-25],",
    );
    let case = "  - name: too late
    until: +1d
    events: [{at: +0s, pay: P1, settle_mode: t1}, {at: +1s, credit: P1}]
    expect_no_alerts: true
";
    let folder = folder(&[("c.yaml", &config), ("t.yaml", &format!("{HEAD}{case}"))]);
    let ran = run_in(folder.path(), &["test", "t.yaml"]);
    assert_eq!(ran.status, 0, "{}{}", ran.out, ran.err);
    assert!(
        ran.err.contains("warning: t.yaml:5: too late: "),
        "{}",
        ran.err
    );
}
