//! A watch, and the pulses of payments over many attributes.

use std::collections::BTreeMap;
use std::sync::Arc;

use settlewatch_join::event::Currency;
use settlewatch_join::settings::Dimension;
use settlewatch_join::{Fingerprint, Span, Timestamp};
use settlewatch_watch::pulse::{ChannelCount, Dims, Ended, Note, Pulse, Tuple, What};
use settlewatch_watch::{ChannelLags, Heartbeat, LagBuckets, Watch, WatchSettings};

use crate::zipf::mix;

const CHANNELS: u64 = 64;
const TUPLES: u64 = 100_000;
/// Payments a second that reach the watch.
const RATE: u64 = 300;
/// Lag of a payment in milliseconds.
const LAG_MS: u64 = 500;

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

/// Who pays where, and from when on two channels are at fault.
#[derive(Clone, Copy)]
pub(crate) struct Crowd {
    pub(crate) terminals: u64,
    pub(crate) merchants: u64,
    pub(crate) fault_s: i64,
}

/// A watch, and what it hears.
pub(crate) struct Watched {
    crowd: Crowd,
    watch: Watch,
    lags: ChannelLags,
    buckets: LagBuckets,
    tuples: Vec<Arc<Tuple>>,
    /// Payments that wait: when something is said of them, and what.
    due: BTreeMap<i64, Vec<(u64, What)>>,
    /// Revisions of incidents so far.
    pub(crate) said: usize,
}

impl Watched {
    pub(crate) fn new(crowd: Crowd, heartbeat: Option<Heartbeat>) -> Self {
        let dims = Dims::new(&DIMENSIONS);
        let settings = WatchSettings {
            dims: dims.clone(),
            streams: ["payments", "credits", "lifecycle"]
                .map(String::from)
                .into(),
            heartbeat,
            account_feed: false,
            batch_feed: false,
            marker_feed: false,
            to_batch_date_s: 0,
            critical_minor: Vec::new(),
            objective_ppm: 999_000,
            reopen_within: Span::from_secs(600),
            pattern_cases: 5,
            pattern_within: Span::from_secs(600),
            contract_ppm: Vec::new(),
            names: 1_000_000,
        };
        Self {
            crowd,
            watch: Watch::new(settings),
            lags: ChannelLags::default(),
            buckets: LagBuckets::default(),
            tuples: (0..TUPLES)
                .map(|index| tuple(index, crowd, &dims))
                .collect(),
            due: BTreeMap::new(),
            said: 0,
        }
    }

    /// Takes in what it heard of a second, ends it, and says how long credits take as often as a service does.
    pub(crate) fn judge(&mut self, second: i64, pulse: Pulse) {
        self.lags.heard(0, &pulse);
        self.watch.absorb(pulse);
        self.said += self.watch.end_second(second).len();
        if second % 5 == 0 {
            let quantiles = self.lags.quantiles(second, |_| second + 1, |name| name);
            std::hint::black_box(quantiles);
        }
    }

    /// The attributes of a payment or of whoever stands for it.
    pub(crate) fn tuple(&self, payment: u64) -> &Arc<Tuple> {
        &self.tuples[tuple_of(payment)]
    }

    /// What it hears of the payments of a second.
    pub(crate) fn pulse(&mut self, second: i64) -> Pulse {
        let mut channels: Vec<ChannelCount> = (0..CHANNELS)
            .map(|channel| ChannelCount::of(name("c", channel)))
            .collect();
        for number in 0..RATE {
            let payment = second as u64 * RATE + number;
            channels[channel_of(payment) as usize].accepted += 1;
            self.pay(payment, second);
        }
        let due = self.due.remove(&second).unwrap_or_default();
        let mut notes = Vec::with_capacity(due.len());
        for (payment, what) in due {
            if let What::Credited { lag_ms, .. } = what {
                let channel = &mut channels[channel_of(payment) as usize];
                channel.credited += 1;
                channel.end(Ended {
                    accepted_s: (payment / RATE) as i64,
                    lag_ms: self.buckets.lowest(lag_ms),
                    credited: 1,
                    otherwise: 0,
                });
            }
            notes.push(self.note(payment, second, what));
        }
        Pulse {
            second,
            notes,
            channels,
            ..Pulse::default()
        }
    }

    /// What will be said of a payment, and when.
    fn pay(&mut self, payment: u64, second: i64) {
        let (channel, drawn) = (channel_of(payment), mix(payment ^ (3 << 50)) % 100);
        let faulty = second >= self.crowd.fault_s;
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
            tuple: Arc::clone(self.tuple(payment)),
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

fn tuple(index: u64, crowd: Crowd, dims: &Dims) -> Arc<Tuple> {
    let terminal = mix(index) % crowd.terminals;
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
        fixed(7, store, crowd.merchants),
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
