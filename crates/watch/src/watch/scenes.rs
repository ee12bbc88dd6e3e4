//! What the watch says of a small processor in virtual time: waits that explain themselves, and sources that are silent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use settlewatch_join::event::{Currency, MarkerKind};
use settlewatch_join::settings::Dimension;
use settlewatch_join::{Fingerprint, Span, Timestamp};

use super::*;
use crate::incident::Severity;
use crate::pulse::{
    Ack, ChannelCount, Ended, Excused, KIND_AFTER, KIND_CREDIT, KIND_PAYMENT, KINDS, MERCHANT,
    STANDARD, StreamCount, Tuple, hash_of,
};

/// Payments a second, on as many channels as there are partitions.
const RATE: u64 = 24;
const CHANNELS: u64 = 4;
const MERCHANTS: u64 = 12;
const PARTITIONS: u64 = 6;

/// Waiting longer than that is noted, is overdue, is late for an acknowledgement: in milliseconds.
const NOTED_MS: i64 = 5_000;
const OVERDUE_MS: i64 = 30_000;
const LATE_ACK_MS: i64 = 15_000;

/// What becomes of a payment, so many milliseconds after it was made.
#[derive(Clone, Copy)]
enum End {
    Credited(i64),
    /// Refunded, reversed, declined or held.
    Excused(i64),
    Never,
}

#[derive(Clone, Copy)]
struct Pay {
    number: u64,
    channel: u64,
    merchant: u64,
    partition: u64,
    made_ms: i64,
    /// When its record was appended.
    at_ms: i64,
    end: End,
}

/// SplitMix64: a number in 0..1.
fn share(seed: u64) -> f64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

