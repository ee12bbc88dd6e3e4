//! Resident memory of a waiting payment, and of a finished id.

use anyhow::{Context, Result, ensure};
use settlewatch_join::{Effect, Pairs, Span};

use crate::bed::Bed;
use crate::table::Row;
use crate::traffic::Shape;

/// Resident bytes of this process.
pub(crate) fn resident() -> Result<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm")?;
    let pages: u64 = statm
        .split(' ')
        .nth(1)
        .context("/proc/self/statm has no second field")?
        .parse()?;
    Ok(pages * rustix::param::page_size() as u64)
}

/// The slope of resident memory from 1 M to 3 M waiting.
pub fn memory() -> Result<Vec<Row>> {
    let shape = Shape {
        waiting: u64::MAX,
        per_ms: 10,
        stages: false,
        payer: true,
    };
    let mut bed = Bed::new(shape, Span::ZERO);
    let mut points = Vec::new();
    for _ in 0..3 {
        bed.run(1_000_000);
        points.push((
            bed.partition.len() as f64,
            resident()? as f64,
            bed.partition.bytes(),
        ));
    }
    let [(first, low, _), _, (last, high, bytes)] = points[..] else {
        unreachable!("three points were measured");
    };
    let [tuples, _] = bed.partition.sizes();
    let slope = (high - low) / (last - first);
    let mib = |bytes: usize| bytes as f64 / 1_048_576.0;
    Ok(vec![
        Row::at_most(
            "resident memory a waiting payment, 1 M to 3 M",
            128.0,
            slope,
            "B",
        ),
        Row::shown(
            "  table by its own account at 3 M",
            bytes[0] as f64 / last,
            "B/payment",
        ),
        Row::shown("  dictionary beside it", mib(bytes[1]), "MiB"),
        Row::shown("  dictionary, distinct tuples", tuples as f64, ""),
        Row::shown("  whole process at 3 M", high / 1_048_576.0, "MiB"),
    ])
}

/// What an outage takes: every payment past its first deadline, and looking for a credit under a near id.
pub fn overdue() -> Result<Vec<Row>> {
    const PAYMENTS: u64 = 500_000;
    let shape = Shape {
        waiting: u64::MAX,
        per_ms: 10,
        stages: false,
        payer: false,
    };
    let mut bed = Bed::new(shape, Span::ZERO);
    bed.run(PAYMENTS);
    let waiting = resident()?;
    let mut pairs = Pairs::new(Span::from_secs(600));
    let (mut effects, mut notes) = (Vec::new(), Vec::new());
    let first = bed.partition.known() + Span::from_secs(3600);
    while let Some(next) = bed.partition.next_decision().filter(|&next| next < first) {
        let after = next + Span::from_millis(1);
        bed.partition.advance(after, &mut effects);
        for effect in effects.drain(..) {
            if let Effect::Pair(message) = effect {
                pairs.apply(&[*message], next, &mut notes);
            }
        }
    }
    ensure!(notes.is_empty(), "nothing was near");
    ensure!(pairs.len() as u64 >= 3 * PAYMENTS, "not all are overdue");
    let more = (resident()? - waiting) as f64 / PAYMENTS as f64;
    Ok(vec![Row::shown(
        "resident memory that being overdue adds to a payment",
        more,
        "B",
    )])
}

/// Bytes a finished payment, its credit included, once its hour is sealed.
pub fn finished() -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (payments, what) in [(500_000, "0.5 M"), (3_000_000, "3 M")] {
        let shape = Shape {
            waiting: 1000,
            per_ms: 3,
            stages: false,
            payer: false,
        };
        let mut bed = Bed::new(shape, Span::ZERO);
        bed.run(payments);
        let before = resident()?;
        let mut effects = Vec::new();
        let later = bed.partition.known() + Span::from_secs(2 * 3600);
        bed.partition.advance(later, &mut effects);
        let [_, _, bytes] = bed.partition.bytes();
        let [_, ids] = bed.partition.sizes();
        let name = format!("finished ids of {what} payments an hour, sealed");
        rows.push(Row::at_most(
            &name,
            9.0,
            2.0 * bytes as f64 / ids as f64,
            "B/payment",
        ));
        let saved = before.saturating_sub(resident()?) as f64 / 1_048_576.0;
        rows.push(Row::shown(
            "  resident memory that sealing gave back",
            saved,
            "MiB",
        ));
    }
    Ok(rows)
}
