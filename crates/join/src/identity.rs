//! Identities: packed payment ids, fingerprints that outlive a release, and alert ids.

use alloc::boxed::Box;
use alloc::string::String;
use core::hash::Hasher;

use siphasher::sip::SipHasher13;
use siphasher::sip128::{Hasher128, SipHasher24};

/// Keys of the fingerprints. They are part of the state format: changing them forgets every finished id.
const KEYS: (u64, u64) = (0x7365_7474_6c65_7761, 0x7463_682d_6964_2d31);

/// Ends a variable-length part of a hash; no UTF-8 text contains it.
const END: u8 = 0xff;

/// A 64-bit keyed fingerprint (SipHash-1-3) of a payment, an event or an attribute tuple.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub u64);

/// Hashes the parts of an identity, each closed by a byte that no text contains.
fn fingerprint<'a>(domain: u8, parts: impl IntoIterator<Item = &'a [u8]>) -> Fingerprint {
    let mut hasher = SipHasher13::new_with_keys(KEYS.0, KEYS.1);
    hasher.write_u8(domain);
    for part in parts {
        hasher.write(part);
        hasher.write_u8(END);
    }
    Fingerprint(hasher.finish())
}

impl Fingerprint {
    /// Of a payment: (`tenant`, `payment_id`).
    pub fn of_payment(tenant: Option<&str>, payment_id: &str) -> Self {
        // An absent tenant and an empty one differ, though an empty one is never accepted.
        match tenant {
            Some(tenant) => fingerprint(b't', [tenant.as_bytes(), payment_id.as_bytes()]),
            None => fingerprint(b'p', [payment_id.as_bytes()]),
        }
    }

    /// Of an event about this payment, by its type and identity.
    pub fn event(self, event_type: &str, id: &str) -> Self {
        fingerprint(
            b'e',
            [
                &self.0.to_le_bytes()[..],
                event_type.as_bytes(),
                id.as_bytes(),
            ],
        )
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

/// Bytes of a packed id that hold text.
const ROOM: usize = 22;

/// The characters of a six-bit id, by value.
const SIX_BIT: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";

/// A payment id in 24 bytes: what real ids are made of is packed, the rest lies on the heap. Equal texts
/// have equal packed forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PackedId {
    /// Lower-case hexadecimal digits (decimal ids among them), up to 44.
    Hex { len: u8, nibbles: [u8; ROOM] },
    /// Letters, digits, `-` and `_`, up to 29.
    SixBit { len: u8, bits: [u8; ROOM] },
    /// A UUID in its canonical form.
    Uuid([u8; 16]),
    /// Other text up to 22 bytes.
    Plain { len: u8, bytes: [u8; ROOM] },
    /// Everything else.
    Long(Box<str>),
}

impl PackedId {
    /// Packs `text` into the first form that can hold it.
    pub(crate) fn pack(text: &str) -> Self {
        pack_hex(text)
            .or_else(|| pack_six_bit(text))
            .or_else(|| pack_uuid(text))
            .or_else(|| pack_plain(text))
            .unwrap_or_else(|| Self::Long(text.into()))
    }

