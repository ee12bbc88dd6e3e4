//! One replay from the first record to where the clock stops.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use settlewatch_config::Config;
use settlewatch_join::{Alert, Event, Outcome, Place, Record, Settings, Timestamp};
use settlewatch_wire::{Limits, Rejection, check_stream, decode};

use crate::engine::Engine;
use crate::error::ReplayError;
use crate::input::{self, Live, LiveInput, LiveOptions, Options, Raw, Sources, StreamSpec};
use crate::output::Output;
use crate::summary::Summary;

/// Where the clock stops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Until {
    /// At the last record.
    #[default]
    LastRecord,
    /// At this moment, inclusive; later records are not read.
    Time(Timestamp),
    /// When nothing is pending any more.
    Drained,
}

/// Told what happens while it happens.
pub trait Observer {
    /// A record was accepted, before it is applied.
    fn record(&mut self, _raw: &Raw<'_>, _event: &Event<'_>) {}

    /// A record was applied: what it counts as (`None`: open until its payment comes or the grace ends), and
    /// the engine that knows it.
    fn applied(
        &mut self,
        _raw: &Raw<'_>,
        _event: &Event<'_>,
        _outcome: Option<Outcome>,
        _engine: &Engine,
    ) {
    }

    /// A record was rejected.
    fn rejected(&mut self, _raw: &Raw<'_>, _rejection: &Rejection) {}

    /// An alert revision is final.
    fn alert(&mut self, _alert: &Alert) {}
}

/// Observes nothing.
impl Observer for () {}

/// A replay that has not begun.
pub struct Replay<'a> {
    config: &'a Config,
    settings: Arc<Settings>,
    partitions: usize,
    until: Until,
    output: Option<Output>,
}

/// A replay under way.
struct Running<'a, 'o> {
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

/// A replay that is done.
pub struct Finished {
    /// Its sums.
    pub summary: Summary,
    /// The engine as it stands at the end; `None` when there was no record.
    pub engine: Option<Engine>,
}

/// How often standard input is looked at when nothing comes.
const LIVE_TICK: Duration = Duration::from_millis(100);

impl<'a> Replay<'a> {
    /// A replay with this configuration over `partitions` virtual partitions.
    pub fn new(config: &'a Config, partitions: usize, until: Until) -> Self {
        let settings = Arc::new(config.settings.clone());
        Self {
            config,
            settings,
            partitions,
            until,
            output: None,
        }
    }

    /// Writes the results into a folder.
    #[must_use]
    pub fn write_to(mut self, output: Output) -> Self {
        self.output = Some(output);
        self
    }

    fn streams(&self) -> Vec<StreamSpec> {
        let streams = self.config.streams.iter().zip(0..);
        streams
            .map(|(stream, rank)| StreamSpec {
                name: stream.name.clone(),
                topic: stream.topic.clone(),
                rank,
                keyed_other: stream.keyed_other,
            })
            .collect()
    }

    /// Replays recorded files.
    ///
    /// # Errors
    /// [`ReplayError`]: a file cannot be read or written, or too many payments wait.
    pub fn files(
        self,
        files: Vec<PathBuf>,
        mut options: Options<'_>,
        observer: &mut dyn Observer,
    ) -> Result<Finished, ReplayError> {
        if let Until::Time(until) = self.until {
            options.until = Some(until);
        }
        let mut sorted = input::open(&Sources { files }, &self.streams(), options)?;
        let mut running = Running::new(self, observer);
        let mut bad_lines = 0;
        for bad in sorted.bad_lines() {
            bad_lines += 1;
            if let Some(output) = &mut running.replay.output {
                output.bad_line(&bad)?;
            }
        }
        while let Some(raw) = sorted.next()? {
            running.record(&raw)?;
        }
        running.finish(bad_lines)
    }

