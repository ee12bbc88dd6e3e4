//! Every metric there is, in one table: what is listed is what is registered.

/// What a metric's samples mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Counts by upper bounds.
    Histogram,
}

impl MetricKind {
    /// Its name in the exposition format.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// Declares labels with their names: there are no others, so no payment, merchant or terminal can become one.
macro_rules! labels {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)+) => {
        /// A label.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Label { $($(#[$doc])* $variant,)+ }

        impl Label {
            /// Its name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

labels! {
    /// A payment channel, or `other` beyond the limit.
    Channel = "channel",
    /// ISO 4217.
    Currency = "currency",
    /// What the configuration calls a topic.
    Stream = "stream",
    /// A partition number.
    Partition = "partition",
    /// Why.
    Reason = "reason",
    /// What kind of a thing.
    Kind = "kind",
    /// A step of escalation.
    Tier = "tier",
    /// A cause.
    Verdict = "verdict",
    /// How bad an incident is.
    Severity = "severity",
    /// How it ended.
    Outcome = "outcome",
    /// A share of the payments.
    Quantile = "quantile",
    /// What a lane is doing.
    State = "state",
    /// Version of the program.
    Version = "version",
    /// The commit that it was built from.
    Revision = "revision",
}

/// What is known of a metric before it has a value.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// Full name, with its unit.
    pub name: &'static str,
    /// What its samples mean.
    pub kind: MetricKind,
    /// Its labels; `le` of a histogram is not named.
    pub labels: &'static [Label],
    /// What it says, in a sentence.
    pub help: &'static str,
}

/// Declares metrics with their descriptions, and the list of all.
macro_rules! metrics {
    ($(#[$doc:meta])* $list:ident:
        $($variant:ident = $kind:ident $name:literal [$($label:ident),*] $help:literal,)+) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $list { $(#[doc = $help] $variant,)+ }

        impl $list {
            /// Every metric.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// What is known of it.
            pub const fn description(self) -> Description {
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
    /// A metric of the service.
    Metric:
    EventsConsumed = Counter "events_consumed_total" [Stream]
        "Records that were applied or rejected.",
    EventsApplied = Counter "events_applied_total" [Stream, Outcome]
        "Records by what they counted as; an unmatched credit counts when its payment comes or its grace ends.",
    EventsRejected = Counter "events_rejected_total" [Stream, Reason]
        "Records that are no valid events.",
    EventsMisplaced = Counter "events_misplaced_total" [Stream]
        "Records of payments under another key than the payment's: used where they lie, but a search by key misses them.",
    DeadLetters = Counter "dead_letters_total" [Stream]
        "Records handed to the topic of dead letters.",
    Payments = Counter "payments_total" [Channel]
        "Payments that were accepted.",
    PaymentsClosed = Counter "payments_closed_total" [Channel, Outcome]
        "Payments that no longer wait: credited, explained, or written off.",
    CreditLag = Histogram "credit_lag_seconds" [Channel]
        "From the append time of a payment to that of its credit; batch payments are left out.",
    CreditLagQuantile = Gauge "credit_lag_quantile_seconds" [Channel, Quantile]
        "Quantiles of that time over the last 5 minutes in all partitions, the payments that still wait counted; +Inf where one cannot be known yet. From the active watch alone.",
    PendingPayments = Gauge "pending_payments" [Channel]
        "Payments that wait for their credit.",
    PendingAmount = Gauge "pending_amount" [Channel, Currency]
        "Their money, in units of the currency.",
    OverduePayments = Gauge "overdue_payments" [Channel]
        "Payments that wait beyond their first deadline.",
    OverdueAmount = Gauge "overdue_amount" [Channel, Currency]
        "Their money, in units of the currency: what is at risk.",
    OldestPendingAge = Gauge "oldest_pending_age_seconds" [Channel]
        "How long the oldest waiting payment has waited.",
    Alerts = Counter "alerts_total" [Channel, Kind, Tier]
        "Alerts that were raised or passed another tier.",
    AlertsRetracted = Counter "alerts_retracted_total" [Channel]
        "Alerts that were taken back, because a credit in time became readable too late.",
    IncidentsOpen = Gauge "incidents_open" [Verdict, Severity]
        "Incidents that are open.",
    IncidentPlaces = Gauge "incident_places" [Channel, Stream, Verdict, Severity]
        "Incidents that are open, with the channel and the stream of their scope where it names just one; only from the active watch.",
    IncidentPages = Gauge "incident_pages" [Channel, Stream, Verdict, Severity]
        "Incidents that are open, with what people were told of each first: a correction leaves it as it is; only from the active watch.",
    IncidentMissing = Gauge "incident_missing_payments" [Channel, Stream, Verdict, Severity]
        "Payments that are missing now in the scopes of open incidents.",
    IncidentMissingAmount = Gauge "incident_missing_amount" [Channel, Stream, Currency, Verdict, Severity]
        "Their money, in units of the currency.",
    IncidentExpected = Gauge "incident_expected_payments" [Channel, Stream, Verdict, Severity]
        "Waiting payments in the scopes of open incidents that are expected to miss their first deadline; none where nothing can be told.",
    IncidentExpectedAmount = Gauge "incident_expected_amount" [Channel, Stream, Currency, Verdict, Severity]
        "Their money, in units of the currency.",
    IncidentRevisions = Counter "incident_revisions_total" [Verdict]
        "Revisions of incidents that were written.",
    IncidentOnset = Histogram "incident_onset_seconds" []
        "From the estimated onset of a fault to the opening of its incident.",
    IncidentDelay = Histogram "incident_delay_seconds" []
        "From the end of the second that a revision is dated at to its append time.",
    WatchActive = Gauge "watch_active" []
        "1 where this process has the active watch, 0 where it waits to take over.",
    WatchBehind = Gauge "watch_behind_seconds" []
        "How far the last second that was judged lies behind the brokers' time; only from the active watch.",
    WatchBlind = Gauge "watch_blind_partitions" []
        "Partition numbers that were not known to the end of that second; only from the active watch.",
    WatchJudging = Histogram "watch_judging_seconds" []
        "How long it took to judge a second.",
    WatchUnreadable = Counter "watch_unreadable_total" [Kind]
        "Records that the watch could not read: of the pulse topic, or auxiliary ones.",
    DetectionDelay = Histogram "detection_delay_seconds" []
        "From the moment an alert was due to its append time.",
    Blind = Gauge "blind_seconds" [Stream, Partition]
        "How far behind real time our knowledge of a partition is; +Inf where nothing is known yet.",
    InputHoles = Counter "input_holes_total" [Stream]
        "Times that records were deleted before they were read.",
    Lanes = Gauge "lanes" [State]
        "Lanes by what they are doing.",
    AssignedPartitions = Gauge "assigned_partitions" []
        "Partition numbers that the group gave to this process.",
    Rebalances = Counter "rebalances_total" []
        "Times that the group gave or took partition numbers.",
    RestoreProgress = Gauge "restore_ratio" []
        "Share of the assigned partition numbers whose state is restored.",
    RestoreRecords = Counter "restore_records_total" []
        "Records of state that were read.",
    RestoreBytes = Counter "restore_bytes_total" []
        "Bytes of state that were read.",
    Transactions = Counter "transactions_total" [Outcome]
        "Transactions by how they ended.",
    TransactionDuration = Histogram "transaction_duration_seconds" []
        "From the beginning of a transaction to the answer of the broker.",
    PulseRecords = Counter "pulse_records_total" []
        "Records written for the watch: about one a second of each partition number.",
    PulseBytes = Counter "pulse_bytes_total" []
        "Their bytes.",
    PulseNotes = Counter "pulse_notes_total" [Outcome]
        "What became known of single payments: sent to the watch, or left out because the payment is not in watch.share.",
    WaitingRecords = Gauge "waiting_records" []
        "Records that were read and wait for known time.",
    StateBytes = Gauge "state_bytes" [Kind]
        "Memory of what the lanes remember, about: payments, attributes, finished ids.",
    LimitHits = Counter "limit_hits_total" [Kind]
        "Times that a limit was met.",
    ClientErrors = Counter "client_errors_total" [Reason]
        "Errors that librdkafka reported, by its code.",
    RulesVersion = Gauge "rules_version" []
        "Which rules this process has: 48 bits of a hash of their text, the same for the same rules.",
    ConfigStale = Gauge "config_stale" []
        "1 while partition numbers of this process follow newer rules than its own file.",
    ProcessCpu = Counter "process_cpu_seconds_total" []
        "CPU time of this process.",
    ProcessMemory = Gauge "process_resident_memory_bytes" []
        "Resident memory of this process.",
    BuildInfo = Gauge "build_info" [Version, Revision]
        "Always 1; the labels say what runs.",
}

metrics! {
    /// A metric of `canary`, which serves nothing else.
    CanaryMetric:
    Checks = Counter "canary_checks_total" [Outcome]
        "Checks of `canary` by what came of them.",
    LastSuccess = Gauge "canary_last_success_timestamp_seconds" []
        "When the last check was good, in Unix time; 0 before the first.",
    Delay = Histogram "canary_detection_delay_seconds" []
        "From the first deadline of a payment that is never credited until its alert could be read, by the clock of `canary`.",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_carry_prefix_and_base_unit_and_are_unique() {
        let canary = CanaryMetric::ALL.iter().map(|metric| metric.description());
        let mut metrics: Vec<_> = Metric::ALL
            .iter()
            .map(|metric| metric.description())
            .chain(canary)
            .collect();
        for metric in &metrics {
            let name = metric.name;
            assert!(name.starts_with("settlewatch_"), "{name} lacks the prefix");
            let is_counter = metric.kind == MetricKind::Counter;
            assert_eq!(name.ends_with("_total"), is_counter, "{name}");
            assert!(!name.contains("_ms"), "{name} is no base unit");
            assert!(metric.help.ends_with('.'), "{name}: help is a sentence");
        }
        metrics.sort_by_key(|metric| metric.name);
        assert!(metrics.windows(2).all(|pair| pair[0].name != pair[1].name));
    }

    #[test]
    fn metrics_lie_in_their_list_in_order() {
        for (at, &metric) in Metric::ALL.iter().enumerate() {
            assert_eq!(metric as usize, at);
        }
    }
}
