//! Partitions divided anew: the same payments among another number of partitions.
//!
//! A fingerprint does not tell where its payment belongs, so finished ids go to every partition that may be asked for
//! them. Everything else goes where it belongs, and the accounts of what waits go with it: the sums still hold.

use alloc::vec::Vec;

use crate::event::Currency;
use crate::finished::Finished;
use crate::identity::Fingerprint;
use crate::ledger::{Ledger, Tally};
use crate::pairs::{Candidate, Message, MessageBody, Note, NoteBody, Paid, Pairs, PaymentRef};
use crate::partition::Partition;
use crate::table::{Entry, Phase, Slot};
use crate::time::{Span, Timestamp};

/// The partition number of a payment, by tenant and payment id.
pub type Home<'a> = &'a dyn Fn(Option<&str>, &str) -> u32;

impl Partition {
    /// Shows tenant and id of every payment at hand.
    pub fn each_payment(&self, visit: &mut dyn FnMut(Option<&str>, &str)) {
        for (_, entry) in self.table.iter() {
            visit(self.tenant_name(entry), &entry.id.unpack());
        }
    }

    /// From when its inputs are known.
    pub fn knows_since(&self) -> Timestamp {
        self.knows_since.0
    }

    fn tenant_name(&self, entry: &Entry) -> Option<&str> {
        let index = usize::from(entry.tenant).checked_sub(1)?;
        self.tenants.get(index).map(AsRef::as_ref)
    }

    /// Moves all of this partition into those that it belongs to now; `asks` says which of them may be asked for
    /// payments that were here. All stand at one known time, no later than this partition's, under the same rules.
    pub fn divide(mut self, among: &mut [Self], home: Home<'_>, asks: impl Fn(usize) -> bool) {
        let here = self.home as usize;
        for (at, target) in among.iter_mut().enumerate() {
            target.hole_until = target.hole_until.max(self.hole_until);
            if at == here {
                target.ledger.merge(&self.ledger);
            }
            if asks(at) {
                target.finished.absorb(&self.finished);
                target.auxiliary.absorb(&self.auxiliary);
            }
        }
        let slots: Vec<Slot> = self.table.iter().map(|(slot, _)| slot).collect();
        for slot in slots {
            self.hand_over(slot, among, home);
        }
    }

    fn hand_over(&mut self, slot: Slot, among: &mut [Self], home: Home<'_>) {
        let tenant = self
            .tenant_name(self.table.get(slot))
            .map(alloc::string::String::from);
        let fingerprint = Fingerprint::of_packed(tenant.as_deref(), &self.table.get(slot).id);
        let due = self.table.due(slot);
        let mut entry = self.table.remove(fingerprint, slot);
        let to = home(tenant.as_deref(), &entry.id.unpack()) as usize;
        if to != self.home as usize
            && let Some(account) = self.account(&entry)
        {
            among[self.home as usize].ledger.take_out(&account);
            among[to].ledger.put_in(&account);
        }
        let target = &mut among[to];
        let refs = target
            .attributes
            .adopt(&self.attributes, entry.attributes());
        entry.set_attributes(refs);
        entry.tenant = tenant.map_or(0, |tenant| target.tenant_index(&tenant));
        // Reading is enough where there is none: writing would make room for it.
        if entry
            .extras
            .as_ref()
            .is_some_and(|extras| !extras.twins.is_empty())
        {
            let twins = &mut entry.extras_mut().twins;
            twins.iter_mut().for_each(|twin| twin.move_home(home));
        }
        let slot = target.table.insert(fingerprint, entry);
        if let Some(due) = due {
            target.table.set_timer(slot, due);
        }
    }

    /// What the accounts say of an entry; `None` where that is nothing.
    fn account(&self, entry: &Entry) -> Option<Account> {
        let waits = (entry.phase == Phase::Waiting)
            .then(|| self.attributes.channel_and_currency(entry.attributes()))
            .flatten()
            .map(|(_, currency)| (currency, entry.amount_minor, entry.tier > 0));
        let alerts = entry.extras.iter().flat_map(|extras| &extras.alerts);
        let alerts: Vec<_> = alerts
            .map(|alert| (alert.kind as usize, alert.is_open()))
            .collect();
        (waits.is_some() || !alerts.is_empty()).then_some(Account { waits, alerts })
    }
}

/// What the accounts say of one payment.
struct Account {
    /// Currency, amount, and whether it is overdue.
    waits: Option<(Currency, u64, bool)>,
    /// Kind of each alert, and whether it is open.
    alerts: Vec<(usize, bool)>,
}

