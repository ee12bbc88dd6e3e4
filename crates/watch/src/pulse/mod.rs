//! Pulses: what a second of records and decisions says to the watch, and all that it says.
//!
//! A pulse is made per partition and second, and travels with the decisions. The watch sees pulses and
//! nothing else, so what a verdict needs must be in them.

mod acks;
mod alerts;
mod auxiliary;
mod codec;
mod collector;
mod fates;
mod fitted;
mod kept;
mod legs;
mod partition;
mod tuple;

use std::sync::Arc;

use settlewatch_join::event::{AccountStatus, Currency, MarkerKind, RefusalClass};
use settlewatch_join::{AlertKind, Fingerprint, Timestamp, Verdict};

pub use codec::{Malformed, PulseRecord, WHOLE_PPM};
pub use collector::{Collected, Collector, CollectorSettings};
pub use partition::PartitionPulses;
pub(crate) use tuple::hash_of;
pub use tuple::{
    ACQUIRER, APP, CARRIER, CHANNEL, CONNECTOR, CURRENCY, DimIndex, Dims, GATEWAY, MCC, MERCHANT,
    METHOD, MODE, MODEL, REGION, STANDARD, STORE, TERMINAL, Tuple, VENDOR,
};

/// One second of one partition, or of several that were merged.
#[derive(Clone, Debug, Default)]
pub struct Pulse {
    /// Seconds since 1970: what is dated within it.
    pub second: i64,
    /// What became known of single payments.
    pub notes: Vec<Note>,
    /// Payments and credits by channel.
    pub channels: Vec<ChannelCount>,
    /// Alerts of kinds other than `credit_missing`.
    pub cases: Vec<Case>,
    /// Records by stream and input partition.
    pub streams: Vec<StreamCount>,
    /// How late the records of each source were appended.
    pub arrivals: Vec<Arrivals>,
    /// Steps between stages.
    pub legs: Vec<Leg>,
    /// Acknowledgements of merchants.
    pub acks: Vec<Ack>,
    /// Auxiliary events as they came.
    pub auxiliary: Vec<Auxiliary>,
}

/// What became known of one payment.
#[derive(Clone, Debug)]
pub struct Note {
    /// The payment.
    pub payment: Fingerprint,
    /// Its attributes.
    pub tuple: Arc<Tuple>,
    /// The input partition that it came in.
    pub partition: i32,
    /// Its append time.
    pub accepted_at: Timestamp,
    /// Its first deadline; its append time where that is not known.
    pub due_at: Timestamp,
    /// When it became known.
    pub at: Timestamp,
    /// Its amount in minor units.
    pub amount_minor: u64,
    /// Its currency.
    pub currency: Currency,
    /// Whether its lag counts: its rule has no `due`.
    pub timed: bool,
    /// Its id, where it is worth naming.
    pub id: Option<Arc<str>>,
    /// What became known.
    pub what: What,
}

/// What became known of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It was accepted, and is not due at once.
    Paid,
    /// It was credited.
    Credited {
        /// Credit append time less payment append time, in milliseconds.
        lag_ms: u64,
        /// The same by business times; may be negative.
        business_ms: i64,
        /// Whether [`What::Waiting`] was said before.
        noted: bool,
        /// Whether it had passed its first deadline.
        overdue: bool,
    },
    /// It waits longer than most do.
    Waiting,
    /// It passed its first deadline.
    Overdue,
    /// It ended otherwise: refunded, reversed, declined, written off.
    Ended {
        /// Whether it was written off.
        written_off: bool,
    },
    /// Its own records explain why it waits: it does not count towards an incident.
    Excused,
    /// Its credit came under a corrupted id: it does not count any more.
    Misnamed,
    /// Its credit was rejected.
    Rejected(RefusalClass),
    /// It was declined after it had succeeded.
    Declined(RefusalClass),
}

/// An alert about a single payment or credit; a missing one only where it came under a corrupted id.
#[derive(Clone, Debug)]
pub struct Case {
    /// The payment, or the id that the credit names.
    pub id: Arc<str>,
    /// What is wrong.
    pub kind: AlertKind,
    /// The verdict of the case.
    pub verdict: Option<Verdict>,
    /// What is known of the attributes.
    pub tuple: Arc<Tuple>,
    /// When it was decided.
    pub at: Timestamp,
    /// When it happened, as far as is known: append time of the payment or credit.
    pub since: Timestamp,
    /// Minor units that the alert is about.
    pub amount_minor: u128,
    /// Its currency.
    pub currency: Option<Currency>,
    /// Minor units due and credited, where the two differ.
    pub amounts: Option<(u64, u64)>,
    /// Whether it is closed again: a revision that resolves it.
    pub resolved: bool,
}

/// Payments of one channel that are due at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelCount {
    /// The channel.
    pub channel: Arc<str>,
    /// How many were accepted.
    pub accepted: u64,
    /// How many were credited.
    pub credited: u64,
    /// Those that ended, by when they were accepted and how long that took; ascending, each pair once.
    pub ended: Vec<Ended>,
    /// Those whose own records say now why no credit is due, by when they were accepted; ascending, each second once.
    pub excused: Vec<Excused>,
    /// Of those that were credited: their wait had been explained.
    pub released: u64,
}

/// Payments of one channel that are held, declined, reversed or refunded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Excused {
    /// The second in which they were accepted, since 1970.
    pub accepted_s: i64,
    /// How many.
    pub count: u64,
}

