//! A small processor in virtual time: payments, what becomes of them, and the pulses that say so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use settlewatch_join::event::{Currency, MarkerKind};
use settlewatch_join::settings::Dimension;
use settlewatch_join::{Fingerprint, Span, Timestamp};

use super::*;
use crate::pulse::{
    Ack, ChannelCount, Dims, Ended, Excused, KIND_AFTER, KIND_CREDIT, KIND_PAYMENT, KINDS,
    MERCHANT, StreamCount, Tuple,
};

/// Payments a second, on as many channels as there are partitions.
const RATE: u64 = 24;
const CHANNELS: u64 = 4;
const MERCHANTS: u64 = 12;
pub(super) const PARTITIONS: u64 = 6;

/// Waiting longer than that is noted, is overdue, is late for an acknowledgement: in milliseconds.
const NOTED_MS: i64 = 5_000;
const OVERDUE_MS: i64 = 30_000;
const LATE_ACK_MS: i64 = 15_000;

/// What becomes of a payment, so many milliseconds after it was made.
#[derive(Clone, Copy)]
pub(super) enum End {
    Credited(i64),
    /// Refunded, reversed, declined or held.
    Excused(i64),
    Never,
}

#[derive(Clone, Copy)]
pub(super) struct Pay {
    pub(super) number: u64,
    pub(super) channel: u64,
    pub(super) merchant: u64,
    pub(super) partition: u64,
    pub(super) made_ms: i64,
    /// When its record was appended.
    pub(super) at_ms: i64,
    pub(super) end: End,
}

/// SplitMix64: a number in 0..1.
pub(super) fn share(seed: u64) -> f64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

impl Pay {
    /// One of a second, credited after two seconds or some more.
    pub(super) fn usual(second: i64, number: u64) -> Self {
        let draw = |what: u64| share(number * 16 + what);
        let below = |what: u64, count: u64| (draw(what) * count as f64) as u64;
        let lag = 1200.0 * (1.0 + 2.0 * -draw(0).max(1e-6).ln() / 2.0);
        let made_ms = second * 1000 + (draw(1) * 999.0) as i64;
        Self {
            number,
            channel: below(2, CHANNELS),
            merchant: below(3, MERCHANTS),
            partition: below(4, PARTITIONS),
            made_ms,
            at_ms: made_ms,
            end: End::Credited(lag as i64),
        }
    }

    fn tuple(&self) -> Arc<Tuple> {
        let (channel, merchant) = (format!("C{}", self.channel), format!("M{}", self.merchant));
        Tuple::of(&[(CHANNEL, &channel), (MERCHANT, &merchant)])
    }

    fn note(&self, at_ms: i64, what: What) -> Note {
        let at = Timestamp::from_millis;
        Note {
            payment: Fingerprint(self.number),
            tuple: self.tuple(),
            partition: self.partition as i32,
            accepted_at: at(self.at_ms),
            due_at: at(self.at_ms + OVERDUE_MS),
            at: at(at_ms),
            amount_minor: 100,
            currency: yuan(),
            timed: true,
            id: Some(format!("P{}", self.number).into()),
            what,
        }
    }
}

fn yuan() -> Currency {
    Currency::new(*b"CNY").expect("three letters")
}

/// The pulses of a story, by second.
pub(super) struct Story {
    /// Payments a second.
    pub(super) rate: u64,
    pub(super) pulses: BTreeMap<i64, Pulse>,
    /// Partitions of the lifecycle that say nothing, and when, in milliseconds.
    pub(super) without_stages: Option<(BTreeSet<u64>, std::ops::Range<i64>)>,
}

impl Default for Story {
    fn default() -> Self {
        Self {
            rate: RATE,
            pulses: BTreeMap::new(),
            without_stages: None,
        }
    }
}

impl Story {
    /// Maintenance of channel C1 is announced, from 400 s until `ends_s`.
    pub(super) fn maintained(ends_s: i64) -> Self {
        let at = |second: i64| Timestamp::from_millis(second * 1000);
        let mut story = Self::default();
        story.pulse(340_000).auxiliary.push(Auxiliary::Marker {
            kind: MarkerKind::Maintenance,
            at: at(340),
            scope: vec![("channel".into(), "C1".into())],
            starts_at: at(400),
            ends_at: Some(at(ends_s)),
        });
        story
    }

    fn pulse(&mut self, at_ms: i64) -> &mut Pulse {
        let second = at_ms.div_euclid(1000);
        let pulse = self.pulses.entry(second).or_default();
        pulse.second = second;
        pulse
    }

    fn record(&mut self, at_ms: i64, stream: u8, partition: u64, kind: usize) {
        let partition = partition as i32;
        let streams = &mut self.pulse(at_ms).streams;
        let known = |it: &StreamCount| it.stream == stream && it.partition == partition;
        if !streams.iter().any(known) {
            streams.push(StreamCount {
                stream,
                partition,
                records: 0,
                rejected: 0,
                kinds: [0; KINDS],
            });
        }
        for count in streams.iter_mut().filter(|it| known(it)) {
            count.records += 1;
            count.kinds[kind] += 1;
        }
    }

