//! What is told of a fault: its verdict, how bad it is, and where.

use settlewatch_join::Timestamp;

use crate::around::Around;
use crate::detect::Detector;
use crate::detect::rows::Row;
use crate::detect::scope::Scope;
use crate::detect::values::{ValueId, common};
use crate::evidence::{Tally, expected_in};
use crate::incident::book::{Report, severity};
use crate::incident::cause::Cause;
use crate::incident::{Evidence, Finding, Severity};
use crate::pulse::{CONNECTOR, GATEWAY, MERCHANT, STORE, TERMINAL};
use crate::second::end_of;
use crate::verdict::Scene;

use super::fault::Fault;

impl Fault {
    /// What is told of it at `second`.
    pub(super) fn report(
        &mut self,
        second: i64,
        detector: &Detector,
        around: &Around<'_>,
    ) -> Report {
        let (tally, draft) = self.examined(second, detector, around);
        let finding = self.settled(second, draft);
        let now = end_of(second);
        let place = self.told_at(&finding, &tally, detector, now);
        let scope = place.as_ref().unwrap_or(&self.scope);
        let mut evidence = self.evidence(&tally, second, detector);
        if self.is_standing(second) {
            let expected = expected_in(detector, &self.scope, now.millis());
            evidence.expected_missing = Some(expected);
        }
        evidence.burn = around.worst_burn(&tally.channels, second, &detector.values);
        if finding.cause == Cause::LimitExceeded {
            evidence.amount_above_minor = tally.amount_above();
        }
        let severity = match finding.cause {
            Cause::TerminalBusy | Cause::IdCorrupted => Severity::Info,
            _ => severity(self.was_down, &evidence, around.critical_minor),
        };
        Report {
            finding,
            severity,
            scope: scope.named(&detector.values, &detector.dims),
            started_at: Timestamp::from_millis(self.onset_ms),
            evidence,
            samples: tally.samples(),
        }
    }

    /// How much of it there is: where its incident was opened again, with what it had before. How bad it is now, the
    /// payments since its onset say alone.
    fn evidence(&self, now: &Tally, second: i64, detector: &Detector) -> Evidence {
        let evidence = now.evidence();
        let Some(first_ms) = self.first_ms.filter(|first_ms| *first_ms < self.onset_ms) else {
            return evidence;
        };
        let whole = self.tally_since(first_ms, second, detector).evidence();
        Evidence {
            rate_inside: evidence.rate_inside,
            rate_outside: evidence.rate_outside,
            explains: evidence.explains,
            lag_p95_ms: evidence.lag_p95_ms,
            ..whole
        }
    }

    /// Its payments that were accepted since `since_ms`, in milliseconds.
    fn tally_since(&self, since_ms: i64, second: i64, detector: &Detector) -> Tally {
        let during_ms = (since_ms, self.until_ms(second));
        let now_ms = end_of(second).millis();
        let elsewhere = |row: &Row, values: &[ValueId]| self.leaves(row.accepted_ms, values);
        Tally::of(detector, &self.scope, during_ms, now_ms, &elsewhere)
    }

    /// Its payments, and what they say together with everything else.
    fn examined(&self, second: i64, detector: &Detector, around: &Around<'_>) -> (Tally, Finding) {
        let now = end_of(second);
        let mut tally = self.tally_since(self.onset_ms, second, detector);
        if tally.slow == 0 {
            tally.add_waiting(detector, &self.scope, self.onset_ms);
        }
        let named = self.scope.named(&detector.values, &detector.dims);
        let scene = Scene {
            detector,
            around,
            scope: &self.scope,
            named: &named,
            onset_ms: self.onset_ms,
            now,
            tally: &tally,
            was_down: self.was_down,
        };
        let mut finding = scene.verdict(self.confidence);
        finding.ruled_out.extend(around.feeds.not_ruled_out());
        (tally, finding)
    }

    /// The merchant whose account it is, where a part of its payments shows what is wrong with the account: an account
    /// does not end at a store's door.
    fn account(&self, tally: &Tally, detector: &Detector, now: Timestamp) -> Option<Scope> {
        let part = self.scope.has(STORE) || self.scope.has(TERMINAL);
        let [merchant] = tally.merchants[..] else {
            return None;
        };
        if !part || self.scope.has(MERCHANT) {
            return None;
        }
        let account = Scope::one(MERCHANT, merchant);
        let during = (self.onset_ms, tally.last_bad_ms);
        let whole = Tally::of(detector, &account, during, now.millis(), &|_, _| false);
        (whole.rate_during() >= 0.5).then_some(account)
    }

    /// The gateway of which its connector is the only one.
    fn gateway(&self, tally: &Tally, detector: &Detector) -> Option<Scope> {
        let [gateway] = tally.gateways[..] else {
            return None;
        };
        let whole = Scope::one(GATEWAY, gateway);
        let onset_s = self.onset_ms.div_euclid(1000);
        detector
            .are_same(&self.scope, &whole, onset_s)
            .then_some(whole)
    }

    /// The place of which is told what is found of another that has the same payments: an account has no stores, a
    /// network no merchants, and a gateway with one connector delays as a gateway.
    fn told_at(
        &self,
        finding: &Finding,
        tally: &Tally,
        detector: &Detector,
        now: Timestamp,
    ) -> Option<Scope> {
        match finding.cause {
            Cause::NetworkRegion if self.scope.only(MERCHANT).is_some() => {
                self.only_store(detector)
            }
            Cause::BalanceInsufficient | Cause::AccountFrozen => self.account(tally, detector, now),
            Cause::GatewayDelay if self.scope.has(CONNECTOR) => self.gateway(tally, detector),
            _ => None,
        }
    }

    /// The store that all of its payments since the onset have in common.
    fn only_store(&self, detector: &Detector) -> Option<Scope> {
        let rows = detector.rows.since(self.onset_ms.div_euclid(1000) - 1);
        let values = rows.map(|row| detector.values.of(row.tuple));
        let own = values.filter(|values| self.scope.holds(values));
        let store = common(own.map(|values| values[STORE]))?;
        Some(Scope::one(STORE, store))
    }
}
