//! The watch core behind the protocol: bytes in, revisions of incidents out.

use std::cell::Cell;
use std::time::{Duration, Instant};

use settlewatch_config::{Config, Run};
use settlewatch_join::{Outcome, Place, Record, Timestamp};
use settlewatch_kafka::{CheckedFeed, WatchHost};
use settlewatch_protocol::{Core, Heard, RulesNews, Said, Second, SourceId, TxnOutcome, Watcher};
use settlewatch_replay::{incident_json, watch_settings};
use settlewatch_serve::WatchObserver;
use settlewatch_watch::incident::Incident;
use settlewatch_watch::pulse::{Collector, CollectorSettings, Dims, PulseRecord, WHOLE_PPM};
use settlewatch_watch::{ChannelLags, Watch};
use settlewatch_wire::{Limits, check_stream, decode};

use super::graves::Graves;
use super::text;

/// Chunks of a snapshot: what the watch knows, and the incidents that are resolved.
const WATCH: u8 = b'w';
const GRAVES: u8 = b'g';

/// Of so many records that cannot be read, one is logged.
const LOGGED_EVERY: u64 = 1000;

/// How long credits take is shown so often, in seconds.
const LAGS_EVERY_S: i64 = 5;

/// Judges.
pub(super) struct Judge {
    /// Ranks of the auxiliary streams, by source less one.
    ranks: Vec<u8>,
    topics: Vec<String>,
    pulse: String,
    eyes: WatchObserver,
    unreadable: Cell<u64>,
    held: Option<Held>,
}

/// What is held while this is the active one.
struct Held {
    watch: Watch,
    dims: Dims,
    limits: Limits,
    /// Names of the streams, by rank.
    streams: Vec<String>,
    /// Auxiliary events of the second that is not complete.
    heard: Option<Collector>,
    graves: Graves,
    /// How long credits take: from the pulses that this process has read.
    lags: ChannelLags,
}

impl Held {
    fn new(config: &Config, watch: Watch) -> Self {
        let streams = config.streams.iter();
        Self {
            watch,
            dims: Dims::new(&config.settings.dimensions),
            limits: Limits {
                record_bytes: config.limits.record_bytes,
            },
            streams: streams.map(|stream| stream.name.clone()).collect(),
            heard: None,
            graves: Graves::default(),
            lags: ChannelLags::default(),
        }
    }

    fn collector(&mut self, at: Timestamp) -> &mut Collector {
        let dims = &self.dims;
        self.heard.get_or_insert_with(|| {
            let settings = CollectorSettings {
                dims: dims.clone(),
                merchant_ack: None,
                share_ppm: WHOLE_PPM,
                open_limit: 0,
            };
            Collector::new(settings, at)
        })
    }

    /// Shows how long credits take. Who waits where not everything is known is no older than is known of it.
    fn show_lags(&mut self, second: &Second<'_>, eyes: &WatchObserver) {
        let known_s = |partition: i32| {
            let known = usize::try_from(partition).ok();
            let known_ms = known.and_then(|at| second.known_ms.get(at));
            let known_s = known_ms.map_or(0, |known_ms| known_ms.div_euclid(1000));
            known_s.min(second.second + 1)
        };
        let label = |channel| eyes.label(channel);
        eyes.lags(self.lags.quantiles(second.second, known_s, label));
        if self.lags.leaves_out() {
            eyes.lags_left_out();
        }
    }

    /// What auxiliary streams said goes with the second `second`.
    fn take_heard(&mut self, second: i64) {
        let Some(mut heard) = self.heard.take() else {
            return;
        };
        let end = second.saturating_add(1).saturating_mul(1000);
        heard.advance(Timestamp::from_millis(end));
        for pulse in heard.take() {
            self.watch.absorb(pulse);
        }
    }
}

impl Judge {
    pub(super) fn new(feeds: &[CheckedFeed], eyes: WatchObserver, run: &Run) -> Self {
        Self {
            ranks: feeds.iter().map(|feed| feed.rank).collect(),
            topics: feeds.iter().map(|feed| feed.topic.clone()).collect(),
            pulse: run.output.pulse.clone(),
            eyes,
            unreadable: Cell::new(0),
            held: None,
        }
    }

