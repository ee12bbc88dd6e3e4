//! Holes: records of an input that retention took before they were read.
//!
//! 1. A hole is met: every step says so, so that whoever restores hears of it.
//! 2. Everything dated before it is decided, and no more.
//! 3. It is known when it ended: whoever waited through it is given up, in the same order whenever steps are applied.

use alloc::vec::Vec;

use settlewatch_join::Timestamp;

use super::Task;
use crate::io::SourceId;
use crate::step::{HoleStep, Step};

/// Holes whose end is not known.
pub(super) fn open(holes: &[HoleStep]) -> Vec<HoleStep> {
    let open = holes.iter().filter(|hole| hole.to_time.is_none());
    open.copied().collect()
}

impl Task {
    /// Records before `to` are gone unread; `false` when they had been applied and are needed again.
    pub(crate) fn lost(&mut self, source: SourceId, to: i64) -> bool {
        let read_to = self
            .sources
            .get(usize::from(source.0))
            .map_or(0, |lost| lost.known.position());
        let met_before = |step: &Step| {
            step.holes
                .iter()
                .any(|hole| hole.source == source && hole.to >= to && hole.from <= read_to)
        };
        if self.is_post(source) || (self.is_catching_up() && !self.again.iter().any(met_before)) {
            return false;
        }
        let Some(lost) = self.sources.get(usize::from(source.0)) else {
            return true;
        };
        if !self.is_catching_up() {
            self.holes.push(HoleStep {
                source,
                from: read_to,
                to,
                from_time: lost.known.time(),
                to_time: None,
            });
        }
        self.reached(source, to);
        true
    }

    /// Whether the end of a hole is not known.
    pub(crate) fn is_holed(&self) -> bool {
        !self.holes.is_empty()
    }

    /// When a hole ended, where that is known.
    fn ended(&self, hole: &HoleStep) -> Option<Timestamp> {
        let source = self.sources.get(usize::from(hole.source.0))?;
        let ended = source.known.time();
        (ended > hole.from_time).then_some(ended)
    }

    /// Whether a step would get further with a hole.
    pub(super) fn has_met_end(&self) -> bool {
        self.holes.iter().any(|hole| self.ended(hole).is_some())
    }

    /// The holes that were met, with their ends where those are known and everything before is decided: these are met
    /// no more.
    pub(super) fn take_holes(&mut self) -> Vec<HoleStep> {
        let mut holes = core::mem::take(&mut self.holes);
        for hole in &mut holes {
            hole.to_time = self.ended(hole).filter(|_| self.known >= hole.from_time);
        }
        self.holes = open(&holes);
        holes
    }

    /// Nothing later is decided before the holes are.
    pub(super) fn open_hole_from(&self) -> Timestamp {
        let from = self.holes.iter().map(|hole| hole.from_time);
        from.min().unwrap_or(Timestamp::MAX)
    }

    /// Whoever waited through a hole is given up.
    pub(super) fn apply_holes(&mut self, holes: &[HoleStep]) {
        for hole in holes {
            if let Some(to_time) = hole.to_time {
                let from = hole.from_time.max(self.known);
                self.partition.hole(from, to_time, &mut self.effects);
            }
        }
        self.tell();
    }
}

#[cfg(test)]
pub(super) mod tests {
    use alloc::string::String;
    use alloc::sync::Arc;
    use alloc::vec;

    use settlewatch_join::settings::{Matcher, Rule, Tier};
    use settlewatch_join::{Alert, Event, Settings, Span};

    use super::*;
    use crate::assembly::fresh;
    use crate::io::{Host, Probe, StartPoint};
    use crate::lane::LaneConfig;
    use crate::output::Turn;
    use crate::source::SourceConfig;

    pub(crate) struct NoEvents;

