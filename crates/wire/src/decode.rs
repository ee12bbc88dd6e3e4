//! The canonical event decoder: a record's value to an event, or the first reason why not.
//!
//! One scan proves that the value is JSON and notes where the known members stand; the members of the
//! record's own type are then read in one go, each noting what is wrong with it. So every reason that applies
//! is known, and the first in the order of [`Reason`] is reported.

use settlewatch_join::event::{
    AccountStatus, BatchSettled, Body, Credited, Event, Heartbeat, Marker, MarkerKind, Refund,
    RefundStatus, Refusal, RefusalClass, SettleMode, Stage, Succeeded,
};

use crate::fields::{Field, Fields};
use crate::reason::{Reason, Rejection};
use crate::scan::{Fault, Kind, Scanner};

/// Deepest nesting of a record, the outer object being 1.
const DEPTH: usize = 64;

/// Bounds of a record that are configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest value in bytes.
    pub record_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            record_bytes: 1 << 20,
        }
    }
}

/// Reads the event of a record's value. It borrows from `value` but for strings with escapes.
///
/// A `type` that is absent, no string, or not in the table is unknown: it is judged before the fields, which it
/// decides. Fields of other types are unknown fields and ignored.
///
/// # Errors
///
/// The first reason that applies to the record, in the order of [`Reason`].
pub fn decode<'a>(value: Option<&'a [u8]>, limits: &Limits) -> Result<Event<'a>, Rejection> {
    let value = value.filter(|value| !value.is_empty());
    let Some(value) = value else {
        return Err(Rejection::new(Reason::NullValue, "the record has no value"));
    };
    let text = core::str::from_utf8(value).map_err(|error| {
        Rejection::new(
            Reason::BadUtf8,
            format!("byte {}: expected UTF-8", error.valid_up_to()),
        )
    })?;
    let mut fields = Fields::new(text);
    scan(text, &mut fields)?;
    if value.len() > limits.record_bytes {
        let detail = format!(
            "{} bytes: expected at most {}",
            value.len(),
            limits.record_bytes
        );
        return Err(Rejection::new(Reason::TooLarge, detail));
    }
    read_event(&mut fields)
}

/// Checks that an event may come from its stream: only what speaks of no payment may come from one that is
/// not keyed by payment.
///
/// # Errors
///
/// [`Reason::WrongStream`].
pub fn check_stream(event: &Event<'_>, keyed_other: bool) -> Result<(), Rejection> {
    if keyed_other && event.body.payment_id().is_some() {
        let detail = format!(
            "{}: expected on a stream keyed by payment",
            event.body.type_name()
        );
        return Err(Rejection::new(Reason::WrongStream, detail));
    }
    Ok(())
}

/// Proves that `text` is one JSON object of tolerable depth and finds its known members.
fn scan<'a>(text: &'a str, fields: &mut Fields<'a>) -> Result<(), Rejection> {
    let deepest = scan_json(text, fields).map_err(bad_json)?;
    if deepest > DEPTH {
        let detail = format!("{deepest} levels: expected at most {DEPTH}");
        return Err(Rejection::new(Reason::TooDeep, detail));
    }
    Ok(())
}

/// Proves that `text` is one JSON object and finds its known members; returns how deep it is nested.
fn scan_json<'a>(text: &'a str, fields: &mut Fields<'a>) -> Result<usize, Fault> {
    let mut scanner = Scanner::open(text.as_bytes())?;
    // A name with escapes can only be read once no string is known to hold half a surrogate pair.
    let mut escaped_names = false;
    while let Some((name, value)) = scanner.member()? {
        if name.kind == Kind::Plain {
            fields.put(name, value);
        } else {
            escaped_names = true;
        }
    }
    scanner.finish()?;
    if let Some(at) = scanner.lone_surrogate() {
        let expected = "both halves of a surrogate pair";
        return Err(Fault { at, expected });
    }
    if escaped_names {
        *fields = scan_escaped(text);
    }
    Ok(scanner.deepest())
}

/// Finds the known members of a valid record again, reading names that are written with escapes.
#[cold]
fn scan_escaped(text: &str) -> Fields<'_> {
    let mut fields = Fields::new(text);
    let mut scanner = Scanner::open(text.as_bytes()).expect("the record was scanned before");
    while let Some((name, value)) = scanner.member().expect("the record was scanned before") {
        fields.put_escaped(name, value);
    }
    fields
}