    fn cannot_read(&self, kind: &'static str, topic: &str, why: &str) {
        self.eyes.unreadable(kind);
        let count = self.unreadable.get();
        self.unreadable.set(count + 1);
        if count.is_multiple_of(LOGGED_EVERY) {
            tracing::error!(topic, why, count, "a record cannot be read by the watch");
        }
    }

    fn rank(&self, source: SourceId) -> Option<u8> {
        let at = usize::from(source.0).checked_sub(1)?;
        self.ranks.get(at).copied()
    }
}

impl Core for Judge {
    type Pulse = PulseRecord;

    fn read(&self, number: i32, value: Option<&[u8]>) -> Result<Heard<PulseRecord>, String> {
        let held = self.held.as_ref().ok_or("nobody judges")?;
        let read = PulseRecord::decode_for(value.unwrap_or_default(), &held.dims);
        let pulse = read.map_err(|error| {
            let why = error.to_string();
            self.cannot_read("pulse", &format!("{} partition {number}", self.pulse), &why);
            why
        })?;
        let first = pulse.pulses.first().map(|pulse| pulse.second);
        Ok(Heard {
            known_ms: pulse.known_ms,
            begins_s: first.unwrap_or(pulse.known_ms.div_euclid(1000)),
            pulse,
        })
    }

    fn begin(&mut self, rules: &[u8]) -> Result<(), String> {
        let config = text::read(rules)?;
        let watch = Watch::new(watch_settings(&config));
        self.held = Some(Held::new(&config, watch));
        Ok(())
    }

    fn restore(&mut self, rules: &[u8], chunks: &[Box<[u8]>]) -> Result<(), String> {
        let config = text::read(rules)?;
        let (mut of_watch, mut graves) = (Vec::new(), Graves::default());
        for chunk in chunks {
            match chunk.split_first() {
                Some((&WATCH, bytes)) => of_watch.push(bytes),
                Some((&GRAVES, bytes)) => graves.read(bytes)?,
                _ => return Err("a chunk of an unknown kind".into()),
            }
        }
        let watch = Watch::restore(watch_settings(&config), &of_watch);
        let watch = watch.map_err(|error| error.to_string())?;
        let held = Held::new(&config, watch);
        self.held = Some(Held { graves, ..held });
        Ok(())
    }

    fn reconfigure(&mut self, rules: &[u8], second: i64) -> Result<(), String> {
        let config = text::read(rules)?;
        let held = self.held.take().ok_or("nobody judges")?;
        let Held {
            mut watch,
            graves,
            lags,
            ..
        } = held;
        watch
            .reconfigure(watch_settings(&config), second)
            .map_err(|error| error.to_string())?;
        let held = Held::new(&config, watch);
        self.held = Some(Held {
            graves,
            lags,
            ..held
        });
        Ok(())
    }

    fn snapshot(&mut self) -> Vec<Box<[u8]>> {
        let Some(held) = &self.held else {
            return Vec::new();
        };
        let chunk = |kind: u8, bytes: &[u8]| [&[kind][..], bytes].concat().into_boxed_slice();
        let watch = held.watch.snapshot().into_iter();
        let watch = watch.map(|bytes| chunk(WATCH, &bytes));
        let graves = held.graves.chunks().into_iter();
        let graves = graves.map(|text| chunk(GRAVES, text.as_bytes()));
        watch.chain(graves).collect()
    }

    fn absorb(&mut self, pulse: PulseRecord) {
        let Some(held) = &mut self.held else { return };
        // It was read under the rules of then.
        let partition = pulse.partition;
        for pulse in pulse.fitted(&held.dims).pulses {
            held.lags.heard(partition, &pulse);
            held.watch.absorb(pulse);
        }
    }

