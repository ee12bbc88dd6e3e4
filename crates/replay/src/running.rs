//! A replay under way: records in, results out.

use settlewatch_join::{Alert, Record, Span, Timestamp};
use settlewatch_wire::{Limits, check_stream, decode};

use crate::engine::Engine;
use crate::error::ReplayError;
use crate::input::{BadLine, Raw};
use crate::run::{Finished, Observer, Replay, Until};
use crate::summary::{InputCounts, Summary};
use crate::watching::Watching;

/// A replay under way.
pub(crate) struct Running<'a, 'o> {
    replay: Replay<'a>,
    observer: &'o mut dyn Observer,
    limits: Limits,
    /// Made by the first record.
    engine: Option<Engine>,
    from: Option<Timestamp>,
    /// Append time of the last record applied.
    last: Option<Timestamp>,
    failed: Option<ReplayError>,
}

impl<'a, 'o> Running<'a, 'o> {
    pub(crate) fn new(replay: Replay<'a>, observer: &'o mut dyn Observer) -> Self {
        let limits = Limits {
            record_bytes: replay.config.limits.record_bytes,
        };
        Self {
            replay,
            observer,
            limits,
            engine: None,
            from: None,
            last: None,
            failed: None,
        }
    }

    pub(crate) fn is_beyond(&self, raw: &Raw<'_>) -> bool {
        matches!(self.replay.until, Until::Time(until) if raw.place.at > until)
    }

    pub(crate) fn record(&mut self, raw: &Raw<'_>) -> Result<(), ReplayError> {
        let at = raw.place.at;
        self.from.get_or_insert(at);
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
        let stream = usize::from(raw.place.stream);
        let keyed_other = self.replay.config.streams[stream].keyed_other;
        let decoded = decode(raw.payload, &self.limits)
            .and_then(|event| check_stream(&event, keyed_other).map(|()| event));
        match decoded {
            Ok(event) => {
                self.observer.record(raw, &event);
                let record = Record {
                    place: raw.place,
                    event,
                };
                let mut outcome = None;
                self.with_engine(at, |engine, sink| outcome = engine.apply(&record, sink))?;
                if let Some(engine) = &self.engine {
                    self.observer.applied(raw, &record.event, outcome, engine);
                }
            }
            Err(rejection) => {
                self.observer.rejected(raw, &rejection);
                if let Some(output) = &mut self.replay.output {
                    output.rejected(&self.replay.config.streams[stream].topic, raw, &rejection)?;
                }
                self.with_engine(at, |engine, sink| engine.reject(&raw.place, sink))?;
            }
        }
        self.check_waiting(at)
    }

    /// Writes down the lines that are no records, and counts them.
    pub(crate) fn bad_lines<'b>(
        &mut self,
        bad: impl Iterator<Item = BadLine<'b>>,
    ) -> Result<u64, ReplayError> {
        let mut count = 0;
        for bad in bad {
            count += 1;
            if let Some(output) = &mut self.replay.output {
                output.bad_line(&bad)?;
            }
        }
        Ok(count)
    }

    fn check_waiting(&self, at: Timestamp) -> Result<(), ReplayError> {
        let limit = self.replay.config.limits.waiting_payments;
        match &self.engine {
            Some(engine) if engine.waiting() > limit => {
                Err(ReplayError::TooManyWaiting { limit, at })
            }
            _ => Ok(()),
        }
    }

    /// Nothing comes: time passes all the same. Everything appended before `now` has come.
    pub(crate) fn clock(&mut self, now: Timestamp) -> Result<(), ReplayError> {
        let now = match self.replay.until {
            Until::Time(until) => now.min(until),
            _ => now,
        };
        if self.engine.is_some() {
            let last = now - Span::from_millis(1);
            self.with_engine(now, |engine, sink| engine.settle(last, sink))?;
        }
        match &mut self.replay.output {
            Some(output) => output.flush(),
            None => Ok(()),
        }
    }

    /// Lets the engine do something, and writes the alerts and rows that became final.
    fn with_engine(
        &mut self,
        first: Timestamp,
        act: impl FnOnce(&mut Engine, &mut dyn FnMut(Alert)),
    ) -> Result<(), ReplayError> {
        let (settings, partitions) = (&self.replay.settings, self.replay.partitions);
        let first = self
            .replay
            .known_since
            .map_or(first, |since| since.min(first));
        let config = self.replay.config;
        let (watched, shows_pulses) = (self.replay.watched, self.replay.shows_pulses);
        let engine = self.engine.get_or_insert_with(|| {
            let engine = Engine::new(settings, partitions, first);
            if shows_pulses {
                engine.watched_by(Watching::new(config, first).keeping_pulses())
            } else if watched {
                engine.watched_by(Watching::new(config, first))
            } else {
                engine
            }
        });
        let (output, observer, failed) = (
            &mut self.replay.output,
            &mut *self.observer,
            &mut self.failed,
        );
        act(engine, &mut |alert| {
            observer.alert(&alert);
            if let Some(output) = output
                && let Err(error) = output.alert(&alert)
            {
                failed.get_or_insert(error);
            }
        });
        let (rows, incidents) = (engine.take_rows(), engine.take_incidents());
        for pulse in engine.take_pulses() {
            observer.pulse(&pulse);
        }
        for incident in &incidents {
            observer.incident(incident);
        }
        let gateways = engine.take_gateway_rows();
        if let Some(output) = &mut self.replay.output {
            output.gateways(&gateways)?;
            output.rows(&rows)?;
            output.incidents(&incidents)?;
        }
        self.failed.take().map_or(Ok(()), Err)
    }

    pub(crate) fn finish(mut self, input: InputCounts) -> Result<Finished, ReplayError> {
        let mut end = match (self.replay.until, self.last) {
            (Until::Time(until), _) => Some(until),
            (_, last) => last,
        };
        if let Some(last) = end.filter(|_| self.engine.is_some()) {
            if self.replay.until == Until::Drained {
                end = Some(self.drain(last)?);
            }
            let end = end.unwrap_or(last);
            self.with_engine(end, |engine, sink| engine.finish(end, sink))?;
        }
        self.write(end, input)
    }

    /// Lets deadlines pass until nothing is pending; when that was.
    fn drain(&mut self, last: Timestamp) -> Result<Timestamp, ReplayError> {
        let mut end = last;
        self.with_engine(last, |engine, sink| {
            engine.settle(last, sink);
            engine.stop_watching();
        })?;
        while let Some(engine) = self.engine.as_ref().filter(|engine| engine.is_undecided()) {
            let Some(next) = engine.next_decision() else {
                break;
            };
            end = end.max(next);
            self.with_engine(end, |engine, sink| engine.settle(end, sink))?;
        }
        Ok(end)
    }

    fn write(
        mut self,
        end: Option<Timestamp>,
        input: InputCounts,
    ) -> Result<Finished, ReplayError> {
        let streams = &self.replay.config.streams;
        let empty;
        let engine = match &self.engine {
            Some(engine) => engine,
            None => {
                empty = Engine::new(&self.replay.settings, 1, Timestamp::default());
                &empty
            }
        };
        let summary = Summary::of(engine, streams, self.from, end, input);
        if let Some(output) = &mut self.replay.output {
            output.flush()?;
            output.summary(&summary.to_json())?;
        }
        Ok(Finished {
            summary,
            engine: self.engine,
        })
    }
}