/// Payments of one channel that ended alike. Their lag counts: their rules have no `due`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// The second in which they were accepted, since 1970.
    pub accepted_s: i64,
    /// How long they waited, in milliseconds: the lowest lag of its bucket in [`LagBuckets`](crate::LagBuckets).
    pub lag_ms: u64,
    /// How many were credited.
    pub credited: u64,
    /// How many ended otherwise.
    pub otherwise: u64,
}

impl ChannelCount {
    /// Nothing of a channel yet.
    pub fn of(channel: Arc<str>) -> Self {
        Self {
            channel,
            accepted: 0,
            credited: 0,
            ended: Vec::new(),
            excused: Vec::new(),
            released: 0,
        }
    }

    /// Adds payments that explain themselves to those that were accepted in the same second.
    pub fn excuse(&mut self, excused: Excused) {
        let at = excused.accepted_s;
        match self.excused.binary_search_by_key(&at, |it| it.accepted_s) {
            Err(at) => self.excused.insert(at, excused),
            Ok(at) => self.excused[at].count += excused.count,
        }
    }

    /// Adds payments that ended to those that ended alike.
    pub fn end(&mut self, ended: Ended) {
        let key = |it: &Ended| (it.accepted_s, it.lag_ms);
        match self.ended.binary_search_by_key(&key(&ended), key) {
            Err(at) => self.ended.insert(at, ended),
            Ok(at) => {
                self.ended[at].credited += ended.credited;
                self.ended[at].otherwise += ended.otherwise;
            }
        }
    }
}

/// Records of one stream and input partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamCount {
    /// Index of the stream.
    pub stream: u8,
    /// The input partition.
    pub partition: i32,
    /// Used, duplicate, late and rejected together.
    pub records: u64,
    /// Of them: rejected.
    pub rejected: u64,
    /// Of them: credits, credit rejections, and stages that follow a credit.
    pub kinds: [u64; KINDS],
}

/// Payments or their credits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// `payment.succeeded`.
    Payments,
    /// `terminal.credited`.
    Credits,
}

/// Records of one source: what came of one gateway and connector.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arrivals {
    /// Payments or credits.
    pub side: Side,
    /// The gateway of the payment.
    pub gateway: Option<Arc<str>>,
    /// The connector of the payment.
    pub connector: Option<Arc<str>>,
    /// Append time less business time in milliseconds, of each record.
    pub lateness_ms: Vec<i64>,
}

/// Kinds of records that are counted apart.
pub const KINDS: usize = 5;
/// `terminal.credited`.
pub const KIND_CREDIT: usize = 0;
/// `credit.rejected`.
pub const KIND_REJECTION: usize = 1;
/// `account_posted`, `terminal_notified`, `merchant_ack`, `batch.settled`: what follows a credit.
pub const KIND_AFTER: usize = 2;
/// `payment.succeeded`.
pub const KIND_PAYMENT: usize = 3;
/// Any other `payment.stage`: what comes before a credit.
pub const KIND_BEFORE: usize = 4;

/// A payment entered its gateway, or left it, by the stages that are reported.
#[derive(Clone, Debug)]
pub struct Leg {
    /// The payment's attributes.
    pub tuple: Arc<Tuple>,
    /// When it entered, in seconds since 1970, by business time.
    pub entered_s: i64,
    /// How long it took, in milliseconds; `None` when it enters.
    pub gateway_ms: Option<i64>,
}

/// A merchant's acknowledgement, or that it is late.
#[derive(Clone, Debug)]
pub struct Ack {
    /// The payment's attributes.
    pub tuple: Arc<Tuple>,
    /// The input partition that the payment came in, and its stages come in.
    pub partition: i32,
    /// Whether it came within the time that is allowed.
    pub late: bool,
    /// Whether it came at all.
    pub came: bool,
    /// The payment's id, where it is late.
    pub id: Option<Arc<str>>,
    /// The payment's amount in minor units.
    pub amount_minor: u64,
    /// Its currency.
    pub currency: Currency,
    /// Credit append time.
    pub credited_at: Timestamp,
}

/// An auxiliary event.
#[derive(Clone, Debug)]
pub enum Auxiliary {
    /// `terminal.heartbeat`.
    Heartbeat {
        /// The terminal.
        terminal_id: Arc<str>,
        /// Append time.
        at: Timestamp,
        /// Messages waiting in it.
        queue_depth: Option<u64>,
        /// Whether it carries an error code.
        error_code: Option<Arc<str>>,
        /// Seconds since it started.
        uptime_s: Option<u64>,
        /// Its software.
        app_version: Option<Arc<str>>,
        /// Whether a merchant is signed in.
        signed_in: Option<bool>,
    },
    /// `account.status`.
    Account {
        /// The merchant.
        merchant_id: Arc<str>,
        /// Append time.
        at: Timestamp,
        /// What its account is.
        status: AccountStatus,
    },
    /// `batch.settled`.
    Batch {
        /// The channel.
        channel: Arc<str>,
        /// Append time.
        at: Timestamp,
        /// The day that it settles, days since 1970-01-01.
        settle_date: Option<i32>,
    },
    /// `marker`.
    Marker {
        /// What people did.
        kind: MarkerKind,
        /// Append time.
        at: Timestamp,
        /// What it touches.
        scope: Vec<(String, String)>,
        /// When it began; its business time where it does not say.
        starts_at: Timestamp,
        /// When it ends, where it says.
        ends_at: Option<Timestamp>,
    },
}

impl Auxiliary {
    /// Whether it announces maintenance.
    pub(crate) fn is_maintenance(&self) -> bool {
        matches!(
            self,
            Self::Marker {
                kind: MarkerKind::Maintenance,
                ..
            }
        )
    }
}
