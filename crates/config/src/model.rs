//! The configuration as the program uses it.

use std::sync::Arc;

use settlewatch_join::event::{Currency, Stage};
use settlewatch_join::{Calendar, Settings, Span, Timestamp};

use crate::coverage::Coverage;
use crate::run_model::Run;

/// A configuration without errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// What the decision depends on.
    pub settings: Settings,
    /// Topics of canonical events by rank: the index is [`Place::stream`](settlewatch_join::Place).
    pub streams: Vec<Stream>,
    /// What a rule has that names no `give_up` of its own.
    pub give_up: Span,
    /// Fees that credits may be net of.
    pub fees: Fees,
    /// Auxiliary events to expect.
    pub feeds: Feeds,
    /// What the watch hears of single payments.
    pub watch: WatchShare,
    /// When people are woken.
    pub incidents: Incidents,
    /// Bounds.
    pub limits: Limits,
    /// Business days, by name in the order of the text.
    pub calendars: Vec<NamedCalendar>,
    /// What only the service needs; `None` for [`Purpose::Replay`].
    pub run: Option<Run>,
}

/// What a configuration is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Recorded records on a virtual clock: `kafka`, `output`, `roles`, `notify` and `http` are ignored.
    Replay,
    /// The service.
    Run,
}

/// A topic of canonical events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// What the configuration calls it.
    pub name: String,
    /// Its topic.
    pub topic: String,
    /// Keyed by something else than payments: no payment's event may arrive on it.
    pub keyed_other: bool,
}

/// A rate in parts per million.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RatePpm(pub u32);

/// `fees`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fees {
    /// Rates that contracts name, ascending, each once.
    pub contract_rates: Vec<RatePpm>,
}

/// `feeds`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feeds {
    /// Heartbeats of terminals, where expected.
    pub heartbeat: Option<HeartbeatFeed>,
    /// Whether `account.status` is expected.
    pub account_status: bool,
    /// Whether `batch.settled` is expected.
    pub batch_settled: bool,
    /// Whether `marker` is expected.
    pub markers: bool,
    /// Stages that are reported, in the order of a payment's way, each once.
    pub stages: Vec<Stage>,
    /// Acknowledgements of merchants, where expected.
    pub merchant_ack: Option<AckFeed>,
}

/// `watch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchShare {
    /// The share of payments of which the watch hears one by one.
    pub share: RatePpm,
}

/// `feeds.heartbeat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeartbeatFeed {
    /// How often a terminal reports.
    pub interval: Span,
    /// How long it may be silent; at least the interval.
    pub offline_after: Span,
}

/// `feeds.merchant_ack`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AckFeed {
    /// From when an acknowledgement is late.
    pub late: Span,
    /// How long a credited payment keeps its details for it; at least `late`.
    pub keep: Span,
}

/// A severity that can page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PageSeverity {
    /// Nothing is credited, or much money is at risk.
    Critical,
    /// Any other fault.
    Warning,
}

/// `incidents`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incidents {
    /// Severities that page, each once.
    pub page: Vec<PageSeverity>,
    /// Money at risk that is critical, in minor units.
    pub critical_minor: Vec<(Currency, u64)>,
    /// Share of payments that are to be credited by their first deadline.
    pub objective: RatePpm,
    /// The same cause again within this time is the same incident.
    pub reopen_within: Span,
    /// When single cases become one incident.
    pub pattern: Pattern,
}

/// `incidents.pattern`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// At least so many cases of one kind.
    pub cases: usize,
    /// Within this time.
    pub within: Span,
}

/// `limits`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Payments that may wait at once.
    pub waiting_payments: usize,
    /// Records that a lane may have read ahead of what is decided.
    pub waiting_records: usize,
    /// Longest record in bytes.
    pub record_bytes: usize,
    /// A change of rules that would raise more alerts at once is refused.
    pub reload_alerts: usize,
}

/// A calendar and how far it can be trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedCalendar {
    /// What rules call it.
    pub name: String,
    /// Its days from 1990 to 2100, shared with the rules that use it.
    pub calendar: Arc<Calendar>,
    /// The years whose holidays are known.
    pub coverage: Coverage,
    /// The largest `business_days` of a rule that uses it; `None` where none does.
    pub business_days: Option<u32>,
}

/// Seconds of wall clock since the beginning of a day, at most 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TimeOfDay(u32);

impl TimeOfDay {
    /// `None` past 24:00.
    pub(crate) fn from_secs(secs: u32) -> Option<Self> {
        (secs <= 86_400).then_some(Self(secs))
    }

    pub(crate) const fn secs(self) -> u32 {
        self.0
    }
}

/// Where to begin when neither state nor offsets exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartAt {
    /// With what comes from now on.
    Latest,
    /// With the oldest record there is.
    Earliest,
    /// With the first record appended then or later.
    Time(Timestamp),
}

impl Config {
    /// What people should know about calendars when records from `from` to `to` are judged: years whose
    /// holidays nobody listed. One sentence each; only calendars that a rule uses.
    pub fn calendar_warnings(&self, from: Timestamp, to: Timestamp) -> Vec<String> {
        let used = |named: &NamedCalendar| {
            let days = named.business_days?;
            // The last due times lie beyond the last record.
            let last = named.calendar.due(to, days);
            let last = if last == Timestamp::MAX {
                to
            } else {
                last.max(to)
            };
            named.coverage.warning(&named.name, from, last)
        };
        self.calendars.iter().filter_map(used).collect()
    }
}
