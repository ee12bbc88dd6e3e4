//! The canonical events as a table: every type, its fields, what may stand in them and what they mean.
//!
//! The decoder reads each type by code, since that is fast; `tests/table.rs` holds it against this table, field by field.

use settlewatch_join::event::{
    AccountStatus, MarkerKind, RefundStatus, RefusalClass, SettleMode, Stage,
};

use crate::reason::Reason;

/// Words and what each means.
type Words = &'static [(&'static str, &'static str)];

/// A type of event.
#[derive(Clone, Copy, Debug)]
pub struct EventType {
    /// `type` on the wire.
    pub name: &'static str,
    /// What happened.
    pub meaning: &'static str,
    /// Its fields beside those of every event.
    pub fields: &'static [FieldRule],
}

/// A field of a type.
#[derive(Clone, Copy, Debug)]
pub struct FieldRule {
    /// Its name on the wire.
    pub name: &'static str,
    /// Whether a record without it is rejected (`missing_field`).
    pub required: bool,
    /// What may stand in it.
    pub shape: Shape,
    /// What it means.
    pub meaning: &'static str,
}

/// What may stand in a field.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// A string of 1 to 256 bytes.
    Text,
    /// One of some words. Where it is not `strict`, any other word counts as absent.
    Words {
        /// The words.
        words: Words,
        /// Whether another word rejects the record.
        strict: bool,
    },
    /// An integer in minor units, from `least` to 2^63 − 1.
    Money {
        /// The smallest.
        least: u64,
    },
    /// An ISO 4217 code in capitals.
    Currency,
    /// RFC 3339 with an offset.
    Time,
    /// `true` or `false`.
    Bool {
        /// Whether anything else rejects the record.
        strict: bool,
    },
    /// An integer.
    Integer,
    /// A date, `YYYY-MM-DD`.
    Date,
    /// An object of strings.
    Strings,
}

/// What becomes of a record with a malformed field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// It is rejected.
    Rejects(Reason),
    /// The field counts as absent.
    Absent,
}

impl FieldRule {
    /// What becomes of a record in which this field is malformed.
    pub const fn malformed(&self) -> Malformed {
        match self.shape {
            Shape::Money { .. } => Malformed::Rejects(Reason::BadMoney),
            Shape::Currency => Malformed::Rejects(Reason::BadCurrency),
            Shape::Time => Malformed::Rejects(Reason::BadTime),
            Shape::Words { strict: true, .. } | Shape::Bool { strict: true } => {
                Malformed::Rejects(Reason::BadType)
            }
            _ if self.required => Malformed::Rejects(Reason::BadType),
            _ => Malformed::Absent,
        }
    }
}

const fn required(name: &'static str, shape: Shape, meaning: &'static str) -> FieldRule {
    FieldRule {
        name,
        required: true,
        shape,
        meaning,
    }
}

const fn optional(name: &'static str, shape: Shape, meaning: &'static str) -> FieldRule {
    FieldRule {
        name,
        required: false,
        shape,
        meaning,
    }
}

const fn text(name: &'static str, meaning: &'static str) -> FieldRule {
    optional(name, Shape::Text, meaning)
}

const AMOUNT: Shape = Shape::Money { least: 1 };
const AMOUNT_OR_NOTHING: Shape = Shape::Money { least: 0 };

const HOLDERS: Words = &[
    ("risk", "Risk control."),
    ("compliance", "Compliance."),
    ("manual", "A person."),
];

const PAYMENT_ID: FieldRule = required("payment_id", Shape::Text, "The payment.");

/// The fields that every event has.
pub const COMMON_FIELDS: &[FieldRule] = &[
    required(
        "type",
        Shape::Text,
        "What the record means, on whichever topic it arrives.",
    ),
    required(
        "event_id",
        Shape::Text,
        "Identity of the event among those of its type and subject: the same again is a redelivery.",
    ),
    required(
        "occurred_at",
        Shape::Time,
        "Business time. It moves no deadline: append time does.",
    ),
    text("tenant", "Namespace of the payment id."),
];

