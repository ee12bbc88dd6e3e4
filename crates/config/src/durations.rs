//! Durations: `250ms`, `90s`, `1h30m`, `3d`, `0`.

use settlewatch_join::Span;

use crate::report::Flaw;

/// Units from long to short, in milliseconds.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// The pattern of a duration, for editors.
pub(crate) const PATTERN: &str =
    "^(0|(?=[0-9])([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?)$";

/// A duration within `min_ms..=max_ms`.
pub(crate) fn duration(text: &str, min_ms: u64, max_ms: u64) -> Result<Span, Flaw> {
    let millis = parse(text)?;
    if millis < min_ms {
        return Err(Flaw::new(
            format!("is too short: `{text}`"),
            format!("make it at least {}", show(min_ms)),
        ));
    }
    if millis > max_ms {
        return Err(Flaw::new(
            format!("is too long: `{text}`"),
            format!("make it at most {}", show(max_ms)),
        ));
    }
    Ok(Span::from_millis(millis))
}

fn parse(text: &str) -> Result<u64, Flaw> {
    if text == "0" {
        return Ok(0);
    }
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let remedy =
            format!("add a unit: `{text}s` for seconds; units are `ms`, `s`, `m`, `h`, `d`");
        return Err(Flaw::new(format!("has no unit: `{text}`"), remedy));
    }
    units(text).ok_or_else(|| {
        Flaw::new(
            format!("is not a duration: `{text}`"),
            "write whole numbers with `d`, `h`, `m`, `s`, `ms`, the longest first: `90s`, `1h30m`",
        )
    })
}

fn units(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total = 0_u64;
    let mut next = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        let at = UNITS
            .iter()
            .position(|(unit, _)| *unit == &rest[..letters])
            .filter(|at| *at >= next)?;
        total = total.saturating_add(number.saturating_mul(UNITS[at].1));
        next = at + 1;
        rest = &rest[letters..];
    }
    Some(total)
}

/// A duration in words of the configuration: the shortest that is exact.
pub(crate) fn show(millis: u64) -> String {
    if millis == 0 {
        return "0".into();
    }
    let mut rest = millis;
    let mut out = String::new();
    for (unit, size) in UNITS {
        if rest >= size {
            out.push_str(&format!("{}{unit}", rest / size));
            rest %= size;
        }
    }
    out
}
