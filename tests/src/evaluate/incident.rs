//! An incident as its revisions tell it.

use std::collections::BTreeMap;

use serde_json::Value;
use settlewatch_wire::parse_time;

use crate::harness::json_lines;

/// Field and the values of which one must hold.
pub type Scope = BTreeMap<String, Vec<String>>;

/// What all revisions of one incident come to. Times are milliseconds since the epoch.
#[derive(Clone, Debug)]
pub struct Incident {
    /// Its id.
    pub id: String,
    /// The verdict of its last revision.
    pub verdict: String,
    /// The verdict of its first revision.
    pub first_verdict: String,
    /// The scope of its last revision.
    pub scope: Scope,
    /// When it was raised.
    pub opened_at: i64,
    /// When it is said to have begun.
    pub started_at: Option<i64>,
    /// When it was resolved.
    pub resolved_at: Option<i64>,
    /// The greatest severity that it ever had.
    pub severity: String,
    /// Whether people were paged.
    pub paged: bool,
    /// How many revisions it has.
    pub revisions: usize,
    /// `confirmed`, `inferred` or `guess`.
    pub basis: String,
    /// What it says it is not.
    pub ruled_out: Vec<String>,
}

fn first(line: &Value, id: String) -> Incident {
    Incident {
        id,
        verdict: String::new(),
        first_verdict: text(&line["verdict"]),
        scope: Scope::new(),
        opened_at: time(&line["opened_at"]).unwrap_or(0),
        started_at: None,
        resolved_at: None,
        severity: "info".into(),
        paged: false,
        revisions: 0,
        basis: String::new(),
        ruled_out: Vec::new(),
    }
}

impl Incident {
    /// The incidents of `incidents.ndjson`, in the order in which they were raised.
    ///
    /// # Panics
    /// When a line is no JSON.
    pub fn read(bytes: &[u8]) -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        for line in json_lines(bytes) {
            let id = text(&line["incident_id"]);
            let place = found.iter().position(|incident| incident.id == id);
            let place = place.unwrap_or_else(|| {
                found.push(first(&line, id));
                found.len() - 1
            });
            found[place].take(&line);
        }
        found.sort_by(|a, b| (a.opened_at, &a.id).cmp(&(b.opened_at, &b.id)));
        found
    }

    fn take(&mut self, line: &Value) {
        self.revisions += 1;
        self.verdict = text(&line["verdict"]);
        self.basis = text(&line["basis"]);
        self.scope = scope(&line["scope"]);
        self.started_at = time(&line["started_at"]);
        self.resolved_at = time(&line["resolved_at"]);
        let severity = text(&line["severity"]);
        self.paged |= severity != "info";
        if rank(&severity) > rank(&self.severity) {
            self.severity = severity;
        }
        let ruled_out = line["evidence"]["ruled_out"].as_array();
        self.ruled_out = ruled_out.into_iter().flatten().map(text).collect();
    }
}

fn rank(severity: &str) -> u8 {
    ["info", "warning", "critical"]
        .iter()
        .zip(0..)
        .find_map(|(name, rank)| (*name == severity).then_some(rank))
        .unwrap_or(3)
}

fn scope(value: &Value) -> Scope {
    let fields = value.as_object().into_iter().flatten();
    let fields = fields.map(|(name, value)| {
        let mut values: Vec<String> = match value {
            Value::Array(values) => values.iter().map(text).collect(),
            value => vec![text(value)],
        };
        values.sort();
        (name.clone(), values)
    });
    fields.collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn time(value: &Value) -> Option<i64> {
    Some(parse_time(value.as_str()?)?.millis())
}
