//! A credit of a payment that waits, and how a credit fits.

use crate::alert::{AlertKind, Verdict};
use crate::effect::Effects;
use crate::event::Credited;
use crate::extras::Extras;
use crate::table::{Phase, Slot};
use crate::time::Timestamp;

use super::Partition;
use super::raise::Case;

/// Fee rates that a differing merchant category may explain, in parts per thousand of the amount.
const PLAUSIBLE_RATE_PER_MILLE: core::ops::RangeInclusive<u128> = 1..=50;

/// How an amount compares with what a payment is due.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit {
    Short,
    Fits,
    Exceeds,
}

impl Partition {
    /// A credit of a waiting payment. A whole one closes it, fitting or not; parts close it when they add
    /// up.
    pub(super) fn credit(
        &mut self,
        slot: Slot,
        credit: &Credited<'_>,
        occurred_at: Timestamp,
        at: Timestamp,
        effects: &mut Effects,
    ) {
        let lag_ms = Some(occurred_at.since(self.table.get(slot).occurred_at));
        let same_currency = self.check_currency(slot, credit, lag_ms, at, effects);
        self.check_terminal(slot, credit, lag_ms, at, effects);
        if credit.partial {
            let extras = self.extras_mut(slot);
            extras.part_lag_ms = lag_ms;
            if same_currency && let Some(amount) = credit.amount_minor {
                extras.parts_minor += u128::from(amount);
            }
            self.close_if_parts_add_up(slot, at, effects);
            return;
        }
        if same_currency && let Some(amount) = credit.amount_minor {
            self.check_amount(slot, credit, amount, lag_ms, at, effects);
        }
        self.close(slot, Phase::Credited, lag_ms, at, effects);
    }

    /// Closes a payment whose parts fit or exceed what it is due.
    pub(super) fn close_if_parts_add_up(
        &mut self,
        slot: Slot,
        at: Timestamp,
        effects: &mut Effects,
    ) {
        let (parts, lag_ms) = self
            .extras(slot)
            .map_or((0, None), |extras| (extras.parts_minor, extras.part_lag_ms));
        if parts == 0 {
            return;
        }
        match self.fit(slot, parts) {
            Fit::Short => return,
            Fit::Fits => {}
            Fit::Exceeds => {
                let case = Case {
                    lag_ms,
                    ..Case::with_verdict(Verdict::AmountMismatch)
                };
                self.open(slot, AlertKind::AmountMismatch, case, at, effects);
            }
        }
        self.close(slot, Phase::Credited, lag_ms, at, effects);
    }

    /// Whether the credit is in the payment's currency, as far as it says; another one is an alert.
    fn check_currency(
        &mut self,
        slot: Slot,
        credit: &Credited<'_>,
        lag_ms: Option<i64>,
        at: Timestamp,
        effects: &mut Effects,
    ) -> bool {
        let refs = self.table.get(slot).attributes();
        let due = self
            .attributes
            .channel_and_currency(refs)
            .map(|(_, currency)| currency);
        let same = credit.currency.is_none() || credit.currency == due;
        if !same {
            let case = Case {
                lag_ms,
                ..Case::with_verdict(Verdict::CurrencyMismatch)
            };
            self.open(slot, AlertKind::CurrencyMismatch, case, at, effects);
        }
        same
    }

    /// A credit at another terminal or merchant is an alert.
    fn check_terminal(
        &mut self,
        slot: Slot,
        credit: &Credited<'_>,
        lag_ms: Option<i64>,
        at: Timestamp,
        effects: &mut Effects,
    ) {
        if credit.terminal_id.is_none() && credit.merchant_id.is_none() {
            return;
        }
        let (merchant, terminal) = self
            .attributes
            .merchant_and_terminal(self.table.get(slot).attributes());
        let other_terminal = credit
            .terminal_id
            .as_deref()
            .is_some_and(|id| id != terminal);
        let other_merchant = credit
            .merchant_id
            .as_deref()
            .is_some_and(|id| id != merchant);
        if other_terminal || other_merchant {
            let case = Case {
                lag_ms,
                ..Case::with_verdict(Verdict::TerminalMismatch)
            };
            self.open(slot, AlertKind::TerminalMismatch, case, at, effects);
        }
    }

    fn check_amount(
        &mut self,
        slot: Slot,
        credit: &Credited<'_>,
        amount_minor: u64,
        lag_ms: Option<i64>,
        at: Timestamp,
        effects: &mut Effects,
    ) {
        if self.fit(slot, u128::from(amount_minor)) == Fit::Fits {
            return;
        }
        let explained = self.explained_by_fee(slot, credit, u128::from(amount_minor));
        let verdict = if explained {
            Verdict::FeeMismatch
        } else {
            Verdict::AmountMismatch
        };
        let case = Case {
            lag_ms,
            ..Case::with_verdict(verdict)
        };
        self.open(slot, AlertKind::AmountMismatch, case, at, effects);
    }

    /// Compares an amount with the payment's, gross or net of its fee, each less what was refunded.
    fn fit(&self, slot: Slot, amount_minor: u128) -> Fit {
        let (gross, net) = self.targets(slot);
        if amount_minor == gross || net == Some(amount_minor) {
            Fit::Fits
        } else if amount_minor > gross {
            Fit::Exceeds
        } else {
            Fit::Short
        }
    }

    /// Whether a credit of this amount would fit.
    pub(super) fn fits(&self, slot: Slot, amount_minor: u64) -> bool {
        self.fit(slot, u128::from(amount_minor)) == Fit::Fits
    }

    /// What is due: the amount, and the amount net of the payment's fee, less what was refunded.
    fn targets(&self, slot: Slot) -> (u128, Option<u128>) {
        let entry = self.table.get(slot);
        let gross = u128::from(entry.amount_minor).saturating_sub(self.refunded(slot));
        (
            gross,
            entry
                .fee_minor()
                .and_then(|fee| gross.checked_sub(u128::from(fee))),
        )
    }

    fn refunded(&self, slot: Slot) -> u128 {
        self.extras(slot)
            .map_or(0, |extras: &Extras| extras.refunded_minor)
    }

    /// Whether the credit's own fee or merchant category differs from the payment's and explains the
    /// amount.
    fn explained_by_fee(&self, slot: Slot, credit: &Credited<'_>, amount_minor: u128) -> bool {
        let entry = self.table.get(slot);
        let (gross, _) = self.targets(slot);
        let by_fee = credit.fee_minor.is_some_and(|fee| {
            Some(fee) != entry.fee_minor()
                && gross.checked_sub(u128::from(fee)) == Some(amount_minor)
        });
        let view = self.attributes.view(entry.attributes());
        let other_mcc = match (credit.mcc.as_deref(), view.mcc) {
            (Some(theirs), Some(ours)) => theirs != ours,
            _ => false,
        };
        by_fee || (other_mcc && is_plausible_fee(gross, amount_minor))
    }
}

/// Whether an amount is short by a rate that fees have (0.1 % to 5 %).
fn is_plausible_fee(gross: u128, amount_minor: u128) -> bool {
    let Some(short) = gross.checked_sub(amount_minor) else {
        return false;
    };
    let scaled = short * 1000;
    scaled >= gross * PLAUSIBLE_RATE_PER_MILLE.start()
        && scaled <= gross * PLAUSIBLE_RATE_PER_MILLE.end()
}
