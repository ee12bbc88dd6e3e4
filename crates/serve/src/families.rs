//! The metrics in a registry, each made from its description.

use prometheus::core::Collector;
use prometheus::{
    Counter, CounterVec, Encoder, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec,
    IntCounter, IntCounterVec, Opts, Registry, TextEncoder,
};

use crate::descriptors::{Label, Metric, MetricKind};

/// The media type of what [`Families::render`] writes.
pub(crate) const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Upper bounds of delays that are ours, in seconds.
const DELAYS_S: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0,
];

enum Family {
    Counts(IntCounterVec),
    /// A counter that is set to what the system says.
    Reading(CounterVec),
    Gauge(GaugeVec),
    Histogram(HistogramVec),
}

/// Every metric, registered.
pub(crate) struct Families {
    registry: Registry,
    /// By [`Metric`], in the order of [`Metric::ALL`].
    families: Vec<Family>,
}

impl Families {
    /// All of them, without a value; `lag_edges_s` are the upper bounds of the credit lag, ascending.
    pub(crate) fn new(lag_edges_s: &[f64]) -> prometheus::Result<Self> {
        let registry = Registry::new();
        let mut families = Vec::with_capacity(Metric::ALL.len());
        for &metric in Metric::ALL {
            families.push(register(&registry, metric, lag_edges_s)?);
        }
        Ok(Self { registry, families })
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
    let description = metric.description();
    let labels: Vec<&str> = description
        .labels
        .iter()
        .map(|&label| Label::as_str(label))
        .collect();
    let opts = Opts::new(description.name, description.help);
    Ok(match (description.kind, metric) {
        (MetricKind::Counter, Metric::ProcessCpu) => {
            Family::Reading(registered(registry, CounterVec::new(opts, &labels))?)
        }
        (MetricKind::Counter, _) => {
            Family::Counts(registered(registry, IntCounterVec::new(opts, &labels))?)
        }
        (MetricKind::Gauge, _) => {
            Family::Gauge(registered(registry, GaugeVec::new(opts, &labels))?)
        }
        (MetricKind::Histogram, _) => {
            let edges = if metric == Metric::CreditLag {
                lag_edges_s
            } else {
                DELAYS_S
            };
            let opts = HistogramOpts::from(opts).buckets(edges.to_vec());
            Family::Histogram(registered(registry, HistogramVec::new(opts, &labels))?)
        }
    })
}
