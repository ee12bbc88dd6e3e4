//! Drafts to bytes: the canonical event, and the envelope that `kcat -C -J` prints.

use std::fmt::{Display, Write as _};
use std::io::{self, Write};

use memchr::memchr3;

use crate::civil::{Zone, push_rfc3339};
use crate::event::{Credit, Draft, Heartbeat, Payment, What};
use crate::record::Record;
use crate::world::World;

/// Enough bytes for most events, so that they are not moved while they grow.
const fn capacity(what: &What) -> usize {
    match what {
        What::Paid(_) => 768,
        What::Credited(_) | What::Heartbeat(_) => 384,
        _ => 224,
    }
}

/// A JSON object under construction; fields stand in the order in which they are added.
struct Object {
    text: String,
}

impl Object {
    fn with_capacity(bytes: usize) -> Self {
        let mut text = String::with_capacity(bytes);
        text.push('{');
        Self { text }
    }

    /// Keys are the generator's own names: nothing in them needs an escape.
    fn key(&mut self, key: &str) {
        self.text
            .push_str(if self.text.len() > 1 { ",\"" } else { "\"" });
        self.text.push_str(key);
        self.text.push_str("\":");
    }

    /// Values are the generator's own as well.
    fn string(mut self, key: &str, value: &str) -> Self {
        debug_assert!(!value.contains(['"', '\\', '\n']), "{key}: {value}");
        self.key(key);
        self.text.push('"');
        self.text.push_str(value);
        self.text.push('"');
        self
    }

    fn raw(mut self, key: &str, value: impl Display) -> Self {
        self.key(key);
        // Writing to a string does not fail.
        let _ = write!(self.text, "{value}");
        self
    }

    fn time(mut self, key: &str, at: i64, zone: Zone) -> Self {
        self.key(key);
        self.text.push('"');
        push_rfc3339(&mut self.text, at, zone);
        self.text.push('"');
        self
    }

    fn some_string(self, key: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.string(key, value),
            None => self,
        }
    }

    fn some_raw(self, key: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.raw(key, value),
            None => self,
        }
    }

    fn some_time(self, key: &str, at: Option<i64>) -> Self {
        match at {
            Some(at) => self.time(key, at, Zone::Shanghai),
            None => self,
        }
    }

    fn end(mut self) -> String {
        self.text.push('}');
        self.text
    }
}

/// Appends `value`, printable but for line ends, as a JSON string.
fn push_string(text: &mut String, value: &str) {
    text.push('"');
    let mut rest = value;
    while let Some(place) = memchr3(b'"', b'\\', b'\n', rest.as_bytes()) {
        text.push_str(&rest[..place]);
        text.push('\\');
        text.push(match rest.as_bytes()[place] {
            b'\n' => 'n',
            mark => char::from(mark),
        });
        rest = &rest[place + 1..];
    }
    text.push_str(rest);
    text.push('"');
}

/// The canonical event of `draft`.
pub(crate) fn payload(draft: &Draft, world: &World) -> String {
    let zone = match draft.what {
        What::Credited(_) | What::BatchSettled { .. } => Zone::Utc,
        _ => Zone::Shanghai,
    };
    let head = Object::with_capacity(capacity(&draft.what))
        .string("type", kind(&draft.what))
        .string("event_id", &draft.event_id)
        .time("occurred_at", draft.occurred_at, zone);
    body(head, draft, world).end()
}

const fn kind(what: &What) -> &'static str {
    match what {
        What::Paid(_) => "payment.succeeded",
        What::Credited(_) => "terminal.credited",
        What::Authorized { .. } => "payment.authorized",
        What::Refunded { .. } => "payment.refunded",
        What::Reversed => "payment.reversed",
        What::Held { .. } => "payment.held",
        What::Released => "payment.released",
        What::Declined { .. } => "payment.declined",
        What::Rejected { .. } => "credit.rejected",
        What::Stage(_) => "payment.stage",
        What::Heartbeat(_) => "terminal.heartbeat",
        What::BatchSettled { .. } => "batch.settled",
        What::AccountStatus { .. } => "account.status",
        What::Marker { .. } => "marker",
    }
}

fn body(head: Object, draft: &Draft, world: &World) -> Object {
    match &draft.what {
        What::Paid(payment) => paid(head, payment, world),
        What::Credited(credit) => credited(head.string("payment_id", &draft.key), credit),
        What::Heartbeat(heartbeat) => alive(head.string("terminal_id", &draft.key), heartbeat),
        What::BatchSettled {
            channel,
            batch_id,
            settle_date,
            count,
            total_minor,
        } => head
            .string("channel", channel)
            .string("batch_id", batch_id)
            .string("settle_date", settle_date)
            .raw("count", count)
            .raw("total_minor", total_minor),
        What::AccountStatus {
            merchant_id,
            status,
        } => head
            .string("merchant_id", merchant_id)
            .string("status", status),
        What::Marker {
            kind,
            scope,
            starts_at,
            ends_at,
        } => marker(head, kind, scope, [*starts_at, *ends_at]),
        _ => lifecycle(head.string("payment_id", &draft.key), &draft.what),
    }
}

