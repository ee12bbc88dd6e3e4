//! Ids that look for their other half: payments past their first deadline, and orphans.
//!
//! In an outage there are as many as payments wait, each under three keys: what one takes is counted in bytes.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use hashbrown::HashTable;

use crate::identity::Fingerprint;
use crate::packed::PackedId;
use crate::pairs::{NearItem, OrphanAmount, PaymentRef};
use crate::slab::Slab;
use crate::time::Timestamp;

/// One id under one of its keys.
pub(crate) struct Seeker {
    key: Fingerprint,
    id: PackedId,
    appended_at: Timestamp,
    orphan: Option<Box<OrphanAmount>>,
    home: u32,
    /// 0 where the id has no tenant, else its index + 1.
    tenant: u16,
    third: u8,
}

impl Seeker {
    /// Whether it is a credit without a payment, and not the other half.
    pub(crate) fn is_orphan(&self) -> bool {
        self.orphan.is_some()
    }
}

/// Who looks, by key.
#[derive(Default)]
pub(crate) struct Seekers {
    slab: Slab<Seeker>,
    index: HashTable<u32>,
    tenants: Vec<Arc<str>>,
}

impl Seekers {
    /// Adds one that looks.
    pub(crate) fn insert(&mut self, key: Fingerprint, item: &NearItem) {
        let seeker = Seeker {
            key,
            id: item.payment.id.clone(),
            appended_at: item.appended_at,
            orphan: item.orphan.map(Box::new),
            home: item.payment.home,
            tenant: self.tenant_index(item.payment.tenant.as_ref()),
            third: item.third,
        };
        let at = self.slab.insert(seeker);
        let slab = &self.slab;
        self.index
            .insert_unique(key.0, at, |&at| slab.get(at).key.0);
    }

    /// Takes an id out that looks no longer.
    pub(crate) fn remove(&mut self, key: Fingerprint, payment: &PaymentRef) {
        let (slab, tenants) = (&mut self.slab, &self.tenants);
        while let Ok(entry) = self.index.find_entry(key.0, |&at| {
            let seeker = slab.get(at);
            seeker.key == key
                && seeker.id == payment.id
                && seeker.home == payment.home
                && tenant_of(tenants, seeker) == payment.tenant.as_ref()
        }) {
            slab.remove(entry.remove().0);
        }
    }

    /// Those under a key, in no order.
    pub(crate) fn of_key(&self, key: Fingerprint) -> impl Iterator<Item = &Seeker> {
        self.index
            .iter_hash(key.0)
            .map(|&at| self.slab.get(at))
            .filter(move |seeker| seeker.key == key)
    }

    /// All of them with their keys, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Fingerprint, NearItem)> {
        self.slab
            .iter()
            .map(|(_, seeker)| (seeker.key, self.item(seeker)))
    }

    /// What was said of one.
    pub(crate) fn item(&self, seeker: &Seeker) -> NearItem {
        NearItem {
            payment: PaymentRef {
                tenant: tenant_of(&self.tenants, seeker).cloned(),
                id: seeker.id.clone(),
                home: seeker.home,
            },
            appended_at: seeker.appended_at,
            third: seeker.third,
            orphan: seeker.orphan.as_deref().copied(),
        }
    }

    /// How many.
    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    fn tenant_index(&mut self, tenant: Option<&Arc<str>>) -> u16 {
        let Some(tenant) = tenant else { return 0 };
        let found = self.tenants.iter().position(|known| known == tenant);
        let at = found.unwrap_or_else(|| {
            self.tenants.push(Arc::clone(tenant));
            self.tenants.len() - 1
        });
        // The limit on tenants is checked where they are configured; the last index stands for the rest.
        u16::try_from(at + 1).unwrap_or(u16::MAX)
    }
}

fn tenant_of<'a>(tenants: &'a [Arc<str>], seeker: &Seeker) -> Option<&'a Arc<str>> {
    tenants.get(usize::from(seeker.tenant).checked_sub(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_takes_at_most_56_bytes() {
        assert!(size_of::<Option<Seeker>>() <= 56);
    }

    #[test]
    fn whoever_is_found_is_told_as_it_was_said_and_is_gone_when_it_goes() {
        let mut seekers = Seekers::default();
        let item = |id: &str, tenant: Option<&str>| NearItem {
            payment: PaymentRef {
                tenant: tenant.map(Arc::from),
                id: PackedId::pack(id),
                home: 3,
            },
            appended_at: Timestamp::from_millis(5),
            third: 2,
            orphan: Some(OrphanAmount {
                amount_minor: Some(7),
                currency: None,
            }),
        };
        let key = Fingerprint(9);
        let items = [item("a", None), item("a", Some("t")), item("b", None)];
        for item in &items {
            seekers.insert(key, item);
        }
        seekers.insert(Fingerprint(10), &items[0]);
        seekers.remove(key, &items[0].payment);
        let mut left: Vec<_> = seekers.of_key(key).map(|one| seekers.item(one)).collect();
        left.sort_by_key(|item| item.payment.payment_id());
        assert_eq!(left, items[1..]);
        assert_eq!(seekers.len(), 3);
    }
}
