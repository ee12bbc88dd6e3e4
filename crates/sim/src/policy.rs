//! The service levels that the traffic is made for, as numbers for the truth and as `settlewatch.yaml`.

use std::fmt::Write as _;

use crate::channels::Channel;
use crate::civil::BusinessDays;
use crate::event::Payment;

const SECOND: i64 = 1000;
/// From this amount on, a payment is large.
pub(crate) const LARGE_MINOR: u64 = 5_000_000;
/// How long after the last tier a payment is written off.
pub(crate) const GIVE_UP_MS: i64 = 3 * 86_400 * SECOND;
/// How long a credit may wait for its payment.
pub(crate) const ORPHAN_AFTER_MS: i64 = 120 * SECOND;
/// How far apart two payments of one payer may be.
pub(crate) const DUPLICATE_WINDOW_MS: i64 = 600 * SECOND;
/// How long a hold may last that names no release time.
pub(crate) const HOLD_LIMIT_MS: i64 = 24 * 3600 * SECOND;

/// A tier: its name, and milliseconds after the append or due time.
pub(crate) type Tier = (&'static str, i64);

const BATCH: &[Tier] = &[("breach", 0)];
const LARGE: &[Tier] = &[
    ("warn", 120 * SECOND),
    ("breach", 600 * SECOND),
    ("escalate", 1800 * SECOND),
];
const SLOW: &[Tier] = &[
    ("warn", 90 * SECOND),
    ("breach", 300 * SECOND),
    ("escalate", 1800 * SECOND),
];
const DEFAULT: &[Tier] = &[
    ("warn", 30 * SECOND),
    ("breach", 120 * SECOND),
    ("escalate", 600 * SECOND),
];

const CALENDAR: BusinessDays = BusinessDays {
    holidays: &[
        (2026, 1, 1),
        (2026, 2, 17),
        (2026, 4, 6),
        (2026, 5, 1),
        (2026, 6, 19),
        (2026, 10, 1),
    ],
    cut_off_ms: 23 * 3600 * SECOND,
    credit_by_ms: 18 * 3600 * SECOND,
};

/// The tiers of the rule that matches `payment`.
pub(crate) fn tiers(payment: &Payment) -> &'static [Tier] {
    if payment.settle_mode != "realtime" {
        BATCH
    } else if payment.currency == "CNY" && payment.amount_minor >= LARGE_MINOR {
        LARGE
    } else if payment.channel.name == "bank_app" {
        SLOW
    } else {
        DEFAULT
    }
}

/// The first tier of an ordinary payment on `channel`, milliseconds.
pub(crate) fn first_tier_ms(channel: &Channel) -> u64 {
    let tiers = if channel.name == "bank_app" {
        SLOW
    } else {
        DEFAULT
    };
    tiers[0].1.unsigned_abs()
}

/// The instant from which the tiers of `payment`, appended at `at`, count.
pub(crate) fn base(payment: &Payment, at: i64) -> i64 {
    if payment.settle_mode == "realtime" {
        return at;
    }
    payment
        .expected_credit_by
        .unwrap_or_else(|| CALENDAR.due(at))
        .max(at)
}

/// The configuration that says the same, under the comment `heading`.
pub(crate) fn yaml(heading: &str) -> String {
    let mut text = String::new();
    for line in heading.lines() {
        let _ = writeln!(text, "{}", format!("# {line}").trim_end());
    }
    let holidays: Vec<_> = CALENDAR
        .holidays
        .iter()
        .map(|(year, month, day)| format!("{year}-{month:02}-{day:02}"))
        .collect();
    let _ = write!(
        text,
        "{HEAD}    holidays: [{}]\n{CLOCK}\nrules:\n",
        holidays.join(", ")
    );
    let rules = [
        (
            "batch",
            "match: {settle_mode: [d0, t1]}\n    due: {calendar: cn, business_days: 1}",
            BATCH,
        ),
        (
            "large",
            "match: {currency: CNY, amount_minor: {min: 5000000}}",
            LARGE,
        ),
        ("slow", "match: {channel: bank_app}", SLOW),
        ("default", "", DEFAULT),
    ];
    for (name, matcher, tiers) in rules {
        let _ = writeln!(text, "  - name: {name}");
        if !matcher.is_empty() {
            let _ = writeln!(text, "    {matcher}");
        }
        let tiers: Vec<_> = tiers
            .iter()
            .map(|(name, ms)| format!("{name}: {}s", ms / SECOND))
            .collect();
        let _ = writeln!(text, "    tiers: {{{}}}", tiers.join(", "));
    }
    text + TAIL
}

const HEAD: &str = "version: 1

streams:
  payments: {topic: payments}
  credits: {topic: credits}
  lifecycle: {topic: lifecycle}
  terminals: {topic: terminals, keyed: other}

calendars:
  cn:
    time_zone: Asia/Shanghai
    weekend: [sat, sun]
";

const CLOCK: &str = "    cut_off: \"23:00\"
    credit_by: \"18:00\"
";

const TAIL: &str = "
give_up: 3d
redelivery_horizon: 26h
orphan_credit: {after: 120s}
duplicate_payment: {window: 600s}
hold: {limit: 24h}
fees: {contract_rates: [\"0.0060\", \"0.0055\", \"0.0030\", \"0.0180\"]}

feeds:
  heartbeat: {interval: 60s, offline_after: 150s}
  account_status: true
  batch_settled: true
  markers: true
  stages: [gateway_in, gateway_out, channel_ack, account_posted, terminal_notified, merchant_ack]
  merchant_ack: {late: 15s, keep: 10m}

dimensions: [channel, gateway, acquirer, connector, region, carrier, store_id, merchant_id, terminal_id,
  terminal_model, pos_vendor, app_version, method, mcc, currency, settle_mode]

incidents:
  critical_minor: {CNY: 10000000}
  reopen_within: 10m
  pattern: {cases: 5, within: 10m}
";