fn marker(
    head: Object,
    kind: &str,
    scope: &[(&'static str, String)],
    [starts_at, ends_at]: [Option<i64>; 2],
) -> Object {
    let fields = scope
        .iter()
        .fold(Object::with_capacity(64), |object, (name, value)| {
            object.string(name, value)
        });
    head.string("kind", kind)
        .raw("scope", fields.end())
        .some_time("starts_at", starts_at)
        .some_time("ends_at", ends_at)
}

fn lifecycle(head: Object, what: &What) -> Object {
    match what {
        What::Authorized {
            channel,
            amount_minor,
            currency,
        } => head
            .string("channel", channel)
            .raw("amount_minor", amount_minor)
            .string("currency", currency),
        What::Refunded {
            refund_id,
            amount_minor,
            status,
        } => head
            .string("refund_id", refund_id)
            .raw("amount_minor", amount_minor)
            .string("status", status),
        What::Held { reason, release_by } => head
            .string("reason", reason)
            .some_time("expected_release_at", *release_by),
        What::Declined {
            channel,
            code,
            class,
        }
        | What::Rejected {
            channel,
            code,
            class,
        } => head
            .string("channel", channel)
            .string("code", code)
            .string("class", class),
        What::Stage(stage) => head.string("stage", stage),
        _ => head,
    }
}

fn paid(head: Object, payment: &Payment, world: &World) -> Object {
    let terminal = &world.terminals[payment.terminal];
    let attrs = Object::with_capacity(32)
        .string("lane", &terminal.lane.to_string())
        .end();
    head.string("payment_id", &payment.id)
        .string("channel", payment.channel.name)
        .string("merchant_id", &payment.merchant_id)
        .string("terminal_id", &payment.terminal_id)
        .raw("amount_minor", payment.amount_minor)
        .string("currency", payment.currency)
        .some_raw("fee_minor", payment.fee_minor)
        .some_raw("order_amount_minor", payment.order_amount_minor)
        .string("settle_mode", payment.settle_mode)
        .some_time("expected_credit_by", payment.expected_credit_by)
        .string("payer_hash", &payment.payer_hash)
        .string("gateway", payment.route.gateway)
        .string("acquirer", payment.acquirer)
        .string("connector", payment.route.connector)
        .string("store_id", &terminal.store)
        .string("region", terminal.region)
        .string("carrier", terminal.carrier)
        .string("terminal_model", terminal.model)
        .string("pos_vendor", terminal.vendor)
        .string("app_version", terminal.app_version)
        .string("method", payment.method)
        .string("mcc", world.merchants[terminal.merchant].mcc)
        .raw("attrs", attrs)
}

fn credited(head: Object, credit: &Credit) -> Object {
    let head = head
        .string("credit_id", &credit.credit_id)
        .string("channel", credit.channel)
        .some_raw("amount_minor", credit.amount_minor)
        .some_string("currency", credit.currency)
        .some_raw("fee_minor", credit.fee_minor)
        .some_string("terminal_id", credit.terminal_id.as_deref())
        .some_string("merchant_id", credit.merchant_id.as_deref())
        .some_string("mcc", credit.mcc)
        .some_string("batch_id", credit.batch_id.as_deref());
    if credit.partial {
        head.raw("partial", true)
    } else {
        head
    }
}

fn alive(head: Object, heartbeat: &Heartbeat) -> Object {
    head.string("network", heartbeat.network)
        .raw("rssi_dbm", heartbeat.rssi_dbm)
        .raw("queue_depth", heartbeat.queue_depth)
        .raw("uptime_s", heartbeat.uptime_s)
        .string("app_version", heartbeat.app_version)
        .some_string("error_code", heartbeat.error_code)
        .raw("signed_in", heartbeat.signed_in)
}

/// Writes `record` as one line of a recording.
pub(crate) fn write_line(out: &mut impl Write, record: &Record) -> io::Result<()> {
    let mut payload = String::with_capacity(record.payload.len() * 5 / 4);
    push_string(&mut payload, &record.payload);
    let mut key = String::new();
    push_string(&mut key, &record.key);
    writeln!(
        out,
        r#"{{"topic":"{}","partition":{},"offset":{},"tstype":"logappend","ts":{},"key":{key},"payload":{payload}}}"#,
        record.topic.name(),
        record.partition,
        record.offset,
        record.ts_ms,
    )
}
