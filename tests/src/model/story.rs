//! What happens in the world: a few random worlds of payments, one after the other, by one set of rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use settlewatch_config::{Env, Purpose, load_str};
use settlewatch_join::Settings;

use super::cluster::Topics;
use crate::generate::{Rng, World};
use crate::reference::{Config, parse_ms, rfc3339};
use crate::render::{Draft, key, yaml};

/// A record that somebody will append.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// When, in physical time.
    pub(super) at: i64,
    pub(super) source: usize,
    pub(super) partition: i32,
    pub(super) key: Vec<u8>,
    pub(super) value: Option<Vec<u8>>,
    /// The event; `None` of a record that is no valid one.
    pub(super) event: Option<Value>,
}

/// Everything that happens, and the rules.
pub(super) struct Story {
    pub(super) config: Config,
    pub(super) settings: Arc<Settings>,
    /// Whether payments may be twins and ids near each other: then alerts have revisions whose place is not known
    /// beforehand.
    pub(super) pairs: bool,
    pub(super) begins: i64,
    /// In the order of time.
    pub(super) told: Vec<Told>,
}

/// Longest part of a world that is told.
const LONGEST_MS: i64 = 4000;

/// Longer than any record may be.
const TOO_LARGE: usize = (1 << 20) + 1;

impl Story {
    /// The story of a seed, over these topics.
    pub(super) fn new(rng: &mut Rng, topics: Topics) -> Self {
        let pairs = rng.chance(50);
        let mut worlds = vec![world(rng)];
        for _ in 0..rng.between(1, 4) {
            worlds.push(world(rng));
        }
        let config = worlds[0].config.clone();
        let begins = begins(&worlds[0].drafts) - 500;
        let mut drafts = Vec::new();
        let mut shift = 0;
        for (at, world) in worlds.into_iter().enumerate() {
            drafts.extend(shifted(world.drafts, at, shift, pairs));
            shift += rng.between(300, 2500);
        }
        let mut told: Vec<Told> = drafts
            .into_iter()
            .map(|draft| tell(draft, begins, topics))
            .collect();
        for _ in 0..rng.between(0, 4) {
            let spoilt = spoilt(&rng.pick(&told), rng);
            told.push(spoilt);
        }
        told.sort_by_key(|told| told.at);
        let settings = settings(&config);
        Self {
            config,
            settings,
            pairs,
            begins,
            told,
        }
    }

    /// When the last record is appended, if nobody is late.
    pub(super) fn ends(&self) -> i64 {
        self.told.last().map_or(self.begins, |told| told.at)
    }
}

/// A world without calendars: those look days ahead.
fn world(rng: &mut Rng) -> World {
    loop {
        let world = World::new(rng.bits());
        if world.config.rules.iter().all(|rule| rule.due.is_none()) {
            return world;
        }
    }
}

/// The first record of a payment: heartbeats long before are left out.
fn begins(drafts: &[Draft]) -> i64 {
    let of_payments = drafts.iter().filter(|draft| draft.stream < 3);
    let first = of_payments.map(|draft| draft.at_ms).min();
    first.expect("a world has payments")
}

fn settings(config: &Config) -> Arc<Settings> {
    let loaded = load_str("rules", &yaml(config), Purpose::Replay, &Env::empty());
    match loaded {
        Ok(loaded) => Arc::new(loaded.config.settings),
        Err(told) => panic!("{told}"),
    }
}

/// The drafts of a world, later, and about other payments than those of the worlds before.
fn shifted(drafts: Vec<Draft>, world: usize, shift: i64, pairs: bool) -> Vec<Draft> {
    let begins = begins(&drafts);
    let told = begins..begins + LONGEST_MS;
    let mut ids = BTreeMap::new();
    let of_story = drafts
        .into_iter()
        .filter(|draft| told.contains(&draft.at_ms));
    of_story
        .map(|mut draft| {
            draft.at_ms += shift;
            for field in ["occurred_at", "expected_release_at", "expected_credit_by"] {
                if let Some(at) = draft.value[field].as_str().and_then(parse_ms) {
                    draft.value[field] = rfc3339(at + shift).into();
                }
            }
            if let Some(id) = draft.value["payment_id"].as_str() {
                let distinct = ids.len();
                let id = id.to_owned();
                let number = *ids.entry(id.clone()).or_insert(distinct);
                let id = if pairs {
                    format!("{id}{}", ["a", "bb", "ccc", "dddd", "eeeee"][world])
                } else {
                    far(world * 1000 + number)
                };
                draft.value["payment_id"] = id.into();
            }
            if !pairs && let Some(fields) = draft.value.as_object_mut() {
                fields.remove("payer_hash");
            }
            draft
        })
        .collect()
}

/// An id that resembles no other.
fn far(number: usize) -> String {
    let mut rng = Rng::new(number as u64);
    format!("{:016x}", rng.bits())
}

fn tell(draft: Draft, begins: i64, topics: Topics) -> Told {
    let mut value = draft.value;
    // What speaks of the time before the story is another story.
    if let Some(at) = value["occurred_at"].as_str().and_then(parse_ms) {
        value["occurred_at"] = rfc3339(at.max(begins)).into();
    }
    let key = key(&value);
    Told {
        at: draft.at_ms,
        source: draft.stream.min(topics.inputs - 1),
        partition: partition_of(&key, topics.numbers),
        key: key.into_bytes(),
        value: Some(value.to_string().into_bytes()),
        event: Some(value),
    }
}

/// Any fixed hash would do.
fn partition_of(key: &str, numbers: i32) -> i32 {
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let numbers = u64::from(numbers.unsigned_abs());
    i32::try_from(hash % numbers).expect("less than an i32")
}

/// A record of the same place and time that is no valid event.
fn spoilt(like: &Told, rng: &mut Rng) -> Told {
    let value = match rng.between(0, 5) {
        0 => None,
        1 => Some(Vec::new()),
        2 => Some(b"{\"type\": \"payment.succ".to_vec()),
        3 => Some(vec![0xff, 0xfe]),
        4 => Some(b"{\"type\":\"payment.lost\"}".to_vec()),
        // Much of it makes a snapshot due.
        _ => Some(vec![b' '; TOO_LARGE]),
    };
    Told {
        at: like.at + rng.between(0, 3),
        value,
        event: None,
        ..like.clone()
    }
}