    fn channel(&mut self, at_ms: i64, pay: &Pay) -> &mut ChannelCount {
        let name = format!("C{}", pay.channel);
        let channels = &mut self.pulse(at_ms).channels;
        let at = channels.iter().position(|it| *it.channel == *name);
        let at = at.unwrap_or_else(|| {
            channels.push(ChannelCount::of(name.into()));
            channels.len() - 1
        });
        &mut channels[at]
    }

    fn tell(&mut self, pay: &Pay) {
        self.record(pay.at_ms, 0, pay.partition, KIND_PAYMENT);
        self.channel(pay.at_ms, pay).accepted += 1;
        let accepted_s = pay.at_ms.div_euclid(1000);
        let ends_ms = match pay.end {
            End::Credited(after_ms) | End::Excused(after_ms) => pay.made_ms + after_ms,
            End::Never => i64::MAX,
        };
        for (after_ms, what) in [(NOTED_MS, What::Waiting), (OVERDUE_MS, What::Overdue)] {
            let at_ms = pay.at_ms + after_ms;
            if at_ms < ends_ms {
                self.pulse(at_ms).notes.push(pay.note(at_ms, what));
            }
        }
        match pay.end {
            End::Credited(_) => self.credit(pay, ends_ms),
            End::Excused(_) => {
                let channel = self.channel(ends_ms.max(pay.at_ms), pay);
                channel.excuse(Excused {
                    accepted_s,
                    count: 1,
                });
                if ends_ms >= pay.at_ms + NOTED_MS {
                    let note = pay.note(ends_ms, What::Excused);
                    self.pulse(ends_ms).notes.push(note);
                }
            }
            End::Never => {}
        }
    }

    /// Its credit is appended at `credited_ms`, before the payment itself or after it.
    fn credit(&mut self, pay: &Pay, credited_ms: i64) {
        self.record(credited_ms, 1, pay.partition, KIND_CREDIT);
        let at_ms = credited_ms.max(pay.at_ms);
        let lag_ms = (at_ms - pay.at_ms) as u64;
        let channel = self.channel(at_ms, pay);
        channel.credited += 1;
        channel.end(Ended {
            accepted_s: pay.at_ms.div_euclid(1000),
            lag_ms,
            credited: 1,
            otherwise: 0,
        });
        let what = What::Credited {
            lag_ms,
            business_ms: credited_ms - pay.made_ms,
            noted: lag_ms as i64 > NOTED_MS,
            overdue: lag_ms as i64 > OVERDUE_MS,
        };
        let note = pay.note(at_ms, what);
        self.pulse(at_ms).notes.push(note);
        self.acknowledge(pay, credited_ms, at_ms);
    }

    /// Its merchant acknowledges it a moment after its credit, unless nobody says so; it is known by `known_ms`.
    fn acknowledge(&mut self, pay: &Pay, credited_ms: i64, known_ms: i64) {
        let came_ms = credited_ms + 900;
        let silent = self.without_stages.as_ref();
        let came = silent.is_none_or(|(partitions, during)| {
            !partitions.contains(&pay.partition) || !during.contains(&came_ms)
        });
        if came {
            (0..3).for_each(|_| self.record(came_ms, 2, pay.partition, KIND_AFTER));
        }
        let told_ms = if came {
            came_ms.max(known_ms)
        } else {
            known_ms + LATE_ACK_MS
        };
        let ack = Ack {
            tuple: pay.tuple(),
            partition: pay.partition as i32,
            late: !came,
            came,
            id: (!came).then(|| format!("P{}", pay.number).into()),
            amount_minor: 100,
            currency: yuan(),
            credited_at: Timestamp::from_millis(known_ms),
        };
        self.pulse(told_ms).acks.push(ack);
    }

    /// All payments until `until_s`, with what `happens` to them.
    pub(super) fn play(mut self, until_s: i64, happens: impl Fn(&mut Pay)) -> Vec<Incident> {
        for second in 0..until_s {
            for number in 0..self.rate {
                let mut pay = Pay::usual(second, second as u64 * self.rate + number);
                happens(&mut pay);
                self.tell(&pay);
            }
        }
        let mut watch = Watch::new(settings());
        let mut said = Vec::new();
        for second in 0..until_s {
            watch.absorb(self.pulses.remove(&second).unwrap_or_default());
            said.extend(watch.end_second(second));
        }
        said
    }
}

/// Nothing is configured but markers.
pub(super) fn settings() -> WatchSettings {
    WatchSettings {
        dims: Dims::new(&[Dimension::Channel, Dimension::MerchantId]),
        streams: ["payments", "credits", "lifecycle"].map(Into::into).into(),
        heartbeat: None,
        account_feed: false,
        batch_feed: false,
        marker_feed: true,
        to_batch_date_s: 0,
        critical_minor: Vec::new(),
        objective_ppm: 999_000,
        reopen_within: Span::from_secs(600),
        pattern_cases: 5,
        pattern_within: Span::from_secs(600),
        contract_ppm: Vec::new(),
        names: WatchSettings::NAMES,
    }
}
