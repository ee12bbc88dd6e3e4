//! What the reference says against what a replay wrote, as a readable difference.

mod alerts;
mod summary;

use serde_json::Value;

use crate::reference::Outcome;

/// What differs, in the order in which it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aspect {
    /// The replay did not come to an end.
    Panicked,
    /// The content of revisions.
    Alerts,
    /// The order of lines, or ids and numbers of revisions.
    Order,
    /// Payments and money by outcome, alerts by state, or times.
    Sums,
    /// What became of the records.
    Records,
    /// Explained waits.
    Waits,
}

/// How closely records are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lateness {
    /// `used` and `late` each.
    Exact,
    /// Their sum: whether a record about a closed payment changed anything is a matter of what one remembers.
    Summed,
}

/// One aspect that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which.
    pub aspect: Aspect,
    /// How: lines with `-` were expected, lines with `+` were written.
    pub text: String,
}

/// Everything that differs; empty when a replay wrote what the reference says.
pub fn compare(
    expected: &Outcome,
    alerts: &[Value],
    summary: &Value,
    lateness: Lateness,
) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut note = |aspect, text: String| {
        if !text.is_empty() {
            differences.push(Difference { aspect, text });
        }
    };
    note(Aspect::Alerts, alerts::content(&expected.revisions, alerts));
    note(Aspect::Order, alerts::order(alerts));
    note(Aspect::Sums, summary::sums(expected, summary));
    note(
        Aspect::Records,
        summary::records(expected, summary, lateness),
    );
    note(Aspect::Waits, summary::waits(expected, summary));
    differences
}
