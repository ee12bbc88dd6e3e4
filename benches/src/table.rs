//! The table of budgets: what was allowed, what was measured, and how they compare.

/// One line of the table.
#[derive(Clone, Debug)]
pub struct Row {
    name: String,
    budget: Option<(f64, bool)>,
    measured: f64,
    unit: &'static str,
}

impl Row {
    /// A budget that must be reached.
    pub fn at_least(name: &str, budget: f64, measured: f64, unit: &'static str) -> Self {
        Self {
            name: name.into(),
            budget: Some((budget, true)),
            measured,
            unit,
        }
    }

    /// A budget that must not be exceeded.
    pub fn at_most(name: &str, budget: f64, measured: f64, unit: &'static str) -> Self {
        Self {
            name: name.into(),
            budget: Some((budget, false)),
            measured,
            unit,
        }
    }

    /// A figure without a budget.
    pub fn shown(name: &str, measured: f64, unit: &'static str) -> Self {
        Self {
            name: name.into(),
            budget: None,
            measured,
            unit,
        }
    }
}

/// The title of the columns.
pub fn print_head() {
    println!(
        "{:<58} {:>10} {:>10} {:>6}       unit",
        "what", "budget", "measured", "ratio"
    );
}

/// Prints rows; a ratio above 1 is better than the budget.
pub fn print(rows: &[Row]) {
    for row in rows {
        let Row {
            name,
            measured,
            unit,
            ..
        } = row;
        match row.budget {
            None => println!(
                "{name:<58} {:>10} {measured:>10.3} {:>6}       {unit}",
                "", ""
            ),
            Some((budget, at_least)) => {
                let ratio = if at_least {
                    measured / budget
                } else {
                    budget / measured
                };
                let verdict = if ratio >= 1.0 { "ok" } else { "MISS" };
                println!(
                    "{name:<58} {budget:>10.3} {measured:>10.3} {ratio:>6.2} {verdict:<5} {unit}"
                );
            }
        }
    }
}

/// The middle of several runs.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
