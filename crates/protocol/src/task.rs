//! One partition number: reads, waits until it knows, decides, and says what to write.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::keys::is_misplaced;
use settlewatch_join::{Effects, Inbox, Note, Partition, Place, Record, Span, Timestamp};

use crate::bytes::Malformed;
use crate::io::{Host, Probe, RawRecord, SourceId};
use crate::output::Turn;
use crate::post::Post;
use crate::pulses::{Maker, PulseStep};
use crate::rebuilt::Rebuilt;
use crate::rules::Rules;
use crate::source::Source;
use crate::step::{HoleStep, Step};

mod again;
mod holes;
mod kept;

pub(crate) use kept::{PAIRS, PARTITION, POST, PULSES, REBUILT, RULES};

use again::Placed;
use holes::open;

/// Everything a partition number is.
pub(crate) struct Task {
    pub(crate) number: i32,
    /// How many partition numbers there are.
    numbers: i32,
    pub(crate) partition: Partition,
    pub(crate) post: Post,
    sources: Vec<Source>,
    /// Position of the consumer in the pairs topic.
    post_position: i64,
    inbox: Inbox<RawRecord>,
    /// Records that were read while steps are applied again, by source: each waits for the step that it belongs to.
    apart: Vec<VecDeque<(Place, RawRecord)>>,
    /// Steps that were committed and are applied again, oldest first.
    again: VecDeque<Step>,
    pub(crate) sequence: u64,
    known: Timestamp,
    /// Holes that were met and whose end is not known.
    holes: Vec<HoleStep>,
    /// Its state was made anew, and what a predecessor wrote is not written again.
    rebuilt: Option<Rebuilt>,
    pub(crate) rules: Rules,
    /// What the watch hears of it.
    pulses: Maker,
    /// Effects that whoever makes the pulses was told of.
    told: usize,
    /// Rules that apply from the next step on.
    next_rules: Option<Arc<[u8]>>,
    effects: Effects,
    /// What is beyond goes into the next step.
    pub(crate) effects_per_step: usize,
    /// Bytes of records applied since the last snapshot began, and steps.
    pub(crate) bytes_since_snapshot: usize,
    pub(crate) steps_since_snapshot: u64,
}

/// The parts of a task that come from a snapshot or from the beginning.
pub(crate) struct Beginning {
    pub(crate) partition: Partition,
    pub(crate) post: Post,
    pub(crate) sources: Vec<Source>,
    pub(crate) step: Step,
    pub(crate) rules: Rules,
    pub(crate) pulses: Maker,
}

impl Task {
    pub(crate) fn new(number: i32, numbers: i32, beginning: Beginning, again: Vec<Step>) -> Self {
        let Beginning {
            partition,
            post,
            mut sources,
            step,
            rules,
            pulses,
        } = beginning;
        for step in &again {
            for &(source, offset, at) in &step.append_times {
                if let Some(source) = sources.get_mut(usize::from(source.0)) {
                    source.settle(offset, at);
                }
            }
            for (source, &position) in sources.iter_mut().zip(&step.positions) {
                source.committed(position, step.known);
            }
        }
        let mut task = Self {
            number,
            numbers,
            partition,
            post,
            post_position: step.positions.last().copied().unwrap_or(0),
            sources,
            inbox: Inbox::default(),
            apart: alloc::vec![VecDeque::new(); step.positions.len()],
            again: again.into(),
            sequence: step.sequence,
            known: step.known,
            // A snapshot may be taken of a step that does not know the end of a hole.
            holes: open(&step.holes),
            rebuilt: None,
            rules,
            pulses,
            told: 0,
            next_rules: None,
            effects: Effects::new(),
            effects_per_step: usize::MAX,
            bytes_since_snapshot: 0,
            steps_since_snapshot: 0,
        };
        task.follow();
        task
    }

    /// Its state is made anew: what a predecessor wrote is not written again.
    pub(crate) fn rebuild(&mut self, rebuilt: Rebuilt) {
        self.post.notes_from = rebuilt.notes_from;
        self.rebuilt = Some(rebuilt);
    }