    impl Host for NoEvents {
        fn event<'a>(
            &self,
            _source: SourceId,
            _value: Option<&'a [u8]>,
        ) -> Result<Event<'a>, (&'static str, String)> {
            Err(("bad_json", String::new()))
        }

        fn alert(&self, _alert: &Alert) -> Vec<u8> {
            Vec::new()
        }

        fn topic(&self, _source: SourceId) -> &str {
            "t"
        }

        fn settings(&self, _rules: &[u8]) -> Result<Arc<Settings>, String> {
            let breach = Tier {
                name: "breach".into(),
                after: Span::from_secs(60),
            };
            Ok(Arc::new(Settings {
                version: 1,
                streams: vec!["payments".into(), "credits".into()],
                rules: vec![Rule {
                    name: "all".into(),
                    matcher: Matcher::default(),
                    due: None,
                    tiers: vec![breach],
                    give_up: Span::from_secs(600),
                }],
                redelivery_horizon: Span::from_secs(3600),
                orphan_after: Span::from_secs(60),
                duplicate_window: Span::from_secs(60),
                hold_limit: Span::from_secs(60),
                beginning: Span::ZERO,
                closed_keep: Span::from_secs(60),
                dimensions: Vec::new(),
            }))
        }
    }

    pub(crate) fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(1_775_700_000_000 + ms)
    }

    pub(crate) fn begun(position: i64, log_append_time: bool) -> Task {
        let sources = [0, 1].map(|rank| SourceConfig {
            rank,
            log_append_time,
        });
        let config = LaneConfig {
            rules: [].into(),
            numbers: 1,
            sources: sources.into(),
            waiting_records: 1000,
            reload_limit: 1000,
            identity: [].into(),
            nonce: 1,
        };
        let start = StartPoint {
            positions: vec![position, position, 0],
            knows_since: at(0),
            group_has_offsets: false,
        };
        fresh(&config, &NoEvents, 0, &start).expect("it can begin")
    }

    fn task() -> Task {
        begun(5, true)
    }

    pub(crate) fn prove(task: &mut Task, source: u8, end: i64, ms: i64) {
        task.probe(Probe {
            source: SourceId(source),
            partition: 0,
            end,
            sent_at: at(ms),
            answered_by: at(ms + 1),
        });
    }

    pub(crate) fn step(task: &mut Task) -> Step {
        let step = task.turn(&NoEvents, &mut Turn::default());
        step.expect("nothing is malformed")
    }

    #[test]
    fn holes_of_two_inputs_at_once_are_both_said_until_they_end() {
        let mut task = task();
        prove(&mut task, 0, 5, 100);
        prove(&mut task, 1, 5, 140);
        assert!(task.lost(SourceId(0), 20) && task.lost(SourceId(1), 30));
        let met = step(&mut task);
        assert_eq!(met.positions[..2], [20, 30]);
        let said: Vec<_> = met
            .holes
            .iter()
            .map(|it| (it.source.0, it.from, it.to))
            .collect();
        assert_eq!(said, [(0, 5, 20), (1, 5, 30)]);
        assert!(met.holes.iter().all(|hole| hole.to_time.is_none()));
        assert_eq!(met.known, at(100), "nothing later than a hole is decided");

        prove(&mut task, 0, 20, 900);
        prove(&mut task, 1, 30, 950);
        assert!(task.has_work());
        let mut ends = Vec::new();
        while task.is_holed() {
            let step = step(&mut task);
            ends.extend(step.holes.iter().filter_map(|hole| hole.to_time));
        }
        assert_eq!(ends, [at(900), at(950)]);
        assert!(step(&mut task).holes.is_empty());
    }

    #[test]
    fn whoever_begins_after_a_hole_whose_end_is_not_known_hears_of_it() {
        let mut first = task();
        prove(&mut first, 0, 5, 100);
        prove(&mut first, 1, 5, 100);
        assert!(first.lost(SourceId(0), 20));
        let met = step(&mut first);
        let mut again = task();
        again.again = [met].into();
        again.reached(SourceId(0), 20);
        again.catch_up(&NoEvents).expect("nothing is malformed");
        assert!(!again.is_catching_up() && again.is_holed());
        prove(&mut again, 0, 20, 900);
        prove(&mut again, 1, 5, 900);
        let ends = step(&mut again).holes;
        assert_eq!(ends.first().and_then(|hole| hole.to_time), Some(at(900)));
    }
}
