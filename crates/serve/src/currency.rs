//! How many decimal places a currency has.

use settlewatch_join::event::Currency;

/// Without a minor unit, and those that have none because they are no money.
const NONE: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF \
    XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX";
const THREE: &str = "BHD IQD JOD KWD LYD OMR TND";
const FOUR: &str = "CLF UYW";

/// Decimal places by ISO 4217.
fn places(currency: Currency) -> i32 {
    let has = |list: &str| {
        list.split_ascii_whitespace()
            .any(|code| code == currency.as_str())
    };
    match () {
        () if has(NONE) => 0,
        () if has(THREE) => 3,
        () if has(FOUR) => 4,
        () => 2,
    }
}

/// Money in units of its currency, for a gauge: exact up to 2^53 minor units.
pub(crate) fn in_units(currency: Currency, amount_minor: i128) -> f64 {
    amount_minor as f64 / 10f64.powi(places(currency))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minor_units_become_units() {
        for (code, minor, units) in [
            (*b"CNY", 12_345, "123.45"),
            (*b"JPY", 12_345, "12345"),
            (*b"KWD", 12_345, "12.345"),
            (*b"CLF", 12_345, "1.2345"),
        ] {
            let currency = Currency::new(code).expect("three capitals");
            assert_eq!(in_units(currency, minor).to_string(), units);
        }
    }
}
