//! The head of the picture: what it shows, and the sums that must add up.

use super::data::{Parts, Replayed, TimeMs};
use super::svg::Svg;

/// Left edge of each sum; the sign before it stands in the gap.
const SUMS: [i64; 6] = [200, 1900, 3560, 4780, 6040, 7560];
const SIGNS: [&str; 4] = ["=", "+", "+", "+"];

/// Draws title and sums, up to `right`.
pub(crate) fn draw(svg: &mut Svg, replayed: &Replayed, right: i64) {
    svg.text("T", (200, 320), "Paid, but not credited? 掉单");
    svg.text("s e", (right, 316), &span(replayed));
    let summary = &replayed.summary;
    let parts = names().into_iter().zip(counts(&summary.counts)).zip(SUMS);
    for ((name, count), x) in parts {
        let bad = if name == OVERDUE && count > 0 {
            " bad"
        } else {
            ""
        };
        let count = grouped(&count.to_string());
        svg.pair(
            &format!("n{bad}"),
            &format!("h{bad}"),
            (x, 660),
            &count,
            name,
        );
    }
    for (sign, x) in SIGNS.iter().zip(&SUMS[1..]) {
        svg.text("n m", (x - 160, 660), sign);
    }
    svg.line("axis", (SUMS[5] - 180, 520), (SUMS[5] - 180, 840));
    for ((currency, money), y) in summary.amount_minor.iter().zip((810..).step_by(130)) {
        for (amount, x) in amounts(money).into_iter().zip(SUMS) {
            svg.text(
                "s",
                (x, y),
                &format!("{} {currency}", decimal(amount, currency)),
            );
        }
    }
}

/// Where the head ends.
pub(crate) fn bottom(replayed: &Replayed) -> i64 {
    let currencies = i64::try_from(replayed.summary.amount_minor.len()).unwrap_or_default();
    760 + 130 * currencies
}

/// What the picture says, in a sentence.
pub(crate) fn title(replayed: &Replayed) -> String {
    let counts = &replayed.summary.counts;
    format!(
        "{} payments = {} credited + {} explained + {} written off + {} pending, of which {} overdue",
        counts.payments,
        counts.credited,
        counts.explained,
        counts.written_off,
        counts.pending,
        counts.overdue
    )
}

/// A time of day in UTC, as hours and minutes.
pub(crate) fn clock(at_ms: TimeMs) -> String {
    shown(at_ms, "%H:%M")
}

fn span(replayed: &Replayed) -> String {
    let summary = &replayed.summary;
    let channels = replayed.channels().len();
    format!(
        "replay of a recording: {} channels, {} – {} UTC",
        channels,
        shown(summary.from_ms, "%Y-%m-%d %H:%M"),
        clock(summary.to_ms)
    )
}

fn shown(at_ms: TimeMs, format: &str) -> String {
    let at = jiff::Timestamp::from_millisecond(at_ms).unwrap_or_default();
    at.strftime(format).to_string()
}

const OVERDUE: &str = "of them overdue";

fn names() -> [&'static str; 6] {
    [
        "payments",
        "credited",
        "explained",
        "written off",
        "pending",
        OVERDUE,
    ]
}

fn counts(parts: &Parts<u64>) -> [u64; 6] {
    [
        parts.payments,
        parts.credited,
        parts.explained,
        parts.written_off,
        parts.pending,
        parts.overdue,
    ]
}

fn amounts(parts: &Parts<String>) -> [&str; 6] {
    [
        &parts.payments,
        &parts.credited,
        &parts.explained,
        &parts.written_off,
        &parts.pending,
        &parts.overdue,
    ]
}

/// Minor units with the point of their currency (ISO 4217): digits are moved, nothing is computed.
fn decimal(minor: &str, currency: &str) -> String {
    let digits = match currency {
        "CLP" | "ISK" | "JPY" | "KRW" | "PYG" | "UGX" | "VND" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    };
    let padded = format!("{minor:0>width$}", width = digits + 1);
    let (whole, rest) = padded.split_at(padded.len() - digits);
    match digits {
        0 => grouped(whole),
        _ => format!("{}.{rest}", grouped(whole)),
    }
}

/// A number with commas between its thousands.
fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_keeps_every_digit() {
        assert_eq!(decimal("25479636", "CNY"), "254,796.36");
        assert_eq!(decimal("5", "CNY"), "0.05");
        assert_eq!(decimal("0", "CNY"), "0.00");
        assert_eq!(decimal("1000000", "JPY"), "1,000,000");
    }
}
