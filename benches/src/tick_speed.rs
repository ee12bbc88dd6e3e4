//! How long a second of the watch takes, over 64 channels and a hundred thousand distinct attribute tuples.

use std::sync::Arc;

use anyhow::{Result, ensure};
use settlewatch_join::event::Currency;
use settlewatch_join::settings::Dimension;
use settlewatch_join::{Fingerprint, Span, Timestamp};
use settlewatch_watch::pulse::{ChannelCount, Dims, Note, Pulse, Tuple, What};
use settlewatch_watch::{Watch, WatchSettings};

use crate::bed::thread_cpu;
use crate::memory::resident;
use crate::table::Row;
use crate::zipf::mix;

const CHANNELS: u64 = 64;
const TUPLES: u64 = 100_000;
/// Payments a second that reach the watch.
const RATE: u64 = 300;
/// Rows are kept for twenty minutes: then there are as many as there ever will be.
const FULL_S: i64 = 1_300;
/// From then on a channel credits nothing, and another one takes longer.
const FAULT_S: i64 = FULL_S + 120;
const END_S: i64 = FAULT_S + 180;
/// Lag of a payment in milliseconds: from then on.
const LAG_MS: u64 = 500;
const BUDGET_MS: f64 = 100.0;

const DIMENSIONS: [Dimension; 12] = [
    Dimension::Channel,
    Dimension::Gateway,
    Dimension::Acquirer,
    Dimension::Connector,
    Dimension::Region,
    Dimension::Carrier,
    Dimension::StoreId,
    Dimension::MerchantId,
    Dimension::TerminalId,
    Dimension::TerminalModel,
    Dimension::PosVendor,
    Dimension::AppVersion,
];

/// Evaluations of every second, in milliseconds of CPU time, and what the watch holds at the end.
///
/// # Errors
/// The faults are not found, or the kernel does not tell the memory.
pub fn ticks() -> Result<Vec<Row>> {
    let mut bench = Bench::new();
    let before = resident()?;
    let mut rows = Vec::new();
    for second in 0..FULL_S {
        bench.second(second);
    }
    for (name, from_s, until_s) in [
        ("nothing happens", FULL_S, FAULT_S),
        ("two faults begin", FAULT_S, FAULT_S + 60),
        ("two faults go on", FAULT_S + 60, END_S),
    ] {
        let mut taken: Vec<f64> = (from_s..until_s)
            .map(|second| bench.second(second))
            .collect();
        taken.sort_by(f64::total_cmp);
        let at = |share: f64| taken[((taken.len() - 1) as f64 * share).round() as usize];
        rows.push(Row::shown(
            &format!("a second, {name}: median"),
            at(0.5),
            "ms",
        ));
        rows.push(Row::shown(
            &format!("a second, {name}: p99"),
            at(0.99),
            "ms",
        ));
        let worst = format!("a second, {name}: the longest");
        rows.push(Row::at_most(&worst, BUDGET_MS, at(1.0), "ms"));
    }
    ensure!(bench.said >= 2, "the faults are found");
    let grown = (resident()? - before) as f64 / 1_048_576.0;
    rows.push(Row::shown("memory of the watch at the end", grown, "MiB"));
    Ok(rows)
}

struct Bench {
    watch: Watch,
    tuples: Vec<Arc<Tuple>>,
    /// Payments that wait: when something is said of them, and what.
    due: std::collections::BTreeMap<i64, Vec<(u64, What)>>,
    said: usize,
}

impl Bench {
    fn new() -> Self {
        let dims = Dims::new(&DIMENSIONS);
        let settings = WatchSettings {
            dims: dims.clone(),
            streams: ["payments", "credits", "lifecycle"]
                .map(String::from)
                .into(),
            heartbeat: None,
            account_feed: false,
            batch_feed: false,
            marker_feed: false,
            critical_minor: Vec::new(),
            objective_ppm: 999_000,
            reopen_within: Span::from_secs(600),
            pattern_cases: 5,
            pattern_within: Span::from_secs(600),
            contract_ppm: Vec::new(),
            names: 1_000_000,
        };
        Self {
            watch: Watch::new(settings),
            tuples: (0..TUPLES).map(|index| tuple(index, &dims)).collect(),
            due: std::collections::BTreeMap::new(),
            said: 0,
        }
    }