impl Ledger {
    fn merge(&mut self, other: &Self) {
        for (currency, book) in &other.books {
            self.book(*currency).merge(book);
        }
        if other.records.len() > self.records.len() {
            self.records.resize(other.records.len(), Default::default());
        }
        for (mine, theirs) in self.records.iter_mut().zip(&other.records) {
            mine.iter_mut()
                .zip(theirs)
                .for_each(|(mine, theirs)| *mine += theirs);
        }
        for (mine, theirs) in self.alerts.iter_mut().zip(&other.alerts) {
            mine.open += theirs.open;
            mine.resolved += theirs.resolved;
        }
        self.waits
            .iter_mut()
            .zip(&other.waits)
            .for_each(|(mine, theirs)| *mine += theirs);
    }

    fn take_out(&mut self, account: &Account) {
        self.each_tally(account, &mut |tally, amount| tally.remove(amount));
        for &(kind, open) in &account.alerts {
            let counts = &mut self.alerts[kind];
            *(if open {
                &mut counts.open
            } else {
                &mut counts.resolved
            }) -= 1;
        }
    }

    fn put_in(&mut self, account: &Account) {
        self.each_tally(account, &mut |tally, amount| tally.add(amount));
        for &(kind, open) in &account.alerts {
            let counts = &mut self.alerts[kind];
            *(if open {
                &mut counts.open
            } else {
                &mut counts.resolved
            }) += 1;
        }
    }

    fn each_tally(&mut self, account: &Account, act: &mut dyn FnMut(&mut Tally, u64)) {
        let Some((currency, amount, overdue)) = account.waits else {
            return;
        };
        let book = self.book(currency);
        act(&mut book.payments, amount);
        act(&mut book.pending, amount);
        if overdue {
            act(&mut book.overdue, amount);
        }
    }
}

impl Finished {
    /// Takes in what another one holds.
    pub(crate) fn absorb(&mut self, other: &Self) {
        self.now = self.now.max(other.now);
        let families = [(&mut self.hours, &other.hours), (&mut self.odd, &other.odd)];
        for (mine, theirs) in families {
            for (&hour, segment) in theirs {
                let mine = mine.entry(hour).or_default();
                for &key in &segment.exact {
                    if mine.exact.find(key, |&other| other == key).is_none() {
                        mine.exact.insert_unique(key, key, |&key| key);
                    }
                }
                mine.sealed.extend(segment.sealed.iter().cloned());
                mine.sealed_len += segment.sealed_len;
            }
        }
    }
}

impl PaymentRef {
    fn move_home(&mut self, home: Home<'_>) {
        self.home = home(self.tenant(), &self.payment_id());
    }
}

impl Message {
    /// Says where its payment belongs now.
    pub fn move_home(&mut self, home: Home<'_>) {
        match &mut self.body {
            MessageBody::Paid { payment, .. }
            | MessageBody::Ended { payment }
            | MessageBody::Gone { payment } => payment.move_home(home),
            MessageBody::Near(item) => item.payment.move_home(home),
        }
    }
}

impl Note {
    /// Says where its payments belong now.
    pub fn move_home(&mut self, home: Home<'_>) {
        self.to.move_home(home);
        match &mut self.body {
            NoteBody::Twin { earlier: payment }
            | NoteBody::HasTwin { later: payment }
            | NoteBody::NearAgreed { payment } => payment.move_home(home),
            NoteBody::TwinEnded { .. } => {}
            NoteBody::NearFound(candidate) => candidate.move_home(home),
            NoteBody::NearOffer(candidates) => {
                candidates.iter_mut().for_each(|it| it.move_home(home));
            }
            NoteBody::NearTaken { candidate, rest } => {
                candidate.move_home(home);
                rest.iter_mut().for_each(|it| it.move_home(home));
            }
        }
    }
}

impl Candidate {
    fn move_home(&mut self, home: Home<'_>) {
        self.payment.move_home(home);
        self.orphan.move_home(home);
    }
}

impl Pairs {
    /// The same stage in `count` partitions of keys.
    pub fn divide(stages: Vec<Self>, window: Span, count: u32, home: Home<'_>) -> Vec<Self> {
        let mut among: Vec<Self> = (0..count).map(|_| Self::new(window)).collect();
        let of_key = |key: Fingerprint| (key.0 % u64::from(count.max(1))) as usize;
        let mut all: Vec<Paid> = Vec::new();
        for mut stage in stages {
            all.extend(core::mem::take(&mut stage.paid));
            for (key, mut item) in stage.seekers.iter() {
                item.payment.move_home(home);
                among[of_key(key)].seekers.insert(key, &item);
            }
        }
        // In the order in which one stage would have met them.
        all.sort_by_key(|paid| paid.place);
        for mut paid in all {
            paid.payment.move_home(home);
            let at = of_key(paid.key);
            let remembered = among[at].remember(paid);
            debug_assert!(remembered, "2^64 payments do not come");
        }
        among
    }
}

impl Partition {
    /// An empty partition that stands at `known`, for [`divide`](Self::divide).
    #[must_use]
    pub fn standing_at(mut self, known: Timestamp) -> Self {
        self.advance(known, &mut crate::Effects::new());
        self
    }
}
