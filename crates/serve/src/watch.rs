//! What happens in the watch: incidents that are open, seconds that were judged.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use settlewatch_join::{Span, Timestamp};
use settlewatch_protocol::TxnOutcome;
use settlewatch_watch::LagQuantiles;
use settlewatch_watch::incident::Incident;

use crate::descriptors::Metric;
use crate::edges::seconds;
use crate::incidents::{OpenIncidents, place};
use crate::limit::Limit;
use crate::live::{OTHER, QUANTILES};
use crate::metrics::Inner;
use crate::status::LaneBoard;

/// The phase of a watch that cannot go on.
const FAILED: &str = "failed";

/// How the watch of this process stands.
#[derive(Clone, Debug)]
pub struct WatchStatus {
    /// What it does.
    pub phase: &'static str,
    /// Whether the group has answered: it made this one the active one, or not.
    pub joined: bool,
    /// Whether this is the active one.
    pub elected: bool,
    /// Whether it judges, and has caught up with what was judged before.
    pub active: bool,
    /// The last second that was judged, since 1970.
    pub second: Option<i64>,
    /// Partition numbers that were not known to its end.
    pub blind: usize,
    /// Bytes of state that were read since the election.
    pub restored_bytes: u64,
    /// Broker time, about, and when it was that.
    now: Option<(Timestamp, Instant)>,
    /// Incidents that are open.
    open: OpenIncidents,
    /// How long credits take lately, in all partitions.
    lags: Vec<LagQuantiles>,
}

impl WatchStatus {
    /// Whether it does all that it has to do: it judges, or another one does.
    pub fn is_ready(&self) -> bool {
        self.joined && (!self.elected || self.active) && !self.is_failed()
    }

    /// Whether it ended by itself: a person is needed.
    pub fn is_failed(&self) -> bool {
        self.phase == FAILED
    }

    /// How far the last second that was judged lies behind broker time, in milliseconds.
    pub fn behind_ms(&self) -> Option<u64> {
        let ((time, then), second) = (self.now?, self.second?);
        let since = u64::try_from(then.elapsed().as_millis()).unwrap_or(u64::MAX);
        let now = time + Span::from_millis(since);
        let end = Timestamp::from_millis(second.saturating_add(1).saturating_mul(1000));
        Some(now.since(end).max(0).unsigned_abs())
    }
}

/// The watch, as other threads see it.
pub(crate) struct WatchBoard {
    pub(crate) signs: LaneBoard,
    status: Mutex<WatchStatus>,
}

impl WatchBoard {
    pub(crate) fn new() -> Self {
        Self {
            signs: LaneBoard::new("watch".to_owned()),
            status: Mutex::new(WatchStatus {
                phase: "starting",
                joined: false,
                elected: false,
                active: false,
                second: None,
                blind: 0,
                restored_bytes: 0,
                now: None,
                open: OpenIncidents::default(),
                lags: Vec::new(),
            }),
        }
    }

    /// It ended by itself and is not started again.
    pub(crate) fn fail(&self) {
        let mut status = self.status();
        status.phase = FAILED;
        status.active = false;
    }

    pub(crate) fn status(&self) -> MutexGuard<'_, WatchStatus> {
        // It is only ever replaced, field by field.
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The eyes on the watch. Every call belongs on its thread.
pub struct WatchObserver {
    shared: Arc<Inner>,
    board: Arc<WatchBoard>,
}

impl WatchObserver {
    pub(crate) fn new(shared: Arc<Inner>, board: Arc<WatchBoard>) -> Self {
        // From the beginning: what grows from nothing can be told from what was there.
        for metric in [Metric::IncidentOnset, Metric::IncidentDelay] {
            shared.families.histogram(metric, &[]);
        }
        Self { shared, board }
    }

    /// The watch begins or ends to wait for an answer of the cluster.
    pub fn calling(&self, calling: bool) {
        self.board.signs.set_calling(calling);
        self.board.signs.beat();
    }

    /// A transaction ended.
    pub fn transaction(&self, outcome: TxnOutcome, took: Duration) {
        self.board.signs.beat();
        self.shared.transaction(outcome, took);
    }

    /// A revision that is dated at `decided_at` was appended.
    pub fn visible(&self, decided_at: Timestamp, appended_at: Timestamp) {
        let delay_ms = appended_at.since(decided_at).max(0).unsigned_abs();
        let delay = self.shared.families.histogram(Metric::IncidentDelay, &[]);
        delay.observe(seconds(delay_ms));
    }

