//! The metrics in a registry, each made from its description.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use prometheus::core::Collector;
use prometheus::{
    Counter, CounterVec, Encoder, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec,
    IntCounter, IntCounterVec, Opts, Registry, TextEncoder,
};

use crate::descriptors::{Metric, MetricKind};

/// The media type of what [`Families::render`] writes.
pub(crate) const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Upper bounds of delays that are ours, in seconds.
pub(crate) const DELAYS_S: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0,
];

enum Family {
    Counts(IntCounterVec),
    /// A counter that is set to what the system says.
    Reading(CounterVec),
    Gauge(GaugeVec),
    Histogram(HistogramVec),
    /// Histograms whose upper bounds may change: they begin anew then, as after a restart.
    Lag(RwLock<HistogramVec>),
}

/// Every metric, registered.
pub(crate) struct Families {
    registry: Registry,
    /// By [`Metric`], in the order of [`Metric::ALL`].
    families: Vec<Family>,
    lag_generation: AtomicU64,
}

impl Families {
    /// All of them, without a value; `lag_edges_s` are the upper bounds of the credit lag, ascending.
    pub(crate) fn new(lag_edges_s: &[f64]) -> prometheus::Result<Self> {
        let registry = Registry::new();
        let mut families = Vec::with_capacity(Metric::ALL.len());
        for &metric in Metric::ALL {
            families.push(register(&registry, metric, lag_edges_s)?);
        }
        Ok(Self {
            registry,
            families,
            lag_generation: AtomicU64::new(0),
        })
    }

    /// The credit lag has other upper bounds from now on: its handles are void.
    pub(crate) fn set_lag_edges(&self, edges_s: &[f64]) -> prometheus::Result<()> {
        let Family::Lag(family) = self.family(Metric::CreditLag) else {
            unreachable!("the lag is registered as such");
        };
        let mut family = family.write().unwrap_or_else(PoisonError::into_inner);
        let made = histograms(Metric::CreditLag, edges_s)?;
        self.registry.unregister(Box::new(family.clone()))?;
        self.registry.register(Box::new(made.clone()))?;
        *family = made;
        self.lag_generation.fetch_add(1, Ordering::Release);
        Ok(())
    }

    /// Grows when handles of the credit lag become void.
    pub(crate) fn lag_generation(&self) -> u64 {
        self.lag_generation.load(Ordering::Acquire)
    }

    fn family(&self, metric: Metric) -> &Family {
        &self.families[metric as usize]
    }

    /// The counter of these labels.
    pub(crate) fn counter(&self, metric: Metric, labels: &[&str]) -> IntCounter {
        match self.family(metric) {
            Family::Counts(counters) => counters.with_label_values(labels),
            _ => unreachable!("{metric:?} is no counter of ours"),
        }
    }

    /// The counter that the system counts.
    pub(crate) fn reading(&self, metric: Metric) -> Counter {
        match self.family(metric) {
            Family::Reading(counters) => counters.with_label_values::<&str>(&[]),
            _ => unreachable!("{metric:?} is no counter of the system"),
        }
    }

    /// The gauge of these labels.
    pub(crate) fn gauge(&self, metric: Metric, labels: &[&str]) -> Gauge {
        self.gauges(metric).with_label_values(labels)
    }

    /// All gauges of a metric.
    pub(crate) fn gauges(&self, metric: Metric) -> &GaugeVec {
        match self.family(metric) {
            Family::Gauge(gauges) => gauges,
            _ => unreachable!("{metric:?} is no gauge"),
        }
    }

    /// The histogram of these labels.
    pub(crate) fn histogram(&self, metric: Metric, labels: &[&str]) -> Histogram {
        match self.family(metric) {
            Family::Histogram(histograms) => histograms.with_label_values(labels),
            Family::Lag(histograms) => {
                let histograms = histograms.read().unwrap_or_else(PoisonError::into_inner);
                histograms.with_label_values(labels)
            }
            _ => unreachable!("{metric:?} is no histogram"),
        }
    }

    /// Everything in the text format of Prometheus.
    pub(crate) fn render(&self) -> String {
        let encoder = TextEncoder::new();
        debug_assert!(TEXT_FORMAT.starts_with(encoder.format_type()));
        encoder
            .encode_to_string(&self.registry.gather())
            .expect("families are registered with their names and have samples")
    }
}

fn label_names(metric: Metric) -> Vec<&'static str> {
    let labels = metric.description().labels.iter();
    labels.map(|label| label.as_str()).collect()
}

fn opts(metric: Metric) -> Opts {
    let description = metric.description();
    Opts::new(description.name, description.help)
}

fn histograms(metric: Metric, edges_s: &[f64]) -> prometheus::Result<HistogramVec> {
    let opts = HistogramOpts::from(opts(metric)).buckets(edges_s.to_vec());
    HistogramVec::new(opts, &label_names(metric))
}

fn register(
    registry: &Registry,
    metric: Metric,
    lag_edges_s: &[f64],
) -> prometheus::Result<Family> {
    fn registered<C: Collector + Clone + 'static>(
        registry: &Registry,
        made: prometheus::Result<C>,
    ) -> prometheus::Result<C> {
        let made = made?;
        registry.register(Box::new(made.clone()))?;
        Ok(made)
    }
    let (opts, labels) = (opts(metric), label_names(metric));
    Ok(match (metric.description().kind, metric) {
        (MetricKind::Counter, Metric::ProcessCpu) => {
            Family::Reading(registered(registry, CounterVec::new(opts, &labels))?)
        }
        (MetricKind::Counter, _) => {
            Family::Counts(registered(registry, IntCounterVec::new(opts, &labels))?)
        }
        (MetricKind::Gauge, _) => {
            Family::Gauge(registered(registry, GaugeVec::new(opts, &labels))?)
        }
        (MetricKind::Histogram, Metric::CreditLag) => {
            let made = registered(registry, histograms(metric, lag_edges_s))?;
            Family::Lag(RwLock::new(made))
        }
        (MetricKind::Histogram, _) => {
            Family::Histogram(registered(registry, histograms(metric, DELAYS_S))?)
        }
    })
}