    /// Milliseconds that a second takes, its notes taken in.
    fn second(&mut self, second: i64) -> f64 {
        let pulse = self.pulse(second);
        let before = thread_cpu();
        self.watch.absorb(pulse);
        self.said += self.watch.end_second(second).len();
        (thread_cpu() - before).as_secs_f64() * 1000.0
    }

    fn pulse(&mut self, second: i64) -> Pulse {
        let mut counts = vec![(0, 0); CHANNELS as usize];
        for number in 0..RATE {
            let payment = second as u64 * RATE + number;
            let channel = channel_of(payment) as usize;
            counts[channel].0 += 1;
            self.pay(payment, second);
        }
        let due = self.due.remove(&second).unwrap_or_default();
        let mut notes = Vec::with_capacity(due.len());
        for (payment, what) in due {
            if matches!(what, What::Credited { .. }) {
                counts[channel_of(payment) as usize].1 += 1;
            }
            notes.push(self.note(payment, second, what));
        }
        let channels = counts.into_iter().zip(0..);
        Pulse {
            second,
            notes,
            channels: channels
                .map(|((accepted, credited), channel)| ChannelCount {
                    channel: name("c", channel),
                    accepted,
                    credited,
                })
                .collect(),
            ..Pulse::default()
        }
    }

    /// What will be said of a payment, and when.
    fn pay(&mut self, payment: u64, second: i64) {
        let (channel, drawn) = (channel_of(payment), mix(payment ^ (3 << 50)) % 100);
        let faulty = second >= FAULT_S;
        let lag_ms = LAG_MS + drawn * 20 + if faulty && channel == 7 { 8_000 } else { 0 };
        let credited = What::Credited {
            lag_ms,
            business_ms: lag_ms as i64,
            noted: lag_ms > 5_000,
            overdue: false,
        };
        let mut says = |after_s: i64, what: What| {
            self.due
                .entry(second + after_s)
                .or_default()
                .push((payment, what));
        };
        if lag_ms > 5_000 || faulty && channel == 3 {
            says(5, What::Waiting);
        }
        if faulty && channel == 3 {
            says(30, What::Overdue);
        } else {
            says((lag_ms / 1000) as i64, credited);
        }
    }

    fn note(&self, payment: u64, second: i64, what: What) -> Note {
        let accepted_at = Timestamp::from_millis((payment / RATE) as i64 * 1000);
        Note {
            payment: Fingerprint(mix(payment)),
            tuple: Arc::clone(&self.tuples[tuple_of(payment)]),
            partition: (payment % 48) as i32,
            accepted_at,
            due_at: accepted_at + Span::from_secs(30),
            at: Timestamp::from_millis(second * 1000),
            amount_minor: 100 + payment % 10_000,
            currency: Currency::new(*b"CNY").expect("three capitals"),
            timed: true,
            id: None,
            what,
        }
    }
}

fn tuple_of(payment: u64) -> usize {
    (mix(payment) % TUPLES) as usize
}

fn channel_of(payment: u64) -> u64 {
    tuple_of(payment) as u64 % CHANNELS
}

fn name(prefix: &str, number: u64) -> Arc<str> {
    format!("{prefix}{number}").into()
}

fn tuple(index: u64, dims: &Dims) -> Arc<Tuple> {
    let terminal = mix(index) % 40_000;
    let store = terminal / 3;
    let fixed = |salt: u64, of: u64, limit: u64| mix(of ^ (salt << 40)) % limit;
    let channel = index % CHANNELS;
    let values = [
        channel,
        fixed(2, channel, 8),
        fixed(3, index, 5),
        fixed(4, channel, 24),
        fixed(5, store, 30),
        fixed(6, store, 4),
        store,
        fixed(7, store, 6_000),
        terminal,
        fixed(8, terminal, 12),
        fixed(9, terminal, 5),
        fixed(10, terminal, 40),
    ];
    let prefixes = ["c", "g", "a", "k", "r", "n", "s", "m", "t", "d", "v", "p"];
    let named = values.into_iter().zip(prefixes);
    let mut values: Vec<_> = named
        .map(|(value, prefix)| Some(name(prefix, value)))
        .collect();
    values.resize(dims.len(), None);
    Arc::new(Tuple {
        hash: mix(index ^ (9 << 50)),
        values: values.into(),
    })
}
