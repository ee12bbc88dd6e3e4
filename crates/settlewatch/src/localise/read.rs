//! A table from CSV: a header, a column for each dimension, `total` and `bad`. Whatever is wrong is named with its
//! line, its column and the remedy.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::Context as _;
use csv::{ErrorKind, StringRecord};
use settlewatch_watch::scan::Table;

use crate::exit::Failed;

const TOTAL: &str = "total";
const BAD: &str = "bad";

/// Greatest count, so that sums stay exact.
const MOST: f64 = 1e9;

/// The table, and what its numbers mean.
pub(super) struct Input {
    pub(super) table: Table,
    pub(super) total: f64,
    pub(super) bad: f64,
    /// Names of the dimensions.
    pub(super) names: Vec<String>,
    /// By dimension, the values, numbered from 1 in alphabetical order.
    values: Vec<Vec<String>>,
}

impl Input {
    pub(super) fn value(&self, dim: usize, number: u32) -> &str {
        &self.values[dim][number as usize - 1]
    }
}

/// Reads a file, or standard input where its name is `-`.
pub(super) fn read(path: &Path) -> anyhow::Result<Input> {
    if path.as_os_str() == "-" {
        return parse("standard input", std::io::stdin().lock());
    }
    let name = path.display().to_string();
    let file = File::open(path).with_context(|| format!("cannot open {name}"))?;
    parse(&name, file)
}

/// Where the columns are.
struct Columns {
    names: Vec<String>,
    dims: Vec<usize>,
    total: usize,
    bad: usize,
}

/// A row before its values have numbers.
struct Row {
    values: Vec<u32>,
    total: f64,
    bad: f64,
}

fn parse(name: &str, input: impl Read) -> anyhow::Result<Input> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(input);
    let header = reader.headers().map_err(|error| told(name, error))?;
    let columns = columns(name, header)?;
    // Numbers in order of appearance, for now.
    let mut seen: Vec<BTreeMap<String, u32>> = vec![BTreeMap::new(); columns.dims.len()];
    let mut rows: Vec<Row> = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| told(name, error))?;
        let total = count(name, &record, &columns, columns.total)?;
        let bad = count(name, &record, &columns, columns.bad)?;
        if bad > total {
            let what = format!("{bad} of {total}: no more can be bad than there are");
            return Err(wrong(name, &record, BAD, &what).into());
        }
        let values = columns.dims.iter().zip(&mut seen);
        let values = values
            .map(|(&column, seen)| number(&record[column], seen))
            .collect();
        rows.push(Row { values, total, bad });
    }
    if rows.is_empty() {
        let what = format!("{name}: no rows below the header: one a combination of attributes");
        return Err(Failed(what).into());
    }
    Ok(numbered(columns, &seen, &rows))
}

/// The number of a value; 0 of none.
fn number(value: &str, seen: &mut BTreeMap<String, u32>) -> u32 {
    if value.is_empty() {
        return 0;
    }
    if let Some(&number) = seen.get(value) {
        return number;
    }
    let number = seen.len() as u32 + 1;
    seen.insert(value.to_owned(), number);
    number
}

/// Numbers the values in alphabetical order, so that the order of rows decides nothing.
fn numbered(columns: Columns, seen: &[BTreeMap<String, u32>], rows: &[Row]) -> Input {
    let renumbered: Vec<Vec<u32>> = seen.iter().map(in_order).collect();
    let mut table = Table::new(columns.dims.len());
    for row in rows {
        let values = row.values.iter().zip(&renumbered);
        let values: Vec<u32> = values.map(|(&value, of)| of[value as usize]).collect();
        table.push(&values, row.total, row.bad);
    }
    let names = columns.dims.iter().map(|&at| columns.names[at].clone());
    Input {
        table,
        total: rows.iter().map(|row| row.total).sum(),
        bad: rows.iter().map(|row| row.bad).sum(),
        names: names.collect(),
        values: seen
            .iter()
            .map(|seen| seen.keys().cloned().collect())
            .collect(),
    }
}

/// By number of appearance, the number in alphabetical order.
fn in_order(seen: &BTreeMap<String, u32>) -> Vec<u32> {
    let mut numbers = vec![0; seen.len() + 1];
    for (at, &number) in seen.values().enumerate() {
        numbers[number as usize] = at as u32 + 1;
    }
    numbers
}

fn columns(name: &str, header: &StringRecord) -> Result<Columns, Failed> {
    let names: Vec<String> = header
        .iter()
        .map(|name| name.trim_start_matches('\u{feff}').trim().to_owned())
        .collect();
    let at = |wanted: &str| {
        names.iter().position(|name| name == wanted).ok_or_else(|| {
            Failed(format!(
                "{name}:1: no column `{wanted}`; there are {}. The first line names the columns, separated by commas: \
                 one a dimension, `total` and `bad`",
                listed(&names)
            ))
        })
    };
    let (total, bad) = (at(TOTAL)?, at(BAD)?);
    for (at, column) in names.iter().enumerate() {
        if column.is_empty() {
            let what = format!("{name}:1: column {} has no name: give it one", at + 1);
            return Err(Failed(what));
        }
        if names[..at].contains(column) {
            let what = format!("{name}:1: two columns `{column}`: rename or remove one");
            return Err(Failed(what));
        }
    }
    let dims: Vec<usize> = (0..names.len())
        .filter(|&at| at != total && at != bad)
        .collect();
    if dims.is_empty() {
        let what =
            format!("{name}:1: no dimension beside `total` and `bad`: add a column for each");
        return Err(Failed(what));
    }
    Ok(Columns {
        names,
        dims,
        total,
        bad,
    })
}

