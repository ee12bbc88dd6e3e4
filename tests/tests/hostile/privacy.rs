//! What a payer is known by, and what a rejected record says, stands in no file that replay writes.

use settlewatch_tests::harness::FILES;

use crate::tape::{Tape, event, payment, rejections};

/// What must never be seen again.
const MARKER: &str = "MARKER6222021234567890";

#[track_caller]
fn tells_nothing(tape: &Tape) {
    let written = tape.play();
    for (name, bytes) in FILES.iter().zip(&written.files) {
        let text = String::from_utf8_lossy(bytes);
        assert!(!text.contains("MARKER"), "{name}: {text}");
    }
}

#[test]
fn the_payer_of_a_payment_is_in_no_alert() {
    let hash = format!("\"{MARKER}\"");
    let attrs = format!("{{\"card\":\"{MARKER}\"}}");
    let paid = |id: &str| {
        let id = format!("\"{id}\"");
        let secrets = [
            ("payer_hash", hash.as_str()),
            ("card_number", &hash),
            ("attrs", &attrs),
        ];
        payment(&[[("payment_id", id.as_str())].as_slice(), &secrets].concat())
    };
    let mut tape = Tape::new();
    tape.put("payments", paid("P1"));
    tape.put("payments", paid("P2"));
    let code = ("code", hash.as_str());
    tape.put(
        "lifecycle",
        event("credit.rejected", "r1", &[code, ("class", "\"frozen\"")]),
    );
    tells_nothing(&tape);
}

#[test]
fn a_rejected_record_is_not_quoted_whichever_member_is_at_fault() {
    let long = format!("\"{MARKER}{}\"", "x".repeat(256));
    let plain = format!("\"{MARKER}\"");
    let list = format!("[\"{MARKER}\"]");
    let members = [
        "type",
        "event_id",
        "occurred_at",
        "payment_id",
        "channel",
        "merchant_id",
        "terminal_id",
        "amount_minor",
        "currency",
        "fee_minor",
        "expected_credit_by",
    ];
    let mut tape = Tape::new();
    for member in members {
        for value in [long.as_str(), list.as_str()] {
            tape.put("payments", payment(&[(member, value), ("note", &plain)]));
        }
    }
    let spelled = [
        "type",
        "occurred_at",
        "amount_minor",
        "currency",
        "fee_minor",
        "expected_credit_by",
    ];
    for member in spelled {
        tape.put("payments", payment(&[(member, &plain)]));
    }
    for (kind, member) in [
        ("payment.stage", "stage"),
        ("payment.refunded", "status"),
        ("terminal.credited", "partial"),
    ] {
        tape.put("lifecycle", event(kind, "x1", &[(member, &plain)]));
    }
    tape.put(
        "terminals",
        event("payment.held", MARKER, &[("payment_id", &plain)]),
    );
    let written = tape.play();
    assert_eq!(
        rejections(&written).len(),
        2 * members.len() + spelled.len() + 4
    );
    tells_nothing(&tape);
}

#[test]
fn broken_bytes_and_bad_lines_are_not_quoted() {
    let mut tape = Tape::new();
    tape.put("payments", format!("{{\"{MARKER}\":{MARKER}}}"));
    tape.put("payments", format!("{{\"payer_hash\":\"{MARKER}\""));
    tape.put("payments", MARKER);
    tape.put(
        "payments",
        [b"{\"payer_hash\":\"", MARKER.as_bytes(), b"\xff\"}"].concat(),
    );
    tape.put(
        "payments",
        format!(
            "{{\"payer_hash\":\"{MARKER}\",\"deep\":{}{}}}",
            "[".repeat(99),
            "]".repeat(99)
        ),
    );
    tape.put(
        "payments",
        payment(&[("note", &format!("\"{}\"", MARKER.repeat(60_000)))]),
    );
    tape.line(MARKER);
    tape.line(format!(
        "{{\"topic\":\"{MARKER}\",\"partition\":0,\"offset\":0,\"ts\":0,\"payload\":\"{MARKER}\"}}"
    ));
    let written = tape.play();
    assert_eq!(rejections(&written).len(), 8);
    tells_nothing(&tape);
}
