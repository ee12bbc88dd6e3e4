//! What the tests of the decoder share: valid records of every type.
#![allow(dead_code, reason = "each test program uses a part")]

use settlewatch_wire::{Limits, Reason, decode};

/// A valid record of every type, with all its fields.
pub(crate) const VALID: &[&str] = &[
    r#"{"type":"payment.succeeded","event_id":"e1","occurred_at":"2026-03-01T09:30:00+08:00","tenant":"t1","payment_id":"pay-1","channel":"qr","merchant_id":"mer-1","terminal_id":"term-1","amount_minor":12800,"currency":"CNY","fee_minor":0,"order_amount_minor":12800,"settle_mode":"t1","expected_credit_by":"2026-03-02T18:00:00+08:00","payer_hash":"ph","gateway":"gw","acquirer":"acq","connector":"con","store_id":"st","region":"north","carrier":"car","terminal_model":"mod","pos_vendor":"ven","app_version":"1.2","method":"nfc","mcc":"5411","attrs":{"lane":"7","shop":"西湖"}}"#,
    r#"{"type":"terminal.credited","event_id":"e2","occurred_at":"2026-03-01T01:30:02Z","payment_id":"pay-1","credit_id":"cr-1","channel":"qr","amount_minor":12800,"currency":"CNY","fee_minor":77,"terminal_id":"term-1","merchant_id":"mer-1","mcc":"5411","partial":false,"batch_id":"b1"}"#,
    r#"{"type":"payment.authorized","event_id":"e3","occurred_at":"2026-03-01T01:29:59Z","payment_id":"pay-1"}"#,
    r#"{"type":"payment.refunded","event_id":"e4","occurred_at":"2026-03-01T01:31:00Z","payment_id":"pay-1","refund_id":"re-1","amount_minor":100,"status":"created"}"#,
    r#"{"type":"payment.reversed","event_id":"e5","occurred_at":"2026-03-01T01:31:00Z","payment_id":"pay-1","refund_id":"re-2","amount_minor":100,"status":"failed"}"#,
    r#"{"type":"payment.held","event_id":"e6","occurred_at":"2026-03-01T01:31:00Z","payment_id":"pay-1","reason":"risk","expected_release_at":"2026-03-01T05:00:00Z"}"#,
    r#"{"type":"payment.released","event_id":"e7","occurred_at":"2026-03-01T01:31:00Z","payment_id":"pay-1"}"#,
    r#"{"type":"payment.declined","event_id":"e8","occurred_at":"2026-03-01T01:31:00Z","payment_id":"pay-1","channel":"qr","merchant_id":"mer-1","terminal_id":"term-1","amount_minor":100,"currency":"JPY","code":"51","class":"insufficient"}"#,
    r#"{"type":"credit.rejected","event_id":"e9","occurred_at":"2026-03-01T01:31:00Z","payment_id":"pay-1","channel":"qr","merchant_id":"mer-1","terminal_id":"term-1","amount_minor":100,"currency":"JPY","code":"61","class":"limit"}"#,
    r#"{"type":"payment.stage","event_id":"e10","occurred_at":"2026-03-01T01:31:00Z","payment_id":"pay-1","stage":"channel_ack"}"#,
    r#"{"type":"terminal.heartbeat","event_id":"e11","occurred_at":"2026-03-01T01:31:00Z","terminal_id":"term-1","network":"4G","rssi_dbm":-71,"queue_depth":3,"error_code":"E7","uptime_s":86400,"app_version":"1.2","signed_in":true}"#,
    r#"{"type":"account.status","event_id":"e12","occurred_at":"2026-03-01T01:31:00Z","merchant_id":"mer-1","status":"frozen"}"#,
    r#"{"type":"batch.settled","event_id":"e13","occurred_at":"2026-03-01T01:31:00Z","channel":"qr","batch_id":"b1","settle_date":"2026-03-01","count":12,"total_minor":0}"#,
    r#"{"type":"marker","event_id":"e14","occurred_at":"2026-03-01T01:31:00Z","kind":"deploy","scope":{"gateway":"gw"},"starts_at":"2026-03-01T01:00:00Z","ends_at":"2026-03-01T02:00:00Z"}"#,
];

/// The valid record of a type.
pub(crate) fn valid(type_name: &str) -> serde_json::Map<String, serde_json::Value> {
    let start = format!(r#"{{"type":"{type_name}","#);
    let record = VALID
        .iter()
        .find(|record| record.starts_with(&start))
        .expect("a type of the table");
    serde_json::from_str(record).expect("a valid record")
}

/// The valid record of a type with `name` replaced by the JSON text `value`, or without it for "".
pub(crate) fn with(type_name: &str, changes: &[(&str, &str)]) -> String {
    let mut record = valid(type_name);
    for (name, value) in changes {
        record.remove(*name);
        if !value.is_empty() {
            // Text that serde_json would normalise, as 1.0 or 1e3, is put in below.
            record.insert(
                (*name).to_owned(),
                serde_json::Value::String(format!("@{name}@")),
            );
        }
    }
    let mut text = serde_json::to_string(&record).expect("a record");
    for (name, value) in changes {
        text = text.replace(&format!("\"@{name}@\""), value);
    }
    text
}

/// Why the decoder rejects a value; `None` where it does not.
pub(crate) fn reason(value: impl AsRef<[u8]>) -> Option<Reason> {
    decode(Some(value.as_ref()), &Limits::default())
        .err()
        .map(|rejection| rejection.reason)
}
