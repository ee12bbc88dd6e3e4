//! The records of a plan, merged in the order of their append times.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};

use crate::crowd::Crowd;
use crate::draw::Family;
use crate::event::{Draft, Topic};
use crate::murmur;
use crate::notices;
use crate::plan::Plan;
use crate::pulse::Pulse;
use crate::record::Record;
use crate::render;
use crate::rng::Rng;
use crate::traffic::{LOOKBACK_MS, Traffic};
use crate::truth::Truth;

/// Purpose of the random stream of the gaps between arrivals.
const GAPS: u64 = 7;
const NS_PER_MS: u64 = 1_000_000;

/// Makes the records of a plan one by one. It holds what is in flight, and the truth.
#[derive(Debug)]
pub struct Generator {
    plan: Plan,
    traffic: Traffic,
    pulse: Pulse,
    crowd: Crowd,
    gaps: Rng,
    /// Nanoseconds from the start to the next arrival, and its number.
    next_arrival_ns: u64,
    number: u64,
    pending: BinaryHeap<Pending>,
    sequence: u64,
    offsets: BTreeMap<(Topic, u32), u64>,
    truth: Truth,
}

/// The records of `plan`, in the order of their append times.
pub fn generate(plan: &Plan) -> Generator {
    Generator::new(plan)
}

impl Generator {
    fn new(plan: &Plan) -> Self {
        let traffic = Traffic::new(plan);
        let mut generator = Self {
            pulse: Pulse::new(plan.seed, plan.start, &traffic.world, &plan.faults),
            crowd: Crowd::new(plan),
            traffic,
            gaps: Rng::stream(plan.seed, GAPS, 0),
            next_arrival_ns: LOOKBACK_MS.cast_unsigned() * NS_PER_MS,
            number: 0,
            pending: BinaryHeap::new(),
            sequence: 0,
            offsets: BTreeMap::new(),
            truth: Truth::new(plan.faults.len()),
            plan: plan.clone(),
        };
        generator.push_all(notices::of(plan));
        generator
    }

    /// What must come out of the records; complete once the last record was taken.
    pub const fn truth(&self) -> &Truth {
        &self.truth
    }

    /// What must come out of the records.
    pub fn into_truth(self) -> Truth {
        self.truth
    }

    fn next_arrival(&self) -> i64 {
        let ms = i64::try_from(self.next_arrival_ns / NS_PER_MS).unwrap_or(i64::MAX / 2);
        self.plan.start.saturating_add(ms)
    }

    /// Plans whatever begins next: an arrival, or the time after the last one.
    fn advance(&mut self) {
        let at = self.next_arrival();
        if let Some(channel) = self.crowd.comes(at, &mut self.gaps) {
            let (number, truth) = (self.number, &mut self.truth);
            let drafts = self.traffic.arrive(number, at, channel, truth);
            self.push_all(drafts);
        }
        self.number += 1;
        let mean_ns = self.crowd.mean_gap_ns(&self.plan);
        let gap = Family::Exponential.draw(mean_ns, &mut self.gaps);
        self.next_arrival_ns = self.next_arrival_ns.saturating_add(gap.max(1));
        let known = self.next_arrival().min(self.plan.end);
        let settled = self.traffic.batches.settled(known);
        self.push_all(settled);
    }

    fn push_all(&mut self, drafts: Vec<Draft>) {
        for draft in drafts {
            let partition = murmur::partition(&draft.key, self.plan.partitions);
            self.pending.push(Pending {
                rank: (draft.at, draft.topic, partition, self.sequence),
                draft: Box::new(draft),
            });
            self.sequence += 1;
        }
    }

    /// The record of the next draft, once no earlier one can come.
    fn pop(&mut self) -> Option<Pending> {
        loop {
            let arrivals_end = self.next_arrival() > self.plan.end;
            let known = if arrivals_end {
                self.plan.end
            } else {
                self.next_arrival() - LOOKBACK_MS - 1
            };
            while let Some(beat) = self.pulse.beat(known, &self.traffic.world) {
                self.push_all(vec![beat]);
            }
            if self.pending.peek().is_some_and(|next| next.rank.0 <= known) {
                return self.pending.pop();
            }
            if arrivals_end {
                return None;
            }
            self.advance();
        }
    }
}

impl Iterator for Generator {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        let Pending { rank, mut draft } = self.pop()?;
        if self.plan.lapse > 1 {
            draft.tell_at(|at| self.plan.time_told(at));
        }
        let (_, _, partition, _) = rank;
        let next_offset = self.offsets.entry((draft.topic, partition)).or_default();
        let offset = *next_offset;
        *next_offset += 1;
        let counts = self.truth.records.entry(draft.topic).or_default();
        counts.0 += 1;
        counts.1 += u64::from(draft.again);
        let (from, _) = self.truth.span_ms.unwrap_or((draft.at, draft.at));
        self.truth.span_ms = Some((from, draft.at));
        Some(Record {
            topic: draft.topic,
            partition,
            offset,
            ts_ms: draft.at,
            payload: render::payload(&draft, &self.traffic.world),
            key: draft.key,
        })
    }
}

/// The order of judgement: append time, stream, partition, and the order of planning in a partition.
type Rank = (i64, Topic, u32, u64);

/// A draft in the heap: the one that is judged first is the greatest.
#[derive(Debug)]
struct Pending {
    rank: Rank,
    /// Boxed: the heap moves its entries often.
    draft: Box<Draft>,
}

impl Ord for Pending {
    fn cmp(&self, other: &Self) -> Ordering {
        other.rank.cmp(&self.rank)
    }
}

impl PartialOrd for Pending {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Pending {
    fn eq(&self, other: &Self) -> bool {
        self.rank == other.rank
    }
}

impl Eq for Pending {}