    /// Replays records that are in memory, each with its place, in any order. Records after the time at which the
    /// clock stops are not read.
    ///
    /// # Errors
    /// [`ReplayError`]: a result cannot be written, or too many payments wait.
    pub fn records(
        self,
        mut records: Vec<(Place, Vec<u8>)>,
        observer: &mut dyn Observer,
    ) -> Result<Finished, ReplayError> {
        records.sort_by_key(|(place, _)| *place);
        let mut running = Running::new(self, observer);
        for (place, payload) in &records {
            let raw = Raw {
                place: *place,
                ts: place.at.millis(),
                plausible: true,
                payload: Some(payload),
            };
            if running.is_beyond(&raw) {
                break;
            }
            running.record(&raw)?;
        }
        running.finish(0)
    }

    /// Replays standard input as it comes.
    ///
    /// # Errors
    /// As [`files`](Self::files).
    pub fn live(
        self,
        options: LiveOptions,
        observer: &mut dyn Observer,
    ) -> Result<Finished, ReplayError> {
        self.live_from(std::io::stdin(), options, observer)
    }

    /// Replays what `input` yields, as it comes.
    ///
    /// # Errors
    /// As [`files`](Self::files).
    pub fn live_from(
        self,
        input: impl Read + Send + 'static,
        options: LiveOptions,
        observer: &mut dyn Observer,
    ) -> Result<Finished, ReplayError> {
        let streams = self.streams();
        let mut live = LiveInput::start(input, "-".as_ref(), &streams, options)?;
        let mut running = Running::new(self, observer);
        loop {
            match live.next(LIVE_TICK)? {
                Live::Record(raw) if running.is_beyond(&raw) => break,
                Live::Record(raw) => running.record(&raw)?,
                Live::Clock(now) => running.clock(now)?,
                Live::Quiet => {}
                Live::End => break,
            }
        }
        let mut bad_lines = 0;
        for bad in live.bad_lines() {
            bad_lines += 1;
            if let Some(output) = &mut running.replay.output {
                output.bad_line(&bad)?;
            }
        }
        running.finish(bad_lines)
    }
}

impl<'a, 'o> Running<'a, 'o> {
    fn new(replay: Replay<'a>, observer: &'o mut dyn Observer) -> Self {
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

    fn is_beyond(&self, raw: &Raw<'_>) -> bool {
        matches!(self.replay.until, Until::Time(until) if raw.place.at > until)
    }

    fn record(&mut self, raw: &Raw<'_>) -> Result<(), ReplayError> {
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
                self.with_engine(at, |engine, sink| engine.reject(raw.place.stream, at, sink))?;
            }
        }
        self.check_waiting(at)
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

    /// Nothing comes: time passes all the same.
    fn clock(&mut self, now: Timestamp) -> Result<(), ReplayError> {
        let now = match self.replay.until {
            Until::Time(until) => now.min(until),
            _ => now,
        };
        if self.engine.is_some() {
            self.with_engine(now, |engine, sink| engine.settle(now, sink))?;
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
        let engine = self
            .engine
            .get_or_insert_with(|| Engine::new(settings, partitions, first));
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
        let rows = engine.take_rows();
        if let Some(output) = &mut self.replay.output {
            output.rows(&rows)?;
        }
        self.failed.take().map_or(Ok(()), Err)
    }

    fn finish(mut self, bad_lines: u64) -> Result<Finished, ReplayError> {
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
        self.write(end, bad_lines)
    }

    /// Lets deadlines pass until nothing is pending; when that was.
    fn drain(&mut self, last: Timestamp) -> Result<Timestamp, ReplayError> {
        let mut end = last;
        self.with_engine(last, |engine, sink| engine.settle(last, sink))?;
        while let Some(engine) = self.engine.as_ref().filter(|engine| engine.is_undecided()) {
            let Some(next) = engine.next_decision() else {
                break;
            };
            end = end.max(next);
            self.with_engine(end, |engine, sink| engine.settle(end, sink))?;
        }
        Ok(end)
    }

    fn write(mut self, end: Option<Timestamp>, bad_lines: u64) -> Result<Finished, ReplayError> {
        let streams = &self.replay.config.streams;
        let empty;
        let engine = match &self.engine {
            Some(engine) => engine,
            None => {
                empty = Engine::new(&self.replay.settings, 1, Timestamp::default());
                &empty
            }
        };
        let summary = Summary::of(engine, streams, self.from, end, bad_lines);
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
