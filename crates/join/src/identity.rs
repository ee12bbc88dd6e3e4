//! Identities: fingerprints that outlive a release, and alert ids.

use core::hash::Hasher;

use siphasher::sip::SipHasher13;
use siphasher::sip128::{Hasher128, SipHasher24};

use crate::packed::PackedId;

/// Keys of the fingerprints. They are part of the state format: changing them forgets every finished id.
const KEYS: (u64, u64) = (0x7365_7474_6c65_7761, 0x7463_682d_6964_2d31);

/// Ends a variable-length part of a hash; no UTF-8 text contains it.
const END: u8 = 0xff;

/// Bytes of an identity that are gathered before they are hashed.
const GATHERED: usize = 128;

/// A 64-bit keyed fingerprint (SipHash-1-3) of a payment, an event or an attribute tuple.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub u64);

/// Hashes the parts of an identity, each closed by a byte that no text contains.
fn fingerprint<'a>(domain: u8, parts: impl IntoIterator<Item = &'a [u8]>) -> Fingerprint {
    let mut hasher = SipHasher13::new_with_keys(KEYS.0, KEYS.1);
    // What is short is gathered first: the hash is of the bytes, however they are handed over.
    let (mut room, mut len) = ([domain; GATHERED], 1);
    for part in parts {
        if len + part.len() >= GATHERED {
            hasher.write(&room[..len]);
            hasher.write(part);
            len = 0;
        } else {
            room[len..len + part.len()].copy_from_slice(part);
            len += part.len();
        }
        room[len] = END;
        len += 1;
    }
    hasher.write(&room[..len]);
    Fingerprint(hasher.finish())
}

/// One pass over bytes that lie together: several times as fast as the hashing of parts.
fn keyed(keys: (u64, u64), domain: u8, bytes: &[u8]) -> u64 {
    SipHasher13::new_with_keys(keys.0, keys.1 ^ u64::from(domain)).hash(bytes)
}

impl Fingerprint {
    /// Of a payment: (`tenant`, `payment_id`).
    pub fn of_payment(tenant: Option<&str>, payment_id: &str) -> Self {
        Self::of_packed(tenant, &PackedId::pack(payment_id))
    }

    /// Of a payment whose id is packed: equal texts have equal packed forms, and those are shorter.
    pub(crate) fn of_packed(tenant: Option<&str>, id: &PackedId) -> Self {
        // An absent tenant and an empty one differ, though an empty one is never accepted.
        let tenant = tenant.map_or(0, |tenant| keyed(KEYS, b't', tenant.as_bytes()));
        let keys = (KEYS.0 ^ tenant, KEYS.1);
        Self(match id.short() {
            Some(bytes) => keyed(keys, b'p', &bytes),
            None => keyed(keys, b'l', id.unpack().as_bytes()),
        })
    }

    /// Of an event about this payment, by its type and identity.
    pub fn event(self, event_type: &str, id: &str) -> Self {
        // The payment is the key, so only what differs between its own events is hashed.
        let keys = (KEYS.0 ^ self.0, KEYS.1);
        let event_type = keyed(keys, b'e', event_type.as_bytes());
        Self(keyed((keys.0, keys.1 ^ event_type), b'i', id.as_bytes()))
    }

    /// Of anything else: a domain and its parts.
    pub fn of_parts<'a>(domain: u8, parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        fingerprint(domain, parts)
    }
}

/// Identity of an alert: a function of the payment and the kind alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertId(pub u128);

impl AlertId {
    /// The alert of `kind` about a payment (128-bit SipHash-2-4).
    pub fn new(tenant: Option<&str>, payment_id: &str, kind: &str) -> Self {
        let mut hasher = SipHasher24::new_with_keys(KEYS.0, KEYS.1);
        for part in [kind, payment_id] {
            hasher.write(part.as_bytes());
            hasher.write_u8(END);
        }
        if let Some(tenant) = tenant {
            hasher.write(tenant.as_bytes());
        }
        Self(hasher.finish128().as_u128())
    }
}

impl core::fmt::Display for AlertId {
    /// Thirty-two hexadecimal digits.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tenant_is_part_of_the_identity() {
        let plain = Fingerprint::of_payment(None, "P1");
        assert_ne!(plain, Fingerprint::of_payment(Some("a"), "P1"));
        assert_ne!(
            AlertId::new(None, "P1", "credit_missing"),
            AlertId::new(Some("a"), "P1", "credit_missing")
        );
    }

    #[test]
    fn an_identity_is_the_hash_of_its_bytes_whatever_their_number() {
        let text = [b'x'; 3 * GATHERED];
        for len in 0..text.len() {
            for other in [0, 1, GATHERED - 1, GATHERED] {
                let parts = [&text[..len], &text[..other], &text[..len]];
                let mut bytes = alloc::vec![b'm'];
                for part in parts {
                    bytes.extend_from_slice(part);
                    bytes.push(END);
                }
                let whole = SipHasher13::new_with_keys(KEYS.0, KEYS.1).hash(&bytes);
                assert_eq!(Fingerprint::of_parts(b'm', parts), Fingerprint(whole));
            }
        }
    }

    #[test]
    fn alert_ids_are_stable_across_releases() {
        let id = AlertId::new(None, "P1", "credit_missing");
        assert_eq!(alloc::format!("{id}"), "f3d28a25093a5ca52b539dc19d73c69c");
    }
}
