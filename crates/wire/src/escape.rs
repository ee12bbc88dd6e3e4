//! JSON string bytes eight at a time: where one ends, what its escapes mean.

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Index of the first byte at or after `at` that a JSON string cannot hold as it is: a quote, a backslash or
/// a control character; the length of `bytes` where there is none.
#[inline(always)]
pub(crate) fn next_special(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = chunk_at(bytes, at) {
        let hit = specials(chunk);
        if hit != 0 {
            return at + first_byte(hit);
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|&byte| !is_special(byte)) {
        at += 1;
    }
    at
}

/// Copies what [`next_special`] would skip to `out[to..]` and returns where both stand then. `out` is 8 bytes
/// longer than what is copied to it in all.
#[inline(always)]
pub(crate) fn copy_plain(
    bytes: &[u8],
    mut at: usize,
    out: &mut [u8],
    mut to: usize,
) -> (usize, usize) {
    while let Some(chunk) = chunk_at(bytes, at) {
        // The bytes after the special one are copied too and overwritten later.
        out[to..to + 8].copy_from_slice(chunk);
        let hit = specials(chunk);
        if hit != 0 {
            let plain = first_byte(hit);
            return (at + plain, to + plain);
        }
        at += 8;
        to += 8;
    }
    while let Some(&byte) = bytes.get(at).filter(|&&byte| !is_special(byte)) {
        out[to] = byte;
        at += 1;
        to += 1;
    }
    (at, to)
}

#[inline(always)]
fn chunk_at(bytes: &[u8], at: usize) -> Option<&[u8; 8]> {
    bytes.get(at..)?.first_chunk()
}

const fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// The high bit of the first special byte, and perhaps of later bytes.
#[inline(always)]
const fn specials(chunk: &[u8; 8]) -> u64 {
    let word = u64::from_le_bytes(*chunk);
    // Flipping one bit puts the quote just above the control characters, so that one comparison does.
    let flipped = word ^ (LOW * 0x02);
    let quote_or_control = flipped.wrapping_sub(LOW * 0x21) & !flipped;
    (quote_or_control | below_one(word ^ (LOW * b'\\' as u64))) & HIGH
}

/// The high bit of each byte that is zero. A borrow may also mark bytes above a marked one, so only the
/// lowest mark counts.
const fn below_one(word: u64) -> u64 {
    word.wrapping_sub(LOW) & !word
}

/// Index of the lowest marked byte.
const fn first_byte(hit: u64) -> usize {
    (hit.trailing_zeros() / 8) as usize
}

/// One `\…` of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Escape {
    /// Code point it stands for; a surrogate where it has no partner.
    pub(crate) code: u32,
    /// Bytes it takes, both halves of a pair included.
    pub(crate) taken: usize,
}

impl Escape {
    /// Half of a surrogate pair without the other half.
    pub(crate) const fn is_lone_surrogate(self) -> bool {
        matches!(self.code, 0xd800..=0xdfff)
    }

    /// Writes what it stands for as UTF-8, surrogates likewise, and returns its length in bytes.
    #[inline(always)]
    pub(crate) fn write(self, out: &mut [u8]) -> usize {
        if self.code < 0x80 {
            out[0] = self.code as u8;
            return 1;
        }
        encode_wide(self.code, out)
    }
}

/// Meaning of each letter after a backslash; 0 where it is none, or `u`.
static SIMPLE: [u8; 256] = {
    let mut simple = [0; 256];
    let letters = *b"\"\\/bfnrt";
    let meanings = *b"\"\\/\x08\x0c\n\r\t";
    let mut at = 0;
    while at < letters.len() {
        simple[letters[at] as usize] = meanings[at];
        at += 1;
    }
    simple
};

/// Reads the escape that begins with the backslash at `bytes[0]`; `None` where it is none of JSON.
#[inline(always)]
pub(crate) fn read_escape(bytes: &[u8]) -> Option<Escape> {
    let letter = *bytes.get(1)?;
    let code = SIMPLE[usize::from(letter)];
    if code == 0 {
        return if letter == b'u' {
            read_unicode(bytes)
        } else {
            None
        };
    }
    Some(Escape {
        code: code.into(),
        taken: 2,
    })
}

/// Reads `\uXXXX`, or both halves of a surrogate pair.
#[inline(never)]
fn read_unicode(bytes: &[u8]) -> Option<Escape> {
    let first = hex4(bytes.get(2..6)?)?;
    if let 0xd800..=0xdbff = first
        && bytes.get(6..8) == Some(b"\\u")
        && let Some(second @ 0xdc00..=0xdfff) = bytes.get(8..12).and_then(hex4)
    {
        let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return Some(Escape { code, taken: 12 });
    }
    Some(Escape {
        code: first,
        taken: 6,
    })
}

fn hex4(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |value, &digit| {
        Some(value * 16 + char::from(digit).to_digit(16)?)
    })
}

/// Replaces `out` by what `raw`, the inside of a well-formed JSON string, stands for. A lone surrogate
/// becomes the three bytes that UTF-8 forbids, so that it is found to be no UTF-8 rather than lost.
pub(crate) fn unescape_into(raw: &[u8], out: &mut Vec<u8>) {
    out.clear();
    // No escape is shorter than its meaning.
    out.resize(raw.len() + 8, 0);
    let (mut at, mut to) = (0, 0);
    loop {
        (at, to) = copy_plain(raw, at, out, to);
        let Some(escape) = raw.get(at..).and_then(read_escape) else {
            break;
        };
        to += escape.write(&mut out[to..]);
        at += escape.taken;
    }
    out.truncate(to);
}

fn encode_wide(code: u32, out: &mut [u8]) -> usize {
    match char::from_u32(code) {
        Some(char) => char.encode_utf8(out).len(),
        None => {
            let tail = |shift: u32| 0x80 | (code >> shift & 0x3f) as u8;
            out[..3].copy_from_slice(&[0xe0 | (code >> 12) as u8, tail(6), tail(0)]);
            3
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unescaped(raw: &str) -> Vec<u8> {
        let mut out = vec![1, 2, 3];
        unescape_into(raw.as_bytes(), &mut out);
        out
    }

    #[test]
    fn every_escape_has_its_meaning() {
        assert_eq!(unescaped(r#"\"\\\/\b\f\n\r\t"#), b"\"\\/\x08\x0c\n\r\t");
        assert_eq!(
            unescaped(r"\u0041\u00e9\u4e2d\uD83D\uDE00"),
            "Aé中😀".as_bytes()
        );
        assert_eq!(
            unescaped(r"plain text of more than eight bytes\n"),
            b"plain text of more than eight bytes\n"
        );
        assert_eq!(unescaped(""), b"");
    }

    #[test]
    fn a_lone_surrogate_becomes_what_is_no_utf8() {
        for raw in [
            r"\ud800",
            r"\udc00x",
            r"\ud800\u0041",
            r"\ud800\ud800",
            r"\ud83dtail",
        ] {
            assert!(core::str::from_utf8(&unescaped(raw)).is_err(), "{raw}");
        }
    }

    #[test]
    fn the_first_special_byte_is_found_at_every_distance() {
        for special in [b'"', b'\\', 0, 0x1f, b'\n'] {
            for distance in 0..40 {
                // 0x21 and 0x5b are one off the quote and the backslash: a borrow must not mark them.
                let mut bytes = [b'!', b'[', 0x7f, 0x80, 0xff, b' '].repeat(10);
                bytes[distance] = special;
                bytes[distance + 1] = b'"';
                assert_eq!(next_special(&bytes, 0), distance);
                assert_eq!(next_special(&bytes[..distance], 0), distance);
            }
        }
    }
}
