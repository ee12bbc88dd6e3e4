//! What is written is read again; what is not, is refused.

use std::sync::Arc;

use settlewatch_join::event::{AccountStatus, Currency, MarkerKind, RefusalClass};
use settlewatch_join::{AlertKind, Fingerprint, Timestamp, Verdict};

use super::{Malformed, PulseRecord, WHOLE_PPM};
use crate::pulse::tuple::{STANDARD, Tuple, hash_of};
use crate::pulse::{
    Ack, Arrivals, Auxiliary, Case, ChannelCount, Ended, Excused, Leg, Note, Pulse, Side,
    StreamCount, What,
};

/// Numbers that look random and are the same for each seed (splitmix64).
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn yes(&mut self) -> bool {
        self.below(2) == 0
    }

    /// A number of any size, the ends of the range among them.
    fn wide(&mut self) -> u64 {
        match self.below(8) {
            0 => u64::MAX,
            1 => 1 << 63,
            _ => self.next() >> self.below(64),
        }
    }

    fn signed(&mut self) -> i64 {
        self.wide() as i64
    }

    fn time(&mut self) -> Timestamp {
        Timestamp::from_millis(match self.below(4) {
            0 => self.signed(),
            _ => 1_790_000_000_000 + self.below(100_000) as i64,
        })
    }

    fn text(&mut self) -> Arc<str> {
        let texts = ["", "é", "支付", "terminal-0000000000000000000000000000"];
        match self.below(4) {
            0 => texts[self.below(4) as usize].into(),
            _ => format!("terminal-{:06}", self.below(40)).into(),
        }
    }

    fn maybe<T>(&mut self, value: impl Fn(&mut Self) -> T) -> Option<T> {
        self.yes().then(|| value(self))
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }

    fn many<T>(&mut self, value: impl Fn(&mut Self) -> T) -> Vec<T> {
        let len = self.below(6);
        (0..len).map(|_| value(self)).collect()
    }

    fn currency(&mut self) -> Currency {
        Currency::new(self.one(&[*b"CNY", *b"EUR"])).expect("capital letters")
    }

    fn tuple(&mut self, width: usize) -> Arc<Tuple> {
        let mut values: Vec<_> = (0..width).map(|_| self.maybe(Self::text)).collect();
        values[crate::pulse::CURRENCY] = self.maybe(|draw| draw.currency().as_str().into());
        let hash = hash_of(values.iter().map(Option::as_deref));
        let values = values.into();
        Arc::new(Tuple { hash, values })
    }
}

fn what(draw: &mut Draw) -> What {
    match draw.below(9) {
        0 => What::Paid,
        1 => What::Credited {
            lag_ms: draw.wide(),
            business_ms: draw.signed(),
            noted: draw.yes(),
            overdue: draw.yes(),
        },
        2 => What::Waiting,
        3 => What::Overdue,
        4 => What::Ended {
            written_off: draw.yes(),
        },
        5 => What::Excused,
        6 => What::Misnamed,
        7 => What::Rejected(draw.one(RefusalClass::ALL)),
        _ => What::Declined(draw.one(RefusalClass::ALL)),
    }
}

fn note(draw: &mut Draw, tuples: &[Arc<Tuple>]) -> Note {
    let (accepted_at, what) = (draw.time(), what(draw));
    Note {
        payment: Fingerprint(draw.next()),
        tuple: Arc::clone(&tuples[draw.below(tuples.len() as u64) as usize]),
        partition: draw.below(3) as i32 - 1,
        accepted_at,
        due_at: match what {
            What::Credited { .. } => accepted_at,
            _ => draw.time(),
        },
        at: draw.time(),
        amount_minor: draw.wide(),
        currency: draw.currency(),
        timed: draw.yes(),
        id: draw.maybe(Draw::text),
        what,
    }
}

fn case(draw: &mut Draw, tuples: &[Arc<Tuple>]) -> Case {
    Case {
        id: draw.text(),
        kind: draw.one(AlertKind::ALL),
        verdict: draw.maybe(|draw| draw.one(Verdict::ALL)),
        tuple: Arc::clone(&tuples[draw.below(tuples.len() as u64) as usize]),
        at: draw.time(),
        since: draw.time(),
        amount_minor: u128::from(draw.wide()) * u128::from(draw.wide()),
        currency: draw.maybe(Draw::currency),
        amounts: draw.maybe(|draw| (draw.wide(), draw.wide())),
        resolved: draw.yes(),
    }
}

