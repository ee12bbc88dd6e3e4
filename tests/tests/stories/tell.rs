//! Tells a story to a replay and reads its alerts back as short lines.

use std::collections::BTreeMap;

use serde_json::Value;
use settlewatch_join::Timestamp;
use settlewatch_replay::Until;
use settlewatch_tests::story::{Story, clock};

use settlewatch_tests::harness::{Bench, Written};

/// The streams of every story.
const STREAMS: &str = "version: 1
streams:
  payments: {topic: payments}
  credits: {topic: credits}
  lifecycle: {topic: lifecycle}
  terminals: {topic: terminals, keyed: other}
orphan_credit: {after: 2m}
duplicate_payment: {window: 10m}
hold: {limit: 1h}
redelivery_horizon: 26h
give_up: 1d
";

/// Warn after 30 s, breach after 2 min, escalate after 10 min.
const USUAL: &str = "rules:
  - name: default
    tiers: {warn: 30s, breach: 2m, escalate: 10m}
";

/// A story, the rules it is judged by, and where its clock stops.
pub(crate) struct Tale {
    story: Story,
    rules: String,
    until: Until,
}

/// What came of it.
pub(crate) struct Told {
    written: Written,
}

/// A story under the usual rules, up to its last record.
pub(crate) fn tell(story: Story) -> Tale {
    Tale {
        story,
        rules: USUAL.to_owned(),
        until: Until::LastRecord,
    }
}

impl Tale {
    /// Under these rules; calendars and the like may stand before them.
    pub(crate) fn under(mut self, rules: &str) -> Self {
        rules.clone_into(&mut self.rules);
        self
    }

    /// The clock goes on to this time.
    pub(crate) fn until(mut self, time: &str) -> Self {
        self.until = Until::Time(Timestamp::from_millis(clock(time)));
        self
    }

    /// The clock goes on until nothing is pending.
    pub(crate) fn drained(mut self) -> Self {
        self.until = Until::Drained;
        self
    }

    /// These alert lines, and no other, must come; those of one alert in this order. Whatever the number of
    /// partitions, recorded or virtual.
    #[track_caller]
    pub(crate) fn says(self, expected: &[&str]) -> Told {
        let yaml = format!("{STREAMS}{}", self.rules);
        let bench = Bench::new(&yaml).until(self.until);
        let written = bench.lines(&self.story.lines(1)).expect("it is replayed");
        let spread = bench.partitions(7);
        let virtually = spread.lines(&self.story.lines(1)).expect("it is replayed");
        let difference = written.difference(&virtually);
        assert_eq!(difference, None, "7 virtual partitions differ from one");
        let recorded = spread.lines(&self.story.lines(7)).expect("it is replayed");
        assert_eq!(written.alerts, recorded.alerts, "7 recorded partitions");
        check_revisions(&written.alerts);
        check_sums(&written.summary, self.story.drafts().len());
        let said: Vec<String> = written.alerts.iter().map(line).collect();
        assert_eq!(in_order(&said), in_order(expected));
        Told { written }
    }
}

impl Told {
    /// The values of alerts.
    pub(crate) fn alerts(&self) -> &[Value] {
        &self.written.alerts
    }

    /// The rows of channels.
    pub(crate) fn channels(&self) -> Vec<Value> {
        self.written.lines_of("channels.ndjson")
    }

    /// What stands in the summary at a JSON pointer.
    pub(crate) fn summary(&self, pointer: &str) -> &Value {
        self.written
            .summary
            .pointer(pointer)
            .unwrap_or(&Value::Null)
    }

    /// Payments: credited, explained, written off, pending, and of those overdue.
    #[track_caller]
    pub(crate) fn counts(self, expected: [u64; 5]) -> Self {
        let parts = ["credited", "explained", "written_off", "pending", "overdue"];
        let counts = parts.map(|part| number(&self.written.summary[part]));
        assert_eq!(counts, expected, "{parts:?}");
        self
    }

    /// Records of a stream: used, duplicate, late, before the horizon, rejected.
    #[track_caller]
    pub(crate) fn records(self, stream: &str, expected: [u64; 5]) -> Self {
        let counts =
            OUTCOMES.map(|outcome| number(&self.written.summary["records"][stream][outcome]));
        assert_eq!(counts, expected, "{stream}: {OUTCOMES:?}");
        self
    }
}

const OUTCOMES: [&str; 5] = ["used", "duplicate", "late", "before_horizon", "rejected"];

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a count")
}

