//! One seed: generated, replayed, and read.

use std::collections::BTreeMap;

use serde::Deserialize;
use settlewatch_config::{Config, Env, Purpose, load_str};
use settlewatch_join::Place;
use settlewatch_replay::{Output, Replay, Until};
use settlewatch_sim::{Plan, Scenario, Told, Topic, config, generate};

use super::calibration::{Calibration, Turns};
use super::incident::Incident;
use super::places::Payments;
use super::subject::Subject;
use crate::placed::place_of;

/// What a payment is called, and when it is due.
#[derive(Deserialize)]
struct Named {
    payment_id: String,
    settle_mode: Option<String>,
}

impl Named {
    fn is_due_at_once(&self) -> bool {
        matches!(self.settle_mode.as_deref(), None | Some("realtime"))
    }
}

/// What came out of a seed.
pub struct Trial {
    /// What it was about.
    pub subject: Subject,
    /// The seed.
    pub seed: u64,
    /// What must be said of the faults.
    pub told: Vec<Told>,
    /// What was said.
    pub incidents: Vec<Incident>,
    /// The payments, where anything was said.
    pub payments: Payments,
    /// What was expected of payments that waited, and what became of them.
    pub calibration: Calibration,
    /// From the first record to the last, milliseconds since the epoch.
    pub span_ms: (i64, i64),
}

/// A fault that touches less than this cannot be told from chance.
const LEAST_TOUCHED: u64 = 8;

impl Trial {
    /// The fault that touched too little to be found.
    pub fn idle(&self) -> Option<&Told> {
        let mut telling = self.told.iter().filter(|told| told.incident == Some(true));
        telling.find(|told| told.touched < LEAST_TOUCHED)
    }
}

/// Generates `subject` with `seed` and replays it.
///
/// # Errors
/// What could not be planned, configured or written.
pub fn try_seed(subject: Subject, seed: u64) -> Result<Trial, String> {
    let plan = subject
        .plan(seed)
        .build()
        .map_err(|error| error.to_string())?;
    let config = configuration(&plan)?;
    let mut generator = generate(&plan);
    let mut records: Vec<(Place, Vec<u8>)> = Vec::new();
    let mut payments = Payments::default();
    let mut accepted_ms = BTreeMap::new();
    for record in &mut generator {
        let place = place_of(&record);
        let payload = record.payload.into_bytes();
        if record.topic == Topic::Payments {
            let payment: Option<Named> = serde_json::from_slice(&payload).ok();
            // The first record of a payment counts; of those that are due by a calendar nothing is expected.
            if let Some(payment) = payment.filter(Named::is_due_at_once) {
                let id = payment.payment_id;
                accepted_ms.entry(id).or_insert(record.ts_ms);
            }
            if subject != Subject::Clean {
                payments.push(record.ts_ms, payload.clone());
            }
        }
        records.push((place, payload));
    }
    let truth = generator.into_truth();
    let told = plan.told(&truth.touched);
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let output = Output::create(folder.path()).map_err(|error| error.to_string())?;
    Replay::new(&config, 1, Until::LastRecord)
        .write_to(output)
        .records(records, &mut ())
        .map_err(|error| error.to_string())?;
    let written = |name: &str| {
        std::fs::read_to_string(folder.path().join(name)).map_err(|error| error.to_string())
    };
    let span_ms = truth.span_ms.unwrap_or_default();
    let (channels, alerts) = (written("channels.ndjson")?, written("alerts.ndjson")?);
    // Everyday mistakes happen all the time: they neither begin nor end.
    let faults = told
        .iter()
        .filter(|told| told.scenario != Scenario::Everyday);
    let faults = faults.map(|told| (begins_ms(told), told.ended_at, grows(told)));
    let turns = Turns(faults.collect());
    let calibration = Calibration::of(&channels, &alerts, &accepted_ms, span_ms.1, &turns)?;
    Ok(Trial {
        subject,
        seed,
        told,
        incidents: Incident::read(written("incidents.ndjson")?.as_bytes()),
        payments,
        calibration,
        span_ms,
    })
}

/// When payments are not any more what they were: with the maintenance, where a fault is what outlives it by twice its
/// length.
fn begins_ms(told: &Told) -> i64 {
    let outlives = told.scenario == Scenario::ChannelStopped && told.variant == 1;
    let before_ms = if outlives {
        (told.ended_at - told.started_at) / 2
    } else {
        0
    };
    told.started_at - before_ms
}

/// Whether a fault is from its begin to its end never what it was a minute ago: it ramps up, or a queue grows and drains.
fn grows(told: &Told) -> bool {
    let queues = match told.scenario {
        Scenario::ChannelPeak => true,
        Scenario::ChannelSlowed => told.variant == 1,
        _ => false,
    };
    told.ramp || queues
}

fn configuration(plan: &Plan) -> Result<Config, String> {
    let yaml = config(plan);
    load_str("settlewatch.yaml", &yaml, Purpose::Replay, &Env::empty())
        .map(|loaded| loaded.config)
        .map_err(|problems| problems.to_string())
}
