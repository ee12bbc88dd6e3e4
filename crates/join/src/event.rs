//! Canonical events as the join reads them: parsed, validated, borrowed from the record.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::time::Timestamp;

/// A string of a record: borrowed, unless an escape made a copy necessary.
pub type Text<'a> = Cow<'a, str>;

/// Where a record stands. Its order is the canonical order of judgement: append time, stream rank, then
/// the place itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// When the broker appended the record: never decreasing within a partition.
    pub at: Timestamp,
    /// Rank of the stream in ties: payments 0, credits 1, lifecycle 2, the others 3 and up in the order of
    /// the configuration. It is also the index of the stream's counters.
    pub stream: u8,
    /// Partition number.
    pub partition: i32,
    /// Offset within the partition.
    pub offset: i64,
}

/// An accepted record: a valid event and the place it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Where it was read.
    pub place: Place,
    /// What it says.
    pub event: Event<'a>,
}

/// A canonical event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// Namespace of the payment id.
    pub tenant: Option<Text<'a>>,
    /// Identity of this event among those of its type and subject.
    pub event_id: Text<'a>,
    /// Business time, truncated to the millisecond.
    pub occurred_at: Timestamp,
    /// What happened.
    pub body: Body<'a>,
}

/// What happened, by `type`.
#[expect(
    clippy::large_enum_variant,
    reason = "events live on the stack while they are judged; a box would cost an allocation a payment"
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body<'a> {
    /// `payment.succeeded`.
    Succeeded(Succeeded<'a>),
    /// `terminal.credited`.
    Credited(Credited<'a>),
    /// `payment.authorized`.
    Authorized {
        /// The payment.
        payment_id: Text<'a>,
    },
    /// `payment.refunded`.
    Refunded(Refund<'a>),
    /// `payment.reversed`.
    Reversed(Refund<'a>),
    /// `payment.held`.
    Held {
        /// The payment.
        payment_id: Text<'a>,
        /// Who holds it, where said.
        reason: Option<Text<'a>>,
        /// When it should be released, where said.
        expected_release_at: Option<Timestamp>,
    },
    /// `payment.released`.
    Released {
        /// The payment.
        payment_id: Text<'a>,
    },
    /// `payment.declined`.
    Declined(Refusal<'a>),
    /// `credit.rejected`.
    Rejected(Refusal<'a>),
    /// `payment.stage`.
    Stage {
        /// The payment.
        payment_id: Text<'a>,
        /// The step it reached.
        stage: Stage,
    },
    /// `terminal.heartbeat`.
    Heartbeat(Heartbeat<'a>),
    /// `account.status`.
    AccountStatus {
        /// The merchant.
        merchant_id: Text<'a>,
        /// What its account is.
        status: AccountStatus,
    },
    /// `batch.settled`.
    BatchSettled(BatchSettled<'a>),
    /// `marker`.
    Marker(Marker<'a>),
}

/// `payment.succeeded`: the payer's side is done, a credit is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Succeeded<'a> {
    /// Identity within the tenant.
    pub payment_id: Text<'a>,
    /// The payment channel.
    pub channel: Text<'a>,
    /// The merchant to be credited.
    pub merchant_id: Text<'a>,
    /// The terminal to be credited.
    pub terminal_id: Text<'a>,
    /// Gross amount in minor units, at least 1.
    pub amount_minor: u64,
    /// ISO 4217 code.
    pub currency: Currency,
    /// Fee that the credit may be net of, in minor units.
    pub fee_minor: Option<u64>,
    /// What the order asked for, in minor units.
    pub order_amount_minor: Option<u64>,
    /// When the money is due; absent means realtime.
    pub settle_mode: SettleMode,
    /// The due time of a batch payment, where the payment names it.
    pub expected_credit_by: Option<Timestamp>,
    /// Pseudonym of the payer; never leaves the process.
    pub payer_hash: Option<Text<'a>>,
    /// Payment gateway.
    pub gateway: Option<Text<'a>>,
    /// Acquirer.
    pub acquirer: Option<Text<'a>>,
    /// Connector.
    pub connector: Option<Text<'a>>,
    /// Store.
    pub store_id: Option<Text<'a>>,
    /// Region.
    pub region: Option<Text<'a>>,
    /// Network carrier of the terminal.
    pub carrier: Option<Text<'a>>,
    /// Model of the terminal.
    pub terminal_model: Option<Text<'a>>,
    /// Vendor of the terminal.
    pub pos_vendor: Option<Text<'a>>,
    /// Software version of the terminal.
    pub app_version: Option<Text<'a>>,
    /// Payment method.
    pub method: Option<Text<'a>>,
    /// Merchant category code.
    pub mcc: Option<Text<'a>>,
    /// Further attributes: name and value of those whose value is a string.
    pub attrs: Vec<(Text<'a>, Text<'a>)>,
}

/// `terminal.credited`: the money arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credited<'a> {
    /// The payment it credits.
    pub payment_id: Text<'a>,
    /// Identity among the credits of the payment; without it, the event id.
    pub credit_id: Option<Text<'a>>,
    /// The channel, where said.
    pub channel: Option<Text<'a>>,
    /// Credited amount in minor units, where said.
    pub amount_minor: Option<u64>,
    /// Its currency, where said.
    pub currency: Option<Currency>,
    /// Fee withheld according to the credit, where said.
    pub fee_minor: Option<u64>,
    /// The credited terminal, where said.
    pub terminal_id: Option<Text<'a>>,
    /// The credited merchant, where said.
    pub merchant_id: Option<Text<'a>>,
    /// Merchant category code the credit was priced with, where said.
    pub mcc: Option<Text<'a>>,
    /// One part of several.
    pub partial: bool,
    /// The settlement batch, where said.
    pub batch_id: Option<Text<'a>>,
}

/// `payment.refunded` and `payment.reversed`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund<'a> {
    /// The payment given back.
    pub payment_id: Text<'a>,
    /// Identity of the refund over its states, where said.
    pub refund_id: Option<Text<'a>>,
    /// Amount in minor units; absent means the whole payment.
    pub amount_minor: Option<u64>,
    /// How far it is; absent means succeeded.
    pub status: RefundStatus,
}

/// `payment.declined` and `credit.rejected`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal<'a> {
    /// The payment refused.
    pub payment_id: Text<'a>,
    /// The channel, where said.
    pub channel: Option<Text<'a>>,
    /// The merchant, where said.
    pub merchant_id: Option<Text<'a>>,
    /// The terminal, where said.
    pub terminal_id: Option<Text<'a>>,
    /// The amount in minor units, where said.
    pub amount_minor: Option<u64>,
    /// Its currency, where said.
    pub currency: Option<Currency>,
    /// The refusing party's own code, where said.
    pub code: Option<Text<'a>>,
    /// The class of that code.
    pub class: RefusalClass,
}

/// `terminal.heartbeat`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat<'a> {
    /// The terminal that is alive.
    pub terminal_id: Text<'a>,
    /// Kind of network.
    pub network: Option<Text<'a>>,
    /// Signal strength in dBm.
    pub rssi_dbm: Option<i64>,
    /// Messages waiting in the terminal.
    pub queue_depth: Option<u64>,
    /// The terminal's own error code.
    pub error_code: Option<Text<'a>>,
    /// Seconds since it started.
    pub uptime_s: Option<u64>,
    /// Its software version.
    pub app_version: Option<Text<'a>>,
    /// Whether a merchant is signed in.
    pub signed_in: Option<bool>,
}

/// `batch.settled`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchSettled<'a> {
    /// The channel that settled.
    pub channel: Text<'a>,
    /// Identity of the batch.
    pub batch_id: Text<'a>,
    /// The day it settles, as days since 1970-01-01.
    pub settle_date: Option<i32>,
    /// Credits in the batch.
    pub count: Option<u64>,
    /// Their sum in minor units.
    pub total_minor: Option<u64>,
}

/// `marker`: something people did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker<'a> {
    /// What they did.
    pub kind: MarkerKind,
    /// What it touches: field names and values, all of which hold.
    pub scope: Vec<(Text<'a>, Text<'a>)>,
    /// When it began.
    pub starts_at: Option<Timestamp>,
    /// When it ended.
    pub ends_at: Option<Timestamp>,
}

/// An ISO 4217 alphabetic code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The code `letters`; `None` unless it is three capital letters. Whether ISO 4217 lists it is for the
    /// decoder to check.
    pub const fn new(letters: [u8; 3]) -> Option<Self> {
        let [a, b, c] = letters;
        if a.is_ascii_uppercase() && b.is_ascii_uppercase() && c.is_ascii_uppercase() {
            Some(Self(letters))
        } else {
            None
        }
    }

    /// Its three letters, as bytes.
    pub const fn letters(self) -> [u8; 3] {
        self.0
    }

    /// Its three letters.
    pub fn as_str(&self) -> &str {
        // Capital letters by construction.
        core::str::from_utf8(&self.0).unwrap_or("???")
    }
}

