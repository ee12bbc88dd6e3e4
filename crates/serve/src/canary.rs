//! What a canary tells: how its checks ended, and that it lives.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use axum::http::StatusCode;
use prometheus::{Gauge, Histogram, HistogramOpts, IntCounterVec, Opts, Registry, TextEncoder};
use serde_json::{Value, json};

use crate::descriptors::{CanaryMetric, Description};
use crate::error::ServeError;
use crate::families::DELAYS_S;

/// A canary that shows no sign of life for so long hangs.
const STUCK_AFTER: Duration = Duration::from_secs(60);

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckOutcome {
    /// The payment that was credited raised no alert, the other one did in time.
    Ok,
    /// The payment that was credited raised an alert, or the other one did before its deadline.
    FalseAlert,
    /// The payment that was never credited raised no alert.
    MissingAlert,
    /// Its alert came, but too late.
    LateAlert,
    /// The brokers did not take the records: nothing is known of the service.
    NotWritten,
}

impl CheckOutcome {
    /// Every outcome.
    pub const ALL: [Self; 5] = [
        Self::Ok,
        Self::FalseAlert,
        Self::MissingAlert,
        Self::LateAlert,
        Self::NotWritten,
    ];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::FalseAlert => "false_alert",
            Self::MissingAlert => "missing_alert",
            Self::LateAlert => "late_alert",
            Self::NotWritten => "not_written",
        }
    }
}

/// The metrics of a canary. Clones are the same metrics.
#[derive(Clone)]
pub struct CanaryMetrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    checks: IntCounterVec,
    last_success: Gauge,
    delay: Histogram,
    started: Instant,
    /// Milliseconds after the start.
    last_sign: AtomicU64,
}

fn opts(description: Description) -> Opts {
    Opts::new(description.name, description.help)
}

impl CanaryMetrics {
    /// Metrics of a canary that has checked nothing yet: every outcome is there, so that its first one is an increase.
    ///
    /// # Errors
    /// [`ServeError::Metric`] when one cannot be registered.
    pub fn new() -> Result<Self, ServeError> {
        let described = CanaryMetric::Checks.description();
        let labels: Vec<&str> = described.labels.iter().map(|it| it.as_str()).collect();
        let checks = IntCounterVec::new(opts(described), &labels)?;
        for outcome in CheckOutcome::ALL {
            checks.with_label_values(&[outcome.as_str()]);
        }
        let last_success = Gauge::with_opts(opts(CanaryMetric::LastSuccess.description()))?;
        let delay = HistogramOpts::from(opts(CanaryMetric::Delay.description()));
        let delay = Histogram::with_opts(delay.buckets(DELAYS_S.to_vec()))?;
        let registry = Registry::new();
        registry.register(Box::new(checks.clone()))?;
        registry.register(Box::new(last_success.clone()))?;
        registry.register(Box::new(delay.clone()))?;
        Ok(Self(Arc::new(Inner {
            registry,
            checks,
            last_success,
            delay,
            started: Instant::now(),
            last_sign: AtomicU64::new(0),
        })))
    }

    /// A check has ended; `delay` from the deadline to the alert, where it came.
    pub fn checked(&self, outcome: CheckOutcome, delay: Option<Duration>) {
        let inner = &self.0;
        inner.checks.with_label_values(&[outcome.as_str()]).inc();
        if let Some(delay) = delay {
            inner.delay.observe(delay.as_secs_f64());
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        if let (CheckOutcome::Ok, Ok(now)) = (outcome, now) {
            inner.last_success.set(now.as_secs_f64());
        }
    }

    /// How many checks ended so.
    pub fn count(&self, outcome: CheckOutcome) -> u64 {
        let checks = &self.0.checks;
        checks.with_label_values(&[outcome.as_str()]).get()
    }

    /// The canary lives.
    pub fn sign(&self) {
        let ms = self.0.started.elapsed().as_millis();
        let ms = u64::try_from(ms).unwrap_or(u64::MAX);
        self.0.last_sign.store(ms, Ordering::Relaxed);
    }

    /// Everything in the text format of Prometheus.
    pub fn render(&self) -> String {
        TextEncoder::new()
            .encode_to_string(&self.0.registry.gather())
            .expect("families are registered with their names and have samples")
    }

    pub(crate) fn livez(&self) -> (StatusCode, Value) {
        let last = Duration::from_millis(self.0.last_sign.load(Ordering::Relaxed));
        let silent = self.0.started.elapsed().saturating_sub(last);
        if silent <= STUCK_AFTER {
            return (StatusCode::OK, json!({"status": "alive"}));
        }
        let body = json!({"status": "stuck", "silent_seconds": silent.as_secs()});
        (StatusCode::SERVICE_UNAVAILABLE, body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_is_there_before_the_first_check() {
        let metrics = CanaryMetrics::new().expect("the table is consistent");
        let text = metrics.render();
        for outcome in CheckOutcome::ALL {
            let name = outcome.as_str();
            let line = format!("settlewatch_canary_checks_total{{outcome=\"{name}\"}} 0");
            assert!(text.contains(&line), "{text}");
        }
        assert!(text.contains("settlewatch_canary_last_success_timestamp_seconds 0"));
    }

    #[test]
    fn only_a_good_check_is_a_success_and_only_an_alert_has_a_delay() {
        let metrics = CanaryMetrics::new().expect("the table is consistent");
        metrics.checked(CheckOutcome::MissingAlert, None);
        let text = metrics.render();
        assert!(text.contains("settlewatch_canary_last_success_timestamp_seconds 0"));
        assert!(text.contains("settlewatch_canary_detection_delay_seconds_count 0"));
        metrics.checked(CheckOutcome::Ok, Some(Duration::from_millis(300)));
        let text = metrics.render();
        assert!(!text.contains("settlewatch_canary_last_success_timestamp_seconds 0"));
        assert!(text.contains("settlewatch_canary_detection_delay_seconds_bucket{le=\"0.5\"} 1"));
        assert_eq!(metrics.count(CheckOutcome::MissingAlert), 1);
    }
}
