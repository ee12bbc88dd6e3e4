//! The difference between what was expected and what came, for people.

use serde_json::Value;
use settlewatch_wire::parse_time;

use super::judge::{Row, Verdict};
use super::{Case, Expected};

/// Fields that every line shows, in this order, where they say something.
const USUAL: [&str; 6] = [
    "kind",
    "payment_id",
    "state",
    "tier",
    "resolution",
    "verdict",
];

/// `file.yaml:12: name`.
pub(crate) fn heading(file: &str, case: &Case) -> String {
    format!("{file}:{}: {}", case.line, case.name)
}

/// What differs, one line an alert in time order: `-` expected, `+` came, nothing before what is as expected.
pub(crate) fn failure(case: &Case, verdict: &Verdict, colour: bool) -> String {
    let mut text = String::new();
    for row in &verdict.rows {
        for line in lines(case, row) {
            let (on, off) = match line.as_bytes().first() {
                Some(b'-') if colour => ("\x1b[31m", "\x1b[0m"),
                Some(b'+') if colour => ("\x1b[32m", "\x1b[0m"),
                _ => ("", ""),
            };
            text += &format!("    {on}{line}{off}\n");
        }
    }
    text
}

fn lines(case: &Case, row: &Row) -> Vec<String> {
    let expected = row.expected.map(|one| &case.expected[one]);
    let wanted = expected.map(|expected| ("- ", expected_line(case, expected)));
    let came = row
        .came
        .as_ref()
        .map(|came| ("+ ", came_line(case, expected, came)));
    match (wanted, came) {
        (Some(_), Some((_, came))) if row.differs.is_empty() => vec![format!("  {came}")],
        (Some((minus, wanted)), None) => vec![format!("{minus}{wanted}   (did not come)")],
        (None, Some((plus, came))) => vec![format!("{plus}{came}   (not expected)")],
        (Some((minus, wanted)), Some((plus, came))) => {
            let differs = row.differs.join(", ").replace("decided_at", "at");
            vec![
                format!("{minus}{wanted}"),
                format!("{plus}{came}   (differs: {differs})"),
            ]
        }
        (None, None) => Vec::new(),
    }
}

fn expected_line(case: &Case, expected: &Expected) -> String {
    let field = |name: &str| {
        let found = expected.fields.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value)
    };
    line(case, field, expected)
}

fn came_line(case: &Case, expected: Option<&Expected>, came: &Value) -> String {
    let nothing = Expected {
        at: None,
        fields: Vec::new(),
    };
    line(case, |name| came.get(name), expected.unwrap_or(&nothing))
}

/// The usual fields, then whatever else `mentioned` names.
fn line<'v>(
    case: &Case,
    field: impl Fn(&str) -> Option<&'v Value>,
    mentioned: &Expected,
) -> String {
    let at = field("decided_at").map_or("any time".into(), |at| shown(case, "decided_at", at));
    let mut parts = vec![format!("{at:<12}")];
    for name in USUAL {
        let is_mentioned = mentioned.fields.iter().any(|(known, _)| *known == name);
        match field(name) {
            Some(Value::Null) if is_mentioned => parts.push(format!("{name}=null")),
            Some(Value::Null) | None => {}
            Some(value) => parts.push(shown(case, name, value)),
        }
    }
    for (name, _) in &mentioned.fields {
        if *name != "decided_at" && !USUAL.contains(name) {
            let value = field(name).unwrap_or(&Value::Null);
            parts.push(format!("{name}={}", shown(case, name, value)));
        }
    }
    parts.join("  ")
}

fn shown(case: &Case, name: &str, value: &Value) -> String {
    match value.as_str() {
        Some(text) if matches!(name, "decided_at" | "deadline" | "paid_at") => {
            parse_time(text).map_or(text.to_owned(), |at| case.clock.show(at))
        }
        Some(text) => text.to_owned(),
        None => value.to_string(),
    }
}