    /// The text it was packed from.
    pub(crate) fn unpack(&self) -> String {
        match self {
            Self::Hex { len, nibbles } => (0..usize::from(*len))
                .map(|i| hex_digit(nibbles[i / 2] >> (4 * (i % 2)) & 15))
                .collect(),
            Self::SixBit { len, bits } => (0..usize::from(*len))
                .map(|i| char::from(SIX_BIT[usize::from(six_bits(bits, i))]))
                .collect(),
            Self::Uuid(bytes) => unpack_uuid(bytes),
            Self::Plain { len, bytes } => {
                String::from_utf8_lossy(&bytes[..usize::from(*len)]).into_owned()
            }
            Self::Long(text) => text.as_ref().into(),
        }
    }
}

fn hex_digit(nibble: u8) -> char {
    char::from(b"0123456789abcdef"[usize::from(nibble)])
}

fn hex_value(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

fn pack_hex(text: &str) -> Option<PackedId> {
    if text.len() > 2 * ROOM {
        return None;
    }
    let mut nibbles = [0; ROOM];
    for (i, byte) in text.bytes().enumerate() {
        nibbles[i / 2] |= hex_value(byte)? << (4 * (i % 2));
    }
    Some(PackedId::Hex {
        len: text.len() as u8,
        nibbles,
    })
}

fn six_bit_value(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'Z' => Some(byte - b'A' + 10),
        b'a'..=b'z' => Some(byte - b'a' + 36),
        b'-' => Some(62),
        b'_' => Some(63),
        _ => None,
    }
}

/// The `i`-th group of six bits, lowest bit first.
fn six_bits(bits: &[u8; ROOM], i: usize) -> u8 {
    let (byte, shift) = (i * 6 / 8, i * 6 % 8);
    let low = u16::from(bits[byte]);
    let high = u16::from(bits.get(byte + 1).copied().unwrap_or(0));
    ((low | high << 8) >> shift) as u8 & 63
}

fn pack_six_bit(text: &str) -> Option<PackedId> {
    if text.len() > ROOM * 8 / 6 {
        return None;
    }
    let mut bits = [0; ROOM];
    for (i, byte) in text.bytes().enumerate() {
        let value = u16::from(six_bit_value(byte)?) << (i * 6 % 8);
        let at = i * 6 / 8;
        bits[at] |= value as u8;
        if value > 0xff {
            bits[at + 1] |= (value >> 8) as u8;
        }
    }
    Some(PackedId::SixBit {
        len: text.len() as u8,
        bits,
    })
}

/// Where a canonical UUID has its dashes.
const DASHES: [usize; 4] = [8, 13, 18, 23];

fn pack_uuid(text: &str) -> Option<PackedId> {
    let bytes = text.as_bytes();
    if bytes.len() != 36 || DASHES.iter().any(|&at| bytes[at] != b'-') {
        return None;
    }
    let mut packed = [0; 16];
    let digits = (0..36).filter(|at| !DASHES.contains(at));
    for (i, at) in digits.enumerate() {
        packed[i / 2] |= hex_value(bytes[at])? << (4 * (1 - i % 2));
    }
    Some(PackedId::Uuid(packed))
}

fn unpack_uuid(bytes: &[u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (i, byte) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push(hex_digit(byte >> 4));
        text.push(hex_digit(byte & 15));
    }
    text
}

fn pack_plain(text: &str) -> Option<PackedId> {
    let mut bytes = [0; ROOM];
    bytes
        .get_mut(..text.len())?
        .copy_from_slice(text.as_bytes());
    Some(PackedId::Plain {
        len: text.len() as u8,
        bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_of_id_survives_packing() {
        for text in [
            "",
            "0",
            "4200166815202604090046521459",
            "25bc1c08-e9b9-ec0e-02c5ea6a",
            "P260409-04653401034",
            "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
            "3F2504E0-4F89-41D3-9A0C-0305E82C3301",
            "01ARZ3NDEKTSV4RRFFQ69G5FAV",
            "pay:4711/2",
            "订单-20261125-0001",
            "a rather long identifier that nobody would want to type in by hand, ever",
            "0123456789abcdef0123456789abcdef0123456789ab",
            "zzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
        ] {
            assert_eq!(PackedId::pack(text).unpack(), text);
        }
    }

    #[test]
    fn a_packed_id_takes_24_bytes() {
        assert_eq!(size_of::<PackedId>(), 24);
    }

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
    fn alert_ids_are_stable_across_releases() {
        let id = AlertId::new(None, "P1", "credit_missing");
        assert_eq!(alloc::format!("{id}"), "f3d28a25093a5ca52b539dc19d73c69c");
    }
}
