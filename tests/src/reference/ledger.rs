//! Every revision of every alert, in the order of decision.

use super::fact::Id;

/// One revision of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Namespace of the payment.
    pub tenant: Option<String>,
    /// The payment.
    pub payment_id: String,
    /// The kind of alert.
    pub kind: &'static str,
    /// 1, 2, 3, … of this payment and kind.
    pub revision: u32,
    /// `open` or `resolved`.
    pub state: &'static str,
    /// The step that was passed.
    pub tier: String,
    /// How it was resolved.
    pub resolution: Option<&'static str>,
    /// What is the matter.
    pub verdict: Option<String>,
    /// The other payment.
    pub related_payment_id: Option<String>,
    /// Minor units.
    pub amount_minor: Option<i128>,
    /// Their currency.
    pub currency: Option<String>,
    /// The deadline that passed, in milliseconds since the epoch.
    pub deadline_ms: Option<i64>,
    /// When it was decided, in milliseconds since the epoch.
    pub decided_at_ms: i64,
    /// Business time from the payment to the credit.
    pub lag_ms: Option<i64>,
    /// When and where the payment was made; not given for orphans, which have none or had none.
    pub paid: Option<Paid>,
}

/// When and where a payment was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paid {
    /// Business time, in milliseconds since the epoch.
    pub at_ms: i64,
    /// The channel.
    pub channel: String,
    /// The merchant.
    pub merchant_id: String,
    /// The terminal.
    pub terminal_id: String,
}

/// What opens an alert or makes it worse.
pub(super) struct Case {
    pub(super) kind: &'static str,
    pub(super) tier: String,
    pub(super) verdict: Option<String>,
    pub(super) related: Option<String>,
    pub(super) money: (Option<i128>, Option<String>),
    pub(super) deadline: Option<i64>,
    pub(super) lag: Option<i64>,
}

/// All revisions so far.
#[derive(Default)]
pub(super) struct Ledger {
    pub(super) revisions: Vec<Revision>,
}

impl Ledger {
    /// The latest revision of an alert.
    pub(super) fn last(&self, id: &Id, kind: &str) -> Option<&Revision> {
        let same = |r: &&Revision| r.tenant == id.0 && r.payment_id == id.1 && r.kind == kind;
        self.revisions.iter().rev().find(same)
    }

    /// The latest revision, if it is open.
    pub(super) fn open(&self, id: &Id, kind: &str) -> Option<&Revision> {
        self.last(id, kind)
            .filter(|revision| revision.state == "open")
    }

    /// A case: opens the alert, or revises or reopens it.
    pub(super) fn raise(&mut self, id: &Id, at: i64, case: Case) {
        let revision = self.last(id, case.kind).map_or(1, |last| last.revision + 1);
        self.revisions.push(Revision {
            tenant: id.0.clone(),
            payment_id: id.1.clone(),
            kind: case.kind,
            revision,
            state: "open",
            tier: case.tier,
            resolution: None,
            verdict: case.verdict,
            related_payment_id: case.related,
            amount_minor: case.money.0,
            currency: case.money.1,
            deadline_ms: case.deadline,
            decided_at_ms: at,
            lag_ms: case.lag,
            paid: None,
        });
    }

    /// Resolves the alert; says whether it was open.
    pub(super) fn resolve(
        &mut self,
        id: &Id,
        kind: &str,
        how: &'static str,
        at: i64,
        lag: Option<i64>,
    ) -> bool {
        let Some(mut next) = self.next(id, kind, at) else {
            return false;
        };
        next.state = "resolved";
        next.resolution = Some(how);
        next.lag_ms = lag;
        self.revisions.push(next);
        true
    }

    /// Another verdict on an open alert.
    pub(super) fn reword(
        &mut self,
        id: &Id,
        kind: &str,
        at: i64,
        verdict: Option<String>,
        related: Option<String>,
    ) {
        if let Some(mut next) = self.next(id, kind, at) {
            next.verdict = verdict;
            next.related_payment_id = related;
            self.revisions.push(next);
        }
    }

    /// The next revision of an open alert, which says the same.
    fn next(&self, id: &Id, kind: &str, at: i64) -> Option<Revision> {
        let last = self.open(id, kind)?;
        Some(Revision {
            revision: last.revision + 1,
            decided_at_ms: at,
            lag_ms: None,
            ..last.clone()
        })
    }
}
