//! Incidents: one fault, where it is, since when, how much money, and what to do.

pub(crate) mod book;
pub mod cause;

use std::collections::BTreeMap;

use settlewatch_join::Timestamp;
use settlewatch_join::event::Currency;

use crate::burn::Burn;
use crate::keep::{keep, keep_enum};
use crate::outlook::Expected;
use cause::Cause;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// For information; pages nobody.
    Info,
    /// Pages.
    Warning,
    /// Pages: nothing is credited where credits are due, or much money is at risk.
    Critical,
}

impl Severity {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// What a verdict stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Basis {
    /// The broader label: what would tell more is not there.
    Guess,
    /// The statistics show it.
    Inferred,
    /// An auxiliary event says so.
    Confirmed,
}

impl Basis {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Guess => "guess",
            Self::Inferred => "inferred",
            Self::Confirmed => "confirmed",
        }
    }
}

/// A verdict, and how sure it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The cause.
    pub cause: Cause,
    /// What it stands on.
    pub basis: Basis,
    /// From 0 to 1.
    pub confidence: f64,
    /// What else it could be and why it is not, or what could not be told.
    pub ruled_out: Vec<String>,
}

/// What an incident rests on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// Payments that are missing now.
    pub open: u64,
    /// Minor units that are missing now, by currency.
    pub amount_minor: BTreeMap<Currency, u128>,
    /// Merchants that are touched.
    pub merchants: u64,
    /// Terminals that are touched.
    pub terminals: u64,
    /// Share of bad payments in the scope since the onset.
    pub rate_inside: f64,
    /// The same elsewhere.
    pub rate_outside: f64,
    /// Share of all bad payments since the onset that the scope explains.
    pub explains: f64,
    /// 95 % of payments were credited within so many milliseconds; `None` where that cannot be known yet.
    pub lag_p95_ms: Option<u64>,
    /// Payments that were touched in all.
    pub touched: u64,
    /// Minor units of them, by currency; empty where they are records, or credited on time.
    pub touched_minor: BTreeMap<Currency, u128>,
    /// Of them: credited late.
    pub credited_late: u64,
    /// Misses occur only above this amount in minor units.
    pub amount_above_minor: Option<u64>,
    /// What the cases have in common.
    pub signature: Option<String>,
    /// Credits that are expected to be missing at the next tier.
    pub expected_missing: Option<Expected>,
    /// How fast the channel that it touches most spends its error budget.
    pub burn: Option<Burn>,
}

/// A scope by names, as it is shown: field names and values, all of which hold.
pub type Scoped = Vec<(String, Vec<String>)>;

/// What people were told when an incident first reached them, as a page or as a ticket. What is corrected later is the
/// same page.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The verdict then.
    pub cause: Cause,
    /// How bad it was.
    pub severity: Severity,
    /// Its scope.
    pub scope: Scoped,
}

impl Told {
    /// What a first revision tells.
    pub(crate) fn first(cause: Cause, severity: Severity, scope: &Scoped) -> Self {
        Self {
            cause,
            severity,
            scope: scope.clone(),
        }
    }

    /// Whether an incident that was a ticket is to be a page at `severity`.
    pub(crate) fn must_page(&self, severity: Severity) -> bool {
        self.severity == Severity::Info && severity > Severity::Info
    }
}

/// One revision of an incident.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// Its identity, over all revisions.
    pub id: String,
    /// 1, 2, 3, … without a gap.
    pub revision: u32,
    /// How bad it is.
    pub severity: Severity,
    /// The verdict.
    pub finding: Finding,
    /// Field names and values, all of which hold; none is everything.
    pub scope: Scoped,
    /// When it was raised.
    pub opened_at: Timestamp,
    /// When the fault began, as estimated.
    pub started_at: Timestamp,
    /// When this revision was made.
    pub updated_at: Timestamp,
    /// When it was over; `None` while it lasts.
    pub resolved_at: Option<Timestamp>,
    /// What it rests on.
    pub evidence: Evidence,
    /// A few of the payments.
    pub samples: Vec<String>,
    /// What people were told first; no field of the record.
    pub told: Told,
}

keep_enum!(Severity {
    0 => Info,
    1 => Warning,
    2 => Critical,
});
keep_enum!(Basis {
    0 => Guess,
    1 => Inferred,
    2 => Confirmed,
});
keep!(Finding {
    cause,
    basis,
    confidence,
    ruled_out,
});
keep!(Expected {
    of,
    count,
    low,
    high,
    amount_minor
});
keep!(Evidence {
    open,
    amount_minor,
    merchants,
    terminals,
    rate_inside,
    rate_outside,
    explains,
    lag_p95_ms,
    touched,
    touched_minor,
    credited_late,
    amount_above_minor,
    signature,
    expected_missing,
    burn,
});
keep!(Incident {
    id,
    revision,
    severity,
    finding,
    scope,
    opened_at,
    started_at,
    updated_at,
    resolved_at,
    evidence,
    samples,
    told,
});
keep!(Told {
    cause,
    severity,
    scope,
});
