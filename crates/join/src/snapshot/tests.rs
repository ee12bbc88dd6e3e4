//! Frames as another version, or a forger, would write them.
#![allow(clippy::unwrap_used)]

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::codec::{Coded, Malformed};
use super::frames::{FrameReader, FrameWriter, Kind};
use super::{SnapshotError, tags};
use crate::event::{Body, Credited, Currency, Event, Place, Record, SettleMode, Succeeded};
use crate::settings::{Matcher, Rule, Settings, Tier};
use crate::{Effects, KnowsSince, Pairs, Partition, Span, Timestamp};

fn settings() -> Arc<Settings> {
    let tier = Tier {
        name: "warn".into(),
        after: Span::from_secs(1),
    };
    let rule = Rule {
        name: "default".into(),
        matcher: Matcher::default(),
        due: None,
        tiers: alloc::vec![tier],
        give_up: Span::from_secs(100),
    };
    Arc::new(Settings {
        version: 1,
        streams: alloc::vec!["payments".into(), "credits".into()],
        rules: alloc::vec![rule],
        redelivery_horizon: Span::from_secs(26 * 3600),
        orphan_after: Span::from_secs(2),
        duplicate_window: Span::from_secs(600),
        hold_limit: Span::from_secs(86_400),
        beginning: Span::ZERO,
        closed_keep: Span::from_secs(60),
        dimensions: Vec::new(),
    })
}

fn payment(payment_id: &str) -> Body<'static> {
    let text = |text: &'static str| Cow::Borrowed(text);
    Body::Succeeded(Succeeded {
        payment_id: Cow::Owned(payment_id.into()),
        channel: text("pos"),
        merchant_id: text("M1"),
        terminal_id: text("T1"),
        amount_minor: 100,
        currency: Currency::new(*b"CNY").unwrap(),
        fee_minor: None,
        order_amount_minor: None,
        settle_mode: SettleMode::Realtime,
        expected_credit_by: None,
        payer_hash: Some(text("payer")),
        gateway: None,
        acquirer: None,
        connector: None,
        store_id: None,
        region: None,
        carrier: None,
        terminal_model: None,
        pos_vendor: None,
        app_version: None,
        method: None,
        mcc: None,
        attrs: Vec::new(),
    })
}

fn credit(payment_id: &str) -> Body<'static> {
    Body::Credited(Credited {
        payment_id: Cow::Owned(payment_id.into()),
        credit_id: None,
        channel: None,
        amount_minor: Some(90),
        currency: None,
        fee_minor: None,
        terminal_id: None,
        merchant_id: None,
        mcc: None,
        partial: false,
        batch_id: None,
    })
}

/// Payments that wait and are overdue, an orphan, a mismatch, and what the pairs stage heard of them.
fn sample() -> (Partition, Pairs) {
    let mut partition = Partition::new(settings(), KnowsSince(Timestamp::from_millis(0)));
    let mut pairs = Pairs::new(Span::from_secs(600));
    let mut effects = Effects::new();
    for (i, id) in ["P100", "P101", "P102", "P103"].into_iter().enumerate() {
        for (stream, body) in [(0, payment(id)), (1, credit(["P100", "Q101"][i % 2]))] {
            let place = Place {
                at: Timestamp::from_millis(900 * i as i64),
                stream,
                partition: 0,
                offset: i as i64,
            };
            let event = Event {
                tenant: (i == 3).then_some(Cow::Borrowed("north")),
                event_id: Cow::Borrowed(id),
                occurred_at: place.at,
                body,
            };
            partition.apply(&Record { place, event }, &mut effects);
        }
    }
    partition.advance(Timestamp::from_millis(5_000), &mut effects);
    for effect in effects {
        if let crate::Effect::Pair(message) = effect {
            let at = message.place.at;
            pairs.apply(&[*message], at, &mut Vec::new());
        }
    }
    (partition, pairs)
}

type Frames = Vec<(u8, Vec<u8>)>;

fn frames_of(kind: Kind, bytes: &[u8]) -> Frames {
    let mut frames = Vec::new();
    FrameReader::new(kind)
        .push(bytes, &mut |tag, payload| {
            frames.push((tag, payload.to_vec()));
            Ok::<(), Malformed>(())
        })
        .unwrap();
    frames
}

