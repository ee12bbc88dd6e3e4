//! `explain`: everything about one payment.

use crate::{CONFIG, PAYMENT, Ran, folder, line, run_in};

fn explained(id: &str, records: &str, more: &[&str]) -> Ran {
    let folder = folder(&[("c.yaml", CONFIG), ("r.ndjson", records)]);
    let mut args = vec!["explain", id, "--config", "c.yaml", "--input", "r.ndjson"];
    args.extend(more);
    run_in(folder.path(), &args)
}

fn pay(offset: u32, at: &str, id: &str) -> String {
    line("pay.v1", offset, at, "payment.succeeded", id, PAYMENT)
}

fn credit(offset: u32, at: &str, id: &str) -> String {
    line("credit.v1", offset, at, "terminal.credited", id, "")
}

#[test]
fn a_payment_credited_in_time_is_told_whole() {
    let records = pay(7, "12:00:00", "P1") + &credit(3, "12:00:12", "P1");
    let ran = explained("P1", &records, &[]);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
    let expected = "payment P1
  12.50 EUR over qr, merchant M1, terminal T1, realtime, paid 2026-03-02T12:00:00.000Z

records, in the order in which they were appended
  2026-03-02T12:00:00.000Z  pay.v1[0]@7     payment.succeeded  used
      occurred 2026-03-02T12:00:00.000Z, event epay.v17: 12.50 EUR
      → waits for its credit
  2026-03-02T12:00:12.000Z  credit.v1[0]@3  terminal.credited  used
      occurred 2026-03-02T12:00:12.000Z, event ecredit.v13
      → credited

rule `default`, version 2a87a428b029 of the rules
  not `batch`: settle_mode is `realtime`, not `t1`
  not `large`: amount_minor is 1250, less than 100000

deadlines
  warn    2026-03-02T12:00:30.000Z  met: terminal.credited 2026-03-02T12:00:12.000Z
  breach  2026-03-02T12:02:00.000Z  met: terminal.credited 2026-03-02T12:00:12.000Z

It did not alert: terminal.credited closed it 12.000 s after it was appended, 18.000 s before its first deadline (warn).
";
    assert_eq!(ran.out, expected);
}

#[test]
fn a_missing_credit_names_the_tiers_that_passed() {
    let records = pay(0, "12:00:00", "P1") + &pay(1, "12:01:00", "P2");
    let out = explained("P1", &records, &[]).out;
    assert!(
        out.contains("warn    2026-03-02T12:00:30.000Z  passed"),
        "{out}"
    );
    assert!(
        out.contains("breach  2026-03-02T12:02:00.000Z  not reached"),
        "{out}"
    );
    assert!(
        out.ends_with(
            "\nIt alerted: nothing had closed it by 2026-03-02T12:00:30.000Z, its first deadline, and that is still so.\n"
        ),
        "{out}"
    );
    let drained = explained("P1", &records, &["--until", "drained"]).out;
    assert!(drained.contains("resolved written_off"), "{drained}");
    assert!(drained.contains("until it was given up"), "{drained}");
}

#[test]
fn a_hold_and_its_release_move_the_deadlines_visibly() {
    let records = pay(0, "12:00:00", "P1")
        + &line(
            "life.v1",
            0,
            "12:00:10",
            "payment.held",
            "P1",
            r#","reason":"risk""#,
        )
        + &line("life.v1", 1, "13:00:00", "payment.released", "P1", "")
        + &credit(0, "13:00:05", "P1");
    let out = explained("P1", &records, &[]).out;
    assert!(
        out.contains("→ held, its clock stopped, until 2026-03-03T12:00:10.000Z"),
        "{out}"
    );
    assert!(
        out.contains("→ deadlines anew: warn 2026-03-02T13:00:30.000Z"),
        "{out}"
    );
    assert!(
        out.contains("25.000 s before its first deadline (warn)"),
        "{out}"
    );
    let held: String = records
        .lines()
        .take(2)
        .map(|line| format!("{line}\n"))
        .collect();
    let held = explained("P1", &held, &["--until", "2026-03-02T14:00:00Z"]).out;
    assert!(held.contains("It did not alert: it is held"), "{held}");
}

#[test]
fn every_record_says_what_it_counted_as() {
    let again = pay(1, "12:00:02", "P1").replace("epay.v11", "epay.v10");
    let records = pay(0, "12:00:00", "P1")
        + &again
        + &credit(0, "12:00:05", "P1")
        + &line("life.v1", 0, "12:00:09", "payment.released", "P1", "")
        + &line(
            "life.v1",
            1,
            "12:00:10",
            "payment.refunded",
            "P1",
            r#","amount_minor":-1"#,
        );
    let out = explained("P1", &records, &[]).out;
    assert!(
        out.contains("payment.succeeded  duplicate: the same again"),
        "{out}"
    );
    assert!(
        out.contains("payment.released   late: the payment is closed"),
        "{out}"
    );
    assert!(out.contains("life.v1[0]@1"), "{out}");
    assert!(out.contains("rejected: bad_money"), "{out}");
}