fn auxiliary(draw: &mut Draw) -> Auxiliary {
    match draw.below(4) {
        0 => Auxiliary::Heartbeat {
            terminal_id: draw.text(),
            at: draw.time(),
            queue_depth: draw.maybe(Draw::wide),
            error_code: draw.maybe(Draw::text),
            uptime_s: draw.maybe(Draw::wide),
            app_version: draw.maybe(Draw::text),
            signed_in: draw.maybe(Draw::yes),
        },
        1 => Auxiliary::Account {
            merchant_id: draw.text(),
            at: draw.time(),
            status: draw.one(AccountStatus::ALL),
        },
        2 => Auxiliary::Batch {
            channel: draw.text(),
            at: draw.time(),
            settle_date: draw.maybe(|draw| draw.next() as i32),
        },
        _ => Auxiliary::Marker {
            kind: draw.one(MarkerKind::ALL),
            at: draw.time(),
            scope: draw.many(|draw| (draw.text().to_string(), draw.text().to_string())),
            starts_at: draw.time(),
            ends_at: draw.maybe(Draw::time),
        },
    }
}

fn stream(draw: &mut Draw) -> StreamCount {
    StreamCount {
        stream: draw.next() as u8,
        partition: draw.next() as i32,
        records: draw.wide(),
        rejected: draw.wide(),
        kinds: [draw.wide(), 0, draw.wide(), 1, draw.wide()],
    }
}

fn arrivals(draw: &mut Draw) -> Arrivals {
    Arrivals {
        side: draw.one(&[Side::Payments, Side::Credits]),
        gateway: draw.maybe(Draw::text),
        connector: draw.maybe(Draw::text),
        lateness_ms: draw.many(Draw::signed),
    }
}

fn pulse(draw: &mut Draw, tuples: &[Arc<Tuple>]) -> Pulse {
    let tuple = |draw: &mut Draw| Arc::clone(&tuples[draw.below(tuples.len() as u64) as usize]);
    Pulse {
        second: draw.time().millis() / 1000,
        notes: draw.many(|draw| note(draw, tuples)),
        channels: draw.many(|draw| ChannelCount {
            channel: draw.text(),
            accepted: draw.wide(),
            credited: draw.wide(),
            ended: draw.many(|draw| Ended {
                accepted_s: draw.signed(),
                lag_ms: draw.wide(),
                credited: draw.wide(),
                otherwise: draw.wide(),
            }),
            excused: draw.many(|draw| Excused {
                accepted_s: draw.signed(),
                count: draw.wide(),
            }),
            released: draw.wide(),
        }),
        cases: draw.many(|draw| case(draw, tuples)),
        streams: draw.many(stream),
        arrivals: draw.many(arrivals),
        legs: draw.many(|draw| Leg {
            tuple: tuple(draw),
            entered_s: draw.signed(),
            gateway_ms: draw.maybe(Draw::signed),
        }),
        acks: draw.many(|draw| Ack {
            tuple: tuple(draw),
            partition: draw.one(&[0, 1, 2, i32::MAX]),
            late: draw.yes(),
            came: draw.yes(),
            id: draw.maybe(Draw::text),
            amount_minor: draw.wide(),
            currency: draw.currency(),
            credited_at: draw.time(),
        }),
        auxiliary: draw.many(auxiliary),
    }
}

fn record(seed: u64) -> PulseRecord {
    let draw = &mut Draw(seed);
    let attrs: Vec<Arc<str>> = draw.many(Draw::text);
    let width = STANDARD + attrs.len();
    let mut tuples = draw.many(|draw| draw.tuple(width));
    tuples.push(draw.tuple(width));
    PulseRecord {
        partition: draw.below(3) as i32 - 1,
        known_ms: draw.time().millis(),
        share_ppm: draw.below(u64::from(WHOLE_PPM) + 1) as u32,
        attrs,
        pulses: draw.many(|draw| {
            if draw.yes() {
                pulse(draw, &tuples)
            } else {
                Pulse::default()
            }
        }),
    }
}

#[test]
fn a_record_that_is_too_large_is_several_that_say_the_same() {
    let mut several = 0;
    for seed in SEEDS.step_by(5) {
        let whole = record(seed);
        let parts = whole.clone().encode_within(400);
        several += usize::from(parts.len() > 1);
        let parts = parts.iter().map(|it| PulseRecord::decode(it));
        let parts: Vec<_> = parts.collect::<Result<_, _>>().expect("each is whole");
        assert_eq!(parts.last().map(|it| it.known_ms), Some(whole.known_ms));
        assert_eq!(said(&parts), said(&[whole]), "seed {seed}");
    }
    assert!(several > 100, "only {several} were too large");
}

