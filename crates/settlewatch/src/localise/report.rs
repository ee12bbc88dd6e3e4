//! What was found, for people and for programs.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use settlewatch_watch::scan::{Explanation, Finding, ScanOptions};

use super::read::Input;
use crate::text::grouped;

/// Explanations of a table, the best first.
pub(super) struct Found<'a> {
    input: &'a Input,
    /// Whether no proper subset stands out.
    global: bool,
    significance: f64,
    /// With the number of the cause that each explains, counted from 1; everything has none.
    ranked: Vec<(Option<usize>, Finding)>,
}

impl<'a> Found<'a> {
    pub(super) fn new(
        input: &'a Input,
        options: &ScanOptions,
        explanations: Vec<Explanation>,
    ) -> Self {
        let stands_out = |found: &Explanation| found.finding.p_value <= options.significance;
        let global = !explanations.first().is_some_and(stands_out);
        let mut ranked: Vec<_> = explanations
            .into_iter()
            .map(|found| (Some(found.cause + 1), found.finding))
            .collect();
        if global && input.bad > 0.0 {
            let most = ranked.len();
            ranked.insert(0, (None, everything(input)));
            ranked.truncate(most.max(1));
        }
        Self {
            input,
            global,
            significance: options.significance,
            ranked,
        }
    }

    pub(super) fn text(&self) -> String {
        let input = self.input;
        let mut text = format!(
            "{} rows, {} dimensions: {} bad of {} ({})\n",
            grouped(input.table.len()),
            input.names.len(),
            number(input.bad),
            number(input.total),
            percent(everything(input).rate_inside())
        );
        if input.bad <= 0.0 {
            text.push_str("Nothing is bad.\n");
            return text;
        }
        if self.global {
            let _ = writeln!(
                text,
                "No proper subset stands out (p <= {}): the fault is everywhere, or too little is bad to say where.",
                self.significance
            );
        }
        let _ = writeln!(
            text,
            "\n{:>3} {:>5} {:>8} {:>12} {:>9} {:>8} {:>9}  where",
            "", "cause", "inside", "of", "outside", "covers", "p"
        );
        for (at, (cause, found)) in self.ranked.iter().enumerate() {
            let cause = cause.map_or_else(|| "-".into(), |cause| cause.to_string());
            let outside = if found.outside_total > 0.0 {
                percent(found.rate_outside())
            } else {
                "-".into()
            };
            let _ = writeln!(
                text,
                "{:>3} {cause:>5} {:>8} {:>12} {outside:>9} {:>8} {:>9}  {}",
                at + 1,
                percent(found.rate_inside()),
                number(found.total),
                percent(found.coverage),
                chance(found.p_value),
                self.place(found)
            );
        }
        text
    }

    fn place(&self, found: &Finding) -> String {
        if found.is_global() {
            return "everything".into();
        }
        let conditions = found.conditions.iter().map(|(dim, values)| {
            let values: Vec<&str> = values
                .iter()
                .map(|&value| self.input.value(*dim, value))
                .collect();
            format!("{}={}", self.input.names[*dim], values.join("|"))
        });
        conditions.collect::<Vec<_>>().join(" ")
    }

    pub(super) fn json(&self) -> String {
        let ranked = self.ranked.iter().enumerate().map(|(at, (cause, found))| {
            json!({
                "rank": at + 1,
                "cause": cause,
                "scope": self.scope(found),
                "total": count(found.total),
                "bad": count(found.bad),
                "rate_inside": found.rate_inside(),
                "rate_outside": found.rate_outside(),
                "explains": found.coverage,
                "llr": found.llr,
                "p_value": found.p_value,
            })
        });
        let value = json!({
            "schema": "settlewatch.localise/1",
            "rows": self.input.table.len(),
            "dimensions": self.input.names,
            "total": count(self.input.total),
            "bad": count(self.input.bad),
            "stands_out": !self.global,
            "ranked": ranked.collect::<Vec<_>>(),
        });
        format!("{value:#}\n")
    }

    /// As in an incident: a value, or an array of several.
    fn scope(&self, found: &Finding) -> Value {
        let mut scope = Map::new();
        for (dim, values) in &found.conditions {
            let values: Vec<Value> = values
                .iter()
                .map(|&value| Value::from(self.input.value(*dim, value)))
                .collect();
            let one = <[Value; 1]>::try_from(values).map(|[value]| value);
            scope.insert(
                self.input.names[*dim].clone(),
                one.unwrap_or_else(Value::from),
            );
        }
        Value::Object(scope)
    }
}

fn everything(input: &Input) -> Finding {
    Finding {
        conditions: Vec::new(),
        total: input.total,
        bad: input.bad,
        outside_total: 0.0,
        outside_bad: 0.0,
        llr: 0.0,
        p_value: 1.0,
        coverage: 1.0,
    }
}

/// A count as a whole number, where it is one.
fn count(count: f64) -> Value {
    if count.fract().abs() < f64::EPSILON {
        Value::from(count as u64)
    } else {
        Value::from(count)
    }
}

/// A count, with decimals where it has some.
fn number(count: f64) -> String {
    if (count - count.round()).abs() < 0.005 {
        return grouped(count.round() as u64);
    }
    let text = format!("{count:.2}");
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, "00"));
    format!("{}.{decimals}", grouped(whole))
}

fn percent(share: f64) -> String {
    let per_cent = 100.0 * share;
    if per_cent > 0.0 && per_cent < 9.995 {
        format!("{per_cent:.2} %")
    } else {
        format!("{per_cent:.1} %")
    }
}

fn chance(p: f64) -> String {
    if p <= 0.0 {
        "<1e-300".into()
    } else if p < 0.001 {
        format!("{p:.0e}")
    } else {
        format!("{p:.3}")
    }
}
