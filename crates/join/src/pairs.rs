//! The pairs stage: what two payments share lies in neither's partition, so both send a message under a
//! common key, and the stage that owns the key sends notes to the partitions of the ids.
//!
//! The stage emits no alert: the partition of an id writes every alert of that id.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use hashbrown::HashTable;

use crate::alert::Resolution;
use crate::event::{Currency, Place};
use crate::identity::Fingerprint;
use crate::near;
use crate::packed::PackedId;
use crate::seekers::Seekers;
use crate::time::{Span, Timestamp};

/// A payment, named from outside its partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentRef {
    pub(crate) tenant: Option<Arc<str>>,
    pub(crate) id: PackedId,
    /// The partition number that owns it.
    pub(crate) home: u32,
}

impl PaymentRef {
    /// The partition number that owns it: notes go there.
    pub fn home(&self) -> u32 {
        self.home
    }

    /// Namespace of the payment id.
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// The payment id.
    pub fn payment_id(&self) -> String {
        self.id.unpack()
    }

    /// Fingerprint of the two.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_packed(self.tenant(), &self.id)
    }
}

/// A message to the stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Whoever shares this key meets: it decides the partition of the pairs topic.
    pub key: Fingerprint,
    /// The record that caused it. What a deadline caused stands after every record of its millisecond.
    pub place: Place,
    pub(crate) body: MessageBody,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MessageBody {
    /// A payment by a payer; the key is merchant, terminal, amount and currency.
    Paid {
        payer: Fingerprint,
        payment: PaymentRef,
    },
    /// That payment was refunded in full, reversed or declined.
    Ended { payment: PaymentRef },
    /// A payment past its first deadline, or an orphan; the key is a third of the id's characters.
    Near(NearItem),
    /// It is no longer looking for its other half.
    Gone { payment: PaymentRef },
}

/// One side of a pair of ids that may be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NearItem {
    pub(crate) payment: PaymentRef,
    /// Append time of the payment or of the orphan credit.
    pub(crate) appended_at: Timestamp,
    /// Which third of the characters the key is made of.
    pub(crate) third: u8,
    /// What the orphan credit says of its amount; `None` on the side of the payment.
    pub(crate) orphan: Option<OrphanAmount>,
}

/// The amount of an orphan credit, as far as it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OrphanAmount {
    pub(crate) amount_minor: Option<u64>,
    pub(crate) currency: Option<Currency>,
}

/// A note to the partition of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Whom it is for.
    pub to: PaymentRef,
    /// The logical moment it speaks of.
    pub at: Timestamp,
    pub(crate) body: NoteBody,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoteBody {
    /// To the later of two twins.
    Twin { earlier: PaymentRef },
    /// To the earlier of two twins, with the amount both have.
    HasTwin { later: PaymentRef },
    /// To the later: the earlier ended.
    TwinEnded { resolution: Resolution },
    /// To a payment: this orphan's id is near.
    NearFound(Candidate),
    /// To an orphan: these payments' ids are near, and they wait.
    NearOffer(Vec<Candidate>),
    /// To a payment: the orphan takes it. With the offers that remain if it is refused.
    NearTaken {
        candidate: Candidate,
        rest: Vec<Candidate>,
    },
    /// To an orphan: the payment agreed.
    NearAgreed { payment: PaymentRef },
}

/// A payment and an orphan whose ids are near.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) payment: PaymentRef,
    pub(crate) payment_appended_at: Timestamp,
    pub(crate) orphan: PaymentRef,
    pub(crate) orphan_appended_at: Timestamp,
    pub(crate) orphan_amount: OrphanAmount,
    /// Characters in which the ids differ.
    pub(crate) differences: usize,
}

impl Candidate {
    /// The order of preference: fewest differences, then the earliest payment, then its id, then the
    /// orphan's.
    pub(crate) fn rank(&self) -> (usize, Timestamp, String, Timestamp, String) {
        (
            self.differences,
            self.payment_appended_at,
            self.payment.payment_id(),
            self.orphan_appended_at,
            self.orphan.payment_id(),
        )
    }
}

/// The key under which payments of the same merchant, terminal, amount and currency meet.
pub(crate) fn twin_key(
    tenant: Option<&str>,
    merchant_id: &str,
    terminal_id: &str,
    amount_minor: u64,
    currency: Currency,
) -> Fingerprint {
    Fingerprint::of_parts(
        b'w',
        [
            tenant.unwrap_or("").as_bytes(),
            merchant_id.as_bytes(),
            terminal_id.as_bytes(),
            &amount_minor.to_le_bytes(),
            &currency.letters(),
        ],
    )
}

pub(crate) struct Paid {
    pub(crate) key: Fingerprint,
    pub(crate) payer: Fingerprint,
    pub(crate) payment: PaymentRef,
    pub(crate) place: Place,
    pub(crate) ended: bool,
}

/// The pairs stage of one partition of keys.
pub struct Pairs {
    window: Span,
    /// Payments of the window in the order of their places; `first` is the sequence number of the front.
    pub(crate) paid: VecDeque<Paid>,
    pub(crate) first: u64,
    by_key: HashTable<u64>,
    pub(crate) seekers: Seekers,
}

impl Pairs {
    /// From now on, payments are remembered for `window`; what was forgotten stays so.
    pub fn set_window(&mut self, window: Span) {
        self.window = window;
    }

