//! A revision of an incident as it was written, and incidents as all of their revisions.

use std::collections::BTreeMap;

use serde_json::Value;
use settlewatch_replay::incident_json;
use settlewatch_watch::incident::Incident;

/// A revision.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    /// As it was written.
    pub(crate) json: Value,
}

/// An incident: its revisions that are known, the first first. Compaction may have taken the earlier ones.
pub(crate) type Incidents = BTreeMap<String, Vec<Told>>;

impl Told {
    /// As it is written.
    pub(crate) fn of(incident: &Incident) -> Self {
        Self {
            json: incident_json(incident),
        }
    }

    /// `None` where it is no revision of an incident.
    pub(crate) fn parse(payload: &[u8]) -> Option<Self> {
        let json: Value = serde_json::from_slice(payload).ok()?;
        let is_one = json["schema"] == "settlewatch.incident/1" && json["incident_id"].is_string();
        is_one.then_some(Self { json })
    }

    /// A field that is text; empty where it is not there.
    pub(crate) fn text(&self, field: &str) -> &str {
        self.json[field].as_str().unwrap_or_default()
    }

    pub(crate) fn revision(&self) -> u64 {
        self.json["revision"].as_u64().unwrap_or_default()
    }

    pub(crate) fn is_open(&self) -> bool {
        self.text("state") == "open"
    }

    /// Something of the evidence that is counted.
    pub(crate) fn count(&self, field: &str) -> u64 {
        self.json["evidence"][field].as_u64().unwrap_or_default()
    }

    /// Ids of payments that it names.
    pub(crate) fn samples(&self) -> impl Iterator<Item = &str> {
        let samples = self.json["samples"].as_array().into_iter().flatten();
        samples.filter_map(Value::as_str)
    }

    /// Minor units by currency: `amount_minor` is what is missing now, `touched_minor` all that the fault touched.
    pub(crate) fn money(&self, field: &str) -> Vec<(&str, i128)> {
        let sums = self.json["evidence"][field].as_object();
        let sums = sums.into_iter().flatten();
        sums.filter_map(|(currency, sum)| Some((currency.as_str(), sum.as_str()?.parse().ok()?)))
            .collect()
    }

    /// Its place: field names and the values of each.
    pub(crate) fn scope(&self) -> Vec<(&str, Vec<&str>)> {
        let conditions = self.json["scope"].as_object().into_iter().flatten();
        conditions
            .map(|(field, value)| {
                let values = match value {
                    Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
                    one => one.as_str().into_iter().collect(),
                };
                (field.as_str(), values)
            })
            .collect()
    }

    /// Its place for people: `channel=visa region=east|west`.
    pub(crate) fn place(&self) -> Option<String> {
        let conditions: Vec<_> = self
            .scope()
            .into_iter()
            .map(|(field, values)| format!("{field}={}", values.join("|")))
            .collect();
        (!conditions.is_empty()).then(|| conditions.join(" "))
    }

    /// Open ones first, then by severity, then the most recent.
    fn rank(&self) -> (bool, u8, std::cmp::Reverse<&str>, &str) {
        let severity = match self.text("severity") {
            "critical" => 0,
            "warning" => 1,
            _ => 2,
        };
        let recent = std::cmp::Reverse(self.text("updated_at"));
        (!self.is_open(), severity, recent, self.text("incident_id"))
    }
}

/// Puts revisions to their incidents, each once.
pub(crate) fn gathered(all: impl IntoIterator<Item = Told>) -> Incidents {
    let mut incidents = Incidents::new();
    for told in all {
        let revisions = incidents.entry(told.text("incident_id").to_owned());
        revisions.or_default().push(told);
    }
    for revisions in incidents.values_mut() {
        revisions.sort_by_key(Told::revision);
        revisions.dedup_by_key(|told| told.revision());
    }
    incidents
}

/// The last revision of each, what matters most first.
pub(crate) fn latest(incidents: &Incidents) -> Vec<&Told> {
    let mut all: Vec<&Told> = incidents.values().filter_map(|it| it.last()).collect();
    all.sort_by(|a, b| a.rank().cmp(&b.rank()));
    all
}