    /// What a predecessor wrote, while that still matters.
    fn rebuilding(&self) -> Option<&Rebuilt> {
        self.rebuilt.as_ref().filter(|rebuilt| {
            self.known < rebuilt.written_before || self.post_position < rebuilt.notes_from
        })
    }

    /// Whether what a predecessor wrote still matters.
    pub(crate) fn is_rebuilding(&self) -> bool {
        self.rebuilding().is_some()
    }

    /// Up to where records must be read before every committed step is applied again.
    pub(crate) fn needed(&self) -> Vec<i64> {
        let last = self.again.back();
        last.map_or_else(|| self.positions(), |step| step.positions.clone())
    }

    /// Whether committed steps are still being applied again.
    pub(crate) fn is_catching_up(&self) -> bool {
        !self.again.is_empty()
    }

    /// Up to when every input has been read.
    pub(crate) fn known_times(&self) -> impl Iterator<Item = (SourceId, i32, Timestamp)> {
        let times = self.sources.iter().map(|source| source.known.time());
        times
            .zip(0..)
            .map(|(time, source)| (SourceId(source), self.number, time))
    }

    /// Decided up to here.
    pub(crate) fn known(&self) -> Timestamp {
        self.known
    }

    /// First offset that was not applied, by source; the pairs topic last.
    pub(crate) fn positions(&self) -> Vec<i64> {
        let post = self.post.next_unopened().unwrap_or(self.post_position);
        self.sources
            .iter()
            .map(Source::position)
            .chain([post])
            .collect()
    }

    fn is_post(&self, source: SourceId) -> bool {
        usize::from(source.0) == self.sources.len()
    }

    /// Inputs that must not be fetched for now, and those that may: those of which more than `limit` records wait
    /// for the others stand aside until half of them are applied.
    pub(crate) fn ahead(&self, limit: usize) -> impl Iterator<Item = (SourceId, bool)> {
        let knowable = self.knowable();
        let needed = self.again.front();
        self.sources.iter().enumerate().map(move |(i, source)| {
            let holds_back = match needed {
                Some(step) => {
                    !source.has_placed_before(step.positions.get(i).copied().unwrap_or(0))
                }
                None => source.known.time() <= knowable,
            };
            let limit = if source.stands_aside {
                limit / 2
            } else {
                limit
            };
            (SourceId(i as u8), !holds_back && source.held() > limit)
        })
    }

    /// Remembers that an input stands aside, or not; whether that is new.
    pub(crate) fn set_aside(&mut self, source: SourceId, aside: bool) -> bool {
        let source = &mut self.sources[usize::from(source.0)];
        core::mem::replace(&mut source.stands_aside, aside) != aside
    }

    /// Records that were read and wait.
    pub(crate) fn waiting(&self) -> usize {
        self.sources.iter().map(Source::held).sum()
    }

    /// Other rules apply from the next step on.
    pub(crate) fn reload(&mut self, rules: Arc<[u8]>) {
        self.next_rules = Some(rules);
    }

    /// A record was read.
    pub(crate) fn read(&mut self, record: RawRecord) {
        if self.is_post(record.source) {
            if record.offset >= self.post_position {
                self.post_position = record.offset + 1;
                self.post.read(record.offset, record.value);
            }
            return;
        }
        let at = usize::from(record.source.0);
        if let Some(source) = self.sources.get_mut(at) {
            let mut placed = Placed::new(&self.again, &mut self.apart[at], &mut self.inbox);
            source.read(record, &mut |place, record| placed.put(place, record));
        }
    }

    /// The consumer stands at `position`.
    pub(crate) fn reached(&mut self, source: SourceId, position: i64) {
        if self.is_post(source) {
            self.post_position = self.post_position.max(position);
            return;
        }
        let at = usize::from(source.0);
        if let Some(source) = self.sources.get_mut(at) {
            let mut placed = Placed::new(&self.again, &mut self.apart[at], &mut self.inbox);
            source.reached(position, &mut |place, record| placed.put(place, record));
        }
    }

