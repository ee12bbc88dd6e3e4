//! Stories whose outcome was worked out by hand.

mod closing;
mod credits;
mod deadlines;
mod orphans;
mod sums;
mod twins;
mod verdicts;

use super::{Config, Outcome, Revision, rfc3339};
use crate::story::{Story, usual};

/// What the usual rules make of a story.
fn told(story: &Story, end: &str) -> Vec<String> {
    said(&story.judged(&usual(), end))
}

fn said(outcome: &Outcome) -> Vec<String> {
    outcome.revisions.iter().map(short).collect()
}

fn with(change: impl FnOnce(&mut Config)) -> Config {
    let mut config = usual();
    change(&mut config);
    config
}

/// Time of day, payment, kind, revision, tier or resolution, and where present verdict, lag and relative.
fn short(revision: &Revision) -> String {
    let time = rfc3339(revision.decided_at_ms);
    let time = time[11..23].trim_end_matches(".000");
    let what = revision.resolution.unwrap_or(&revision.tier);
    let plain = revision.kind.to_uppercase();
    let verdict = revision
        .verdict
        .as_deref()
        .filter(|verdict| *verdict != plain);
    let kind = (revision.kind, revision.revision);
    let mut text = format!(
        "{time} {} {}#{} {what}",
        revision.payment_id, kind.0, kind.1
    );
    let lag = revision.lag_ms.map(|lag| format!("lag {lag}"));
    let related = revision
        .related_payment_id
        .as_ref()
        .map(|id| format!("with {id}"));
    for more in [verdict.map(str::to_owned), lag, related]
        .into_iter()
        .flatten()
    {
        text.push(' ');
        text.push_str(&more);
    }
    assert_eq!(
        revision.resolution.is_some(),
        revision.state == "resolved",
        "{text}"
    );
    text
}
