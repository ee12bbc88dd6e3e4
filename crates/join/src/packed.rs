//! Payment ids packed into 24 bytes.

use alloc::boxed::Box;
use alloc::string::String;

/// Bytes of a packed id that hold text.
const ROOM: usize = 22;

/// The characters of a six-bit id, by value.
const SIX_BIT: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";

/// The value of a character that [`SIX_BIT`] does not have.
const NONE: u8 = 0xff;

/// Values by character.
const SIX_BIT_VALUES: [u8; 256] = {
    let mut values = [NONE; 256];
    let mut at = 0;
    while at < SIX_BIT.len() {
        values[SIX_BIT[at] as usize] = at as u8;
        at += 1;
    }
    values
};

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

    /// Form, length and content of an id that does not lie on the heap: different for different ids.
    pub(crate) fn short(&self) -> Option<[u8; ROOM + 2]> {
        let mut short = [0; ROOM + 2];
        let (form, len, content) = match self {
            Self::Hex { len, nibbles } => (0, *len, &nibbles[..]),
            Self::SixBit { len, bits } => (1, *len, &bits[..]),
            Self::Uuid(bytes) => (2, 16, &bytes[..]),
            Self::Plain { len, bytes } => (3, *len, &bytes[..]),
            Self::Long(_) => return None,
        };
        short[0] = form;
        short[1] = len;
        short[2..2 + content.len()].copy_from_slice(content);
        Some(short)
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

/// Every byte of a word.
const fn each(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// The nibbles of eight lower-case hexadecimal digits, the first lowest.
fn hex_word(digits: [u8; 8]) -> Option<u32> {
    let digits = u64::from_le_bytes(digits);
    // A letter has bit 6 set and is nine more than its lower nibble. The values are at most 24, so no byte
    // overflows into the next.
    let values = (digits & each(0x0f)) + ((digits >> 6) & each(1)) * 9;
    // Writing the values out again must give the digits: that is the whole check.
    let letters = ((values + each(6)) >> 4) & each(1);
    let written = values + each(b'0') + letters * u64::from(b'a' - b'9' - 1);
    if written != digits || values & each(0xf0) != 0 {
        return None;
    }
    let pairs = (values | values >> 4) & 0x00ff_00ff_00ff_00ff;
    let quads = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
    Some((quads | quads >> 16) as u32)
}

fn pack_hex(text: &str) -> Option<PackedId> {
    if text.len() > 2 * ROOM {
        return None;
    }
    // Two bytes more than there is room for: the last word may be half empty.
    let mut nibbles = [0; ROOM + 2];
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    for (word, packed) in words.iter().zip(nibbles.as_chunks_mut::<4>().0) {
        *packed = hex_word(*word)?.to_le_bytes();
    }
    if !rest.is_empty() {
        let mut word = [b'0'; 8];
        word[..rest.len()].copy_from_slice(rest);
        nibbles[words.len() * 4..][..4].copy_from_slice(&hex_word(word)?.to_le_bytes());
    }
    Some(PackedId::Hex {
        len: text.len() as u8,
        nibbles: *nibbles.first_chunk()?,
    })
}

fn hex_value(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
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
    let mut bits = [0; ROOM + 2];
    // Four characters are three bytes.
    for (four, packed) in text.as_bytes().chunks(4).zip(bits.as_chunks_mut::<3>().0) {
        let mut group = 0;
        for (byte, shift) in four.iter().zip([0, 6, 12, 18]) {
            let value = SIX_BIT_VALUES[usize::from(*byte)];
            if value == NONE {
                return None;
            }
            group |= u32::from(value) << shift;
        }
        let [low, middle, high, _] = group.to_le_bytes();
        *packed = [low, middle, high];
    }
    Some(PackedId::SixBit {
        len: text.len() as u8,
        bits: *bits.first_chunk()?,
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
    fn only_lower_case_hexadecimal_digits_are_hexadecimal() {
        for byte in 0..=127_u8 {
            for at in 0..11 {
                let mut text = *b"0123456789a";
                text[at] = byte;
                let text = core::str::from_utf8(&text).expect("ASCII");
                let is_hex = matches!(PackedId::pack(text), PackedId::Hex { .. });
                assert_eq!(is_hex, hex_value(byte).is_some(), "{text}");
                assert_eq!(PackedId::pack(text).unpack(), text);
            }
        }
    }

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
}
