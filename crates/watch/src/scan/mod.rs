//! Where bad outcomes concentrate: a Bernoulli scan statistic (Kulldorff 1997) over conjunctions of attribute values.
//!
//! 1. Every conjunction of up to three conditions `dimension = value` that bad rows support is a candidate; its
//!    evidence is the log-likelihood ratio of two bad rates, inside higher than outside, against one (`score.rs`).
//! 2. Candidates grow by one condition at a time, the strongest first, and branches are cut that cannot hold a
//!    strong one; with enough work allowed nothing else is left out, so small tables are searched in full
//!    (`search.rs`).
//! 3. A condition must pay for itself: the simplest explanation comes first (`rank.rs`).
//! 4. What the best explanation covers is taken away, and the rest is searched again: two faults at once give two
//!    causes. Where no subset stands out, the cause is everything.

mod grid;
mod rank;
mod score;
mod search;
mod sets;
mod subset;
mod table;
#[cfg(test)]
mod tests;

pub use table::Table;

use grid::Grid;
use rank::Ranked;
use score::Counts;
use subset::Subset;

/// What is looked for, and how hard.
#[derive(Clone, Debug)]
pub struct ScanOptions {
    /// Most conditions of a conjunction, 1 to 3.
    pub max_conditions: usize,
    /// Least total inside, in the table's (weighted) counts.
    pub min_total: f64,
    /// Least bad inside, in the table's (weighted) counts.
    pub min_bad: f64,
    /// Greatest p-value, corrected for the search, of what stands out.
    pub significance: f64,
    /// Least rate inside, as a multiple of the rate outside: below, a difference may be significant but explains
    /// nothing.
    pub min_ratio: f64,
    /// Least share of all bad that a cause covers.
    pub min_coverage: f64,
    /// By how much the evidence is divided, at least 1: greater than 1 where outcomes within a row depend on each
    /// other. The effect of sampling is known to the table and need not be in it.
    pub design: f64,
    /// Dimensions, the preferred one first, for explanations that cover exactly the same rows; what is not named
    /// comes last, in the order of the table.
    pub order: Vec<usize>,
    /// Most causes, each of which explains what those before it do not.
    pub causes: usize,
    /// Most other explanations beside the best one of a cause.
    pub alternatives: usize,
    /// Most values of one dimension that may share a cause; 1 keeps values apart.
    pub values: usize,
    /// Most cells of the table that may be visited to extend candidates; for each further cause half as many.
    pub work: u64,
}

impl Default for ScanOptions {
    fn default() -> Self {
        Self {
            max_conditions: 3,
            min_total: 1.0,
            min_bad: 2.0,
            significance: 0.01,
            min_ratio: 1.5,
            min_coverage: 0.05,
            design: 1.0,
            order: Vec::new(),
            causes: 3,
            alternatives: 5,
            values: 1,
            work: 1_000_000,
        }
    }
}

impl ScanOptions {
    fn suffices(&self, inside: Counts) -> bool {
        inside.bad > 0.0 && inside.bad >= self.min_bad && inside.total >= self.min_total
    }
}

/// A conjunction and how bad it is inside and outside, in the table's (weighted) counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Dimension and values, of which one must hold, for each condition, in the order of dimensions; all conditions
    /// must hold. Empty: everything, no proper subset stands out.
    pub conditions: Vec<(usize, Vec<u32>)>,
    /// Total inside.
    pub total: f64,
    /// Bad inside.
    pub bad: f64,
    /// Total outside; what causes before it cover is left out.
    pub outside_total: f64,
    /// Bad outside.
    pub outside_bad: f64,
    /// Log-likelihood ratio of two rates against one, divided by the design effect, in natural units.
    pub llr: f64,
    /// Upper bound of the probability that chance alone gives such evidence anywhere in the search.
    pub p_value: f64,
    /// Share of all bad of the table that is inside.
    pub coverage: f64,
}

impl Finding {
    /// Bad rate inside.
    pub fn rate_inside(&self) -> f64 {
        ratio(self.bad, self.total)
    }