impl core::fmt::Debug for Currency {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl core::fmt::Display for Currency {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Declares an enum whose variants are words on the wire, with the two conversions.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[doc = $meaning:literal])+ $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[doc = $meaning])+ $variant,)+ }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Every word on the wire, and what it means.
            pub const WORDS: &'static [(&'static str, &'static str)] =
                &[$(($word, concat!($($meaning),+).trim_ascii()),)+];

            /// The word on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The value of a word on the wire.
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use words;

words! {
    /// When a payment's money is due.
    SettleMode {
        /// At once.
        Realtime = "realtime",
        /// The same day, in a batch.
        D0 = "d0",
        /// The next business day, in a batch.
        T1 = "t1",
    }
}

words! {
    /// How far a refund or reversal is.
    RefundStatus {
        /// Asked for.
        Created = "created",
        /// Done.
        Succeeded = "succeeded",
        /// Will not happen.
        Failed = "failed",
    }
}

words! {
    /// Why a payment or credit was refused.
    RefusalClass {
        /// An amount limit.
        Limit = "limit",
        /// Too many in a time.
        Frequency = "frequency",
        /// Not enough money.
        Insufficient = "insufficient",
        /// The account is frozen.
        Frozen = "frozen",
        /// Not allowed for this merchant, card or terminal.
        NotPermitted = "not_permitted",
        /// Taken for a duplicate.
        Duplicate = "duplicate",
        /// The payer did not complete the authorisation.
        AuthIncomplete = "auth_incomplete",
        /// Malformed request.
        Format = "format",
        /// The issuer cannot be reached.
        IssuerDown = "issuer_down",
        /// No answer in time.
        Timeout = "timeout",
        /// The refusing system failed.
        System = "system",
        /// Anything else, and absent.
        Other = "other",
    }
}