/// Everything that is said, second by second, without an order.
fn said(records: &[PulseRecord]) -> Vec<String> {
    let pulses = records.iter().flat_map(|it| &it.pulses);
    let mut said: Vec<String> = pulses
        .flat_map(|pulse| {
            let lists = [
                items(&pulse.notes),
                items(&pulse.channels),
                items(&pulse.cases),
                items(&pulse.streams),
                items(&pulse.legs),
                items(&pulse.acks),
                items(&pulse.auxiliary),
            ];
            let late = pulse.arrivals.iter().flat_map(|it| {
                let values = it.lateness_ms.iter();
                values.map(move |ms| {
                    format!("{:?} {:?} {:?} {ms}", it.side, it.gateway, it.connector)
                })
            });
            let all = lists.into_iter().flatten().chain(late);
            all.map(|it| format!("{} {it}", pulse.second))
                .collect::<Vec<_>>()
        })
        .collect();
    said.sort_unstable();
    said
}

fn items<T: std::fmt::Debug>(list: &[T]) -> Vec<String> {
    list.iter().map(|it| format!("{it:?}")).collect()
}

/// Seeds of random records; a failure names its own.
const SEEDS: std::ops::Range<u64> = 0..1500;

#[test]
fn what_is_written_is_read_again() {
    let mut notes = 0;
    for seed in SEEDS {
        let record = record(seed);
        let read = PulseRecord::decode(&record.encode());
        let read = read.unwrap_or_else(|_| panic!("seed {seed}: refused"));
        assert_eq!(format!("{record:?}"), format!("{read:?}"), "seed {seed}");
        assert_eq!(record.encode(), read.encode(), "seed {seed}");
        notes += read.pulses.iter().map(|it| it.notes.len()).sum::<usize>();
    }
    assert!(notes > 1000, "only {notes} notes were compared");
}

#[test]
fn a_record_that_ends_early_or_late_is_refused() {
    for seed in SEEDS.step_by(50) {
        let mut bytes = record(seed).encode();
        for len in 0..bytes.len() {
            let read = PulseRecord::decode(&bytes[..len]);
            assert!(read.is_err(), "seed {seed}, {len} bytes");
        }
        bytes.push(0);
        assert!(PulseRecord::decode(&bytes).is_err(), "seed {seed}");
    }
}

#[test]
fn bytes_that_were_changed_are_read_or_refused_and_no_more() {
    let mut refused = 0;
    for seed in SEEDS {
        let mut bytes = record(seed).encode();
        let mut draw = Draw(!seed);
        for _ in 0..=draw.below(3) {
            let at = draw.below(bytes.len() as u64) as usize;
            bytes[at] = draw.next() as u8;
        }
        refused += usize::from(PulseRecord::decode(&bytes).is_err());
    }
    assert!(refused > 100, "only {refused} were refused");
}

#[test]
fn a_length_without_bytes_reserves_nothing() {
    // Version, partition, known time, share, no attributes, then ever more pulses than could follow.
    for len in [1_u64 << 14, 1 << 40, u64::MAX] {
        let mut bytes = super::Writer::default();
        bytes.raw(&[1, 0, 0, 0, 0]);
        bytes.number(len);
        bytes.raw(&[0; 64]);
        assert!(matches!(
            PulseRecord::decode(&bytes.finish()),
            Err(Malformed)
        ));
    }
}

#[test]
fn a_reader_with_other_attributes_gets_its_own() {
    use crate::pulse::{CHANNEL, Dims};
    use settlewatch_join::settings::Dimension;
    let dims = |names: &[&str]| {
        let attrs = names.iter().map(|it| Dimension::Attr((*it).into()));
        Dims::new(&attrs.collect::<Vec<_>>())
    };
    let mut values = vec![None; STANDARD + 2];
    values[CHANNEL] = Some("c".into());
    values[STANDARD] = Some("1".into());
    values[STANDARD + 1] = Some("2".into());
    let hash = hash_of(values.iter().map(Option::as_deref));
    let values = values.into();
    let tuple = Arc::new(Tuple { hash, values });
    let leg = Leg {
        tuple,
        entered_s: 7,
        gateway_ms: Some(5),
    };
    let written = dims(&["one", "two"]);
    let record = PulseRecord {
        attrs: written.attr_names(),
        pulses: vec![Pulse {
            legs: vec![leg],
            ..Pulse::default()
        }],
        ..PulseRecord::default()
    };
    let read = |dims: &Dims| {
        let read = PulseRecord::decode_for(&record.encode(), dims).expect("it is whole");
        assert_eq!(read.attrs, dims.attr_names());
        Arc::clone(&read.pulses[0].legs[0].tuple)
    };
    assert_eq!(read(&written).hash, hash);
    let other = read(&dims(&["two", "three"]));
    assert_eq!(other.get(CHANNEL), Some("c"));
    assert_eq!(other.get(STANDARD), Some("2"));
    assert_eq!(other.get(STANDARD + 1), None);
    assert_eq!(
        other.hash,
        hash_of(other.values.iter().map(Option::as_deref))
    );
}