/// The frames with a checksum that is right.
fn signed(kind: Kind, frames: &Frames) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut out = |chunk: &[u8]| bytes.extend_from_slice(chunk);
    let mut writer = FrameWriter::new(kind, 4096, &mut out);
    for (tag, payload) in frames {
        writer.one(*tag, |out| out.extend_from_slice(payload));
    }
    writer.finish();
    bytes
}

fn partition_bytes(partition: &Partition) -> Vec<u8> {
    let mut bytes = Vec::new();
    partition.snapshot(&mut |chunk| bytes.extend_from_slice(chunk));
    bytes
}

fn pairs_bytes(pairs: &Pairs) -> Vec<u8> {
    let mut bytes = Vec::new();
    pairs.snapshot(&mut |chunk| bytes.extend_from_slice(chunk));
    bytes
}

#[test]
fn what_a_later_version_of_the_same_number_appended_is_skipped() {
    let (partition, _) = sample();
    let bytes = partition_bytes(&partition);
    let mut frames = frames_of(Kind::Partition, &bytes);
    for (tag, payload) in &mut frames {
        if *tag == tags::HEAD || *tag == tags::LEDGER {
            String::from("a field of later").write(payload);
        }
    }
    frames.insert(1, (200, b"a frame of later".to_vec()));
    let later = signed(Kind::Partition, &frames);
    let restored = Partition::restore(settings(), [later]).unwrap();
    assert!(partition_bytes(&restored) == bytes);
}

#[test]
fn without_its_head_nothing_is_read() {
    let (partition, pairs) = sample();
    for (kind, bytes) in [
        (Kind::Partition, partition_bytes(&partition)),
        (Kind::Pairs, pairs_bytes(&pairs)),
    ] {
        let mut frames = frames_of(kind, &bytes);
        frames.remove(0);
        let headless = signed(kind, &frames);
        let refused = match kind {
            Kind::Partition => Partition::restore(settings(), [headless]).err(),
            Kind::Pairs => Pairs::restore(Span::ZERO, [headless]).err(),
        };
        assert_eq!(refused, Some(SnapshotError::Corrupt));
    }
}

/// xorshift64*, so that a failure can be repeated.
fn below(state: &mut u64, bound: usize) -> usize {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    (state.wrapping_mul(0x2545_f491_4f6c_dd1d) % bound as u64) as usize
}

fn damage(frames: &mut Frames, state: &mut u64) {
    let frame = below(state, frames.len());
    let payload = &mut frames[frame].1;
    match below(state, 12) {
        0 => {
            frames.remove(frame);
        }
        1 => {
            let other = below(state, frames.len());
            frames.swap(frame, other);
        }
        2 => {
            let twice = frames[frame].clone();
            frames.insert(frame, twice);
        }
        3 => frames[frame].0 = below(state, 20) as u8,
        _ if payload.is_empty() => payload.push(below(state, 256) as u8),
        4 => payload.truncate(below(state, payload.len())),
        5 => {
            let at = below(state, payload.len());
            payload.splice(at..at, [0xff; 9]);
        }
        _ => {
            let at = below(state, payload.len());
            payload[at] = below(state, 256) as u8;
        }
    }
}

#[test]
fn damage_under_a_right_checksum_never_panics() {
    let (partition, pairs) = sample();
    let partition = frames_of(Kind::Partition, &partition_bytes(&partition));
    let pairs = frames_of(Kind::Pairs, &pairs_bytes(&pairs));
    let mut state = 0x5eed;
    let (mut refused, mut taken) = (0, 0);
    for _ in 0..20_000 {
        let mut frames = partition.clone();
        for _ in 0..=below(&mut state, 3) {
            damage(&mut frames, &mut state);
        }
        match Partition::restore(settings(), [signed(Kind::Partition, &frames)]) {
            // What is plausible in itself is taken: it must be whole enough to be written again.
            Ok(restored) => {
                partition_bytes(&restored);
                taken += 1;
            }
            Err(_) => refused += 1,
        }
        let mut frames = pairs.clone();
        damage(&mut frames, &mut state);
        let restored = Pairs::restore(Span::ZERO, [signed(Kind::Pairs, &frames)]);
        drop(restored.map(|pairs| pairs_bytes(&pairs)));
    }
    assert!(refused > 1_000 && taken > 100, "{refused} and {taken}");
}
