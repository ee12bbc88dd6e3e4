//! How large a snapshot is and how long it takes, printed:
//! `cargo test --release -p settlewatch-join --test core snapshot_size -- --ignored --nocapture`.
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "it measures the pure code from outside"
)]

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use settlewatch_join::event::Succeeded;
use settlewatch_join::settings::Matcher;
use settlewatch_join::{
    Body, Effects, Event, KnowsSince, Partition, Place, Record, Settings, Span,
};

use super::common::{at, credit, payment, rule, settings};
use super::random::START_MS;

const WAITING: u64 = 1_000_000;
/// An hour at 1,000 payments a second.
const FINISHED: u64 = 3_600_000;

fn patient() -> Arc<Settings> {
    let tiers = [("warn", 86_400_000), ("breach", 90_000_000)];
    let mut settings = (*settings(1, vec![rule("default", Matcher::default(), &tiers)])).clone();
    settings.closed_keep = Span::from_secs(60);
    Arc::new(settings)
}

fn uuid(i: u64) -> String {
    let high = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!(
        "{:08x}-{:04x}-4{:03x}-8000-{i:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff
    )
}

fn apply(partition: &mut Partition, effects: &mut Effects, ms: i64, body: Body<'static>) {
    let stream = u8::from(matches!(body, Body::Credited(_)));
    let place = Place {
        at: at(START_MS + ms),
        stream,
        partition: 0,
        offset: 0,
    };
    let event = Event {
        tenant: None,
        event_id: Cow::Borrowed("E1"),
        occurred_at: place.at,
        body,
    };
    partition.apply(&Record { place, event }, effects);
    effects.clear();
}

fn paid(i: u64) -> Succeeded<'static> {
    Succeeded {
        merchant_id: Cow::Owned(format!("M{}", i % 20_000)),
        terminal_id: Cow::Owned(format!("T{}", i % 50_000)),
        amount_minor: 100,
        region: Some(Cow::Borrowed("east")),
        ..payment(&uuid(i), "unionpay_qr")
    }
}

fn full() -> Partition {
    let mut partition = Partition::new(patient(), KnowsSince(at(START_MS)));
    let mut effects = Effects::new();
    for i in 0..FINISHED {
        let ms = i as i64;
        apply(&mut partition, &mut effects, ms, Body::Succeeded(paid(i)));
        let credit = Body::Credited(credit(&uuid(i)));
        apply(&mut partition, &mut effects, ms, credit);
        if i % (FINISHED / WAITING) == 0 {
            let waiting = Body::Succeeded(paid(FINISHED + i));
            apply(&mut partition, &mut effects, ms, waiting);
        }
    }
    partition
}

/// Time on the processor of this thread: the machine may have other work.
fn busy() -> Duration {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = schedstat.split(' ').next();
    Duration::from_nanos(nanos.and_then(|nanos| nanos.parse().ok()).unwrap_or(0))
}

/// Prints how long `work` takes.
fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let (started, busy_before) = (Instant::now(), busy());
    let result = work();
    let (elapsed, busy) = (started.elapsed(), busy() - busy_before);
    println!("{what} in {elapsed:.2?}, {busy:.2?} of them busy");
    result
}

#[test]
#[ignore = "it measures: run it in release"]
fn size_and_time_of_a_snapshot() {
    let partition = full();
    let [tuples, finished] = partition.sizes();
    println!(
        "{} payments in the table, {finished} finished ids, {tuples} tuples",
        partition.len()
    );
    let mut chunks: Vec<Vec<u8>> = Vec::new();
    timed("written", || {
        partition.snapshot(&mut |chunk| chunks.push(chunk.to_vec()));
    });
    let bytes: usize = chunks.iter().map(Vec::len).sum();
    println!("{bytes} bytes in {} chunks", chunks.len());
    let len = partition.len();
    drop(partition);
    let restored = timed("restored", || {
        Partition::restore(patient(), &chunks).expect("it was written so")
    });
    assert_eq!(restored.len(), len);
}
