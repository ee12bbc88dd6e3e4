//! What must be said of the faults of a plan: the side of the truth that incidents are held against.

use serde_json::{Map, Value, json};

use crate::batch;
use crate::civil::{Zone, rfc3339};
use crate::fault::SettledFault;
use crate::plan::Plan;
use crate::scenario::{Expectation, Scenario};

/// A fault of a plan, and what incidents must say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What goes wrong.
    pub scenario: Scenario,
    /// The verdict of its cause, where it has one.
    pub verdict: Option<&'static str>,
    /// Other verdicts that are right.
    pub also: &'static [&'static str],
    /// Whether there must be an incident, or none that pages; `None` where nothing is claimed.
    pub incident: Option<bool>,
    /// Where it is, in the names of incidents.
    pub scope: Vec<(&'static str, String)>,
    /// When it begins, milliseconds since the epoch.
    pub started_at: i64,
    /// When it is over, milliseconds since the epoch.
    pub ended_at: i64,
    /// How many payments of its time and place it touches, in thousandths.
    pub share_permille: u32,
    /// How many times as long or as many, in thousandths, where that is what it does.
    pub times_permille: u32,
    /// Which way of the scenario.
    pub variant: u32,
    /// Whether it grows over its first half.
    pub ramp: bool,
    /// Payments and records that it touched.
    pub touched: u64,
}

impl Plan {
    /// Its faults, in their order; `touched` is what the truth counted.
    pub fn told(&self, touched: &[u64]) -> Vec<Told> {
        let faults = self.faults.iter().zip(touched);
        faults
            .map(|(fault, touched)| told(fault, *touched, self.start))
            .collect()
    }
}

/// From this share of lost credits on, a channel is congested or abnormal rather than unexplained.
const ABNORMAL_PERMILLE: u32 = 200;

fn told(fault: &SettledFault, touched: u64, start: i64) -> Told {
    let (verdict, also, incident) = match fault.scenario.expectation() {
        Expectation::Incident(verdict, also) => (Some(verdict), also, Some(true)),
        Expectation::Pattern(verdict) => {
            let has_place = !fault.scope.0.is_empty();
            (Some(verdict), [].as_slice(), has_place.then_some(true))
        }
        Expectation::Quiet(verdict) => (verdict, [].as_slice(), Some(false)),
        Expectation::Cases(verdict) => (verdict, [].as_slice(), None),
    };
    let (verdict, also): (_, &'static [&'static str]) = match fault.scenario {
        Scenario::ChannelStopped if fault.share_permille < 1000 => {
            (Some("CHANNEL_CONGESTED"), &["UNEXPLAINED", "CHANNEL_DOWN"])
        }
        Scenario::ChannelLoss if fault.share_permille >= ABNORMAL_PERMILLE => {
            (Some("CHANNEL_CONGESTED"), &["UNEXPLAINED", "CHANNEL_DOWN"])
        }
        _ => (verdict, also),
    };
    let started_at = match fault.scenario {
        Scenario::BatchMissed => batch::first_due(start, fault.from),
        // What was announced is no fault.
        _ => fault.maintained_until().unwrap_or(fault.from),
    };
    Told {
        scenario: fault.scenario,
        verdict,
        also,
        incident,
        scope: fault.scope.names(),
        started_at,
        ended_at: fault.until,
        share_permille: fault.share_permille,
        times_permille: fault.times_permille,
        variant: fault.variant,
        ramp: fault.ramp,
        touched,
    }
}

impl Told {
    /// As `truth.json` has it.
    pub(crate) fn json(&self) -> Value {
        let scope = self.scope.iter();
        let scope: Map<_, _> = scope
            .map(|(name, value)| ((*name).to_owned(), value.as_str().into()))
            .collect();
        json!({
            "scenario": self.scenario.name(),
            "verdict": self.verdict,
            "also": self.also,
            "incident": self.incident,
            "scope": scope,
            "started_at": rfc3339(self.started_at, Zone::Utc),
            "ended_at": rfc3339(self.ended_at, Zone::Utc),
            "share_permille": self.share_permille,
            "variant": self.variant,
            "touched": self.touched,
        })
    }
}
