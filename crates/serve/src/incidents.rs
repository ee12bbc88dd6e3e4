//! What open incidents amount to, by what labels may say of them.

use std::collections::BTreeMap;

use settlewatch_join::event::Currency;
use settlewatch_watch::incident::Incident;

use crate::currency::in_units;
use crate::descriptors::Metric;
use crate::families::Families;

/// Its channel and its stream, each where its scope names one and only one; else empty, which is no label.
pub(crate) fn place(incident: &Incident) -> [&str; 2] {
    ["channel", "stream"].map(|key| {
        let values = incident.scope.iter().filter(|(name, _)| name == key);
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

/// Incidents that are open, by channel, stream, verdict and severity.
#[derive(Clone, Debug, Default)]
pub(crate) struct OpenIncidents(BTreeMap<(String, String, &'static str, &'static str), Sums>);

impl OpenIncidents {
    /// Adds one; `channel` and `stream` as labels say them.
    pub(crate) fn add(&mut self, incident: &Incident, [channel, stream]: [&str; 2]) {
        let (verdict, severity) = (incident.finding.cause.label(), incident.severity.as_str());
        let labels = (channel.to_owned(), stream.to_owned(), verdict, severity);
        let sums = self.0.entry(labels).or_default();
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
        self.0.clear();
    }

    /// The gauges that speak of open incidents.
    pub(crate) const GAUGES: [Metric; 6] = [
        Metric::IncidentsOpen,
        Metric::IncidentPlaces,
        Metric::IncidentMissing,
        Metric::IncidentMissingAmount,
        Metric::IncidentExpected,
        Metric::IncidentExpectedAmount,
    ];

    /// Writes them into gauges, which were reset.
    pub(crate) fn write(&self, families: &Families) {
        for ((channel, stream, verdict, severity), sums) in &self.0 {
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
