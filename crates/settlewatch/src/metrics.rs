//! Every metric there is, in one table: what is listed is what is registered.

/// What a metric's samples mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MetricKind {
    Counter,
    Gauge,
    Histogram,
}

impl MetricKind {
    /// Its name in the exposition format.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// Declares labels with their names: there are no others, so no payment, merchant or terminal can become one.
macro_rules! labels {
    ($($variant:ident = $name:literal,)+) => {
        /// A label.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Label { $($variant,)+ }

        impl Label {
            /// Its name.
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

labels! {
    Channel = "channel",
    Currency = "currency",
    Stream = "stream",
    Partition = "partition",
    Reason = "reason",
    Kind = "kind",
    Tier = "tier",
    Verdict = "verdict",
    Severity = "severity",
    Quantile = "quantile",
    Version = "version",
    Revision = "revision",
}

/// What is known of a metric before it has a value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Description {
    /// Full name, with its unit.
    pub(crate) name: &'static str,
    /// What its samples mean.
    pub(crate) kind: MetricKind,
    /// Its labels; `le` of a histogram is not named.
    pub(crate) labels: &'static [Label],
    /// What it says, in a sentence.
    pub(crate) help: &'static str,
}

/// Declares metrics with their descriptions, and the list of all.
macro_rules! metrics {
    ($($variant:ident = $kind:ident $name:literal [$($label:ident),*] $help:literal,)+) => {
        /// A metric.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Metric { $($variant,)+ }

        impl Metric {
            /// Every metric.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// What is known of it.
            pub(crate) const fn description(self) -> Description {
                match self {
                    $(Self::$variant => Description {
                        name: concat!("settlewatch_", $name),
                        kind: MetricKind::$kind,
                        labels: &[$(Label::$label),*],
                        help: $help,
                    },)+
                }
            }
        }
    };
}

metrics! {
    EventsConsumed = Counter "events_consumed_total" [Stream]
        "Records read, the rejected included.",
    EventsRejected = Counter "events_rejected_total" [Stream, Reason]
        "Records that are no valid events.",
    CreditLag = Histogram "credit_lag_seconds" [Channel]
        "From the append time of a payment to that of its credit; batch payments are left out.",
    CreditLagQuantile = Gauge "credit_lag_quantile_seconds" [Channel, Quantile]
        "Quantiles of that time over the last 5 minutes, the payments that still wait counted; +Inf where one cannot be known yet.",
    PendingPayments = Gauge "pending_payments" [Channel]
        "Payments that wait for their credit.",
    PendingAmount = Gauge "pending_amount" [Channel, Currency]
        "Their money, in units of the currency.",
    OverduePayments = Gauge "overdue_payments" [Channel]
        "Payments that wait beyond their first deadline.",
    OldestPendingAge = Gauge "oldest_pending_age_seconds" [Channel]
        "How long the oldest waiting payment has waited.",
    Alerts = Counter "alerts_total" [Channel, Kind, Tier]
        "Alerts that were raised or passed another tier.",
    IncidentsOpen = Gauge "incidents_open" [Verdict, Severity]
        "Incidents that are open.",
    DetectionDelay = Histogram "detection_delay_seconds" []
        "From the moment an alert was due to its append time.",
    Blind = Gauge "blind_seconds" [Stream, Partition]
        "How far behind real time our knowledge of a partition is.",
    BuildInfo = Gauge "build_info" [Version, Revision]
        "Always 1; the labels say what runs.",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_carry_prefix_and_base_unit_and_are_unique() {
        let mut names: Vec<_> = Metric::ALL
            .iter()
            .map(|metric| metric.description())
            .collect();
        for metric in &names {
            assert!(
                metric.name.starts_with("settlewatch_"),
                "{} lacks the prefix",
                metric.name
            );
            let is_counter = metric.kind == MetricKind::Counter;
            assert_eq!(
                metric.name.ends_with("_total"),
                is_counter,
                "{}",
                metric.name
            );
            assert!(
                !metric.name.contains("_ms"),
                "{} is no base unit",
                metric.name
            );
            assert!(
                metric.help.ends_with('.'),
                "{}: help is a sentence",
                metric.name
            );
        }
        names.sort_by_key(|metric| metric.name);
        assert!(names.windows(2).all(|pair| pair[0].name != pair[1].name));
    }
}