/// By time, then payment and kind: ids of alerts are hashes, so their order cannot be told in advance.
fn in_order<S: AsRef<str>>(lines: &[S]) -> Vec<&str> {
    let mut lines: Vec<&str> = lines.iter().map(AsRef::as_ref).collect();
    let key = |line: &str| {
        let (at, rest) = line.split_once(" | ").unwrap_or(("", line));
        let alert: Vec<String> = rest.split(' ').take(2).map(str::to_owned).collect();
        (at.len(), at.to_owned(), alert)
    };
    lines.sort_by_key(|line| key(line));
    lines
}

/// `TIME | PAYMENT KIND STATE [RESOLUTION] TIER [VERDICT] [AMOUNT CURRENCY] [due TIME] [lag MS] [with PAYMENT]`;
/// a deadline is left out where it is the moment of the decision.
fn line(alert: &Value) -> String {
    let text = |field: &str| alert[field].as_str();
    let mut line = format!("{} | ", short(text("decided_at").expect("always there")));
    if let Some(tenant) = text("tenant") {
        line.push_str(&format!("{tenant}/"));
    }
    let plain = [
        "payment_id",
        "kind",
        "state",
        "resolution",
        "tier",
        "verdict",
    ];
    let words: Vec<&str> = plain.into_iter().filter_map(text).collect();
    line.push_str(&words.join(" "));
    match (&alert["amount_minor"], text("currency")) {
        (Value::Null, None) => {}
        (Value::Null, Some(currency)) => line.push_str(&format!(" ? {currency}")),
        (amount, currency) => line.push_str(&format!(" {amount} {}", currency.unwrap_or("?"))),
    }
    if let Some(deadline) = text("deadline").filter(|it| Some(*it) != text("decided_at")) {
        line.push_str(&format!(" due {}", short(deadline)));
    }
    if let Some(lag_ms) = alert["lag_ms"].as_i64() {
        line.push_str(&format!(" lag {lag_ms}"));
    }
    if let Some(related) = text("related_payment_id") {
        line.push_str(&format!(" with {related}"));
    }
    if text("kind") == Some("credit_missing") && alert["deadline"].is_null() {
        line.push_str(" without deadline");
    }
    line
}

/// The time of day on the day of the story, else day and time; whole seconds without milliseconds.
fn short(time: &str) -> String {
    let time = time.strip_suffix('Z').expect("times are UTC");
    let time = time.strip_suffix(".000").unwrap_or(time);
    match time.strip_prefix("2026-03-02T") {
        Some(time_of_day) => time_of_day.to_owned(),
        None => time.strip_prefix("2026-").unwrap_or(time).replace('T', " "),
    }
}

/// Revisions count from 1 without a gap, an id names one payment and kind, and lines are in order.
#[track_caller]
fn check_revisions(alerts: &[Value]) {
    let mut last = BTreeMap::new();
    let mut names = BTreeMap::new();
    let mut previous = None;
    for alert in alerts {
        let id = alert["alert_id"].as_str().expect("an id").to_owned();
        let name = format!(
            "{}/{}/{}",
            alert["tenant"], alert["payment_id"], alert["kind"]
        );
        let named = names.entry(name).or_insert_with(|| id.clone());
        assert_eq!(*named, id, "one id a payment and kind");
        let revision = last.entry(id.clone()).or_insert(0);
        *revision += 1;
        assert_eq!(number(&alert["revision"]), *revision, "{alert}");
        let decided_at = alert["decided_at"].as_str().expect("a time").to_owned();
        let place = Some((decided_at, id, *revision));
        assert!(previous < place, "{alert}");
        previous = place;
    }
    assert_eq!(names.len(), last.len(), "one payment and kind an id");
}

/// Every payment and every record is counted once.
#[track_caller]
fn check_sums(summary: &Value, lines: usize) {
    let parts = ["credited", "explained", "written_off", "pending"];
    let sum: u64 = parts.iter().map(|part| number(&summary[*part])).sum();
    assert_eq!(sum, number(&summary["payments"]));
    assert!(number(&summary["overdue"]) <= number(&summary["pending"]));
    let money = summary["amount_minor"].as_object().expect("an object");
    for sums in money.values() {
        let amount = |part: &str| -> u128 {
            let text = sums[part].as_str().expect("money is a string");
            text.parse().expect("money is an integer")
        };
        let sum: u128 = parts.iter().map(|part| amount(part)).sum();
        assert_eq!(sum, amount("payments"));
    }
    let streams = summary["records"].as_object().expect("an object");
    let counted: u64 = streams
        .values()
        .flat_map(|stream| OUTCOMES.map(|outcome| number(&stream[outcome])))
        .sum();
    assert_eq!(counted, lines as u64, "records: {}", summary["records"]);
}