    /// An end was asked for.
    pub(crate) fn probe(&mut self, probe: Probe) {
        let at = usize::from(probe.source.0);
        if let Some(source) = self.sources.get_mut(at) {
            let mut placed = Placed::new(&self.again, &mut self.apart[at], &mut self.inbox);
            source.probe(probe, &mut |place, record| placed.put(place, record));
        }
    }

    /// Known time: the minimum over the inputs.
    fn knowable(&self) -> Timestamp {
        let times = self.sources.iter().map(|source| source.known.time());
        times.min().unwrap_or(Timestamp::MIN).max(self.known)
    }

    /// Whether a step would decide something now.
    pub(crate) fn has_work(&self) -> bool {
        let knowable = self.knowable();
        self.post.has_unopened()
            || self.next_rules.is_some()
            || self.pulses.ends_by(knowable.min(self.open_hole_from()))
            || self.has_met_end()
            || self
                .inbox
                .next()
                .is_some_and(|(place, _)| place.at < knowable)
            || self
                .partition
                .next_decision()
                .is_some_and(|at| at < knowable)
    }

    /// Decides what is known, up to a number of effects; the step that says so.
    pub(crate) fn turn(&mut self, host: &impl Host, turn: &mut Turn) -> Result<Step, Malformed> {
        let rules = self.next_rules.take();
        if let Some(rules) = &rules {
            self.apply_rules(rules, host)?;
        }
        let holes = self.take_holes();
        self.apply_holes(&holes);
        let mut known = self.knowable().min(self.open_hole_from());
        turn.proof = self.proof(known, host).into_bytes().into();
        turn.written_before = self
            .rebuilding()
            .map_or(Timestamp::MIN, |rebuilt| rebuilt.written_before);
        while let Some(at) = self
            .inbox
            .next()
            .map(|(place, _)| place.at)
            .filter(|&at| at < known)
        {
            if let Some(cut) = self.decide_before(at) {
                known = cut;
                break;
            }
            let Some((place, record)) = self.inbox.take(known) else {
                break;
            };
            self.apply(place, &record, host, turn);
        }
        if let Some(cut) = self.decide_before(known) {
            known = cut;
        }
        let post = self.post_position;
        self.finish_step(known, post, host, turn)?;
        self.sequence += 1;
        let settled = self.sources.iter_mut().flat_map(Source::take_settled);
        Ok(Step {
            append_times: settled.collect(),
            sequence: self.sequence,
            known: self.known,
            positions: self.positions(),
            holes,
            rules,
        })
    }

    /// What every step ends with, the first time and again: deadlines, then the post.
    fn finish_step(
        &mut self,
        known: Timestamp,
        post: i64,
        host: &impl Host,
        turn: &mut Turn,
    ) -> Result<(), Malformed> {
        self.decide_all_before(known);
        self.known = known;
        let mut said = Vec::new();
        let notes = self.post.open(post, &mut said)?;
        self.take_notes(notes);
        said.into_iter().for_each(|note| turn.note(note));
        let step = PulseStep {
            known,
            written_before: turn.written_before,
            again: turn.again,
        };
        turn.records.extend(self.pulses.step(self.number, step));
        let place = (self.number, self.numbers);
        turn.take(place, &self.partition, &mut self.effects, host);
        self.told = 0;
        self.steps_since_snapshot += 1;
        Ok(())
    }

    /// Notes of one moment are taken together.
    fn take_notes(&mut self, mut notes: Vec<Note>) {
        notes.sort_by_key(|note| note.at);
        for moment in notes.chunk_by(|a, b| a.at == b.at) {
            // A sender may be ahead of us; its notes are not.
            let at = moment[0].at.min(self.known);
            self.pulses.with(|pulses| pulses.reach(at));
            self.partition.notes(moment, &mut self.effects);
            self.tell();
        }
    }

