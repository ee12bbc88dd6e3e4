//! The codes of ISO 4217.

use settlewatch_join::event::Currency;

/// Active codes, funds and metals included, as of 2026. ANG, BGN, CUC, HRK, SLL and ZWL were withdrawn from
/// 2021 on; recordings of their last years are still replayed, so they stay.
const CODES: &str = "\
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP \
    BYN BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB \
    EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD \
    JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU \
    MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD \
    RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY \
    TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAD XAF XAG XAU XBA XBB XBC XBD \
    XCD XCG XDR XOF XPD XPF XPT XSU XTS XUA XXX YER ZAR ZMW ZWG ZWL";

const LETTERS: usize = 26;
const WORDS: usize = (LETTERS * LETTERS * LETTERS).div_ceil(64);

/// A bit for every code of three capitals.
static LISTED: [u64; WORDS] = listed();

const fn listed() -> [u64; WORDS] {
    let codes = CODES.as_bytes();
    let mut bits = [0; WORDS];
    let mut at = 0;
    while at < codes.len() {
        let index = index([codes[at], codes[at + 1], codes[at + 2]]);
        bits[index / 64] |= 1 << (index % 64);
        at += 4;
    }
    bits
}

/// Rank of a code of three capitals among all such.
const fn index(code: [u8; 3]) -> usize {
    (rank(code[0]) * LETTERS + rank(code[1])) * LETTERS + rank(code[2])
}

const fn rank(letter: u8) -> usize {
    (letter - b'A') as usize
}

/// Whether ISO 4217 lists the code.
pub fn is_iso_4217(code: [u8; 3]) -> bool {
    code.iter().all(u8::is_ascii_uppercase) && {
        let index = index(code);
        LISTED[index / 64] >> (index % 64) & 1 == 1
    }
}

/// The currency of a code in capitals that ISO 4217 lists.
pub(crate) fn parse_currency(text: &str) -> Option<Currency> {
    let code = <[u8; 3]>::try_from(text.as_bytes()).ok()?;
    Currency::new(code).filter(|_| is_iso_4217(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listed_codes_are_currencies_and_nothing_else_is() {
        for code in CODES.split(' ') {
            assert_eq!(
                parse_currency(code)
                    .map(|currency| currency.to_string())
                    .as_deref(),
                Some(code)
            );
        }
        let listed: u32 = LISTED.iter().map(|word| word.count_ones()).sum();
        assert_eq!(listed as usize, CODES.split(' ').count());
        for text in [
            "",
            "cny",
            "Cny",
            "RMB",
            "CNH",
            "ZZZ",
            "AAA",
            "CN",
            "CNYX",
            "CN\u{17b}",
            "156",
            "C Y",
        ] {
            assert_eq!(parse_currency(text), None, "{text}");
        }
    }
}
