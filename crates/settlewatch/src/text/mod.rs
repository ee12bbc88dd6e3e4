//! What people read.

pub(crate) mod summary;

use settlewatch_join::Alert;
use settlewatch_replay::input::Progress;
use settlewatch_wire::format_time;

/// Whether to use colour: on a terminal, unless `NO_COLOR` is set.
pub(crate) fn colour(terminal: bool) -> bool {
    terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// How far the reading is.
pub(crate) fn progress(progress: &Progress) -> String {
    let read = progress.file_bytes >> 20;
    let percent = (progress.file_bytes * 100)
        .checked_div(progress.total_bytes)
        .unwrap_or(0);
    let sorting = if progress.on_disk {
        ", sorting on disk"
    } else {
        ""
    };
    format!(
        "reading {percent:>3} %  {read} MB  {} lines{sorting}",
        progress.lines
    )
}

/// One alert revision on one line.
pub(crate) fn alert(alert: &Alert, colour: bool) -> String {
    let state = match alert.resolution {
        Some(resolution) => format!("resolved {resolution}"),
        None => format!("open {}", alert.tier),
    };
    let verdict = alert.verdict.map_or("", |verdict| verdict.as_str());
    let amount = match (alert.amount_minor, alert.currency) {
        (Some(amount), Some(currency)) => money(amount as i128, currency.as_str()),
        _ => String::new(),
    };
    let (on, off) = match (colour, alert.resolution.is_some()) {
        (false, _) => ("", ""),
        (true, true) => ("\x1b[32m", "\x1b[0m"),
        (true, false) => ("\x1b[31m", "\x1b[0m"),
    };
    let line = format!(
        "{}  {on}{:<21}{off} {:<22} {amount:>16}  {}  {} {verdict}",
        format_time(alert.decided_at),
        alert.kind.as_str(),
        state,
        alert.channel.as_deref().unwrap_or("-"),
        alert.payment_id,
    );
    line.trim_end().into()
}

/// An amount in its currency's own notation: `1,234.56 CNY`.
pub(crate) fn money(amount_minor: i128, currency: &str) -> String {
    let digits = minor_digits(currency);
    let unit = 10_i128.pow(digits);
    let sign = if amount_minor < 0 { "-" } else { "" };
    let whole = grouped((amount_minor / unit).unsigned_abs());
    if digits == 0 {
        return format!("{sign}{whole} {currency}");
    }
    let rest = (amount_minor % unit).unsigned_abs();
    format!(
        "{sign}{whole}.{rest:0width$} {currency}",
        width = digits as usize
    )
}

/// Decimal digits of the minor unit (ISO 4217): two, but for these.
fn minor_digits(currency: &str) -> u32 {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX"
        | "UYI" | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        "CLF" | "UYW" => 4,
        _ => 2,
    }
}

/// A number with commas between its thousands.
pub(crate) fn grouped(number: impl ToString) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
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
    fn money_is_shown_in_the_digits_of_its_currency() {
        assert_eq!(money(123_456, "CNY"), "1,234.56 CNY");
        assert_eq!(money(5, "CNY"), "0.05 CNY");
        assert_eq!(money(1_000_000, "JPY"), "1,000,000 JPY");
        assert_eq!(money(-1_234, "KWD"), "-1.234 KWD");
    }
}