fn listed(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match names.len() {
        0 => "none".into(),
        _ => names.join(", "),
    }
}

fn count(name: &str, record: &StringRecord, columns: &Columns, at: usize) -> Result<f64, Failed> {
    let text = &record[at];
    let column = &columns.names[at];
    match text.parse::<f64>() {
        Ok(count) if (0.0..=MOST).contains(&count) => Ok(count),
        Ok(count) if count > MOST => {
            let what = format!("{text} is more than {MOST}: divide all counts by the same number");
            Err(wrong(name, record, column, &what))
        }
        Ok(_) => {
            let what = format!("{text} is no count: it must be 0 or more");
            Err(wrong(name, record, column, &what))
        }
        Err(_) if text.is_empty() => {
            let what = "empty: write 0 where nothing happened";
            Err(wrong(name, record, column, what))
        }
        Err(_) => {
            let what =
                format!("`{text}` is no number: write digits, with a point where it is decimal");
            Err(wrong(name, record, column, &what))
        }
    }
}

fn wrong(name: &str, record: &StringRecord, column: &str, what: &str) -> Failed {
    let line = record.position().map_or(0, csv::Position::line);
    Failed(format!("{name}:{line}: column `{column}`: {what}"))
}

/// What the reader of CSV found wrong.
fn told(name: &str, error: csv::Error) -> anyhow::Error {
    let line = error.position().map_or(1, csv::Position::line);
    let what = match error.kind() {
        ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!(
            "{len} fields, but the header has {expected_len}: quote values that hold a comma, and leave unknown ones \
             empty"
        ),
        ErrorKind::Utf8 { err, .. } => {
            let column = err.field() + 1;
            format!("column {column}: not UTF-8: convert the file, for example with iconv")
        }
        ErrorKind::Io(_) => {
            return anyhow::Error::new(error).context(format!("cannot read {name}"));
        }
        _ => error.to_string(),
    };
    Failed(format!("{name}:{line}: {what}")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        match parse("x.csv", text.as_bytes()) {
            Ok(_) => panic!("{text:?} is accepted"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn columns_may_stand_in_any_order_and_counts_be_decimal() {
        let text = "\u{feff}bad,region, total ,channel\n1.5, east ,3,a\n0,\"w,e\",2e3,\n";
        let input = parse("x.csv", text.as_bytes()).expect("a table");
        assert_eq!(input.names, ["region", "channel"]);
        assert_eq!(input.value(0, 2), "w,e");
        assert_eq!(input.value(1, 1), "a");
        assert!((input.total - 2003.0).abs() < 1e-9);
        assert!((input.bad - 1.5).abs() < 1e-9);
    }

    #[test]
    fn what_is_wrong_is_named_with_line_column_and_remedy() {
        for (text, parts) in [
            ("", &["x.csv:1", "no column `total`", "there are none"][..]),
            ("a;total;bad\nx;1;1\n", &["x.csv:1", "separated by commas"]),
            (
                "a,total\nx,1\n",
                &["x.csv:1", "no column `bad`", "`a`, `total`"],
            ),
            ("total,bad\n1,1\n", &["x.csv:1", "no dimension"]),
            ("a,a,total,bad\n", &["x.csv:1", "two columns `a`", "rename"]),
            ("a,,total,bad\n", &["x.csv:1", "column 2 has no name"]),
            ("a,total,bad\n", &["no rows"]),
            (
                "a,total,bad\nx,1,0\ny,1\n",
                &["x.csv:3", "2 fields", "has 3"],
            ),
            (
                "a,total,bad\nx,1,0\ny,many,0\n",
                &["x.csv:3", "`total`", "no number"],
            ),
            ("a,total,bad\nx,1,\n", &["x.csv:2", "`bad`", "write 0"]),
            (
                "a,total,bad\nx,-1,0\n",
                &["x.csv:2", "`total`", "0 or more"],
            ),
            (
                "a,total,bad\nx,NaN,0\n",
                &["x.csv:2", "`total`", "0 or more"],
            ),
            ("a,total,bad\nx,1e12,0\n", &["x.csv:2", "`total`", "divide"]),
            ("a,total,bad\nx,1,2\n", &["x.csv:2", "`bad`", "no more"]),
        ] {
            let error = error(text);
            for part in parts {
                assert!(error.contains(part), "{text:?}: {error}");
            }
        }
        let latin = parse("x.csv", &b"a,total,bad\n\xe9,1,0\n"[..]);
        let error = latin.err().map(|error| error.to_string());
        assert!(error.is_some_and(|error| error.contains("x.csv:2: column 1: not UTF-8")));
    }

    #[test]
    fn the_order_of_rows_does_not_number_values() {
        let one = parse("x.csv", "a,total,bad\nx,1,0\ny,2,1\n".as_bytes()).expect("a table");
        let two = parse("x.csv", "a,total,bad\ny,2,1\nx,1,0\n".as_bytes()).expect("a table");
        assert_eq!([one.value(0, 1), one.value(0, 2)], ["x", "y"]);
        assert_eq!(one.values, two.values);
    }
}