const PAYMENT: &[FieldRule] = &[
    PAYMENT_ID,
    required("channel", Shape::Text, "The payment channel."),
    required("merchant_id", Shape::Text, "The merchant to be credited."),
    required("terminal_id", Shape::Text, "The terminal to be credited."),
    required("amount_minor", AMOUNT, "Gross amount, in minor units."),
    required("currency", Shape::Currency, "Its currency."),
    optional(
        "fee_minor",
        AMOUNT_OR_NOTHING,
        "Fee that the credit may be net of.",
    ),
    optional(
        "order_amount_minor",
        AMOUNT,
        "What the order asked for: another amount is an alert.",
    ),
    optional(
        "settle_mode",
        Shape::Words {
            words: SettleMode::WORDS,
            strict: false,
        },
        "When the money is due; absent means `realtime`.",
    ),
    optional(
        "expected_credit_by",
        Shape::Time,
        "When it is due, in a rule with `due`: wins over the calendar.",
    ),
    text(
        "payer_hash",
        "Pseudonym of the payer, to notice the same payment made twice. Hashed on arrival, never written.",
    ),
    text("gateway", "Payment gateway."),
    text("acquirer", "Acquirer."),
    text("connector", "Connector."),
    text("store_id", "Store."),
    text("region", "Region."),
    text("carrier", "Network carrier of the terminal."),
    text("terminal_model", "Model of the terminal."),
    text("pos_vendor", "Vendor of the terminal."),
    text("app_version", "Software version of the terminal."),
    text("method", "Payment method."),
    text("mcc", "Merchant category code."),
    optional(
        "attrs",
        Shape::Strings,
        "Further attributes, for rules, `match: {attrs.NAME: …}`, and as dimensions, `dimensions: [attrs.NAME]`.",
    ),
];

const CREDIT: &[FieldRule] = &[
    PAYMENT_ID,
    text(
        "credit_id",
        "Identity among the credits of the payment; without it, `event_id`.",
    ),
    text("channel", "The channel."),
    optional("amount_minor", AMOUNT, "Credited amount, in minor units."),
    optional("currency", Shape::Currency, "Its currency."),
    optional("fee_minor", AMOUNT_OR_NOTHING, "Fee that was withheld."),
    text("terminal_id", "The credited terminal."),
    text("merchant_id", "The credited merchant."),
    text("mcc", "Merchant category code that it was priced with."),
    optional(
        "partial",
        Shape::Bool { strict: true },
        "One part of several; absent means the whole.",
    ),
    text("batch_id", "Settlement batch."),
];

const REFUND: &[FieldRule] = &[
    PAYMENT_ID,
    text("refund_id", "Identity of the refund over its states."),
    optional(
        "amount_minor",
        AMOUNT,
        "Amount, in minor units; absent means the whole payment.",
    ),
    optional(
        "status",
        Shape::Words {
            words: RefundStatus::WORDS,
            strict: true,
        },
        "How far it is; absent means `succeeded`.",
    ),
];

const HELD: &[FieldRule] = &[
    PAYMENT_ID,
    optional(
        "reason",
        Shape::Words {
            words: HOLDERS,
            strict: false,
        },
        "Who holds it.",
    ),
    optional(
        "expected_release_at",
        Shape::Time,
        "When it should be released; absent means `hold.limit` later.",
    ),
];

const REFUSAL: &[FieldRule] = &[
    PAYMENT_ID,
    text("channel", "The channel."),
    text("merchant_id", "The merchant."),
    text("terminal_id", "The terminal."),
    optional("amount_minor", AMOUNT, "The amount, in minor units."),
    optional("currency", Shape::Currency, "Its currency."),
    text("code", "The refusing party's own code."),
    optional(
        "class",
        Shape::Words {
            words: RefusalClass::WORDS,
            strict: false,
        },
        "What that code means; anything else is `other`.",
    ),
];