    /// Decides deadlines before `at`; `Some` is where it stopped, at too many effects.
    fn decide_before(&mut self, at: Timestamp) -> Option<Timestamp> {
        loop {
            if self.effects.len() >= self.effects_per_step {
                let next = self
                    .partition
                    .next_decision()
                    .map_or(at, |next| next.min(at));
                return Some(next.max(self.partition.known()));
            }
            if !self.decide_next_before(at) {
                return None;
            }
        }
    }

    /// Decides every deadline before `at`, however many there are.
    fn decide_all_before(&mut self, at: Timestamp) {
        while self.decide_next_before(at) {}
        self.partition.advance(at, &mut self.effects);
        self.tell();
    }

    /// Decides the deadlines of the next millisecond that has any, if it is before `at`.
    fn decide_next_before(&mut self, at: Timestamp) -> bool {
        let next = self.partition.next_decision().filter(|&next| next < at);
        let Some(next) = next else {
            return false;
        };
        self.pulses.with(|pulses| pulses.reach(next));
        // A note can set a timer that is due already.
        let past = next + Span::from_millis(1);
        let past = past.max(self.partition.known());
        self.partition.advance(past, &mut self.effects);
        self.tell();
        true
    }

    /// Tells whoever makes the pulses of the effects that are new.
    fn tell(&mut self) {
        let new = self.effects.get(self.told..).unwrap_or_default();
        self.pulses
            .with(|pulses| new.iter().for_each(|effect| pulses.effect(effect)));
        self.told = self.effects.len();
    }

    fn apply(&mut self, place: Place, record: &RawRecord, host: &impl Host, turn: &mut Turn) {
        self.bytes_since_snapshot += record.value.as_deref().map_or(0, <[u8]>::len);
        if let Some(source) = self.sources.get_mut(usize::from(record.source.0)) {
            source.applied(record.offset, place.at);
        }
        let source = record.source;
        self.decide_all_before(place.at);
        self.pulses.with(|pulses| pulses.reach(place.at));
        match host.event(source, record.value.as_deref()) {
            Ok(event) => {
                if !turn.again && is_misplaced(record.key.as_deref(), &event) {
                    host.misplaced(source);
                }
                let record = Record { place, event };
                let outcome = self.partition.apply(&record, &mut self.effects);
                self.pulses.with(|pulses| pulses.record(&record, outcome));
                self.tell();
                self.pulses.with(|pulses| pulses.end_record());
                if !turn.again {
                    host.applied(source, Ok(outcome));
                }
            }
            Err((reason, detail)) => {
                self.partition.reject(place.stream);
                self.pulses.with(|pulses| pulses.rejected(&place));
                if !turn.again {
                    host.applied(source, Err(reason));
                }
                if place.at >= turn.written_before {
                    turn.dead_letter(self.number, record, host.topic(source), reason, &detail);
                }
            }
        }
    }

    fn apply_rules(&mut self, rules: &Arc<[u8]>, host: &impl Host) -> Result<(), Malformed> {
        let settings = host.settings(rules).map_err(|_| Malformed)?;
        self.partition.reload(&settings);
        self.post.pairs.set_window(settings.duplicate_window);
        self.rules.replace(Arc::clone(rules));
        Ok(())
    }

    /// What an alert's headers say: up to which broker time every input had been read, to which offset, and which
    /// end proved it.
    fn proof(&self, known: Timestamp, host: &impl Host) -> String {
        let inputs = self.sources.iter().enumerate().map(|(i, source)| {
            format!(
                r#"{{"topic":"{}","partition":{},"read_to":{},"end":{},"at":{}}}"#,
                host.topic(SourceId(i as u8)),
                self.number,
                source.known.position(),
                source.known.end(),
                source.known.time().millis()
            )
        });
        let inputs: Vec<String> = inputs.collect();
        format!(
            r#"{{"known":{},"rules":"{:016x}","inputs":[{}]}}"#,
            known.millis(),
            self.rules.id(),
            inputs.join(",")
        )
    }
}