    /// The group made this one the active one, or it is not any more.
    pub fn elected(&self, elected: bool) {
        let mut status = self.board.status();
        status.joined = true;
        status.elected = elected;
        status.active = false;
        status.second = None;
        status.blind = 0;
        status.restored_bytes = 0;
        status.open.clear();
        status.lags.clear();
    }

    /// So many bytes of state were read.
    pub fn restoring(&self, bytes: usize) {
        self.board.status().restored_bytes += bytes as u64;
    }

    /// A record could not be read: `pulse`, or `auxiliary`.
    pub fn unreadable(&self, kind: &'static str) {
        let unreadable = self
            .shared
            .families
            .counter(Metric::WatchUnreadable, &[kind]);
        unreadable.inc();
    }

    /// A second was judged; it was not before, and these revisions are written.
    pub fn judged(&self, took: Duration, revisions: &[Incident]) {
        self.board.signs.beat();
        let families = &self.shared.families;
        let judging = families.histogram(Metric::WatchJudging, &[]);
        judging.observe(took.as_secs_f64());
        for revision in revisions {
            let verdict = revision.finding.cause.label();
            families
                .counter(Metric::IncidentRevisions, &[verdict])
                .inc();
            if revision.revision == 1 {
                self.opened(revision);
            }
        }
    }

    /// Incidents that are open now.
    pub fn open<'a>(&self, incidents: impl Iterator<Item = &'a Incident>) {
        let mut open = OpenIncidents::default();
        for incident in incidents {
            open.add(incident, |channel| self.label(channel));
        }
        self.board.status().open = open;
    }

    /// How long credits take lately, by channels as [`label`](Self::label) calls them.
    pub fn lags(&self, quantiles: Vec<LagQuantiles>) {
        self.board.status().lags = quantiles;
    }

    /// More payments wait than can be told apart: what is known of their lags is left out.
    pub fn lags_left_out(&self) {
        self.shared.limit_hit(Limit::Lags);
    }

    fn opened(&self, incident: &Incident) {
        let took_ms = incident.opened_at.since(incident.started_at).max(0);
        let onset = self.shared.families.histogram(Metric::IncidentOnset, &[]);
        onset.observe(seconds(took_ms.unsigned_abs()));
        let [channel, _] = place(&incident.scope);
        if self.label(channel) != channel {
            self.shared.limit_hit(Limit::Channels);
        }
    }

    /// The channel as a label: `other` where it has no series of its own.
    pub fn label<'a>(&self, channel: &'a str) -> &'a str {
        if channel.is_empty() || self.shared.live.channel(channel).1 {
            channel
        } else {
            OTHER
        }
    }

    /// How the watch stands.
    pub fn look(
        &self,
        phase: &'static str,
        (active, second, blind): (bool, Option<i64>, usize),
        now: Option<Timestamp>,
    ) {
        self.board.signs.beat();
        let mut status = self.board.status();
        status.phase = phase;
        status.active = active;
        status.second = second;
        status.blind = blind;
        status.now = now.map(|now| (now, Instant::now()));
    }
}

impl Inner {
    /// Sets the gauges of the watch: those of incidents and seconds only where it is the active one.
    pub(crate) fn refresh_watch(&self, status: &WatchStatus) {
        let active = f64::from(u8::from(status.active));
        self.families.gauge(Metric::WatchActive, &[]).set(active);
        let of_active = [
            Metric::WatchBehind,
            Metric::WatchBlind,
            Metric::CreditLagQuantile,
        ];
        for metric in OpenIncidents::GAUGES.into_iter().chain(of_active) {
            self.families.gauges(metric).reset();
        }
        if !status.active {
            return;
        }
        status.open.write(&self.families);
        for LagQuantiles { channel, lag_ms } in &status.lags {
            for ((quantile, _), lag_ms) in QUANTILES.iter().zip(lag_ms) {
                let lag = self
                    .families
                    .gauge(Metric::CreditLagQuantile, &[channel, quantile]);
                lag.set(lag_ms.map_or(f64::INFINITY, seconds));
            }
        }
        let blind = self.families.gauge(Metric::WatchBlind, &[]);
        blind.set(status.blind as f64);
        if let Some(behind_ms) = status.behind_ms() {
            let behind = self.families.gauge(Metric::WatchBehind, &[]);
            behind.set(seconds(behind_ms));
        }
    }
}
