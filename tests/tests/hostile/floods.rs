//! Very many events of one payment.

use crate::tape::{Tape, event, payment, records};

const EVENTS: u64 = 100_000;

/// Events of every kind about `P1`, none of which closes it.
fn flood(tape: &mut Tape, events: u64) {
    let kinds: [(&str, &[(&str, &str)]); 8] = [
        ("payment.authorized", &[]),
        ("credit.rejected", &[("class", "\"limit\"")]),
        ("credit.rejected", &[("class", "\"frozen\"")]),
        ("payment.held", &[]),
        ("payment.released", &[]),
        ("payment.refunded", &[("status", "\"created\"")]),
        ("payment.refunded", &[("status", "\"failed\"")]),
        ("payment.stage", &[("stage", "\"gateway_in\"")]),
    ];
    for i in 0..events {
        let (kind, changes) = kinds[i as usize % kinds.len()];
        let id = format!("x{i}");
        tape.put_at(tape.ts, "lifecycle", event(kind, &id, changes));
    }
}

#[test]
fn a_hundred_thousand_events_of_a_payment_that_waits() {
    let mut tape = Tape::new();
    tape.put("payments", payment(&[]));
    flood(&mut tape, EVENTS);
    tape.put("credits", event("terminal.credited", "c1", &[]));
    let written = tape.play();
    assert_eq!(written.summary["credited"], 1);
    let lifecycle = records(&written, "lifecycle");
    assert_eq!(lifecycle.iter().sum::<u64>(), EVENTS);
    assert!(written.alerts.is_empty());
}

#[test]
fn a_hundred_thousand_events_before_their_payment() {
    let mut tape = Tape::new();
    flood(&mut tape, EVENTS);
    tape.put("payments", payment(&[]));
    tape.put("credits", event("terminal.credited", "c1", &[]));
    let written = tape.play();
    assert_eq!(written.summary["credited"], 1);
    assert_eq!(records(&written, "lifecycle").iter().sum::<u64>(), EVENTS);
}

#[test]
fn a_hundred_thousand_redeliveries_of_a_credit() {
    let mut tape = Tape::new();
    tape.put("payments", payment(&[]));
    for _ in 0..EVENTS {
        tape.put("credits", event("terminal.credited", "c1", &[]));
    }
    let written = tape.play();
    assert_eq!(records(&written, "credits"), [1, EVENTS - 1, 0, 0, 0]);
    assert!(written.alerts.is_empty());
}

#[test]
fn many_credits_of_one_payment_are_one_alert_that_adds_up() {
    const CREDITS: u64 = 5_000;
    let mut tape = Tape::new();
    tape.put("payments", payment(&[]));
    for i in 0..CREDITS {
        let amount = ("amount_minor", "9223372036854775807");
        tape.put(
            "credits",
            event("terminal.credited", &format!("c{i}"), &[amount]),
        );
    }
    let written = tape.play();
    let extra: Vec<_> = written
        .alerts
        .iter()
        .filter(|alert| alert["kind"] == "duplicate_credit")
        .collect();
    assert_eq!(extra.len() as u64, CREDITS - 1);
    let last = extra.last().expect("there are some");
    assert_eq!(last["revision"], CREDITS - 1);
    // Beyond 64 bits a parser rounds: what counts is what is written.
    let sum = u128::from(CREDITS - 1) * 9_223_372_036_854_775_807;
    let text = String::from_utf8_lossy(&written.files[0]);
    assert!(text.contains(&format!("\"amount_minor\":{sum},")), "{last}");
}
