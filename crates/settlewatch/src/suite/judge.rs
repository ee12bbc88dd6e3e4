//! Runs a case and sets what came against what was expected.

use serde_json::Value;
use settlewatch_config::Config;
use settlewatch_join::{Alert, Timestamp};
use settlewatch_replay::{Observer, Replay, ReplayError};
use settlewatch_wire::AlertLine;

use super::Case;
use super::expect::differences;
use super::matching;

/// What came of a case.
pub(crate) struct Verdict {
    /// Expected and come, or one of the two; in time order.
    pub(super) rows: Vec<Row>,
    /// Whether everything is as expected.
    pub(crate) passed: bool,
    /// Where the case goes beyond what a calendar knows.
    pub(crate) warnings: Vec<String>,
}

/// An expectation, the alert that answers it, or both.
pub(super) struct Row {
    pub(super) at: Option<Timestamp>,
    /// Index of the expectation.
    pub(super) expected: Option<usize>,
    /// The alert.
    pub(super) came: Option<Value>,
    /// Fields of the alert that are not as expected.
    pub(super) differs: Vec<&'static str>,
}

/// Collects alerts.
#[derive(Default)]
struct Came(Vec<(Timestamp, Value)>);

impl Observer for Came {
    fn alert(&mut self, alert: &Alert) {
        let line = serde_json::to_value(AlertLine(alert));
        let line = line.expect("an alert has string keys and finite numbers");
        self.0.push((alert.decided_at, line));
    }
}

/// Runs a case.
///
/// # Errors
/// More payments wait than the configuration allows.
pub(crate) fn judge(case: &Case, config: &Config) -> Result<Verdict, ReplayError> {
    let mut came = Came::default();
    let replay = Replay::new(config, 1, case.until);
    let finished = replay.records(case.records.clone(), &mut came)?;
    let warnings = match (finished.summary.from, finished.summary.to) {
        (Some(from), Some(to)) => config.calendar_warnings(from, to),
        _ => Vec::new(),
    };
    let rows = compare(case, came.0);
    let passed = rows
        .iter()
        .all(|row| row.expected.is_some() && row.came.is_some() && row.differs.is_empty());
    Ok(Verdict {
        rows,
        passed,
        warnings,
    })
}

fn compare(case: &Case, came: Vec<(Timestamp, Value)>) -> Vec<Row> {
    let fits =
        |one: usize, alert: usize| differences(&case.expected[one], &came[alert].1).is_empty();
    let mut answers = matching::largest(case.expected.len(), came.len(), fits);
    let mut taken = vec![false; came.len()];
    for alert in answers.iter().flatten() {
        taken[*alert] = true;
    }
    for (one, answer) in answers.iter_mut().enumerate() {
        if answer.is_none() {
            *answer = nearest(case, one, &came, &taken);
            if let Some(alert) = *answer {
                taken[alert] = true;
            }
        }
    }
    let mut rows: Vec<Row> = answers
        .iter()
        .enumerate()
        .map(|(one, answer)| row(case, one, *answer, &came))
        .collect();
    if !case.others_ignored {
        let others = came.iter().zip(&taken).filter(|(_, taken)| !**taken);
        rows.extend(others.map(|((at, line), _)| Row {
            at: Some(*at),
            expected: None,
            came: Some(line.clone()),
            differs: Vec::new(),
        }));
    }
    rows.sort_by_key(|row| row.at);
    rows
}

/// The alert that was probably meant: of the same kind and payment, with the fewest differences.
fn nearest(case: &Case, one: usize, came: &[(Timestamp, Value)], taken: &[bool]) -> Option<usize> {
    let free = (0..came.len()).filter(|alert| !taken[*alert]);
    let differing = free.map(|alert| (differences(&case.expected[one], &came[alert].1), alert));
    differing
        .filter(|(names, _)| !names.contains(&"kind") && !names.contains(&"payment_id"))
        .min_by_key(|(names, _)| names.len())
        .map(|(_, alert)| alert)
}

fn row(case: &Case, one: usize, answer: Option<usize>, came: &[(Timestamp, Value)]) -> Row {
    let expected = &case.expected[one];
    let answer = answer.map(|alert| &came[alert]);
    Row {
        at: expected.at.or(answer.map(|(at, _)| *at)),
        expected: Some(one),
        came: answer.map(|(_, line)| line.clone()),
        differs: answer
            .map(|(_, line)| differences(expected, line))
            .unwrap_or_default(),
    }
}
