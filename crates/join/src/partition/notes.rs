//! What the pairs stage and other partitions say, and what is said to them.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::alert::{AlertKind, Resolution, Verdict};
use crate::effect::{Effect, Effects};
use crate::event::Body;
use crate::near;
use crate::pairs::{
    Candidate, Message, MessageBody, NearItem, Note, NoteBody, OrphanAmount, PaymentRef,
};
use crate::table::{Phase, Slot};
use crate::time::Timestamp;

use super::Partition;
use super::raise::Case;

impl Partition {
    /// Takes the notes of one moment. All notes of the moment must come together: where several candidates
    /// are offered, the best is taken.
    pub fn notes(&mut self, notes: &[Note], effects: &mut Effects) {
        let mut offers: BTreeMap<String, (PaymentRef, Timestamp, Vec<Candidate>)> = BTreeMap::new();
        let mut takers: BTreeMap<String, (PaymentRef, Timestamp, Vec<Taker>)> = BTreeMap::new();
        for note in notes {
            let slot = self.slot_of(&note.to);
            match (&note.body, slot) {
                (NoteBody::Twin { earlier }, Some(slot)) => {
                    self.twin(slot, earlier, note.at, effects);
                }
                (NoteBody::HasTwin { later }, slot) => {
                    self.has_twin(slot, &note.to, later, note.at, effects);
                }
                (NoteBody::TwinEnded { resolution }, Some(slot)) => {
                    let kind = AlertKind::DuplicatePayment;
                    self.resolve(slot, kind, *resolution, None, note.at, effects);
                }
                (NoteBody::NearFound(candidate), Some(slot)) => {
                    self.near_found(slot, candidate, note.at, effects);
                }
                (NoteBody::NearOffer(candidates), Some(_)) => {
                    let (_, _, all) = offers
                        .entry(note.to.payment_id())
                        .or_insert_with(|| (note.to.clone(), note.at, Vec::new()));
                    all.extend(candidates.iter().cloned());
                }
                (NoteBody::NearTaken { candidate, rest }, Some(_)) => {
                    let (_, _, all) = takers
                        .entry(note.to.payment_id())
                        .or_insert_with(|| (note.to.clone(), note.at, Vec::new()));
                    all.push(Taker {
                        candidate: candidate.clone(),
                        rest: rest.clone(),
                    });
                }
                (NoteBody::NearAgreed { payment }, Some(slot)) => {
                    self.near_agreed(slot, payment, note.at, effects);
                }
                // The payment is forgotten: nothing of it is open.
                (_, None) => {}
            }
        }
        for (orphan, at, candidates) in offers.into_values() {
            self.take_best_offer(&orphan, candidates, at, effects);
        }
        for (payment, at, takers) in takers.into_values() {
            self.agree_with_best(&payment, takers, at, effects);
        }
    }

    /// This payment is the later of two twins.
    fn twin(&mut self, slot: Slot, earlier: &PaymentRef, at: Timestamp, effects: &mut Effects) {
        let case = Case {
            related: Some(earlier.payment_id()),
            ..Case::with_verdict(Verdict::DuplicatePayment)
        };
        self.open(slot, AlertKind::DuplicatePayment, case, at, effects);
        // It may have ended in the same millisecond, or before the note came.
        let ended = self.extras(slot).and_then(|extras| extras.ended);
        if let Some((ended_at, resolution)) = ended {
            let kind = AlertKind::DuplicatePayment;
            self.resolve(slot, kind, resolution, None, ended_at.max(at), effects);
        }
        if self.table.get(slot).is_closed() {
            self.reschedule(slot, at);
        }
    }

