//! A recording made by hand, byte for byte.

use serde_json::Value;
use settlewatch_replay::Until;
use settlewatch_tests::harness::{Bench, Written};
use settlewatch_tests::story::clock;

/// What a record may be counted as.
const OUTCOMES: [&str; 5] = ["used", "duplicate", "late", "before_horizon", "rejected"];

const CONFIG: &str = "version: 1
streams:
  payments: {topic: payments}
  credits: {topic: credits}
  lifecycle: {topic: lifecycle}
  terminals: {topic: terminals, keyed: other}
rules:
  - name: default
    tiers: {breach: 30s}
give_up: 1h
";

/// Noon of the day of the tapes, in milliseconds since the epoch.
pub(crate) fn noon() -> i64 {
    clock("12:00:00")
}

/// A replay under a rule of 30 s.
pub(crate) fn bench() -> Bench {
    Bench::new(CONFIG)
}

/// The members of a payment, each as it stands in JSON.
const PAYMENT: [(&str, &str); 9] = [
    ("type", r#""payment.succeeded""#),
    ("event_id", r#""e1""#),
    ("occurred_at", r#""2026-03-02T12:00:00Z""#),
    ("payment_id", r#""P1""#),
    ("channel", r#""wallet""#),
    ("merchant_id", r#""M1""#),
    ("terminal_id", r#""T1""#),
    ("amount_minor", "10000"),
    ("currency", r#""CNY""#),
];

/// The JSON of a payment with some members replaced or added, and those replaced by nothing left out.
pub(crate) fn payment(changes: &[(&str, &str)]) -> String {
    object(&PAYMENT, changes)
}

/// The JSON of an event about `P1` that has nothing but what every event has.
pub(crate) fn event(kind: &str, event_id: &str, changes: &[(&str, &str)]) -> String {
    let (kind, event_id) = (format!("\"{kind}\""), format!("\"{event_id}\""));
    let members = [
        ("type", kind.as_str()),
        ("event_id", event_id.as_str()),
        PAYMENT[2],
        PAYMENT[3],
    ];
    object(&members, changes)
}

fn object(members: &[(&str, &str)], changes: &[(&str, &str)]) -> String {
    let changed = |name: &str| changes.iter().find(|(other, _)| *other == name);
    let kept = members
        .iter()
        .map(|member| changed(member.0).unwrap_or(member));
    let added = changes
        .iter()
        .filter(|(name, _)| members.iter().all(|(other, _)| other != name));
    let written: Vec<String> = kept
        .chain(added)
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    format!("{{{}}}", written.join(","))
}

/// Lines in the making; unless told otherwise a record is of the partition 0 and appended 1 ms after the last.
pub(crate) struct Tape {
    bytes: Vec<u8>,
    pub(crate) ts: i64,
    lines: u64,
    offset: i64,
}

impl Tape {
    /// Nothing yet; it is noon.
    pub(crate) fn new() -> Self {
        Self {
            bytes: Vec::new(),
            ts: noon(),
            lines: 0,
            offset: -1,
        }
    }

    /// A record with this value.
    pub(crate) fn put(&mut self, topic: &str, value: impl AsRef<[u8]>) -> &mut Self {
        self.ts += 1;
        self.put_at(self.ts, topic, value)
    }

    /// A record with this value and timestamp, whatever the time is.
    pub(crate) fn put_at(&mut self, ts: i64, topic: &str, value: impl AsRef<[u8]>) -> &mut Self {
        let mut line = self.head(topic, ts);
        line.extend_from_slice(b"\"payload\":\"");
        escape_into(&mut line, value.as_ref());
        line.extend_from_slice(b"\"}");
        self.line(line)
    }

    /// A record without a value.
    pub(crate) fn null(&mut self, topic: &str) -> &mut Self {
        self.ts += 1;
        let mut line = self.head(topic, self.ts);
        line.extend_from_slice(b"\"payload\":null}");
        self.line(line)
    }

    /// A line as it is.
    pub(crate) fn line(&mut self, line: impl AsRef<[u8]>) -> &mut Self {
        self.bytes.extend_from_slice(line.as_ref());
        self.bytes.push(b'\n');
        self.lines += 1;
        self
    }

    fn head(&mut self, topic: &str, ts: i64) -> Vec<u8> {
        self.offset += 1;
        let offset = self.offset;
        format!(
            "{{\"topic\":\"{topic}\",\"partition\":0,\"offset\":{offset},\"tstype\":\"create\",\"ts\":{ts},"
        )
        .into_bytes()
    }

    /// The recording.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Replays it until everything is decided, over one and over 7 partitions; every line is counted once.
    #[track_caller]
    pub(crate) fn play(&self) -> Written {
        self.play_until(Until::Drained)
    }

    /// Replays it until then.
    #[track_caller]
    pub(crate) fn play_until(&self, until: Until) -> Written {
        let bench = bench().until(until);
        let written = bench.bytes(&[&self.bytes]).expect("it is replayed");
        let spread = bench.partitions(7).bytes(&[&self.bytes]);
        let spread = spread.expect("it is replayed");
        assert_eq!(written.alerts, spread.alerts, "7 partitions");
        assert_eq!(written.summary, spread.summary, "7 partitions");
        assert_eq!(counted(&written), self.lines, "{}", written.summary);
        written
    }
}

/// Bytes within a JSON string, as kcat writes them: what is not UTF-8 stays as it is.
fn escape_into(line: &mut Vec<u8>, value: &[u8]) {
    for &byte in value {
        match byte {
            b'"' | b'\\' => line.extend_from_slice(&[b'\\', byte]),
            0..0x20 => line.extend_from_slice(format!("\\u{byte:04X}").as_bytes()),
            _ => line.push(byte),
        }
    }
}

/// Records by outcome and bad lines, together; the sums of payments are checked on the way.
#[track_caller]
pub(crate) fn counted(written: &Written) -> u64 {
    let summary = &written.summary;
    let count = |value: &Value| value.as_u64().expect("a count");
    let parts = ["credited", "explained", "written_off", "pending"];
    let closed: u64 = parts.iter().map(|part| count(&summary[*part])).sum();
    assert_eq!(closed, count(&summary["payments"]), "{summary}");
    let streams = summary["records"].as_object().expect("an object");
    let counts = streams
        .values()
        .flat_map(|stream| OUTCOMES.map(|outcome| count(&stream[outcome])));
    counts.sum::<u64>() + written.bad_lines
}

/// Records of a stream: used, duplicate, late, before the horizon, rejected.
pub(crate) fn records(written: &Written, stream: &str) -> [u64; 5] {
    OUTCOMES.map(|outcome| {
        written.summary["records"][stream][outcome]
            .as_u64()
            .expect("a count")
    })
}

/// The lines of `rejected.ndjson`.
pub(crate) fn rejections(written: &Written) -> Vec<Value> {
    written.lines_of("rejected.ndjson")
}
