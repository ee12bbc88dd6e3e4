//! Ids that nearly match: as long as each other, different in one or two characters.
//!
//! An id is cut into the thirds of its characters at positions ≡ i (mod 3). Two changed characters, or two
//! neighbours swapped, leave at least one third intact: ids that share a third are worth comparing.

use alloc::string::String;

use crate::identity::Fingerprint;

/// The number of thirds.
pub(crate) const THIRDS: u8 = 3;

/// At most this many characters may differ.
const NEAR: usize = 2;

/// In how many characters two different ids of one length differ, if at most two. (A swap of neighbours
/// is two.)
pub(crate) fn differences(a: &str, b: &str) -> Option<usize> {
    let (mut left, mut right) = (a.chars(), b.chars());
    let mut count = 0;
    loop {
        match (left.next(), right.next()) {
            (None, None) => return (count > 0).then_some(count),
            (Some(x), Some(y)) => {
                count += usize::from(x != y);
                if count > NEAR {
                    return None;
                }
            }
            _ => return None,
        }
    }
}

fn third(id: &str, third: u8) -> impl Iterator<Item = char> {
    id.chars()
        .skip(usize::from(third))
        .step_by(usize::from(THIRDS))
}

/// The lowest third in which two ids of one length agree.
pub(crate) fn lowest_intact_third(a: &str, b: &str) -> Option<u8> {
    (0..THIRDS).find(|&i| third(a, i).eq(third(b, i)))
}

/// The key of a third: tenant, length, which third, and its characters.
pub(crate) fn key(tenant: Option<&str>, id: &str, i: u8) -> Fingerprint {
    let characters: String = third(id, i).collect();
    let length = (id.chars().count() as u64).to_le_bytes();
    Fingerprint::of_parts(
        b'n',
        [
            tenant.unwrap_or("").as_bytes(),
            &length,
            &[i],
            characters.as_bytes(),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_near_when_one_or_two_characters_differ() {
        assert_eq!(differences("420016", "420016"), None);
        assert_eq!(differences("420016", "420018"), Some(1));
        assert_eq!(differences("420016", "420061"), Some(2));
        assert_eq!(differences("420016", "520061"), None);
        assert_eq!(differences("420016", "42001"), None);
        assert_eq!(differences("订单一", "订单二"), Some(1));
    }

    #[test]
    fn two_changes_always_leave_a_third_that_both_share() {
        let id = "4200166815202604090046521459";
        for i in 0..id.len() {
            for j in i..id.len() {
                let mut other = id.as_bytes().to_vec();
                other[i] = b'x';
                other[j] = b'y';
                let other = String::from_utf8(other).expect("ASCII");
                let i = lowest_intact_third(id, &other).expect("one third is intact");
                assert_eq!(key(None, id, i), key(None, &other, i));
            }
        }
    }
}