    /// A stage that remembers payments for `window`.
    pub fn new(window: Span) -> Self {
        Self {
            window,
            paid: VecDeque::new(),
            first: 0,
            by_key: HashTable::new(),
            seekers: Seekers::default(),
        }
    }

    /// Takes the messages of one millisecond, in the order of their places, and adds the notes they cause.
    pub fn apply(&mut self, messages: &[Message], at: Timestamp, notes: &mut Vec<Note>) {
        self.expire(at);
        for message in messages {
            match &message.body {
                MessageBody::Paid { payer, payment } => self.paid(message, *payer, payment, notes),
                MessageBody::Ended { payment } => self.ended(message.key, payment),
                MessageBody::Near(item) => self.seek(message.key, item, at, notes),
                MessageBody::Gone { payment } => self.gone(message.key, payment),
            }
        }
    }

    /// Payments and ids held.
    pub fn len(&self) -> usize {
        self.paid.len() + self.seekers.len()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn expire(&mut self, at: Timestamp) {
        while let Some(oldest) = self
            .paid
            .front()
            .filter(|paid| paid.place.at + self.window < at)
        {
            let sequence = self.first;
            if let Ok(entry) = self
                .by_key
                .find_entry(oldest.key.0, |&other| other == sequence)
            {
                entry.remove();
            }
            self.paid.pop_front();
            self.first += 1;
        }
    }

    fn paid(
        &mut self,
        message: &Message,
        payer: Fingerprint,
        payment: &PaymentRef,
        notes: &mut Vec<Note>,
    ) {
        let at = message.place.at;
        if let Some(earlier) = self.latest_twin(message.key, payer, payment) {
            notes.push(Note {
                to: payment.clone(),
                at,
                body: NoteBody::Twin {
                    earlier: earlier.clone(),
                },
            });
            notes.push(Note {
                to: earlier,
                at,
                body: NoteBody::HasTwin {
                    later: payment.clone(),
                },
            });
        }
        let remembered = self.remember(Paid {
            key: message.key,
            payer,
            payment: payment.clone(),
            place: message.place,
            ended: false,
        });
        debug_assert!(remembered, "2^64 payments do not come");
    }

    /// Adds the next payment of the window; `false` where its sequence number would not fit.
    pub(crate) fn remember(&mut self, paid: Paid) -> bool {
        let Some(sequence) = self.first.checked_add(self.paid.len() as u64) else {
            return false;
        };
        let key = paid.key;
        self.paid.push_back(paid);
        let (first, paid) = (self.first, &self.paid);
        self.by_key.insert_unique(key.0, sequence, |&other| {
            paid[(other - first) as usize].key.0
        });
        true
    }

    /// The latest earlier payment with this key and payer that has not ended.
    fn latest_twin(
        &self,
        key: Fingerprint,
        payer: Fingerprint,
        payment: &PaymentRef,
    ) -> Option<PaymentRef> {
        let matching = self.by_key.iter_hash(key.0).filter(|&&sequence| {
            let paid = &self.paid[(sequence - self.first) as usize];
            paid.key == key && paid.payer == payer && !paid.ended && paid.payment != *payment
        });
        let latest = matching.max()?;
        Some(self.paid[(latest - self.first) as usize].payment.clone())
    }

    fn ended(&mut self, key: Fingerprint, payment: &PaymentRef) {
        let (first, paid) = (self.first, &mut self.paid);
        for &sequence in self.by_key.iter_hash(key.0) {
            let paid = &mut paid[(sequence - first) as usize];
            if paid.payment == *payment {
                paid.ended = true;
            }
        }
    }

    fn seek(&mut self, key: Fingerprint, item: &NearItem, at: Timestamp, notes: &mut Vec<Note>) {
        let mut found: Vec<Candidate> = self
            .seekers
            .of_key(key)
            .filter(|other| other.is_orphan() != item.orphan.is_some())
            .filter_map(|other| match item.orphan {
                Some(_) => candidate(&self.seekers.item(other), item),
                None => candidate(item, &self.seekers.item(other)),
            })
            .collect();
        // The table's order depends on its history; what is said must not.
        found.sort_by_cached_key(Candidate::rank);
        notes.extend(found.into_iter().map(|candidate| Note {
            to: candidate.payment.clone(),
            at,
            body: NoteBody::NearFound(candidate),
        }));
        self.seekers.insert(key, item);
    }

    fn gone(&mut self, key: Fingerprint, payment: &PaymentRef) {
        self.seekers.remove(key, payment);
    }
}

/// The two as a candidate, if their ids are near and this is the lowest third that both have intact (the
/// others would find them again).
fn candidate(payment: &NearItem, orphan: &NearItem) -> Option<Candidate> {
    let (payment_id, orphan_id) = (payment.payment.payment_id(), orphan.payment.payment_id());
    let differences = near::differences(&payment_id, &orphan_id)?;
    if near::lowest_intact_third(&payment_id, &orphan_id)? != payment.third {
        return None;
    }
    Some(Candidate {
        payment: payment.payment.clone(),
        payment_appended_at: payment.appended_at,
        orphan: orphan.payment.clone(),
        orphan_appended_at: orphan.appended_at,
        orphan_amount: orphan.orphan?,
        differences,
    })
}
