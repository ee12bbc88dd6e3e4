//! The tables of the comparison, as a page shows them.

use std::fmt::Write as _;

use anyhow::Context as _;

use crate::table::median;

/// Rows of figures, a column for each of those that are compared.
#[derive(Debug)]
pub(crate) struct Table {
    title: String,
    columns: Vec<String>,
    rows: Vec<(String, Vec<Option<f64>>)>,
}

impl Table {
    /// An empty one.
    pub(crate) fn new(title: &str, columns: &[&str]) -> Self {
        Self {
            title: title.into(),
            columns: columns.iter().map(|&it| it.into()).collect(),
            rows: Vec::new(),
        }
    }

    /// A row of medians, a list of runs for each column; an empty list where there is nothing to say.
    pub(crate) fn row(&mut self, what: &str, runs: Vec<Vec<f64>>) {
        let middle = |runs: Vec<f64>| (!runs.is_empty()).then(|| median(runs));
        let cells = runs.into_iter().map(middle).collect();
        self.rows.push((what.into(), cells));
    }

    /// Markdown: each figure, and in brackets how many times that of the first column it is. Nothing without a row.
    pub(crate) fn markdown(&self) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let mut text = format!("| {} | {} |\n", self.title, self.columns.join(" | "));
        let line = vec!["---:"; self.columns.len()].join(" | ");
        let _ = writeln!(text, "| --- | {line} |");
        for (what, cells) in &self.rows {
            let first = cells.first().copied().flatten();
            let cells = cells
                .iter()
                .enumerate()
                .map(|(column, cell)| match (cell, first) {
                    (None, _) => "–".into(),
                    (Some(value), Some(first)) if column > 0 && first > 0.0 && *value > 0.0 => {
                        format!("{} ({} ×)", figure(*value), figure(value / first))
                    }
                    (Some(value), _) => figure(*value),
                });
            let cells: Vec<String> = cells.collect();
            let _ = writeln!(text, "| {what} | {} |", cells.join(" | "));
        }
        text
    }
}

/// Two or three significant figures; thousands in groups.
pub(crate) fn figure(value: f64) -> String {
    match value {
        value if value >= 10_000.0 => {
            let thousands = (value / 1000.0).round() as u64;
            match thousands / 1000 {
                0 => format!("{thousands},000"),
                millions => format!("{millions},{:03},000", thousands % 1000),
            }
        }
        value if value >= 1000.0 => format!("{},{:03}", value as u64 / 1000, value as u64 % 1000),
        value if value >= 100.0 || value.fract().abs() < 1e-9 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

/// The text between the two marks of a part, replaced.
///
/// # Errors
/// The page has no such marks.
pub(crate) fn replace(page: &str, part: &str, new: &str) -> anyhow::Result<String> {
    let (begin, end) = (
        format!("<!-- {part} -->\n"),
        format!("<!-- end of {part} -->"),
    );
    let marked = page.split_once(&begin).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(&end)?;
        Some(format!("{before}{begin}{new}{end}{after}"))
    });
    marked.with_context(|| format!("the page has no marks of {part}"))
}

#[cfg(test)]
mod tests {
    use super::{Table, replace};

    #[test]
    fn figures_have_their_ratio_to_the_first_column() {
        let mut table = Table::new("what", &["a", "b", "c"]);
        table.row(
            "records a second",
            vec![vec![50_000.0], vec![3.0, 25_000.0, 1e9], vec![]],
        );
        table.row("wrong", vec![vec![0.0], vec![0.0], vec![1234.0]]);
        let expected = "| what | a | b | c |\n| --- | ---: | ---: | ---: |\n\
                        | records a second | 50,000 | 25,000 (0.50 ×) | – |\n| wrong | 0 | 0 | 1,234 |\n";
        assert_eq!(table.markdown(), expected);
    }

    #[test]
    fn a_page_keeps_what_stands_around_the_figures() {
        let page =
            "a\n<!-- x -->\nold\n<!-- end of x -->\nb\n<!-- y -->\nold y\n<!-- end of y -->\n";
        let new = replace(page, "x", "new\n").expect("it has marks");
        assert_eq!(new, page.replacen("old", "new", 1));
        assert!(replace(page, "z", "new").is_err());
    }
}
