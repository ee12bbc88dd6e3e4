//! One seed: generated, replayed, and read.

use settlewatch_config::{Config, Env, Purpose, load_str};
use settlewatch_join::{Place, Timestamp};
use settlewatch_replay::{Output, Replay, Until};
use settlewatch_sim::{Plan, Told, Topic, config, generate};

use super::incident::Incident;
use super::places::Payments;
use super::subject::Subject;

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
    for record in &mut generator {
        let payload = record.payload.into_bytes();
        if record.topic == Topic::Payments && subject != Subject::Clean {
            payments.push(record.ts_ms, payload.clone());
        }
        let place = Place {
            at: Timestamp::from_millis(record.ts_ms),
            stream: record.topic as u8,
            partition: i32::try_from(record.partition).unwrap_or(i32::MAX),
            offset: i64::try_from(record.offset).unwrap_or(i64::MAX),
        };
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
    let written = std::fs::read(folder.path().join("incidents.ndjson"));
    let written = written.map_err(|error| error.to_string())?;
    Ok(Trial {
        subject,
        seed,
        told,
        incidents: Incident::read(&written),
        payments,
        span_ms: truth.span_ms.unwrap_or_default(),
    })
}

fn configuration(plan: &Plan) -> Result<Config, String> {
    let yaml = config(plan);
    load_str("settlewatch.yaml", &yaml, Purpose::Replay, &Env::empty())
        .map(|loaded| loaded.config)
        .map_err(|problems| problems.to_string())
}
