//! What open incidents amount to, by what labels may say of them.

use std::collections::BTreeMap;

use settlewatch_join::event::Currency;
use settlewatch_watch::incident::cause::Cause;
use settlewatch_watch::incident::{Incident, Scoped, Severity};

use crate::currency::in_units;
use crate::descriptors::Metric;
use crate::families::Families;

/// The channel and the stream of a scope, each where it names one and only one; else empty, which is no label.
pub(crate) fn place(scope: &Scoped) -> [&str; 2] {
    ["channel", "stream"].map(|key| {
        let values = scope.iter().filter(|(name, _)| name == key);
        let mut values = values.flat_map(|(_, values)| values);
        match (values.next(), values.next()) {
            (Some(only), None) => only.as_str(),
            _ => "",
        }
    })
}

/// What incidents of the same labels have together.
#[derive(Clone, Debug, Default)]
struct Sums {
    incidents: u64,
    missing: u64,
    missing_minor: BTreeMap<Currency, u128>,
    /// Where one of them can be told what to expect.
    expected: Option<f64>,
    expected_minor: BTreeMap<Currency, u128>,
}

/// Channel, stream, verdict and severity.
type Labels = (String, String, &'static str, &'static str);

/// Incidents that are open.
#[derive(Clone, Debug, Default)]
pub(crate) struct OpenIncidents {
    by_labels: BTreeMap<Labels, Sums>,
    /// How many, by the labels with which people were told of them first.
    told: BTreeMap<Labels, u64>,
}

impl OpenIncidents {
    /// Adds one; `channel` says how a channel is called in a label.
    pub(crate) fn add<'a>(&mut self, incident: &'a Incident, channel: impl Fn(&'a str) -> &'a str) {
        let labels = |cause: Cause, severity: Severity, scope: &'a Scoped| {
            let [place, stream] = place(scope);
            let place = channel(place).to_owned();
            (place, stream.to_owned(), cause.label(), severity.as_str())
        };
        let told = &incident.told;
        let first = labels(told.cause, told.severity, &told.scope);
        *self.told.entry(first).or_default() += 1;
        let now = labels(incident.finding.cause, incident.severity, &incident.scope);
        let sums = self.by_labels.entry(now).or_default();
        let evidence = &incident.evidence;
        sums.incidents += 1;
        sums.missing += evidence.open;
        add_all(&mut sums.missing_minor, &evidence.amount_minor);
        if let Some(expected) = &evidence.expected_missing {
            *sums.expected.get_or_insert_default() += expected.count;
            add_all(&mut sums.expected_minor, &expected.amount_minor);
        }
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The gauges that speak of open incidents.
    pub(crate) const GAUGES: [Metric; 7] = [
        Metric::IncidentsOpen,
        Metric::IncidentPlaces,
        Metric::IncidentPages,
        Metric::IncidentMissing,
        Metric::IncidentMissingAmount,
        Metric::IncidentExpected,
        Metric::IncidentExpectedAmount,
    ];

    /// Writes them into gauges, which were reset.
    pub(crate) fn write(&self, families: &Families) {
        for ((channel, stream, verdict, severity), count) in &self.told {
            let labels = [channel.as_str(), stream, verdict, severity];
            let pages = families.gauge(Metric::IncidentPages, &labels);
            pages.set(*count as f64);
        }
        for ((channel, stream, verdict, severity), sums) in &self.by_labels {
            let open = families.gauge(Metric::IncidentsOpen, &[verdict, severity]);
            open.add(sums.incidents as f64);
            let labels = [channel.as_str(), stream, verdict, severity];
            let set = |metric, value| families.gauge(metric, &labels).set(value);
            set(Metric::IncidentPlaces, sums.incidents as f64);
            set(Metric::IncidentMissing, sums.missing as f64);
            if let Some(expected) = sums.expected {
                set(Metric::IncidentExpected, expected);
            }
            for (metric, amounts) in [
                (Metric::IncidentMissingAmount, &sums.missing_minor),
                (Metric::IncidentExpectedAmount, &sums.expected_minor),
            ] {
                for (&currency, &minor) in amounts {
                    let labels = [labels[0], labels[1], currency.as_str(), verdict, severity];
                    let units = in_units(currency, i128::try_from(minor).unwrap_or(i128::MAX));
                    families.gauge(metric, &labels).set(units);
                }
            }
        }
    }
}

fn add_all(sums: &mut BTreeMap<Currency, u128>, amounts: &BTreeMap<Currency, u128>) {
    for (&currency, &minor) in amounts {
        let sum = sums.entry(currency).or_default();
        *sum = sum.saturating_add(minor);
    }
}