    /// This payment is the earlier of two twins: when it ends, the later must hear of it.
    fn has_twin(
        &mut self,
        slot: Option<Slot>,
        payment: &PaymentRef,
        later: &PaymentRef,
        at: Timestamp,
        effects: &mut Effects,
    ) {
        let slot = slot.unwrap_or_else(|| {
            let key = self.key_of(payment.tenant(), payment.id.clone());
            self.revive(key, at)
        });
        let extras = self.extras_mut(slot);
        extras.twins.push(later.clone());
        if let Some((ended_at, resolution)) = extras.ended {
            effects.push(twin_ended(later, resolution, ended_at.max(at)));
        }
        if self.table.get(slot).is_closed() {
            self.reschedule(slot, at);
        }
    }

    pub(super) fn tell_twins(
        &self,
        slot: Slot,
        resolution: Resolution,
        at: Timestamp,
        effects: &mut Effects,
    ) {
        let twins = self.extras(slot).map_or(&[][..], |extras| &extras.twins);
        effects.extend(twins.iter().map(|later| twin_ended(later, resolution, at)));
    }

    /// A payment passed its first deadline: an orphan may be its credit under a damaged id.
    pub(super) fn seek_orphan(&self, slot: Slot, at: Timestamp, effects: &mut Effects) {
        let appended_at = self.table.get(slot).appended_at;
        self.seek(slot, appended_at, None, at, effects);
    }

    /// An orphan's grace ended: a payment may wait for it under another id.
    pub(super) fn seek_payment(
        &self,
        slot: Slot,
        appended_at: Timestamp,
        at: Timestamp,
        effects: &mut Effects,
    ) {
        let early = self.extras(slot).and_then(|extras| {
            extras
                .early
                .iter()
                .find(|early| early.decided && early.at == appended_at)
        });
        let Some(Body::Credited(credit)) = early.map(|early| &early.event.body) else {
            return;
        };
        let amount = OrphanAmount {
            amount_minor: credit.amount_minor,
            currency: credit.currency,
        };
        self.seek(slot, appended_at, Some(amount), at, effects);
    }

    fn seek(
        &self,
        slot: Slot,
        appended_at: Timestamp,
        orphan: Option<OrphanAmount>,
        at: Timestamp,
        effects: &mut Effects,
    ) {
        let payment = self.payment_ref(slot);
        let id = payment.payment_id();
        for third in 0..near::THIRDS {
            let item = NearItem {
                payment: payment.clone(),
                appended_at,
                third,
                orphan,
            };
            effects.push(Effect::Pair(
                Message {
                    key: near::key(payment.tenant(), &id, third),
                    place: self.current_place(at),
                    body: MessageBody::Near(item),
                }
                .into(),
            ));
        }
    }

    /// A payment that looked for an orphan is closed.
    pub(super) fn leave_seekers(&self, slot: Slot, at: Timestamp, effects: &mut Effects) {
        if self.table.get(slot).tier == 0 {
            return;
        }
        self.stop_seeking(slot, at, effects);
    }

    /// Whoever looked for the other half of an id does so no longer.
    pub(super) fn stop_seeking(&self, slot: Slot, at: Timestamp, effects: &mut Effects) {
        let payment = self.payment_ref(slot);
        let id = payment.payment_id();
        for third in 0..near::THIRDS {
            effects.push(Effect::Pair(
                Message {
                    key: near::key(payment.tenant(), &id, third),
                    place: self.current_place(at),
                    body: MessageBody::Gone {
                        payment: payment.clone(),
                    },
                }
                .into(),
            ));
        }
    }

    /// An orphan's id is near this payment's.
    fn near_found(
        &mut self,
        slot: Slot,
        candidate: &Candidate,
        at: Timestamp,
        effects: &mut Effects,
    ) {
        if self.may_be_near(slot, candidate) {
            let to = candidate.orphan.clone();
            let body = NoteBody::NearOffer([candidate.clone()].into());
            effects.push(Effect::Note(Note { to, at, body }.into()));
        }
    }