#[cold]
fn bad_json(fault: Fault) -> Rejection {
    Rejection::new(
        Reason::BadJson,
        format!("byte {}: expected {}", fault.at, fault.expected),
    )
}

/// Declares the reader of each type by its name on the wire.
macro_rules! readers {
    ($($name:literal => $read:expr,)+) => {
        fn read_body<'a>(type_name: &str, fields: &mut Fields<'a>) -> Option<Body<'a>> {
            match type_name { $($name => Some($read(fields)),)+ _ => None }
        }
    };
}

readers! {
    "payment.succeeded" => succeeded,
    "terminal.credited" => credited,
    "payment.stage" => stage,
    "payment.authorized" => |fields: &mut Fields<'a>| Body::Authorized { payment_id: fields.text(Field::PaymentId) },
    "payment.refunded" => |fields: &mut Fields<'a>| Body::Refunded(refund(fields)),
    "payment.reversed" => |fields: &mut Fields<'a>| Body::Reversed(refund(fields)),
    "payment.held" => held,
    "payment.released" => |fields: &mut Fields<'a>| Body::Released { payment_id: fields.text(Field::PaymentId) },
    "payment.declined" => |fields: &mut Fields<'a>| Body::Declined(refusal(fields)),
    "credit.rejected" => |fields: &mut Fields<'a>| Body::Rejected(refusal(fields)),
    "terminal.heartbeat" => heartbeat,
    "account.status" => account_status,
    "batch.settled" => batch_settled,
    "marker" => marker,
}

/// Reads the fields that every type has and those of the record's own.
fn read_event<'a>(fields: &mut Fields<'a>) -> Result<Event<'a>, Rejection> {
    let type_name = fields.optional_text(Field::Type).unwrap_or_default();
    let tenant = fields.optional_text(Field::Tenant);
    let event_id = fields.text(Field::EventId);
    let occurred_at = fields.time(Field::OccurredAt);
    // Without a known type nobody knows which fields are required.
    let Some(body) = read_body(&type_name, fields) else {
        return Err(unknown_type());
    };
    match fields.rejection() {
        None => Ok(Event {
            tenant,
            event_id,
            occurred_at,
            body,
        }),
        Some(rejection) => Err(rejection),
    }
}

#[cold]
fn unknown_type() -> Rejection {
    Rejection::new(Reason::UnknownType, "type: expected a known one")
}

fn succeeded<'a>(fields: &mut Fields<'a>) -> Body<'a> {
    Body::Succeeded(Succeeded {
        payment_id: fields.text(Field::PaymentId),
        channel: fields.text(Field::Channel),
        merchant_id: fields.text(Field::MerchantId),
        terminal_id: fields.text(Field::TerminalId),
        amount_minor: fields.money(Field::AmountMinor, 1),
        currency: fields.currency(Field::Currency),
        fee_minor: fields.optional_money(Field::FeeMinor, 0),
        order_amount_minor: fields.optional_money(Field::OrderAmountMinor, 1),
        settle_mode: fields
            .optional_word(Field::SettleMode, SettleMode::parse)
            .unwrap_or(SettleMode::Realtime),
        expected_credit_by: fields.optional_time(Field::ExpectedCreditBy),
        payer_hash: fields.optional_text(Field::PayerHash),
        gateway: fields.optional_text(Field::Gateway),
        acquirer: fields.optional_text(Field::Acquirer),
        connector: fields.optional_text(Field::Connector),
        store_id: fields.optional_text(Field::StoreId),
        region: fields.optional_text(Field::Region),
        carrier: fields.optional_text(Field::Carrier),
        terminal_model: fields.optional_text(Field::TerminalModel),
        pos_vendor: fields.optional_text(Field::PosVendor),
        app_version: fields.optional_text(Field::AppVersion),
        method: fields.optional_text(Field::Method),
        mcc: fields.optional_text(Field::Mcc),
        attrs: fields.strings(Field::Attrs),
    })
}

