//! What the generator will say: records before they are bytes.

use std::sync::Arc;

use crate::channels::{Channel, Route};

/// The four topics, in the order of judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// `payment.succeeded`.
    Payments,
    /// `terminal.credited`.
    Credits,
    /// What else happens to payments.
    Lifecycle,
    /// Heartbeats, batches, accounts and markers.
    Terminals,
}

impl Topic {
    /// Every topic, in the order of judgement.
    pub const ALL: [Self; 4] = [
        Self::Payments,
        Self::Credits,
        Self::Lifecycle,
        Self::Terminals,
    ];

    /// Its name, which is also the name of its stream.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Payments => "payments",
            Self::Credits => "credits",
            Self::Lifecycle => "lifecycle",
            Self::Terminals => "terminals",
        }
    }
}

/// A record to be written.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    /// Append time, milliseconds since the epoch.
    pub(crate) at: i64,
    /// Business time.
    pub(crate) occurred_at: i64,
    pub(crate) topic: Topic,
    /// Kafka key.
    pub(crate) key: String,
    pub(crate) event_id: String,
    /// A second delivery of a record that was written before.
    pub(crate) again: bool,
    pub(crate) what: What,
}

impl Draft {
    /// Moves every time in it.
    pub(crate) fn tell_at(&mut self, told: impl Fn(i64) -> i64) {
        self.at = told(self.at);
        self.occurred_at = told(self.occurred_at);
        match &mut self.what {
            What::Paid(payment) if payment.expected_credit_by.is_some() => {
                let payment = Arc::make_mut(payment);
                payment.expected_credit_by = payment.expected_credit_by.map(told);
            }
            What::Held { release_by, .. } => *release_by = release_by.map(told),
            What::Marker {
                starts_at, ends_at, ..
            } => (*starts_at, *ends_at) = (starts_at.map(&told), ends_at.map(&told)),
            _ => {}
        }
    }
}

/// What happened.
#[derive(Clone, Debug)]
pub(crate) enum What {
    Paid(Arc<Payment>),
    Credited(Credit),
    Authorized {
        channel: &'static str,
        amount_minor: u64,
        currency: &'static str,
    },
    Refunded {
        refund_id: String,
        amount_minor: u64,
        status: &'static str,
    },
    Reversed,
    Held {
        reason: &'static str,
        release_by: Option<i64>,
    },
    Released,
    Declined {
        channel: &'static str,
        code: &'static str,
        class: &'static str,
    },
    Rejected {
        channel: &'static str,
        code: &'static str,
        class: &'static str,
    },
    Stage(&'static str),
    Heartbeat(Heartbeat),
    BatchSettled {
        channel: &'static str,
        batch_id: String,
        settle_date: String,
        count: u64,
        total_minor: u64,
    },
    AccountStatus {
        merchant_id: String,
        status: &'static str,
    },
    Marker {
        kind: &'static str,
        scope: Vec<(&'static str, String)>,
        starts_at: Option<i64>,
        ends_at: Option<i64>,
    },
}

/// A payment that succeeded.
#[derive(Clone, Debug)]
pub(crate) struct Payment {
    pub(crate) id: String,
    pub(crate) channel: &'static Channel,
    /// Index of the terminal in the world.
    pub(crate) terminal: usize,
    pub(crate) terminal_id: String,
    pub(crate) merchant_id: String,
    pub(crate) amount_minor: u64,
    pub(crate) currency: &'static str,
    pub(crate) fee_minor: Option<u64>,
    pub(crate) order_amount_minor: Option<u64>,
    pub(crate) settle_mode: &'static str,
    pub(crate) expected_credit_by: Option<i64>,
    pub(crate) payer_hash: String,
    pub(crate) route: Route,
    pub(crate) acquirer: &'static str,
    pub(crate) method: &'static str,
}

/// A credit; what it does not say is `None`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Credit {
    pub(crate) credit_id: String,
    pub(crate) channel: &'static str,
    pub(crate) amount_minor: Option<u64>,
    pub(crate) currency: Option<&'static str>,
    pub(crate) fee_minor: Option<u64>,
    pub(crate) terminal_id: Option<String>,
    pub(crate) merchant_id: Option<String>,
    pub(crate) mcc: Option<&'static str>,
    pub(crate) partial: bool,
    pub(crate) batch_id: Option<String>,
}

/// A sign of life.
#[derive(Clone, Debug)]
pub(crate) struct Heartbeat {
    pub(crate) network: &'static str,
    pub(crate) rssi_dbm: i64,
    pub(crate) queue_depth: u64,
    pub(crate) uptime_s: i64,
    pub(crate) app_version: &'static str,
    pub(crate) error_code: Option<&'static str>,
    pub(crate) signed_in: bool,
}
