//! Ids that resemble each other.

use super::rng::Rng;

/// Ids of payments: many are near to many others.
pub(super) fn payment_id(rng: &mut Rng) -> String {
    let letters = rng.pick(&["P", "P", "P", "pay-"]);
    format!(
        "{letters}{}",
        rng.pick(&[1_001, 1_002, 1_010, 1_100, 2_001, 7_421, 7_412, 38_905])
    )
}

/// An id with one or two characters changed, neighbours swapped, or a character more.
pub(super) fn near(rng: &mut Rng, id: &str) -> String {
    let mut bytes = id.as_bytes().to_vec();
    let last = i64::try_from(bytes.len()).expect("ids are short") - 1;
    let mut index = || usize::try_from(rng.between(1, last)).expect("from 1 up");
    let (first, second) = (index(), index());
    match rng.between(0, 9) {
        0..=3 => bytes[first] = b'9',
        4..=6 => (bytes[first], bytes[second]) = (b'8', b'9'),
        7..=8 => bytes.swap(first, first - 1),
        _ => bytes.push(b'1'),
    }
    String::from_utf8(bytes).expect("ids are ASCII")
}
