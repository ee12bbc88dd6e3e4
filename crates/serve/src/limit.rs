//! Limits that can be met: what exceeds one is counted, never silent.

/// A limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// A channel has no series of its own: `limits.channels`.
    Channels,
    /// A deadline has no edge in the histogram of lags.
    Deadlines,
    /// A record is too long: `limits.record_bytes`.
    RecordBytes,
    /// Too many payments wait: `limits.waiting_payments`.
    WaitingPayments,
    /// Too many records wait for known time: `limits.waiting_records`.
    WaitingRecords,
    /// More payments wait than the watch tells apart: quantiles of the lag are unknown.
    Lags,
    /// A change of rules would raise too many alerts: `limits.reload_alerts`.
    ReloadAlerts,
}

impl Limit {
    /// The word in the label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Channels => "channels",
            Self::Deadlines => "deadlines",
            Self::RecordBytes => "record_bytes",
            Self::WaitingPayments => "waiting_payments",
            Self::WaitingRecords => "waiting_records",
            Self::Lags => "lags",
            Self::ReloadAlerts => "reload_alerts",
        }
    }
}