impl Pay {
    /// One of a second, credited after two seconds or some more.
    fn usual(second: i64, number: u64) -> Self {
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
        let mut values = vec![None; STANDARD];
        values[CHANNEL] = Some(Arc::from(format!("C{}", self.channel)));
        values[MERCHANT] = Some(Arc::from(format!("M{}", self.merchant)));
        Arc::new(Tuple {
            hash: hash_of(values.iter().map(Option::as_deref)),
            values: values.into(),
        })
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
struct Story {
    /// Payments a second.
    rate: u64,
    pulses: BTreeMap<i64, Pulse>,
    /// Partitions of the lifecycle that say nothing, and when, in milliseconds.
    without_stages: Option<(BTreeSet<u64>, std::ops::Range<i64>)>,
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
    fn maintained(ends_s: i64) -> Self {
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
    fn play(mut self, until_s: i64, happens: impl Fn(&mut Pay)) -> Vec<Incident> {
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
        critical_minor: Vec::new(),
        objective_ppm: 999_000,
        reopen_within: Span::from_secs(600),
        pattern_cases: 5,
        pattern_within: Span::from_secs(600),
        contract_ppm: Vec::new(),
        names: WatchSettings::NAMES,
    }
}

/// Verdict, scope and severity of what was said last of each incident.
fn last(said: &[Incident]) -> Vec<(String, String, Severity)> {
    let mut last = BTreeMap::new();
    for it in said {
        let scope = it.scope.iter();
        let scope: Vec<_> = scope
            .map(|(name, any)| format!("{name}={}", any.join(",")))
            .collect();
        let label = it.finding.cause.row().label.to_owned();
        last.insert(it.id.to_string(), (label, scope.join(" "), it.severity));
    }
    last.into_values().collect()
}

/// That a channel is down, and nothing else.
fn down(channel: &str) -> [(String, String, Severity); 1] {
    let scope = format!("channel={channel}");
    [("CHANNEL_DOWN".into(), scope, Severity::Critical)]
}

/// Verdict and scope of the only incident.
fn only(said: &[Incident]) -> (&'static str, String) {
    let all = last(said);
    let [(_, scope, _)] = &all[..] else {
        panic!("not one incident: {all:?}");
    };
    let label = said.last().map(|it| it.finding.cause.row().label);
    (label.expect("there is one"), scope.clone())
}

fn during(pay: &Pay, from_s: i64, until_s: i64) -> bool {
    (from_s * 1000..until_s * 1000).contains(&pay.made_ms)
}

#[test]
fn nothing_is_said_where_nothing_is_wrong() {
    assert_eq!(last(&Story::default().play(900, |_| {})), []);
}

#[test]
fn a_channel_that_stops_is_down() {
    let said = Story::default().play(900, |pay| {
        if pay.channel == 1 && during(pay, 400, 700) {
            pay.end = End::Never;
        }
    });
    assert_eq!(last(&said), down("C1"));
}

#[test]
fn an_outage_that_outlives_its_maintenance_is_a_channel_that_is_down_from_its_end_on() {
    // Of a long one not even what came before is remembered.
    for ends_s in [520, 1800] {
        let story = Story::maintained(ends_s);
        let until_s = ends_s + 200;
        let said = story.play(until_s + 60, |pay| {
            if pay.channel == 1 && during(pay, 400, until_s) {
                pay.end = End::Never;
            }
        });
        let critical = said.iter().find(|it| it.severity == Severity::Critical);
        let critical = critical.expect("it is critical");
        let after_s = critical.updated_at.millis() / 1000 - ends_s;
        assert!((5..30).contains(&after_s), "{ends_s}: {after_s}");
        assert_eq!(last(&said), down("C1"), "{ends_s}");
        assert!(said[0].started_at.millis() >= ends_s * 1000, "{ends_s}");
    }
}

#[test]
fn what_maintenance_held_back_is_no_outage_when_it_is_credited_first() {
    let story = Story::maintained(460);
    // Twice as fast as they come, in their order, from 460 on.
    let said = story.play(800, |pay| {
        if pay.channel == 1 && during(pay, 400, 520) {
            pay.end = End::Credited((520_000 - pay.made_ms) / 2 + 1500);
        }
    });
    let down = |it: &Incident| it.finding.cause.row().label == "CHANNEL_DOWN";
    assert!(!said.iter().any(down), "{said:?}");
}

/// Of five minutes, `percent` of the payments of a channel or merchant explain themselves within a span of milliseconds.
fn explained(percent: u32, of_channel: bool, (from_ms, to_ms): (i64, i64)) -> Vec<Incident> {
    Story::default().play(900, |pay| {
        let is_its = if of_channel {
            pay.channel == 2
        } else {
            pay.merchant == 3
        };
        let is_one = share(pay.number * 16 + 9) * 100.0 < f64::from(percent);
        if is_its && is_one && during(pay, 400, 700) {
            let after = share(pay.number * 16 + 10) * (to_ms - from_ms) as f64;
            pay.end = End::Excused(from_ms + after as i64);
        }
    })
}

#[test]
fn payments_that_explain_themselves_are_nobody_s_fault() {
    let (at_once, soon, slowly) = ((0, 1), (1_000, 8_000), (3_000, 20_000));
    for percent in [30, 50, 70] {
        for within_ms in [at_once, soon, slowly] {
            let said = explained(percent, false, within_ms);
            assert_eq!(last(&said), [], "{percent} % of a merchant, {within_ms:?}");
            // Where most of a channel waits so long, nobody can tell for that time that it does not stop.
            if percent < 70 || within_ms != slowly {
                let said = explained(percent, true, within_ms);
                assert_eq!(last(&said), [], "{percent} % of a channel, {within_ms:?}");
            }
        }
    }
}

#[test]
fn a_channel_that_stops_while_payments_are_declined_is_down_all_the_same() {
    let said = Story::default().play(800, |pay| {
        let declined = share(pay.number * 16 + 9) < 0.3;
        if pay.channel == 2 && during(pay, 380, 700) && declined {
            pay.end = End::Excused(3_000);
        } else if pay.channel == 2 && during(pay, 500, 600) {
            pay.end = End::Never;
        }
    });
    assert_eq!(last(&said), down("C2"));
    let after_s = said[0].opened_at.millis() / 1000 - 500;
    assert!((4..20).contains(&after_s), "{after_s}");
}

#[test]
fn one_partition_of_credits_that_is_silent_is_no_fault_of_the_platform() {
    // So few that others see what is missing before the silence is sure.
    let story = Story {
        rate: 6,
        ..Story::default()
    };
    let said = story.play(900, |pay| {
        let End::Credited(after_ms) = pay.end else {
            return;
        };
        // It speaks again at 600, with all that was held back.
        let credited_ms = pay.made_ms + after_ms;
        if pay.partition == 2 && (400_000..600_000).contains(&credited_ms) {
            pay.end = End::Credited(600_000 - pay.made_ms);
        }
    });
    assert_eq!(
        only(&said),
        ("SOURCE_SILENT", "stream=credits partition=2".into())
    );
}

#[test]
fn payments_whose_partition_was_silent_accuse_no_channel_when_they_come() {
    let said = Story::default().play(900, |pay| {
        // Where it is most channels' they do not stand out.
        if pay.channel > 0 && pay.partition == 2 {
            pay.partition = 3;
        }
        if pay.partition == 2 && during(pay, 400, 600) {
            pay.at_ms = 600_000;
        }
    });
    assert_eq!(
        only(&said),
        ("SOURCE_SILENT", "stream=payments partition=2".into())
    );
}

#[test]
fn acknowledgements_that_nobody_tells_of_accuse_no_merchant() {
    let all: BTreeSet<u64> = (0..PARTITIONS).collect();
    let some = BTreeSet::from([1, 2, 4, 5]);
    for (silent, scope) in [
        (all, "stream=lifecycle"),
        (some, "stream=lifecycle partition=1,2,4,5"),
    ] {
        let story = Story {
            without_stages: Some((silent, 400_000..600_000)),
            ..Story::default()
        };
        // One has few payments before it: all that is known of it of late is missing.
        let said = story.play(900, |pay| {
            if pay.merchant == 7 && during(pay, 200, 396) {
                pay.merchant = 6;
            }
        });
        assert_eq!(only(&said), ("SOURCE_SILENT", scope.into()));
    }
}
