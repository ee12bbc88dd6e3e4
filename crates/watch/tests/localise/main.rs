//! Faults are found where they are: over seeded incidents of known cause, how often the true place is the first that
//! is named, and how often one of the first three.
//!
//! `CASES=600 SEED=5000 cargo test -p settlewatch-watch --test localise -- --nocapture` tries others and prints the
//! table.

// A test says what it found, and is told what to try.
#![allow(clippy::disallowed_macros, clippy::disallowed_methods)]

mod draw;
mod labelled;

use std::fmt;

use labelled::{Case, Place, case};
use settlewatch_watch::scan::{Explanation, ScanOptions, rank};

/// Hits of a kind of cases.
#[derive(Clone, Copy, Default)]
struct Score {
    cases: u32,
    first: u32,
    third: u32,
    every: u32,
    same_first: u32,
    same_third: u32,
}

impl Score {
    fn add(&mut self, case: &Case, found: &[Explanation]) {
        let named = |label: &Place, top: usize| found.iter().take(top).any(|f| names(f, label));
        let any = |top| case.labels.iter().any(|label| named(label, top));
        let same = |top: usize| {
            let mut shown = found.iter().take(top);
            shown.any(|f| {
                case.labels
                    .iter()
                    .any(|label| case.covers_same(&f.finding, label))
            })
        };
        self.cases += 1;
        self.first += u32::from(any(1));
        self.third += u32::from(any(3));
        self.every += u32::from(case.labels.iter().all(|label| named(label, 3)));
        self.same_first += u32::from(same(1));
        self.same_third += u32::from(same(3));
    }

    fn share(&self, hits: u32) -> f64 {
        f64::from(hits) / f64::from(self.cases.max(1))
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:5}", self.cases)?;
        for hits in [
            self.first,
            self.third,
            self.every,
            self.same_first,
            self.same_third,
        ] {
            write!(f, "  {:.3}", self.share(hits))?;
        }
        Ok(())
    }
}

/// Whether exactly the label is named.
fn names(found: &Explanation, label: &Place) -> bool {
    let wanted: Vec<_> = label
        .iter()
        .map(|&(dim, value)| (dim, vec![value]))
        .collect();
    found.finding.conditions == wanted
}

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

fn score(uneven: bool) -> Score {
    let (seed, cases) = (from_environment("SEED", 1), from_environment("CASES", 135));
    let mut scores = [Score::default(); 5];
    let options = ScanOptions::default();
    for seed in seed..seed + cases {
        let case = case(seed, uneven);
        let found = rank(&case.table, &options, 10);
        let kind = match &case.labels[..] {
            [label] => label.len() - 1,
            _ => 3,
        };
        scores[kind].add(&case, &found);
        scores[4].add(&case, &found);
    }
    let background = if uneven {
        "uneven background"
    } else {
        "mostly even background"
    };
    println!("{background}, seeds {seed} to {}", seed + cases - 1);
    println!("                cases  top-1  top-3  all-3  rows-1 rows-3");
    let kinds = ["one condition", "two", "three", "two faults", "all"];
    for (kind, score) in kinds.iter().zip(&scores) {
        println!("{kind:14} {score}");
    }
    scores[4]
}

#[test]
fn the_true_place_is_among_the_first() {
    let score = score(false);
    assert!(score.share(score.first) >= 0.75, "top-1: {score}");
    assert!(score.share(score.third) >= 0.92, "top-3: {score}");
    // What covers the same rows under another name cannot be told apart.
    assert!(score.share(score.same_first) >= 0.9, "rows-1: {score}");
    assert!(score.share(score.every) >= 0.8, "all-3: {score}");
}

#[test]
fn a_background_that_is_worse_in_places_hides_few_faults() {
    let score = score(true);
    assert!(score.share(score.first) >= 0.6, "top-1: {score}");
    assert!(score.share(score.third) >= 0.8, "top-3: {score}");
}
