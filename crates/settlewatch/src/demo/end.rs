//! The summary of a demo, and whether it did what a demo must do.

use std::fmt::Write as _;

use settlewatch_join::{Book, Tally};

use crate::text::{grouped, money};

use super::view::View;
use super::words::Words;

fn parts(book: &Book) -> [Tally; 5] {
    [
        book.payments,
        book.credited,
        book.explained,
        book.written_off,
        book.pending,
    ]
}

/// Whether every payment is in exactly one of its places, in number and in money.
pub(super) fn adds_up(view: &View) -> bool {
    view.books.iter().all(|(_, book)| {
        let [payments, rest @ ..] = parts(book);
        payments.count == rest.iter().map(|tally| tally.count).sum::<u64>()
            && payments.amount_minor == rest.iter().map(|tally| tally.amount_minor).sum::<i128>()
    })
}

/// What must have been seen, after the first stop of a channel is over; an empty list is good.
pub(super) fn missing(view: &View) -> Vec<&'static str> {
    let count = |kind: &str| view.counts.get(kind).copied().unwrap_or_default();
    let (raised, resolved) = count("credit_missing");
    let payments: u64 = view.books.iter().map(|(_, book)| book.payments.count).sum();
    [
        (payments == 0, "payments"),
        (raised == 0, "alerts of missing credits"),
        (resolved == 0, "alerts that late credits resolved"),
        (!adds_up(view), "sums that add up"),
    ]
    .into_iter()
    .filter_map(|(missing, what)| missing.then_some(what))
    .collect()
}

/// The summary as text.
pub(super) fn summary(view: &View, words: &Words) -> String {
    let mut text = String::new();
    for (at, name) in words.accounts.iter().enumerate() {
        let tallies = view
            .books
            .iter()
            .map(|(currency, book)| (currency, parts(book)[at]));
        let count: u64 = tallies.clone().map(|(_, tally)| tally.count).sum();
        let pad = 12_usize.saturating_sub(super::picture::width(name));
        let _ = write!(text, "{name}{:pad$} {:>9}", "", grouped(count));
        for (currency, tally) in tallies {
            let _ = write!(
                text,
                "  {:>16}",
                money(tally.amount_minor, currency.as_str())
            );
        }
        text.push('\n');
    }
    let verdict = if adds_up(view) {
        words.adds_up
    } else {
        words.does_not
    };
    let _ = writeln!(text, "{verdict}\n");
    for (kind, (raised, resolved)) in &view.counts {
        let _ = writeln!(
            text,
            "{kind:<22} {:>6} {}  {:>6} {}",
            grouped(raised),
            words.raised,
            grouped(resolved),
            words.resolved
        );
    }
    text
}