words! {
    /// A step of a payment's way.
    Stage {
        /// The gateway has it.
        GatewayIn = "gateway_in",
        /// The gateway has passed it on.
        GatewayOut = "gateway_out",
        /// The channel has acknowledged it.
        ChannelAck = "channel_ack",
        /// It is posted to the account.
        AccountPosted = "account_posted",
        /// The terminal was told.
        TerminalNotified = "terminal_notified",
        /// The merchant's system acknowledged it.
        MerchantAck = "merchant_ack",
    }
}

words! {
    /// What a merchant's account is.
    AccountStatus {
        /// It works.
        Active = "active",
        /// It is frozen.
        Frozen = "frozen",
        /// It is closed.
        Closed = "closed",
    }
}

words! {
    /// What people did.
    MarkerKind {
        /// Deployed software.
        Deploy = "deploy",
        /// Changed a configuration.
        Config = "config",
        /// Announced maintenance.
        Maintenance = "maintenance",
        /// Ran a campaign.
        Campaign = "campaign",
        /// Something else.
        Other = "other",
    }
}

impl Body<'_> {
    /// The `type` on the wire.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::Succeeded(_) => "payment.succeeded",
            Self::Credited(_) => "terminal.credited",
            Self::Authorized { .. } => "payment.authorized",
            Self::Refunded(_) => "payment.refunded",
            Self::Reversed(_) => "payment.reversed",
            Self::Held { .. } => "payment.held",
            Self::Released { .. } => "payment.released",
            Self::Declined(_) => "payment.declined",
            Self::Rejected(_) => "credit.rejected",
            Self::Stage { .. } => "payment.stage",
            Self::Heartbeat(_) => "terminal.heartbeat",
            Self::AccountStatus { .. } => "account.status",
            Self::BatchSettled(_) => "batch.settled",
            Self::Marker(_) => "marker",
        }
    }

    /// The payment it speaks of; `None` for heartbeats, account status, batches and markers.
    pub fn payment_id(&self) -> Option<&str> {
        match self {
            Self::Succeeded(body) => Some(&body.payment_id),
            Self::Credited(body) => Some(&body.payment_id),
            Self::Refunded(body) | Self::Reversed(body) => Some(&body.payment_id),
            Self::Declined(body) | Self::Rejected(body) => Some(&body.payment_id),
            Self::Authorized { payment_id }
            | Self::Held { payment_id, .. }
            | Self::Released { payment_id }
            | Self::Stage { payment_id, .. } => Some(payment_id),
            Self::Heartbeat(_)
            | Self::AccountStatus { .. }
            | Self::BatchSettled(_)
            | Self::Marker(_) => None,
        }
    }
}
