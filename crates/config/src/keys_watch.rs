//! The keys beside the rules: windows, fees, feeds, watch, incidents, limits.

use crate::keys::{ANY_DURATION, SOME_DURATION};
use crate::table::{Key, Names, Section, Shape};

/// `orphan_credit`.
pub(crate) static ORPHAN: Section = Section::new(
    "Credits without a payment.",
    &[Key::default(
        "after",
        ANY_DURATION,
        "120s",
        "How long a credit may wait for its payment.",
    )],
);

/// `duplicate_payment`.
pub(crate) static DUPLICATE: Section = Section::new(
    "The same payer paying the same twice.",
    &[Key::default(
        "window",
        ANY_DURATION,
        "600s",
        "How far apart the two may be.",
    )],
);

/// `hold`.
pub(crate) static HOLD: Section = Section::new(
    "Payments held for review.",
    &[Key::default(
        "limit",
        SOME_DURATION,
        "24h",
        "How long a hold may last that names no release time.",
    )],
);

/// `fees`.
pub(crate) static FEES: Section = Section::new(
    "Fees that credits may be net of.",
    &[Key::default(
        "contract_rates",
        Shape::List {
            of: &Shape::Rate,
            min: 0,
        },
        "[\"0.0060\", \"0.0055\", \"0.0030\"]",
        "Rates that contracts name; another one that explains several differences is a fault.",
    )],
);

/// `feeds`.
pub(crate) static FEEDS: Section = Section::new(
    "Auxiliary events to expect.",
    &[
        Key::default(
            "heartbeat",
            Shape::Switch(&HEARTBEAT),
            "{}",
            "Heartbeats of terminals.",
        ),
        Key::default(
            "account_status",
            Shape::Flag,
            "false",
            "Status of merchants' accounts. What comes counts in any case.",
        ),
        Key::default(
            "batch_settled",
            Shape::Flag,
            "false",
            "Announcements of settled batches. What comes counts in any case.",
        ),
        Key::default(
            "markers",
            Shape::Flag,
            "false",
            "Deployments, maintenance, campaigns. What comes counts in any case.",
        ),
        Key::default(
            "stages",
            Shape::List { of: &STAGE, min: 0 },
            "[gateway_in, gateway_out, channel_ack, account_posted, terminal_notified, merchant_ack]",
            "Stages that are reported.",
        ),
        Key::default(
            "merchant_ack",
            Shape::Switch(&ACK),
            "{}",
            "Acknowledgements of merchants.",
        ),
    ],
);

const STAGE: Shape = Shape::Choice(&[
    ("gateway_in", "the gateway has it"),
    ("gateway_out", "the gateway has passed it on"),
    ("channel_ack", "the channel has acknowledged it"),
    ("account_posted", "it is posted to the account"),
    ("terminal_notified", "the terminal was told"),
    ("merchant_ack", "the merchant's system acknowledged it"),
]);

static HEARTBEAT: Section = Section::new(
    "Heartbeats of terminals.",
    &[
        Key::default(
            "interval",
            SOME_DURATION,
            "60s",
            "How often a terminal reports. When none does for two intervals, the feed is silent.",
        ),
        Key::default(
            "offline_after",
            SOME_DURATION,
            "150s",
            "How long it may be silent; at least the interval.",
        ),
    ],
);

static ACK: Section = Section::new(
    "Acknowledgements of merchants.",
    &[
        Key::default("late", SOME_DURATION, "15s", "From when one is late."),
        Key::default(
            "keep",
            SOME_DURATION,
            "10m",
            "How long a credited payment keeps its details for it; at least `late`.",
        ),
    ],
);

/// `watch`.
pub(crate) static WATCH: Section = Section::new(
    "What the watch hears of single payments.",
    &[Key::default(
        "share",
        Shape::Share,
        "\"1\"",
        "The share of payments of which it hears one by one, chosen by the hash of their ids; what is counted by channel and \
         topic is counted of all. Keep share × payments per second below 2,000.",
    )],
);

/// `incidents`.
pub(crate) static INCIDENTS: Section = Section::new(
    "When people are woken.",
    &[
        Key::default(
            "page",
            Shape::List { of: &PAGE, min: 0 },
            "[critical, warning]",
            "Severities that page.",
        ),
        Key::default(
            "critical_minor",
            Shape::Map {
                keys: Names::Currencies,
                of: &Shape::Minor,
                min: 0,
            },
            "{CNY: 10000000}",
            "Money at risk that is critical, in minor units by currency.",
        ),
        Key::default(
            "objective",
            Shape::Rate,
            "\"0.999\"",
            "Share of payments that are to be credited by their first deadline; what is missed beyond it spends the error budget.",
        ),
        Key::default(
            "reopen_within",
            ANY_DURATION,
            "10m",
            "The same cause again within this time is the same incident.",
        ),
        Key::default(
            "pattern",
            Shape::Section(&PATTERN),
            "{}",
            "When single cases become one incident.",
        ),
    ],
);

const PAGE: Shape = Shape::Choice(&[
    ("critical", "nothing is credited, or much money is at risk"),
    ("warning", "any other fault"),
]);

static PATTERN: Section = Section::new(
    "When single cases become one incident.",
    &[
        Key::default(
            "cases",
            Shape::Count {
                min: 2,
                max: 1_000_000,
            },
            "5",
            "At least so many cases of one kind.",
        ),
        Key::default("within", SOME_DURATION, "10m", "Within this time."),
    ],
);

/// `limits`.
pub(crate) static LIMITS: Section = Section::new(
    "Bounds; what exceeds one is counted and reported.",
    &[
        Key::default(
            "waiting_payments",
            Shape::Count {
                min: 1,
                max: 4_000_000_000,
            },
            "5000000",
            "Payments that may wait at once.",
        ),
        Key::default(
            "waiting_records",
            Shape::Count {
                min: 1_000,
                max: 1_000_000_000,
            },
            "200000",
            "Records that a lane may have read ahead of what is decided; beyond, the topics that are ahead wait for the others.",
        ),
        Key::default(
            "record_bytes",
            Shape::Count {
                min: 1_024,
                max: 104_857_600,
            },
            "1048576",
            "Longest record in bytes; a longer one is rejected.",
        ),
        Key::default(
            "reload_alerts",
            Shape::Count {
                min: 0,
                max: 1_000_000_000,
            },
            "1000",
            "A change of rules that would raise more alerts at once is refused.",
        ),
    ],
);
