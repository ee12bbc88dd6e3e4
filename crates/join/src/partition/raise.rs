//! Alerts are opened, resolved and given another verdict: each change is one revision.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::sync::Arc;

use crate::alert::{Alert, AlertKind, AlertState, CreditSum, Resolution, Verdict};
use crate::effect::{Effect, Effects, Flow, TierIndex};
use crate::event::{Body, Credited};
use crate::identity::AlertId;
use crate::table::{FORGOTTEN, Slot};
use crate::time::Timestamp;

use super::Partition;

/// The tier of every kind but `credit_missing`.
const BREACH: &str = "breach";

/// One case of what an alert is about.
#[derive(Default)]
pub(super) struct Case {
    /// `None` is `breach`.
    pub(super) tier: Option<Arc<str>>,
    pub(super) deadline: Option<Timestamp>,
    pub(super) verdict: Option<Verdict>,
    pub(super) related: Option<String>,
    pub(super) credits: Option<CreditSum>,
    pub(super) lag_ms: Option<i64>,
}

impl Case {
    pub(super) fn with_verdict(verdict: Verdict) -> Self {
        Self {
            verdict: Some(verdict),
            ..Self::default()
        }
    }
}

impl Partition {
    /// Raises an alert: a new one, or a further revision that reopens it.
    pub(super) fn open(
        &mut self,
        slot: Slot,
        kind: AlertKind,
        case: Case,
        at: Timestamp,
        effects: &mut Effects,
    ) {
        let tier = case.tier.as_ref().map(|_| self.last_tier(slot));
        let extras = self.extras_mut(slot);
        let known = extras.alerts.iter().position(|alert| alert.kind == kind);
        let before = known.map(|i| extras.alerts[i].resolution);
        let revision = known.map_or(0, |i| extras.alerts[i].revision) + 1;
        let state = AlertState {
            kind,
            revision,
            resolution: None,
            tier: case.tier,
            deadline: case.deadline,
            verdict: case.verdict,
            related: case.related.map(Into::into),
            credits: case.credits.map(Box::new),
        };
        let i = match known {
            Some(i) => {
                extras.alerts[i] = state;
                i
            }
            None => {
                // Nearly always the only one: four would be a third of what an overdue payment costs.
                extras.alerts.reserve_exact(1);
                extras.alerts.push(state);
                extras.alerts.len() - 1
            }
        };
        self.ledger.alert(kind, before, None);
        effects.push(Effect::Flow(Flow::Raised {
            channel: self.channel(slot),
            kind,
            tier,
        }));
        self.write(slot, i, case.lag_ms, at, effects);
    }

    /// The tier that a payment passed last.
    fn last_tier(&self, slot: Slot) -> TierIndex {
        let entry = self.table.get(slot);
        TierIndex {
            rule: entry.rule,
            tier: entry.tier.saturating_sub(1),
        }
    }

    /// The name of a tier of this partition's effects, as long as its rules stay.
    pub fn tier_name(&self, tier: Option<TierIndex>) -> &str {
        let named = tier.and_then(|tier| {
            let rule = self.settings.rules.get(usize::from(tier.rule))?;
            rule.tiers.get(usize::from(tier.tier))
        });
        named.map_or(BREACH, |tier| &tier.name)
    }

    /// Resolves an alert if it is open; whether it was.
    pub(super) fn resolve(
        &mut self,
        slot: Slot,
        kind: AlertKind,
        resolution: Resolution,
        lag_ms: Option<i64>,
        at: Timestamp,
        effects: &mut Effects,
    ) -> bool {
        let Some(extras) = self.table.get_mut(slot).extras.as_mut() else {
            return false;
        };
        let open = extras
            .alerts
            .iter()
            .position(|alert| alert.kind == kind && alert.is_open());
        let Some(i) = open else { return false };
        let state = &mut extras.alerts[i];
        state.revision += 1;
        state.resolution = Some(resolution);
        self.ledger.alert(kind, Some(None), Some(resolution));
        self.write(slot, i, lag_ms, at, effects);
        true
    }

