//! The summary of a demo, and whether it did what a demo must do.

use std::fmt::Write as _;

use settlewatch_join::{Book, Tally};

use crate::text::{grouped, money};

use super::story::Pace;
use super::view::View;
use crate::incidents::{self, Language};

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

/// What the script brings, by kinds of which one must come: when at the latest it is raised or, at the end,
/// resolved, in milliseconds of the demo at speed 1.
const SCRIPT: [(&[&str], bool, i64); 6] = [
    (&["credit_missing"], false, 40_000),
    (&["duplicate_credit"], false, 25_000),
    (&["credit_missing"], true, 52_000),
    (&["orphan_credit"], false, 40_000),
    (
        &["amount_mismatch", "currency_mismatch", "terminal_mismatch"],
        false,
        50_000,
    ),
    (&["duplicate_payment"], false, 59_000),
];

/// When the first channel that stops is told to be down at the latest, in milliseconds. That takes real seconds: at
/// another speed, or where less is paid, it may not be known before credits come again.
const DOWN_BY_MS: i64 = 44_000;

/// Whether an incident said that a channel was down.
fn told_of_a_stop(view: &View) -> bool {
    let mut incidents = view.incidents.values();
    incidents.any(|told| told.text("verdict") == "CHANNEL_DOWN")
}

/// What the script should have brought until `at_ms` and did not; an empty list is good.
pub(super) fn missing(view: &View, pace: Pace, at_ms: i64) -> Vec<String> {
    let mut missing = Vec::new();
    if pace.is_as_planned() && at_ms >= DOWN_BY_MS && !told_of_a_stop(view) {
        missing.push("no incident said that a channel was down".into());
    }
    for (kinds, end, by_ms) in SCRIPT {
        let seen = kinds.iter().filter_map(|&kind| view.counts.get(kind));
        let count: u64 = seen
            .map(|&(raised, resolved)| if end { resolved } else { raised })
            .sum();
        if by_ms <= at_ms && count == 0 {
            let what = if end { "resolved" } else { "raised" };
            missing.push(format!("no {} was {what}", kinds.join(" or ")));
        }
    }
    if view.books.iter().all(|(_, book)| book.payments.count == 0) {
        missing.push("no payment came".into());
    }
    if !adds_up(view) {
        missing.push("the sums do not add up".into());
    }
    missing
}

/// The summary as text.
pub(super) fn summary(view: &View, language: Language) -> String {
    let words = language.words();
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
    for told in view.incidents.values() {
        text += &incidents::line(told, language);
        text.push('\n');
    }
    text
}
