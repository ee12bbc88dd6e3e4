//! Everything about one payment: its records, its rule, its deadlines, its alerts, and why.
//!
//! `gather` collects while a replay runs, `rules` says why a rule does not match, `says` puts a record into words,
//! `report` writes it all down, and `why` ends it in one sentence.

mod gather;
mod report;
mod rules;
mod says;
mod why;

use settlewatch_join::{Alert, Inspection, Outcome, PaymentState, Place, Timestamp};

use crate::incidents::Told;

pub(crate) use gather::Gatherer;
pub(crate) use report::report;
pub(crate) use rules::unmet;

/// Which payment it is about.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) tenant: Option<String>,
    pub(crate) payment_id: String,
}

/// A record that speaks of the payment.
pub(crate) struct Mention {
    place: Place,
    /// The timestamp as recorded, where it was not believed.
    disbelieved_ts: Option<i64>,
    what: What,
}

/// What a record is.
enum What {
    Applied(Applied),
    Rejected {
        reason: &'static str,
        detail: String,
    },
}

/// A valid record.
struct Applied {
    kind: &'static str,
    occurred_at: Timestamp,
    event_id: String,
    /// What else it says that matters here.
    says: String,
    /// What it counts as; `None`: open until the payment comes or the grace ends.
    outcome: Option<Outcome>,
    /// How the payment stood after it.
    standing: Option<Inspection>,
}

/// The accepted payment.
struct Accepted {
    at: Timestamp,
    occurred_at: Timestamp,
    summary: String,
    /// Names of the rules before the one that matched, and the condition that kept each from it.
    passed_over: Vec<(String, String)>,
    expected_credit_by: Option<Timestamp>,
}

/// What is known of the payment when the clock has stopped.
pub(crate) struct Findings {
    pub(crate) subject: Subject,
    mentions: Vec<Mention>,
    accepted: Option<Accepted>,
    /// Revisions of its alerts.
    alerts: Vec<Alert>,
    /// Revisions of all incidents.
    incidents: Vec<Told>,
    /// Alerts of other payments that name it.
    named_by: Vec<Alert>,
    /// Tenants under which the id was seen instead.
    other_tenants: Vec<String>,
    /// Ids that nearly are the one asked for.
    near: Vec<String>,
    /// How it stands at the end; `None` when it is not at hand any more.
    end: Option<Inspection>,
    /// Where the clock stopped.
    to: Option<Timestamp>,
}

impl Findings {
    /// Whether no record says anything about the payment.
    pub(crate) fn is_empty(&self) -> bool {
        self.mentions.is_empty()
    }

    /// What to try instead, when nothing was found.
    pub(crate) fn hint(&self) -> String {
        if !self.other_tenants.is_empty() {
            let tenants = self.other_tenants.join("`, `");
            return format!("; under another tenant there is one: try --tenant with `{tenants}`");
        }
        if !self.near.is_empty() {
            return format!("; there are `{}`", self.near.join("`, `"));
        }
        String::new()
    }

    fn applied(&self) -> impl Iterator<Item = (&Place, &Applied)> {
        self.mentions
            .iter()
            .filter_map(|mention| match &mention.what {
                What::Applied(applied) => Some((&mention.place, applied)),
                What::Rejected { .. } => None,
            })
    }

    /// How it stands, as late as is known.
    fn standing(&self) -> Option<&Inspection> {
        let last = || {
            self.applied()
                .filter_map(|(_, applied)| applied.standing.as_ref())
                .last()
        };
        self.end.as_ref().or_else(last)
    }

    /// The last look at a payment whose rule is known.
    fn dated(&self) -> Option<&Inspection> {
        let looks = self
            .applied()
            .filter_map(|(_, applied)| applied.standing.as_ref());
        looks
            .chain(self.end.as_ref())
            .filter(|standing| standing.rule.is_some())
            .last()
    }

    /// When and by which record it was closed.
    fn closing(&self) -> Option<(&Place, &Applied)> {
        self.applied().find(|(_, applied)| {
            applied
                .standing
                .as_ref()
                .is_some_and(|standing| is_closed(standing.state))
        })
    }

    /// The last revision of each of its alerts.
    fn last_revisions(&self) -> Vec<&Alert> {
        let mut last: Vec<&Alert> = Vec::new();
        for alert in &self.alerts {
            match last.iter_mut().find(|other| other.kind == alert.kind) {
                Some(other) => *other = alert,
                None => last.push(alert),
            }
        }
        last
    }
}

/// Whether nothing is due any more.
fn is_closed(state: PaymentState) -> bool {
    match state {
        PaymentState::Unknown | PaymentState::Waiting | PaymentState::Held => false,
        PaymentState::Credited
        | PaymentState::Refunded
        | PaymentState::Reversed
        | PaymentState::Declined
        | PaymentState::WrittenOff => true,
    }
}