#[test]
fn a_batch_payment_shows_where_its_due_time_comes_from() {
    let batch = format!(r#"{PAYMENT},"settle_mode":"t1""#);
    let records = line("pay.v1", 0, "12:00:00", "payment.succeeded", "P1", &batch);
    let out = explained("P1", &records, &[]).out;
    assert!(
        out.contains(
            "due 2026-03-03T18:00:00.000Z: calendar `week`, 1 business day after its date"
        ),
        "{out}"
    );
    assert!(out.contains("It did not alert: it waits"), "{out}");
    let named = format!(r#"{batch},"expected_credit_by":"2026-03-02T20:00:00Z""#);
    let records = line("pay.v1", 0, "12:00:00", "payment.succeeded", "P1", &named);
    let out = explained("P1", &records, &[]).out;
    assert!(
        out.contains("due 2026-03-02T20:00:00.000Z: the payment itself says so"),
        "{out}"
    );
}

#[test]
fn an_orphan_and_the_payment_it_nearly_names_find_each_other() {
    let records = pay(0, "12:00:00", "PAY-0001") + &credit(0, "12:00:05", "PAY-0010");
    let orphan = explained("PAY-0010", &records, &["--until", "2026-03-02T12:10:00Z"]).out;
    assert!(
        orphan.contains("no payment.succeeded was accepted"),
        "{orphan}"
    );
    assert!(orphan.contains("PAY-0001: orphan_credit"), "{orphan}");
    assert!(
        orphan.contains("a credit came, but no payment.succeeded within 60 s after it"),
        "{orphan}"
    );
    let payment = explained("PAY-0001", &records, &["--until", "2026-03-02T12:10:00Z"]).out;
    assert!(payment.contains("PAY-0010: credit_missing"), "{payment}");
    assert!(payment.contains("ID_CORRUPTED"), "{payment}");
}

#[test]
fn both_of_two_twins_name_the_other() {
    let twin = format!(r#"{PAYMENT},"payer_hash":"secret-payer""#);
    let records = line("pay.v1", 0, "12:00:00", "payment.succeeded", "first", &twin)
        + &line(
            "pay.v1",
            1,
            "12:05:00",
            "payment.succeeded",
            "second",
            &twin,
        );
    let later = explained("second", &records, &[]).out;
    assert!(later.contains("first: duplicate_payment"), "{later}");
    let earlier = explained("first", &records, &[]).out;
    assert!(
        earlier.contains("second: its duplicate_payment names this payment"),
        "{earlier}"
    );
    assert!(!(later + &earlier).contains("secret-payer"));
}

#[test]
fn an_id_that_nobody_mentions_fails_with_what_could_be_meant() {
    let tenant = pay(1, "12:00:01", "P2").replace(r#"\"type\""#, r#"\"tenant\":\"acme\",\"type\""#);
    let records = pay(0, "12:00:00", "PAY-0001") + &tenant;
    let ran = explained("PAY-0007", &records, &[]);
    assert_eq!((ran.status, ran.out.as_str()), (1, ""));
    assert_eq!(
        ran.err,
        "error: no record mentions payment `PAY-0007`; there are `PAY-0001`\n"
    );
    let other = explained("P2", &records, &[]);
    assert_eq!(other.status, 1);
    assert!(
        other.err.contains("try --tenant with `acme`"),
        "{}",
        other.err
    );
    let named = explained("P2", &records, &["--tenant", "acme"]);
    assert_eq!(named.status, 0, "{}", named.err);
    assert!(
        named.out.starts_with("payment P2 of tenant acme\n"),
        "{}",
        named.out
    );
}

#[test]
fn only_unreadable_records_still_tell_something() {
    let records = line(
        "pay.v1",
        0,
        "12:00:00",
        "payment.succeeded",
        "P1",
        r#","broken"#,
    );
    let ran = explained("P1", &records, &[]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(ran.out.contains("rejected: bad_json"), "{}", ran.out);
    assert!(
        ran.out
            .contains("every record that mentions it was rejected"),
        "{}",
        ran.out
    );
}

#[test]
fn the_id_may_stand_before_or_after_the_files() {
    let (one, two) = (pay(0, "12:00:00", "P1"), credit(0, "12:00:12", "P1"));
    let folder = folder(&[("c.yaml", CONFIG), ("a.ndjson", &one), ("b.ndjson", &two)]);
    let first = [
        "explain", "P1", "--config", "c.yaml", "--input", "a.ndjson", "b.ndjson",
    ];
    let expected = run_in(folder.path(), &first);
    assert_eq!((expected.status, expected.err.as_str()), (0, ""));
    assert!(expected.out.contains("credited"), "{}", expected.out);
    for args in [
        &[
            "explain", "--config", "c.yaml", "--input", "a.ndjson", "b.ndjson", "P1",
        ][..],
        &[
            "explain", "--input", "a.ndjson", "--input", "b.ndjson", "P1", "--config", "c.yaml",
        ],
        &[
            "explain", "--input", "a.ndjson", "b.ndjson", "--config", "c.yaml", "P1",
        ],
        &[
            "explain",
            "--input=a.ndjson",
            "--input=b.ndjson",
            "--config=c.yaml",
            "P1",
        ],
    ] {
        let ran = run_in(folder.path(), args);
        assert_eq!((ran.status, ran.out), (0, expected.out.clone()), "{args:?}");
    }
    for args in [
        &["explain", "--config", "c.yaml", "--input", "a.ndjson"][..],
        &[
            "explain", "--config", "c.yaml", "--input", "a.ndjson", "b.ndjson",
        ],
        &["explain", "--config", "c.yaml"],
    ] {
        let ran = run_in(folder.path(), args);
        assert_eq!(ran.status, 2, "{args:?}");
        assert!(ran.err.contains("which payment?"), "{}", ran.err);
    }
}