    /// Bad rate outside; 0 where nothing is outside.
    pub fn rate_outside(&self) -> f64 {
        ratio(self.outside_bad, self.outside_total)
    }

    /// Whether this is everything: no proper subset stands out.
    pub fn is_global(&self) -> bool {
        self.conditions.is_empty()
    }
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// A fault's place: the best explanation, and others that the evidence allows.
#[derive(Clone, Debug, PartialEq)]
pub struct Cause {
    /// The simplest explanation of the evidence.
    pub finding: Finding,
    /// Others, the best first.
    pub alternatives: Vec<Finding>,
}

/// The causes, the one with the most evidence first. None where nothing is bad; one that is everything where
/// something is bad and no proper subset stands out.
pub fn scan(table: &Table, options: &ScanOptions) -> Vec<Cause> {
    let mut rest = Grid::new(table, options);
    let everything = rest.sum();
    if everything.bad <= 0.0 {
        return Vec::new();
    }
    let mut causes = Vec::new();
    let mut options = options.clone();
    while let Some((cause, subset)) = next_cause(&rest, everything.bad, &options) {
        causes.push(cause);
        if causes.len() >= options.causes {
            break;
        }
        rest.remove(&subset);
        // What is left has less to say.
        options.work /= 2;
    }
    if causes.is_empty() {
        causes.push(Cause {
            finding: rest.everything(),
            alternatives: Vec::new(),
        });
    }
    causes
}

/// One of several explanations.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// Which cause it is an explanation of, counted from 0.
    pub cause: usize,
    /// Where.
    pub finding: Finding,
}

/// At most `top` explanations in the order in which a person should try them: the best, its strongest rival, the best
/// of what the first does not explain, the other rivals. The first cause is explained whether or not it is
/// significant; the list is empty where no subset is worse than the rest.
pub fn rank(table: &Table, options: &ScanOptions, top: usize) -> Vec<Explanation> {
    let lenient = ScanOptions {
        alternatives: top,
        significance: 1.0,
        min_coverage: 0.0,
        ..options.clone()
    };
    let mut causes = scan(table, &lenient);
    causes.retain(|cause| !cause.finding.is_global());
    let stands_out = |finding: &Finding| {
        finding.p_value <= options.significance && finding.coverage >= options.min_coverage
    };
    let explained = |cause: usize, finding: Finding| Explanation { cause, finding };
    let best = causes.iter().enumerate();
    let mut list: Vec<Explanation> = best
        .filter(|(at, cause)| *at == 0 || stands_out(&cause.finding))
        .map(|(at, cause)| explained(at, cause.finding.clone()))
        .collect();
    let first = causes.into_iter().next();
    let rivals = first.map(|first| first.alternatives).unwrap_or_default();
    for (at, rival) in rivals.into_iter().enumerate() {
        if list
            .iter()
            .all(|known| known.finding.conditions != rival.conditions)
        {
            let place = if at == 0 { 1 } else { list.len() };
            list.insert(place, explained(0, rival));
        }
    }
    list.truncate(top);
    list
}

/// The best explanation of what is left, if it stands out, and the rows that it explains.
fn next_cause(rest: &Grid, all_bad: f64, options: &ScanOptions) -> Option<(Cause, Subset)> {
    let ranked = Ranked::new(rest, options);
    let found = ranked.candidates.first();
    let found = found.map(|found| sets::widened(rest, found, &ranked, options));
    let stands_out = |(subset, inside): (Subset, Counts)| {
        let finding = ranked.finding(&subset, inside, all_bad);
        let significant =
            finding.p_value <= options.significance && finding.coverage >= options.min_coverage;
        significant.then_some((subset, finding))
    };
    let found = found.and_then(stands_out);
    let (subset, finding) =
        found.or_else(|| stands_out(sets::of_parts(rest, &ranked, options)?))?;
    let others = ranked.candidates.iter().skip(1).take(options.alternatives);
    let alternatives = others
        .map(|other| ranked.finding(&Subset::of(rest, other), other.counts, all_bad))
        .collect();
    Some((
        Cause {
            finding,
            alternatives,
        },
        subset,
    ))
}
