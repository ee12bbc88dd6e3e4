//! One replay from the first record to where the clock stops.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use settlewatch_config::Config;
use settlewatch_join::{Alert, Event, Outcome, Place, Settings, Timestamp};
use settlewatch_watch::incident::Incident;
use settlewatch_watch::pulse::Pulse;
use settlewatch_wire::Rejection;

use crate::engine::Engine;
use crate::error::ReplayError;
use crate::input::{self, Live, LiveInput, LiveOptions, Options, Raw, Sources, StreamSpec};
use crate::output::Output;
use crate::running::Running;
use crate::summary::{InputCounts, Summary};

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

    /// A second of the recording, as the watch sees it; only where [`Replay::showing_pulses`] asked for it.
    fn pulse(&mut self, _pulse: &Pulse) {}

    /// An incident has another revision.
    fn incident(&mut self, _incident: &Incident) {}
}

/// Observes nothing.
impl Observer for () {}

/// A replay that has not begun.
pub struct Replay<'a> {
    pub(crate) config: &'a Config,
    pub(crate) settings: Arc<Settings>,
    pub(crate) partitions: usize,
    pub(crate) until: Until,
    pub(crate) known_since: Option<Timestamp>,
    pub(crate) output: Option<Output>,
    pub(crate) watched: bool,
    pub(crate) shows_pulses: bool,
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
            known_since: None,
            output: None,
            watched: false,
            shows_pulses: false,
        }
    }

    /// Nothing was left out since this moment, though the first record may be younger.
    #[must_use]
    pub fn known_since(mut self, since: Timestamp) -> Self {
        self.known_since = Some(since);
        self
    }

    /// Looks for incidents too.
    #[must_use]
    pub fn watched(mut self) -> Self {
        self.watched = true;
        self
    }

    /// Looks for incidents too, and shows the observer what the watch sees.
    #[must_use]
    pub fn showing_pulses(mut self) -> Self {
        self.watched = true;
        self.shows_pulses = true;
        self
    }

    /// Writes the results into a folder, incidents too.
    #[must_use]
    pub fn write_to(mut self, output: Output) -> Self {
        self.output = Some(output);
        self.watched = true;
        self
    }

    /// A line of the longest record that is allowed: each byte of the payload may stand there as `\u0000`.
    fn longest_line_bytes(&self) -> usize {
        const REST: usize = 1 << 20;
        self.config
            .limits
            .record_bytes
            .saturating_mul(6)
            .saturating_add(REST)
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
        options.line_limit_bytes = options.line_limit_bytes.max(self.longest_line_bytes());
        let mut sorted = input::open(&Sources { files }, &self.streams(), options)?;
        let mut running = Running::new(self, observer);
        let bad_lines = running.bad_lines(sorted.bad_lines())?;
        while let Some(raw) = sorted.next()? {
            running.record(&raw)?;
        }
        running.finish(InputCounts::new(sorted.counters(), bad_lines))
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
        running.finish(InputCounts::default())
    }

    /// Replays standard input as it comes. It ends with the input, or with [`Until::Time`]: once everything up
    /// to then was read, or the clock has passed it because nothing came.
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
        let options = LiveOptions {
            line_limit_bytes: options.line_limit_bytes.max(self.longest_line_bytes()),
            ..options
        };
        let until = match self.until {
            Until::Time(until) => Some(until),
            Until::LastRecord | Until::Drained => None,
        };
        let mut live = LiveInput::start(input, "-".as_ref(), &streams, options)?;
        let mut running = Running::new(self, observer);
        loop {
            match live.next(LIVE_TICK)? {
                Live::Record(raw) if running.is_beyond(&raw) => break,
                Live::Record(raw) => running.record(&raw)?,
                Live::Clock(now) => {
                    running.clock(now)?;
                    if until.is_some_and(|until| now > until) {
                        break;
                    }
                }
                Live::Quiet => {
                    if until.is_some_and(|until| live.is_silent_until(until)) {
                        break;
                    }
                }
                Live::End => break,
            }
        }
        let bad_lines = running.bad_lines(live.bad_lines())?;
        running.finish(InputCounts::new(live.counters(), bad_lines))
    }
}