    fn hear(&mut self, source: SourceId, at: Timestamp, value: Option<&[u8]>, again: bool) {
        let Some(stream) = self.rank(source) else {
            return;
        };
        let Some(held) = &mut self.held else { return };
        let place = Place {
            at,
            stream,
            partition: 0,
            offset: 0,
        };
        let limits = held.limits;
        let decoded =
            decode(value, &limits).and_then(|event| check_stream(&event, true).map(|()| event));
        let why = match decoded {
            Ok(event) => {
                let record = Record { place, event };
                held.collector(at).record(&record, Some(Outcome::Used));
                return;
            }
            Err(rejection) => {
                held.collector(at).rejected(&place);
                rejection
            }
        };
        if !again {
            let topic = &self.topics[usize::from(source.0) - 1];
            self.cannot_read("auxiliary", topic, why.reason.as_str());
        }
    }

    fn end_second(&mut self, second: &Second<'_>) -> Vec<Said> {
        let ranks: Vec<u8> = second
            .withheld
            .iter()
            .filter_map(|source| self.rank(*source))
            .collect();
        let Some(held) = &mut self.held else {
            return Vec::new();
        };
        let began = Instant::now();
        held.take_heard(second.second);
        for (number, known_ms) in (0..).zip(second.known_ms) {
            held.watch.known(number, known_ms.div_euclid(1000) - 1);
        }
        let streams = ranks
            .iter()
            .filter_map(|rank| held.streams.get(usize::from(*rank)));
        let withheld: Vec<String> = streams.cloned().collect();
        held.watch.withhold(&withheld);
        let revisions = held.watch.end_second(second.second);
        for revision in &revisions {
            held.graves.said(revision);
        }
        let forgotten = held.graves.take_due(second.second);
        self.eyes.open(held.watch.open());
        if !second.again {
            if second.second % LAGS_EVERY_S == 0 {
                held.show_lags(second, &self.eyes);
            }
            self.eyes.judged(began.elapsed(), &revisions);
            revisions.iter().for_each(log);
        }
        let revisions = revisions.iter().map(said);
        revisions
            .chain(forgotten.into_iter().map(tombstone))
            .collect()
    }
}

fn said(revision: &Incident) -> Said {
    Said {
        key: revision.id.as_bytes().into(),
        value: Some(incident_json(revision).to_string().into_bytes().into()),
        decided_at: Some(revision.updated_at),
    }
}

fn tombstone(id: String) -> Said {
    Said {
        key: id.into_bytes().into(),
        value: None,
        decided_at: None,
    }
}

fn log(revision: &Incident) {
    tracing::info!(
        incident = revision.id,
        revision = revision.revision,
        verdict = revision.finding.cause.label(),
        severity = revision.severity.as_str(),
        resolved = revision.resolved_at.is_some(),
        "an incident"
    );
}

impl WatchHost for Judge {
    fn calling(&self, calling: bool) {
        self.eyes.calling(calling);
    }

    fn transaction(&self, outcome: TxnOutcome, took: Duration) {
        self.eyes.transaction(outcome, took);
        if outcome != TxnOutcome::Committed {
            tracing::warn!(
                ?outcome,
                ?took,
                "a transaction of the watch was not committed"
            );
        }
    }

    fn visible(&self, decided_at: Timestamp, appended_at: Timestamp) {
        self.eyes.visible(decided_at, appended_at);
    }

    fn elected(&self, active: bool) {
        self.eyes.elected(active);
        tracing::info!(active, "the watch: elected by the group, or not");
    }

    fn rules(&self, news: RulesNews) {
        match news {
            RulesNews::Applied { .. } => tracing::info!("rules of detection apply"),
            RulesNews::Refused { .. } => {}
            RulesNews::Stale { .. } => tracing::warn!(
                "this process was started with rules of detection that were replaced since: the newer ones apply. \
                 SIGHUP applies its own"
            ),
        }
    }

    fn restoring(&self, bytes: usize) {
        self.eyes.restoring(bytes);
    }

    fn hole(&self, source: SourceId, number: i32, to: i64) {
        let topic = match source.0 {
            0 => &self.pulse,
            feed => &self.topics[usize::from(feed) - 1],
        };
        tracing::error!(
            topic,
            partition = number,
            to,
            "records were deleted before the watch read them: what they said is missing"
        );
    }

    fn look(&self, watcher: &Watcher<Self>, now: Option<Timestamp>) {
        let stands = (watcher.is_active(), watcher.second(), watcher.blind());
        self.eyes.look(watcher.phase(), stands, now);
    }
}
