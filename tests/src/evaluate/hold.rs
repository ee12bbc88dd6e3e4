//! Incidents against the truth.

use settlewatch_sim::Told;

use super::incident::{Incident, Scope};
use super::trial::Trial;

/// How long after the end of a fault an incident may still be raised because of it, milliseconds: the longest first
/// tier, the grace of an orphan, the end of a hold.
const TAIL_MS: i64 = 300_000;
/// A clock of ours may say that it began a little earlier.
const EARLY_MS: i64 = 2000;

/// Verdicts that one kind of evidence leads to: a wrong one of the same family is a wrong cause, not a miss.
const FAMILIES: &[&[&str]] = &[
    &[
        "NETWORK_REGION",
        "TERMINAL_OFFLINE",
        "TERMINAL_FAULT",
        "TERMINAL_RELEASE_FAULT",
        "TERMINAL_HARDWARE",
        "TERMINAL_BUSY",
        "MERCHANT_OPERATION",
        "PLATFORM_BACKEND",
        "CHANNEL_DOWN",
        "CHANNEL_CONGESTED",
        "CHANNEL_PEAK_CONGESTED",
        "GATEWAY_DELAY",
        "INTERFACE_FAULT",
        "INTEGRATION_CONFIG",
        "ACCOUNT_FROZEN",
        "ACCOUNT_SUSPECT",
        "BALANCE_INSUFFICIENT",
        "LIMIT_EXCEEDED",
        "BANK_BATCH_MISSED",
        "SOURCE_SILENT",
        "SYNC_DELAY",
        "UNEXPLAINED",
    ],
    &[
        "AMOUNT_MISMATCH",
        "CURRENCY_MISMATCH",
        "TERMINAL_MISMATCH",
        "FEE_MISMATCH",
        "USER_AMOUNT_ERROR",
    ],
    &["ORPHAN_CREDIT", "ID_CORRUPTED"],
    &["DUPLICATE_CREDIT", "DUPLICATE_PAYMENT"],
    &["SYNC_DELAY", "CLOCK_SKEW"],
    &["MERCHANT_BACKEND_SLOW"],
    &["RISK_HOLD_OVERDUE"],
];

/// What was said of one fault.
#[derive(Clone, Debug)]
pub struct Score {
    /// The fault.
    pub told: Told,
    /// The incidents about it, as places in the trial's.
    pub incidents: Vec<usize>,
    /// The one that tells it best.
    pub best: Option<usize>,
    /// Whether its verdict is right, and its scope.
    pub verdict: bool,
    /// Whether its scope is the fault's, or selects the same payments.
    pub scope: bool,
    /// From the beginning of the fault until it was raised, milliseconds.
    pub delay_ms: Option<i64>,
}

/// What was said in a trial.
pub struct Held {
    /// Of each fault that an incident must tell.
    pub scores: Vec<Score>,
    /// Incidents about nothing.
    pub false_ones: Vec<usize>,
}

/// Gives every incident of `trial` to the fault that it can be about.
pub fn hold(trial: &Trial) -> Held {
    let telling = trial.told.iter().filter(|told| told.incident == Some(true));
    let mut scores: Vec<_> = telling
        .map(|told| Score {
            told: told.clone(),
            incidents: Vec::new(),
            best: None,
            verdict: false,
            scope: false,
            delay_ms: None,
        })
        .collect();
    let mut false_ones = Vec::new();
    for (place, incident) in trial.incidents.iter().enumerate() {
        let near = scores.iter().enumerate().filter(|(_, score)| {
            let window = score.told.started_at - EARLY_MS..=score.told.ended_at + TAIL_MS;
            window.contains(&incident.opened_at)
        });
        let nearest = near.max_by_key(|(index, score)| {
            let rank = likeness(incident, &score.told);
            (rank, std::cmp::Reverse(*index))
        });
        match nearest.map(|(index, _)| index) {
            Some(index) => scores[index].incidents.push(place),
            None => false_ones.push(place),
        }
    }
    for score in &mut scores {
        judge(score, trial);
    }
    Held { scores, false_ones }
}

/// How much `incident` looks like being about `told`.
fn likeness(incident: &Incident, told: &Told) -> u8 {
    let shared = told.scope.iter().any(|(field, value)| {
        let own = incident.scope.get(*field);
        own.is_some_and(|values| values.contains(value))
    });
    4 * u8::from(is_right(&incident.verdict, told))
        + 3 * u8::from(shared)
        + 2 * u8::from(is_kin(&incident.verdict, told))
}

fn is_right(verdict: &str, told: &Told) -> bool {
    told.verdict == Some(verdict) || told.also.contains(&verdict)
}

fn is_kin(verdict: &str, told: &Told) -> bool {
    let families = FAMILIES.iter().filter(|family| family.contains(&verdict));
    let mut own = families.flat_map(|family| family.iter());
    is_right(verdict, told) || own.any(|other| is_right(other, told))
}

fn judge(score: &mut Score, trial: &Trial) {
    let told = &score.told;
    let kin = score.incidents.iter().copied();
    let kin = kin.filter(|place| is_kin(&trial.incidents[*place].verdict, told));
    let marked = kin.map(|place| {
        let incident = &trial.incidents[place];
        let verdict = is_right(&incident.verdict, told);
        (place, verdict, is_same_place(incident, told, trial))
    });
    // Of equals, the first.
    let best =
        marked.max_by_key(|(place, verdict, scope)| (*verdict, *scope, std::cmp::Reverse(*place)));
    if let Some((place, verdict, scope)) = best {
        let raised = score.incidents.iter().map(|place| &trial.incidents[*place]);
        let raised = raised.filter(|incident| is_kin(&incident.verdict, told));
        let first = raised.map(|incident| incident.opened_at).min();
        score.delay_ms = first.map(|at| at - told.started_at);
        (score.best, score.verdict, score.scope) = (Some(place), verdict, scope);
    }
}

fn is_same_place(incident: &Incident, told: &Told, trial: &Trial) -> bool {
    let scope: Scope = told
        .scope
        .iter()
        .map(|(field, value)| ((*field).to_owned(), vec![value.clone()]))
        .collect();
    if incident.scope == scope {
        return true;
    }
    let is_stream = |scope: &Scope| scope.contains_key("stream");
    if is_stream(&scope) || is_stream(&incident.scope) {
        return false;
    }
    let (from, until) = (told.started_at, told.ended_at);
    trial
        .payments
        .overlap_permille(&incident.scope, &scope, from, until)
        == Some(1000)
}