    /// Gives an open `credit_missing` the verdict that the payment's records now support, if it changed.
    pub(super) fn reconsider(&mut self, slot: Slot, at: Timestamp, effects: &mut Effects) {
        let related = self.shown_near(slot);
        let Some(extras) = self.table.get_mut(slot).extras.as_mut() else {
            return;
        };
        let verdict = extras.verdict();
        let missing =
            |alert: &AlertState| alert.kind == AlertKind::CreditMissing && alert.is_open();
        let Some(i) = extras.alerts.iter().position(missing) else {
            return;
        };
        if extras.alerts[i].verdict != verdict
            || extras.alerts[i].related.as_deref() != related.as_deref()
        {
            self.revise(slot, i, verdict, related, at, effects);
        }
    }

    /// Writes a revision with another verdict.
    pub(super) fn revise(
        &mut self,
        slot: Slot,
        i: usize,
        verdict: Option<Verdict>,
        related: Option<String>,
        at: Timestamp,
        effects: &mut Effects,
    ) {
        let state = &mut self.extras_mut(slot).alerts[i];
        state.revision += 1;
        state.verdict = verdict;
        state.related = related.map(Into::into);
        self.write(slot, i, None, at, effects);
    }

    /// The near id: both alerts name each other, also where a stronger verdict stands.
    pub(super) fn shown_near(&self, slot: Slot) -> Option<String> {
        self.extras(slot)?.near.clone()
    }

    fn write(
        &self,
        slot: Slot,
        i: usize,
        lag_ms: Option<i64>,
        at: Timestamp,
        effects: &mut Effects,
    ) {
        let Some(state) = self.extras(slot).map(|extras| &extras.alerts[i]) else {
            return;
        };
        let entry = self.table.get(slot);
        let payment_id = entry.id.unpack();
        let tenant = self.tenant(slot).map(|tenant| tenant.to_string());
        let mut alert = Alert {
            alert_id: AlertId::new(tenant.as_deref(), &payment_id, state.kind.as_str()),
            revision: state.revision,
            tenant,
            payment_id,
            kind: state.kind,
            resolution: state.resolution,
            tier: state.tier.as_deref().unwrap_or(BREACH).to_string(),
            channel: None,
            merchant_id: None,
            terminal_id: None,
            amount_minor: None,
            currency: None,
            paid_at: None,
            deadline: state.deadline,
            decided_at: at,
            lag_ms,
            verdict: state.verdict,
            related_payment_id: state.related.as_deref().map(ToString::to_string),
            dimensions: None,
        };
        if entry.is_accepted() && !entry.has(FORGOTTEN) {
            self.describe_payment(slot, &mut alert);
        } else if let Some(credit) = self.orphan_credit(slot) {
            alert.channel = credit.channel.as_deref().map(ToString::to_string);
            alert.merchant_id = credit.merchant_id.as_deref().map(ToString::to_string);
            alert.terminal_id = credit.terminal_id.as_deref().map(ToString::to_string);
        }
        if let Some(credits) = &state.credits {
            alert.amount_minor = credits.amount;
            alert.currency = credits.currency;
        }
        effects.push(Effect::Alert(alert.into()));
    }

    fn describe_payment(&self, slot: Slot, alert: &mut Alert) {
        let entry = self.table.get(slot);
        let view = self.attributes.view(entry.attributes());
        alert.channel = Some(view.channel.to_string());
        alert.merchant_id = Some(view.merchant_id.to_string());
        alert.terminal_id = Some(view.terminal_id.to_string());
        alert.amount_minor = Some(u128::from(entry.amount_minor));
        alert.currency = self
            .attributes
            .channel_and_currency(entry.attributes())
            .map(|(_, currency)| currency);
        alert.paid_at = Some(entry.occurred_at);
        alert.dimensions = Some(view.dimensions(&self.settings.dimensions));
    }

    /// The orphan that an unknown payment's alert is about: the last whose grace ended.
    fn orphan_credit(&self, slot: Slot) -> Option<&Credited<'_>> {
        let early = self
            .extras(slot)?
            .early
            .iter()
            .rev()
            .find(|early| early.decided)?;
        match &early.event.body {
            Body::Credited(credit) => Some(credit),
            _ => None,
        }
    }
}
