//! Ids that nearly match: an overdue payment and an orphan that may be one.

use super::fact::{Fact, Id};
use super::payment::Payment;

/// How many characters differ, if the ids are alike: as long, and one or two differ.
pub(super) fn difference(a: &str, b: &str) -> Option<usize> {
    if a.chars().count() != b.chars().count() {
        return None;
    }
    let differing = a.chars().zip(b.chars()).filter(|(x, y)| x != y).count();
    // A swap of neighbours is two characters that differ.
    (1..=2).contains(&differing).then_some(differing)
}

/// Whether the orphan may be the payment's credit, by tenant, currency and amount.
pub(super) fn fits(payment: &Payment, payment_id: &Id, orphan: &Fact, orphan_id: &Id) -> bool {
    let amount = orphan.money("amount_minor");
    let currency = orphan.text("currency");
    payment_id.0 == orphan_id.0
        && currency.is_none_or(|currency| currency == payment.currency())
        && amount.is_none_or(|amount| payment.fitting().contains(&amount))
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn two_characters_may_differ_and_no_more() {
        assert_eq!(difference("P1001", "P1002"), Some(1));
        assert_eq!(difference("P1001", "P1010"), Some(2), "a swap");
        assert_eq!(difference("P1001", "P2012"), None);
        assert_eq!(difference("P1001", "P1001"), None);
        assert_eq!(difference("P1001", "P10011"), None);
    }
}