    fn may_be_near(&self, slot: Slot, candidate: &Candidate) -> bool {
        let waits = self.extras(slot).is_some_and(|extras| {
            extras.is_open(AlertKind::CreditMissing) && extras.near.is_none()
        });
        if self.table.get(slot).phase != Phase::Waiting || !waits {
            return false;
        }
        let refs = self.table.get(slot).attributes();
        let currency = self
            .attributes
            .channel_and_currency(refs)
            .map(|(_, currency)| currency);
        let OrphanAmount {
            amount_minor,
            currency: theirs,
        } = candidate.orphan_amount;
        (theirs.is_none() || theirs == currency)
            && amount_minor.is_none_or(|amount| self.fits(slot, amount))
    }

    fn take_best_offer(
        &mut self,
        orphan: &PaymentRef,
        mut candidates: Vec<Candidate>,
        at: Timestamp,
        effects: &mut Effects,
    ) {
        let Some(slot) = self.slot_of(orphan) else {
            return;
        };
        let free = self
            .extras(slot)
            .is_some_and(|extras| extras.is_open(AlertKind::OrphanCredit) && extras.near.is_none());
        if !free {
            return;
        }
        candidates.sort_by_cached_key(Candidate::rank);
        let mut candidates = candidates.into_iter();
        let Some(candidate) = candidates.next() else {
            return;
        };
        let rest = candidates.collect();
        let to = candidate.payment.clone();
        let body = NoteBody::NearTaken { candidate, rest };
        effects.push(Effect::Note(Note { to, at, body }.into()));
    }

    fn agree_with_best(
        &mut self,
        payment: &PaymentRef,
        mut takers: Vec<Taker>,
        at: Timestamp,
        effects: &mut Effects,
    ) {
        let Some(slot) = self.slot_of(payment) else {
            return;
        };
        takers.sort_by_cached_key(|taker| taker.candidate.rank());
        let mut takers = takers.into_iter();
        // It may have ended since it was offered: then it takes nobody, and the alerts stay as they are.
        if self
            .extras(slot)
            .is_some_and(|extras| extras.near.is_none() && extras.is_open(AlertKind::CreditMissing))
            && let Some(best) = takers.next()
        {
            self.extras_mut(slot).near = Some(best.candidate.orphan.payment_id());
            self.reconsider(slot, at, effects);
            self.stop_seeking(slot, at, effects);
            let body = NoteBody::NearAgreed {
                payment: payment.clone(),
            };
            effects.push(Effect::Note(
                Note {
                    to: best.candidate.orphan,
                    at,
                    body,
                }
                .into(),
            ));
        }
        for refused in takers.filter(|taker| !taker.rest.is_empty()) {
            let body = NoteBody::NearOffer(refused.rest);
            effects.push(Effect::Note(
                Note {
                    to: refused.candidate.orphan,
                    at,
                    body,
                }
                .into(),
            ));
        }
    }

    /// The payment agreed: the orphan gets its verdict.
    fn near_agreed(
        &mut self,
        slot: Slot,
        payment: &PaymentRef,
        at: Timestamp,
        effects: &mut Effects,
    ) {
        // It may have found its payment since it took this one.
        let open = |alert: &crate::alert::AlertState| {
            alert.kind == AlertKind::OrphanCredit && alert.is_open()
        };
        let alerts = self.extras(slot).map(|extras| &extras.alerts);
        let Some(i) = alerts.and_then(|alerts| alerts.iter().position(open)) else {
            return;
        };
        let id = payment.payment_id();
        self.extras_mut(slot).near = Some(id.clone());
        self.revise(slot, i, Some(Verdict::IdCorrupted), Some(id), at, effects);
        self.stop_seeking(slot, at, effects);
    }
}

/// An orphan that takes a payment, and what else it was offered.
struct Taker {
    candidate: Candidate,
    rest: Vec<Candidate>,
}

fn twin_ended(later: &PaymentRef, resolution: Resolution, at: Timestamp) -> Effect {
    Effect::Note(
        Note {
            to: later.clone(),
            at,
            body: NoteBody::TwinEnded { resolution },
        }
        .into(),
    )
}
