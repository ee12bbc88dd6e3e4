//! Effects: everything the join wants to be done, as values.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::alert::{Alert, AlertKind};
use crate::event::Currency;
use crate::identity::Fingerprint;
use crate::pairs::{Message, Note};
use crate::time::Timestamp;

/// Index of a channel's name in its partition, see
/// [`Partition::channel_name`](crate::Partition::channel_name).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelIndex(pub u16);

/// One thing to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Write an alert revision.
    Alert(Box<Alert>),
    /// Count a payment or credit.
    Flow(Flow),
    /// Send a message to the pairs stage.
    Pair(Box<Message>),
    /// Send a note to the partition of another payment.
    Note(Box<Note>),
}

/// How a payment left the waiting ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// By a credit.
    Credited,
    /// By a full refund, a reversal or a decline.
    Explained,
    /// Given up.
    WrittenOff,
}

/// What the statistics need to know of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// A payment was accepted.
    Accepted {
        /// The payment.
        payment: Fingerprint,
        /// Its channel.
        channel: ChannelIndex,
        /// Its append time.
        at: Timestamp,
        /// Whether its lag counts: its rule has no `due`.
        timed: bool,
        /// Its first deadline.
        due: Timestamp,
        /// Its amount in minor units.
        amount_minor: u64,
        /// Its currency.
        currency: Currency,
    },
    /// A credit of a known payment was used.
    Credit {
        /// The payment's channel.
        channel: ChannelIndex,
        /// Append time of the credit.
        at: Timestamp,
    },
    /// Risk control holds a payment: its clock stands still. Of further holds nothing is said.
    Held {
        /// Its channel.
        channel: ChannelIndex,
        /// Its append time.
        accepted_at: Timestamp,
        /// Whether its lag counts: its rule has no `due`.
        timed: bool,
        /// Its amount in minor units.
        amount_minor: u64,
        /// Its currency.
        currency: Currency,
    },
    /// A payment passed its first deadline.
    Overdue {
        /// The payment.
        payment: Fingerprint,
        /// Its channel.
        channel: ChannelIndex,
        /// The deadline.
        at: Timestamp,
        /// Its amount in minor units.
        amount_minor: u64,
        /// Its currency.
        currency: Currency,
    },
    /// A payment was closed.
    Closed {
        /// The payment.
        payment: Fingerprint,
        /// Its channel.
        channel: ChannelIndex,
        /// How.
        closing: Closing,
        /// Append time of the payment.
        accepted_at: Timestamp,
        /// Logical moment of the closing.
        at: Timestamp,
        /// Whether its lag counts: its rule has no `due`.
        timed: bool,
        /// Credit append time − payment append time in milliseconds, at least 0.
        lag_ms: u64,
        /// Whether it had passed its first deadline.
        overdue: bool,
        /// Whether its clock stood still for a time.
        held: bool,
        /// Its amount in minor units.
        amount_minor: u64,
        /// Its currency.
        currency: Currency,
    },
    /// An alert was raised or passed another tier.
    Raised {
        /// The payment's channel, where known.
        channel: Option<ChannelIndex>,
        /// What is wrong.
        kind: AlertKind,
        /// The tier that was passed; `None` is `breach`, the only one of every kind but `credit_missing`.
        tier: Option<TierIndex>,
    },
}

/// A tier of a rule, see [`Partition::tier_name`](crate::Partition::tier_name).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TierIndex {
    /// Index of the rule.
    pub rule: u16,
    /// Index of the tier in it.
    pub tier: u8,
}

/// A payment that waits for its credit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its channel.
    pub channel: ChannelIndex,
    /// Its append time.
    pub accepted_at: Timestamp,
    /// Whether its lag counts: its rule has no `due`.
    pub timed: bool,
    /// Whether it has passed its first deadline.
    pub overdue: bool,
    /// Its amount in minor units.
    pub amount_minor: u64,
    /// Its currency.
    pub currency: Currency,
}

/// A list of effects that the caller owns, drains and lends again.
pub type Effects = Vec<Effect>;
