//! Fixed runs for an instruction counter: `ratchet.sh` runs them under callgrind.
//!
//! Only the measured functions are counted, and two lengths of run are compared, so that neither the making of
//! the events nor the warming up matters.

use anyhow::{Result, anyhow, bail};
use settlewatch_join::Span;
use settlewatch_wire::{Limits, decode};

use crate::bed::Bed;
use crate::traffic::Shape;

/// Payments that wait in the join's run.
const WAITING: u64 = 5000;

/// Runs `what` (`decode` or `join`) over `events` events after a warm-up; prints how many were measured in all.
pub fn run(what: &str, events: u64) -> Result<()> {
    let measured = match what {
        "decode" => run_decode(events)?,
        "join" => run_join(events),
        _ => bail!("instructions: expected decode or join, not {what}"),
    };
    println!("{measured}");
    Ok(())
}

fn run_join(events: u64) -> u64 {
    let shape = Shape {
        waiting: WAITING,
        per_ms: 10,
        stages: true,
        payer: true,
    };
    let mut bed = Bed::new(shape, Span::ZERO);
    let mut measured = 0;
    // No clock is read: under valgrind there is none to be had without a system call.
    bed.run_watched(2 * WAITING + events / 4, |events, apply| {
        apply();
        measured += events;
    });
    measured
}

/// Records as a processor writes them, one of each frequent type.
const RECORDS: [&str; 4] = [
    r#"{"type":"payment.succeeded","event_id":"8f14e45f-pay","occurred_at":"2026-03-10T10:00:00.123+08:00","payment_id":"4200001668202603000000012345","channel":"wechat","merchant_id":"M1000004711","terminal_id":"T00098321","amount_minor":12800,"currency":"CNY","fee_minor":77,"settle_mode":"realtime","payer_hash":"c4ca4238a0b923820dcc509a6f75849b","gateway":"gw-a","acquirer":"acq-3","connector":"conn-2","store_id":"S014133","region":"east","carrier":"cmcc","terminal_model":"A920","pos_vendor":"pax","app_version":"4.2.0","method":"qr","mcc":"5411","attrs":{"lane":"7"}}"#,
    r#"{"type":"terminal.credited","event_id":"8f14e45f-cr","occurred_at":"2026-03-10T10:00:02.456+08:00","payment_id":"4200001668202603000000012345","credit_id":"CR000000012345","channel":"wechat","amount_minor":12800,"currency":"CNY","terminal_id":"T00098321","merchant_id":"M1000004711"}"#,
    r#"{"type":"payment.stage","event_id":"8f14e45f-s1","occurred_at":"2026-03-10T10:00:00.400+08:00","payment_id":"4200001668202603000000012345","stage":"gateway_out"}"#,
    r#"{"type":"terminal.heartbeat","event_id":"hb-98321-17","occurred_at":"2026-03-10T10:00:00+08:00","terminal_id":"T00098321","network":"4g","rssi_dbm":-71,"queue_depth":0,"uptime_s":86400,"app_version":"4.2.0","signed_in":true}"#,
];

fn run_decode(events: u64) -> Result<u64> {
    let limits = Limits::default();
    let mut done = 0;
    while done < events {
        done += decode_measured(&limits).map_err(|reason| anyhow!("{reason:?}"))?;
    }
    Ok(done)
}

/// What the ratchet counts: the name is known to `ratchet.sh`.
#[inline(never)]
fn decode_measured(limits: &Limits) -> Result<u64, settlewatch_wire::Rejection> {
    for record in RECORDS {
        std::hint::black_box(decode(
            Some(std::hint::black_box(record.as_bytes())),
            limits,
        )?);
    }
    Ok(RECORDS.len() as u64)
}
