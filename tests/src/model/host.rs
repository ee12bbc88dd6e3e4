//! What a lane asks of whoever runs it: canonical JSON, and alerts as lines that can be compared.

use std::fmt::Display;
use std::sync::Arc;

use settlewatch_join::{Alert, Event, Settings, Span, Timestamp};
use settlewatch_protocol::{Host, Pulses, SourceId};
use settlewatch_watch::pulse::{CollectorSettings, Dims, WHOLE_PPM};
use settlewatch_wire::{Limits, decode};

use crate::lanes::maker;
use crate::reference::Revision;

/// Names of sources, the pairs topic last.
const NAMES: [&str; 4] = ["payments", "credits", "lifecycle", "pairs"];

/// Largest pulse record: small enough that some are several.
const PULSE_BYTES: usize = 1000;

/// The host of every lane.
#[derive(Clone)]
pub(super) struct ModelHost {
    pub(super) settings: Arc<Settings>,
}

impl Host for ModelHost {
    fn event<'a>(
        &self,
        _source: SourceId,
        value: Option<&'a [u8]>,
    ) -> Result<Event<'a>, (&'static str, String)> {
        let limits = Limits {
            record_bytes: 1 << 20,
        };
        decode(value, &limits).map_err(|told| (told.reason.as_str(), told.detail))
    }

    fn alert(&self, alert: &Alert) -> Vec<u8> {
        line(alert).into_bytes()
    }

    fn topic(&self, source: SourceId) -> &str {
        NAMES.get(usize::from(source.0)).unwrap_or(&"?")
    }

    fn pulses(
        &self,
        number: i32,
        since: Timestamp,
        state: Option<&[u8]>,
    ) -> Option<Box<dyn Pulses>> {
        let settings = CollectorSettings {
            dims: Dims::new(&self.settings.dimensions),
            merchant_ack: Some((Span::from_secs(1), Span::from_secs(3))),
            share_ppm: WHOLE_PPM,
            open_limit: usize::MAX,
        };
        Some(maker(settings, PULSE_BYTES, number, since, state))
    }

    fn settings(&self, _rules: &[u8]) -> Result<Arc<Settings>, String> {
        Ok(Arc::clone(&self.settings))
    }
}

fn or_dash(value: Option<impl Display>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// A revision, of the product or of the reference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Line {
    pub(super) payment_id: String,
    pub(super) tenant: String,
    pub(super) kind: String,
    pub(super) revision: u32,
    pub(super) decided_at: i64,
    pub(super) state: String,
    pub(super) tier: String,
    pub(super) resolution: String,
    pub(super) deadline: String,
    pub(super) money: String,
    pub(super) lag: String,
    pub(super) verdict: String,
    pub(super) related: String,
}

/// What stands between the fields of a line.
const BETWEEN: char = '|';

fn line(alert: &Alert) -> String {
    let state = if alert.resolution.is_some() {
        "resolved"
    } else {
        "open"
    };
    let money = format!(
        "{} {}",
        or_dash(alert.amount_minor),
        or_dash(alert.currency)
    );
    [
        alert.payment_id.clone(),
        or_dash(alert.tenant.as_ref()),
        alert.kind.as_str().to_owned(),
        alert.revision.to_string(),
        alert.decided_at.millis().to_string(),
        state.to_owned(),
        alert.tier.clone(),
        or_dash(alert.resolution.map(|it| it.as_str())),
        or_dash(alert.deadline.map(|at| at.millis())),
        money,
        or_dash(alert.lag_ms),
        or_dash(alert.verdict.map(|it| it.as_str())),
        or_dash(alert.related_payment_id.as_ref()),
    ]
    .join("|")
}

impl Line {
    /// A revision as the host wrote it.
    ///
    /// # Panics
    /// When it did not.
    pub(super) fn read(value: &[u8]) -> Self {
        let text = std::str::from_utf8(value).expect("the host writes text");
        let fields: Vec<&str> = text.split(BETWEEN).collect();
        let number = |at: usize| fields[at].parse::<i64>().expect("a number");
        let text = |at: usize| fields[at].to_owned();
        Self {
            payment_id: text(0),
            tenant: text(1),
            kind: text(2),
            revision: u32::try_from(number(3)).expect("revisions count up"),
            decided_at: number(4),
            state: text(5),
            tier: text(6),
            resolution: text(7),
            deadline: text(8),
            money: text(9),
            lag: text(10),
            verdict: text(11),
            related: text(12),
        }
    }

    /// A revision of the reference.
    pub(super) fn expected(it: &Revision) -> Self {
        Self {
            payment_id: it.payment_id.clone(),
            tenant: or_dash(it.tenant.as_ref()),
            kind: it.kind.to_owned(),
            revision: it.revision,
            decided_at: it.decided_at_ms,
            state: it.state.to_owned(),
            tier: it.tier.clone(),
            resolution: or_dash(it.resolution),
            deadline: or_dash(it.deadline_ms),
            money: format!(
                "{} {}",
                or_dash(it.amount_minor),
                or_dash(it.currency.as_ref())
            ),
            lag: or_dash(it.lag_ms),
            verdict: or_dash(it.verdict.as_ref()),
            related: or_dash(it.related_payment_id.as_ref()),
        }
    }

    /// The payment that it is about.
    pub(super) fn subject(&self) -> (String, String) {
        (self.tenant.clone(), self.payment_id.clone())
    }
}