const STAGE: &[FieldRule] = &[
    PAYMENT_ID,
    required(
        "stage",
        Shape::Words {
            words: Stage::WORDS,
            strict: true,
        },
        "The step it reached.",
    ),
];

const HEARTBEAT: &[FieldRule] = &[
    required("terminal_id", Shape::Text, "The terminal."),
    text("network", "Kind of network."),
    optional("rssi_dbm", Shape::Integer, "Signal strength, in dBm."),
    optional(
        "queue_depth",
        Shape::Integer,
        "Messages that wait in the terminal.",
    ),
    text("error_code", "The terminal's own error code."),
    optional("uptime_s", Shape::Integer, "Seconds since it started."),
    text("app_version", "Its software version."),
    optional(
        "signed_in",
        Shape::Bool { strict: false },
        "Whether a merchant is signed in.",
    ),
];

const ACCOUNT: &[FieldRule] = &[
    required("merchant_id", Shape::Text, "The merchant."),
    required(
        "status",
        Shape::Words {
            words: AccountStatus::WORDS,
            strict: true,
        },
        "What its account is.",
    ),
];

const BATCH: &[FieldRule] = &[
    required("channel", Shape::Text, "The channel that settled."),
    required("batch_id", Shape::Text, "The batch."),
    optional("settle_date", Shape::Date, "The day it settles."),
    optional("count", Shape::Integer, "Credits in it."),
    optional(
        "total_minor",
        AMOUNT_OR_NOTHING,
        "Their sum, in minor units.",
    ),
];

const MARKER: &[FieldRule] = &[
    required(
        "kind",
        Shape::Words {
            words: MarkerKind::WORDS,
            strict: false,
        },
        "What people did; another word is `other`.",
    ),
    optional(
        "scope",
        Shape::Strings,
        "What it touches: fields and values, all of which hold.",
    ),
    optional("starts_at", Shape::Time, "When it began."),
    optional("ends_at", Shape::Time, "When it ended."),
];

const fn event(
    name: &'static str,
    meaning: &'static str,
    fields: &'static [FieldRule],
) -> EventType {
    EventType {
        name,
        meaning,
        fields,
    }
}

/// Every type.
pub const EVENT_TYPES: &[EventType] = &[
    event(
        "payment.succeeded",
        "The payer's side is done: a credit is due. The first accepted record of a payment stands.",
        PAYMENT,
    ),
    event(
        "terminal.credited",
        "The money arrived. What the credit does not say fits its payment.",
        CREDIT,
    ),
    event(
        "payment.authorized",
        "Authorised only: no credit is due yet.",
        &[PAYMENT_ID],
    ),
    event(
        "payment.refunded",
        "Given back, in part or whole: the whole explains a missing credit.",
        REFUND,
    ),
    event(
        "payment.reversed",
        "Undone: explains a missing credit, unless it failed.",
        REFUND,
    ),
    event(
        "payment.held",
        "Held for review: by the first deadline, it stops the clock.",
        HELD,
    ),
    event(
        "payment.released",
        "No longer held: the clock starts anew.",
        &[PAYMENT_ID],
    ),
    event(
        "payment.declined",
        "Declined after all: explains a missing credit, unless an earlier attempt is meant.",
        REFUSAL,
    ),
    event(
        "credit.rejected",
        "The credit was refused: closes nothing, but names the cause of an alert.",
        REFUSAL,
    ),
    event(
        "payment.stage",
        "A step of the payment's way; it neither stops nor hurries the clock.",
        STAGE,
    ),
    event("terminal.heartbeat", "A terminal is alive.", HEARTBEAT),
    event(
        "account.status",
        "A merchant's account changed or is as before.",
        ACCOUNT,
    ),
    event("batch.settled", "A channel settled a batch.", BATCH),
    event("marker", "People did something that may matter.", MARKER),
];