fn credited<'a>(fields: &mut Fields<'a>) -> Body<'a> {
    Body::Credited(Credited {
        payment_id: fields.text(Field::PaymentId),
        credit_id: fields.optional_text(Field::CreditId),
        channel: fields.optional_text(Field::Channel),
        amount_minor: fields.optional_money(Field::AmountMinor, 1),
        currency: fields.optional_currency(Field::Currency),
        fee_minor: fields.optional_money(Field::FeeMinor, 0),
        terminal_id: fields.optional_text(Field::TerminalId),
        merchant_id: fields.optional_text(Field::MerchantId),
        mcc: fields.optional_text(Field::Mcc),
        partial: fields.rejecting_bool(Field::Partial).unwrap_or(false),
        batch_id: fields.optional_text(Field::BatchId),
    })
}

fn refund<'a>(fields: &mut Fields<'a>) -> Refund<'a> {
    const WORDS: &str = "created, succeeded or failed";
    Refund {
        payment_id: fields.text(Field::PaymentId),
        refund_id: fields.optional_text(Field::RefundId),
        amount_minor: fields.optional_money(Field::AmountMinor, 1),
        status: fields
            .rejecting_word(Field::Status, RefundStatus::parse, WORDS)
            .unwrap_or(RefundStatus::Succeeded),
    }
}

fn held<'a>(fields: &mut Fields<'a>) -> Body<'a> {
    Body::Held {
        payment_id: fields.text(Field::PaymentId),
        reason: fields
            .optional_text(Field::Reason)
            .filter(|reason| matches!(reason.as_ref(), "risk" | "compliance" | "manual")),
        expected_release_at: fields.optional_time(Field::ExpectedReleaseAt),
    }
}

fn refusal<'a>(fields: &mut Fields<'a>) -> Refusal<'a> {
    Refusal {
        payment_id: fields.text(Field::PaymentId),
        channel: fields.optional_text(Field::Channel),
        merchant_id: fields.optional_text(Field::MerchantId),
        terminal_id: fields.optional_text(Field::TerminalId),
        amount_minor: fields.optional_money(Field::AmountMinor, 1),
        currency: fields.optional_currency(Field::Currency),
        code: fields.optional_text(Field::Code),
        class: fields
            .optional_word(Field::Class, RefusalClass::parse)
            .unwrap_or(RefusalClass::Other),
    }
}

fn stage<'a>(fields: &mut Fields<'a>) -> Body<'a> {
    const WORDS: &str =
        "gateway_in, gateway_out, channel_ack, account_posted, terminal_notified or merchant_ack";
    Body::Stage {
        payment_id: fields.text(Field::PaymentId),
        stage: fields
            .word(Field::Stage, Stage::parse, WORDS)
            .unwrap_or(Stage::GatewayIn),
    }
}

fn heartbeat<'a>(fields: &mut Fields<'a>) -> Body<'a> {
    Body::Heartbeat(Heartbeat {
        terminal_id: fields.text(Field::TerminalId),
        network: fields.optional_text(Field::Network),
        rssi_dbm: fields.optional_integer(Field::RssiDbm),
        queue_depth: fields.optional_integer(Field::QueueDepth),
        error_code: fields.optional_text(Field::ErrorCode),
        uptime_s: fields.optional_integer(Field::UptimeS),
        app_version: fields.optional_text(Field::AppVersion),
        signed_in: fields.optional_bool(Field::SignedIn),
    })
}

fn account_status<'a>(fields: &mut Fields<'a>) -> Body<'a> {
    const WORDS: &str = "active, frozen or closed";
    Body::AccountStatus {
        merchant_id: fields.text(Field::MerchantId),
        status: fields
            .word(Field::Status, AccountStatus::parse, WORDS)
            .unwrap_or(AccountStatus::Active),
    }
}

fn batch_settled<'a>(fields: &mut Fields<'a>) -> Body<'a> {
    Body::BatchSettled(BatchSettled {
        channel: fields.text(Field::Channel),
        batch_id: fields.text(Field::BatchId),
        settle_date: fields.optional_date(Field::SettleDate),
        count: fields.optional_integer(Field::Count),
        total_minor: fields.optional_money(Field::TotalMinor, 0),
    })
}

fn marker<'a>(fields: &mut Fields<'a>) -> Body<'a> {
    Body::Marker(Marker {
        kind: MarkerKind::parse(&fields.text(Field::Kind)).unwrap_or(MarkerKind::Other),
        scope: fields.strings(Field::Scope),
        starts_at: fields.optional_time(Field::StartsAt),
        ends_at: fields.optional_time(Field::EndsAt),
    })
}
