//! The members of a record that some type knows, and their typed reading.

use std::borrow::Cow;

use settlewatch_join::Timestamp;
use settlewatch_join::event::{Currency, Text};

use crate::currency::parse_currency;
use crate::escape::unescape_into;
use crate::reason::{Reason, Rejection};
use crate::scan::{Kind, Scanner, Value};
use crate::time::{parse_date, parse_time};

/// Longest string of a field, in bytes.
const TEXT_BYTES: usize = 256;

/// Declares the known fields with their names.
macro_rules! fields {
    ($($variant:ident = $name:literal,)+) => {
        /// A field of some type.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Field { $($variant,)+ }

        impl Field {
            pub(crate) const COUNT: usize = [$(Self::$variant,)+].len();

            pub(crate) const fn name(self) -> &'static str {
                let name: &[u8] = match self { $(Self::$variant => $name,)+ };
                match core::str::from_utf8(name) {
                    Ok(name) => name,
                    Err(_) => "",
                }
            }

            fn of(name: &[u8]) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

fields! {
    Type = b"type",
    EventId = b"event_id",
    OccurredAt = b"occurred_at",
    Tenant = b"tenant",
    PaymentId = b"payment_id",
    Channel = b"channel",
    MerchantId = b"merchant_id",
    TerminalId = b"terminal_id",
    AmountMinor = b"amount_minor",
    Currency = b"currency",
    FeeMinor = b"fee_minor",
    OrderAmountMinor = b"order_amount_minor",
    SettleMode = b"settle_mode",
    ExpectedCreditBy = b"expected_credit_by",
    PayerHash = b"payer_hash",
    Gateway = b"gateway",
    Acquirer = b"acquirer",
    Connector = b"connector",
    StoreId = b"store_id",
    Region = b"region",
    Carrier = b"carrier",
    TerminalModel = b"terminal_model",
    PosVendor = b"pos_vendor",
    AppVersion = b"app_version",
    Method = b"method",
    Mcc = b"mcc",
    Attrs = b"attrs",
    CreditId = b"credit_id",
    Partial = b"partial",
    BatchId = b"batch_id",
    RefundId = b"refund_id",
    Status = b"status",
    Reason = b"reason",
    ExpectedReleaseAt = b"expected_release_at",
    Code = b"code",
    Class = b"class",
    Stage = b"stage",
    Network = b"network",
    RssiDbm = b"rssi_dbm",
    QueueDepth = b"queue_depth",
    ErrorCode = b"error_code",
    UptimeS = b"uptime_s",
    SignedIn = b"signed_in",
    SettleDate = b"settle_date",
    Count = b"count",
    TotalMinor = b"total_minor",
    Kind = b"kind",
    Scope = b"scope",
    StartsAt = b"starts_at",
    EndsAt = b"ends_at",
}

/// The known members of one record. Readings that reject note their reason and return a filler: whoever
/// reads must ask for [`Fields::rejection`] before using what was read.
pub(crate) struct Fields<'a> {
    text: &'a str,
    values: [Value; Field::COUNT],
    fault: Option<(Reason, Field, &'static str)>,
}

impl<'a> Fields<'a> {
    /// No member yet of the record `text`.
    pub(crate) const fn new(text: &'a str) -> Self {
        Self {
            text,
            values: [Value::ABSENT; Field::COUNT],
            fault: None,
        }
    }

    /// Keeps a member if some type knows it; a later one of the same name replaces it.
    #[inline]
    pub(crate) fn put(&mut self, name: Value, value: Value) {
        let name = &self.text.as_bytes()[name.range()];
        if let Some(field) = Field::of(name) {
            self.values[field as usize] = value;
        }
    }

    /// Likewise where the name is written with escapes.
    pub(crate) fn put_escaped(&mut self, name: Value, value: Value) {
        if let Some(field) = Field::of(self.string_of(name).as_bytes()) {
            self.values[field as usize] = value;
        }
    }

    /// The first reason in the order of precedence that was noted.
    pub(crate) fn rejection(&self) -> Option<Rejection> {
        let (reason, field, expected) = self.fault?;
        Some(Rejection::new(
            reason,
            format!("{}: expected {expected}", field.name()),
        ))
    }

    /// Notes a fault; of equal reasons the first stands.
    #[cold]
    fn fault(&mut self, reason: Reason, field: Field, expected: &'static str) {
        if self.fault.is_none_or(|(first, ..)| reason < first) {
            self.fault = Some((reason, field, expected));
        }
    }

    fn value(&self, field: Field) -> Value {
        self.values[field as usize]
    }

    fn raw(&self, value: Value) -> &'a str {
        &self.text[value.range()]
    }

    fn is_absent(&self, field: Field) -> bool {
        self.value(field).kind == Kind::Null
    }

    /// What a string value stands for.
    #[inline(always)]
    fn string_of(&self, value: Value) -> Text<'a> {
        let raw = self.raw(value);
        if value.kind == Kind::Plain {
            return Cow::Borrowed(raw);
        }
        unescaped(raw)
    }

    /// A value that is a string of 1 to 256 bytes.
    #[inline]
    fn text_of(&self, value: Value) -> Option<Text<'a>> {
        if !matches!(value.kind, Kind::Plain | Kind::Escaped) {
            return None;
        }
        Some(self.string_of(value)).filter(|text| (1..=TEXT_BYTES).contains(&text.len()))
    }

    /// An optional string; malformed is absent.
    #[inline]
    pub(crate) fn optional_text(&self, field: Field) -> Option<Text<'a>> {
        self.text_of(self.value(field))
    }

    /// An optional string that is one of some words; anything else is absent.
    pub(crate) fn optional_word<T>(&self, field: Field, parse: fn(&str) -> Option<T>) -> Option<T> {
        self.optional_text(field).and_then(|word| parse(&word))
    }

    /// A required string; empty on a fault.
    #[inline]
    pub(crate) fn text(&mut self, field: Field) -> Text<'a> {
        let text = self.optional_text(field);
        if text.is_none() {
            if self.is_absent(field) {
                self.fault(Reason::MissingField, field, "a value");
            } else {
                self.fault(Reason::BadType, field, "a string of 1 to 256 bytes");
            }
        }
        text.unwrap_or_default()
    }

    /// A required string that is one of some words.
    pub(crate) fn word<T>(
        &mut self,
        field: Field,
        parse: fn(&str) -> Option<T>,
        words: &'static str,
    ) -> Option<T> {
        if self.is_absent(field) {
            self.fault(Reason::MissingField, field, words);
        }
        self.rejecting_word(field, parse, words)
    }

    /// An optional string that rejects where it is present and none of the words.
    pub(crate) fn rejecting_word<T>(
        &mut self,
        field: Field,
        parse: fn(&str) -> Option<T>,
        words: &'static str,
    ) -> Option<T> {
        let word = self.optional_word(field, parse);
        if word.is_none() && !self.is_absent(field) {
            self.fault(Reason::BadType, field, words);
        }
        word
    }

    /// An optional truth value that rejects where it is present and none.
    pub(crate) fn rejecting_bool(&mut self, field: Field) -> Option<bool> {
        let value = self.optional_bool(field);
        if value.is_none() && !self.is_absent(field) {
            self.fault(Reason::BadType, field, "true or false");
        }
        value
    }

    /// An optional truth value; malformed is absent.
    pub(crate) fn optional_bool(&self, field: Field) -> Option<bool> {
        match self.value(field).kind {
            Kind::True => Some(true),
            Kind::False => Some(false),
            _ => None,
        }
    }

    /// An optional integer; malformed, fractional or out of range is absent.
    pub(crate) fn optional_integer<T: core::str::FromStr>(&self, field: Field) -> Option<T> {
        let value = self.value(field);
        if value.kind == Kind::Number {
            self.raw(value).parse().ok()
        } else {
            None
        }
    }

    /// A required amount; 0 on a fault.
    pub(crate) fn money(&mut self, field: Field, least: u64) -> u64 {
        match self.value(field).kind {
            Kind::Null => self.fault(Reason::MissingField, field, "an amount"),
            Kind::Number => return self.optional_money(field, least).unwrap_or_default(),
            _ => self.fault(Reason::BadType, field, "a number"),
        }
        0
    }

    /// An optional amount of `least` to 2^63 − 1 minor units.
    pub(crate) fn optional_money(&mut self, field: Field, least: u64) -> Option<u64> {
        const MOST: u64 = i64::MAX as u64;
        if self.is_absent(field) {
            return None;
        }
        // Read as signed: -0 is an integer too.
        let amount = self
            .optional_integer::<i64>(field)
            .and_then(|amount| u64::try_from(amount).ok());
        let amount = amount.filter(|amount| (least..=MOST).contains(amount));
        if amount.is_none() {
            let expected = if least == 0 {
                "an integer from 0 to 2^63 - 1"
            } else {
                "an integer from 1 to 2^63 - 1"
            };
            self.fault(Reason::BadMoney, field, expected);
        }
        amount
    }

    /// A required currency; the code for none on a fault.
    pub(crate) fn currency(&mut self, field: Field) -> Currency {
        const NONE: Currency = Currency::new(*b"XXX").expect("three capitals");
        let text = self.text(field);
        if text.is_empty() {
            return NONE;
        }
        self.optional_currency(field).unwrap_or(NONE)
    }

    /// An optional currency that rejects where it is present and none.
    pub(crate) fn optional_currency(&mut self, field: Field) -> Option<Currency> {
        let currency = self.optional_word(field, parse_currency);
        if currency.is_none() && !self.is_absent(field) {
            self.fault(Reason::BadCurrency, field, "an ISO 4217 code in capitals");
        }
        currency
    }

    /// A required time; the epoch on a fault.
    pub(crate) fn time(&mut self, field: Field) -> Timestamp {
        let text = self.text(field);
        if text.is_empty() {
            return Timestamp::default();
        }
        self.optional_time(field).unwrap_or_default()
    }

    /// An optional time that rejects where it is present and none.
    pub(crate) fn optional_time(&mut self, field: Field) -> Option<Timestamp> {
        let time = self.optional_word(field, parse_time);
        if time.is_none() && !self.is_absent(field) {
            self.fault(Reason::BadTime, field, "an RFC 3339 time with an offset");
        }
        time
    }

    /// An optional date in days since 1970-01-01; malformed is absent.
    pub(crate) fn optional_date(&self, field: Field) -> Option<i32> {
        self.optional_word(field, parse_date)
    }

    /// The members of an optional object whose name and value are strings of 1 to 256 bytes, each name once
    /// with its last value; malformed is absent.
    pub(crate) fn strings(&self, field: Field) -> Vec<(Text<'a>, Text<'a>)> {
        let value = self.value(field);
        if value.kind != Kind::Object {
            return Vec::new();
        }
        let inner = Self::new(self.raw(value));
        let mut members = Vec::new();
        let mut scanner =
            Scanner::open(inner.text.as_bytes()).expect("an object was scanned before");
        while let Some((name, value)) = scanner.member().expect("an object was scanned before") {
            members.push((inner.string_of(name), inner.text_of(value)));
        }
        keep_last(&mut members);
        let name_fits = |name: &Text<'a>| (1..=TEXT_BYTES).contains(&name.len());
        members
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .filter(|(name, _)| name_fits(name))
            .collect()
    }
}

#[cold]
fn unescaped(raw: &str) -> Text<'static> {
    let mut bytes = Vec::new();
    unescape_into(raw.as_bytes(), &mut bytes);
    Cow::Owned(String::from_utf8(bytes).expect("a record with a lone surrogate is rejected before"))
}

/// Drops every member that a later one of the same name replaces.
fn keep_last<'a, T>(members: &mut Vec<(Text<'a>, T)>) {
    /// Above this many, comparing each with each would cost more than a table; an attacker chooses how many.
    const FEW: usize = 16;
    let mut replaced = vec![false; members.len()];
    if members.len() <= FEW {
        for (index, (name, _)) in members.iter().enumerate() {
            replaced[index] = members[index + 1..].iter().any(|(later, _)| later == name);
        }
    } else {
        let mut seen = std::collections::HashSet::with_capacity(members.len());
        for (index, (name, _)) in members.iter().enumerate().rev() {
            replaced[index] = !seen.insert(name.as_ref());
        }
    }
    let mut replaced = replaced.into_iter();
    members.retain(|_| !replaced.next().unwrap_or_default());
}
