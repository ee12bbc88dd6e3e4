//! The keys that decide: streams, calendars, rules, windows, feeds, incidents, limits.

use crate::keys_run;
use crate::table::{Key, Names, OpenKeys, Section, Shape};

const DAY_MS: u64 = 86_400_000;
/// Longest duration anywhere: a century is a typing error.
const MAX_MS: u64 = 3_660 * DAY_MS;

/// Any duration.
pub(crate) const ANY_DURATION: Shape = Shape::Duration {
    min_ms: 0,
    max_ms: MAX_MS,
};
/// A duration that is some time.
pub(crate) const SOME_DURATION: Shape = Shape::Duration {
    min_ms: 1,
    max_ms: MAX_MS,
};
/// Text that says something, at most as long as a field of an event.
pub(crate) const WORD: Shape = Shape::Text {
    min_bytes: 1,
    max_bytes: 256,
};
const WORDS: Shape = Shape::OneOrMany(&WORD);

/// The whole configuration.
pub(crate) static ROOT: Section = Section::new(
    "Configuration of settlewatch: which payments must be credited by when, and who is told.",
    &[
        Key::required("version", Shape::Version, "Version of this format."),
        Key::required(
            "kafka",
            Shape::Section(&keys_run::KAFKA),
            "The cluster that is read and written.",
        )
        .run_only(),
        Key::default(
            "http",
            Shape::Section(&keys_run::HTTP),
            "{}",
            "Metrics, probes, API and console.",
        )
        .run_only(),
        Key::default(
            "roles",
            keys_run::ROLES,
            "[join, watch, notify]",
            "What this process does.",
        )
        .run_only(),
        Key::required(
            "streams",
            Shape::Map {
                keys: Names::Words,
                of: &Shape::Section(&STREAM),
                min: 1,
            },
            "Topics of canonical events. `payments`, `credits` and `lifecycle` come first in ties, then the others as written.",
        ),
        Key::default(
            "output",
            Shape::Section(&keys_run::OUTPUT),
            "{}",
            "Topics that are written.",
        )
        .run_only(),
        Key::default(
            "calendars",
            Shape::Map {
                keys: Names::Words,
                of: &Shape::Section(&CALENDAR),
                min: 0,
            },
            "{}",
            "Business days, for rules with `due`.",
        ),
        Key::required(
            "rules",
            Shape::List {
                of: &Shape::Section(&RULE),
                min: 1,
            },
            "Service levels in order: the first that matches a payment applies; the last matches everything.",
        ),
        Key::default(
            "give_up",
            SOME_DURATION,
            "3d",
            "After its last tier a payment that still waits is written off this much later.",
        ),
        Key::default(
            "redelivery_horizon",
            SOME_DURATION,
            "26h",
            "How long the same record may come again and count as redelivered.",
        ),
        Key::default(
            "orphan_credit",
            Shape::Section(&ORPHAN),
            "{}",
            "Credits without a payment.",
        ),
        Key::default(
            "duplicate_payment",
            Shape::Section(&DUPLICATE),
            "{}",
            "The same payer paying the same twice.",
        ),
        Key::default(
            "hold",
            Shape::Section(&HOLD),
            "{}",
            "Payments held for review.",
        ),
        Key::default(
            "fees",
            Shape::Section(&FEES),
            "{}",
            "Fees that credits may be net of.",
        ),
        Key::default(
            "feeds",
            Shape::Section(&FEEDS),
            "{}",
            "Auxiliary events to expect; a verdict names the feeds it lacked.",
        ),
        Key::default(
            "dimensions",
            Shape::List {
                of: &Shape::Dimension,
                min: 0,
            },
            "[channel, gateway, acquirer, connector, region, carrier, store_id, merchant_id, terminal_id, terminal_model, \
             pos_vendor, app_version, method, mcc, currency, settle_mode]",
            "Fields that alerts show and incidents are localised by.",
        ),
        Key::default(
            "incidents",
            Shape::Section(&INCIDENTS),
            "{}",
            "When people are woken.",
        ),
        Key::default(
            "notify",
            Shape::Section(&keys_run::NOTIFY),
            "{}",
            "Where incidents are delivered.",
        )
        .run_only(),
        Key::default(
            "limits",
            Shape::Section(&LIMITS),
            "{}",
            "Bounds; what exceeds one is counted and reported.",
        ),
    ],
);

static STREAM: Section = Section::new(
    "One topic of canonical events.",
    &[
        Key::required("topic", Shape::Topic, "The topic."),
        Key::default(
            "keyed",
            Shape::Choice(&[
                (
                    "payment",
                    "by payment id, with as many partitions as every other such stream",
                ),
                ("other", "by something else; carries no payment's events"),
            ]),
            "payment",
            "What its records are keyed by.",
        ),
    ],
);

/// A calendar, in the configuration or in a file of its own.
pub(crate) static CALENDAR: Section = Section::new(
    "Business days of one country.",
    &[
        Key::optional(
            "file",
            WORDS,
            "Files with these same keys, relative to the configuration; lists add up, what is written here wins.",
        ),
        Key::required("time_zone", Shape::Zone, "IANA time zone of its days."),
        Key::default(
            "weekend",
            Shape::List {
                of: &WEEKDAY,
                min: 0,
            },
            "[sat, sun]",
            "Days of the week without business.",
        ),
        Key::default(
            "holidays",
            Shape::List {
                of: &Shape::Date,
                min: 0,
            },
            "[]",
            "Days without business.",
        ),
        Key::default(
            "workdays",
            Shape::List {
                of: &Shape::Date,
                min: 0,
            },
            "[]",
            "Weekend days that are worked.",
        ),
        Key::default(
            "cut_off",
            Shape::TimeOfDay,
            "\"23:00\"",
            "What is appended later than this belongs to the next day.",
        ),
        Key::default(
            "credit_by",
            Shape::TimeOfDay,
            "\"18:00\"",
            "When a batch is due on its day.",
        ),
    ],
);

const WEEKDAY: Shape = Shape::Choice(&[
    ("mon", "Monday"),
    ("tue", "Tuesday"),
    ("wed", "Wednesday"),
    ("thu", "Thursday"),
    ("fri", "Friday"),
    ("sat", "Saturday"),
    ("sun", "Sunday"),
]);

static RULE: Section = Section::new(
    "One service level.",
    &[
        Key::required("name", WORD, "Its unique name."),
        Key::optional(
            "match",
            Shape::Section(&MATCH),
            "Conditions that must all hold; without them it matches everything.",
        ),
        Key::optional(
            "due",
            Shape::Section(&DUE),
            "Batch settlement: the tiers count from a due time; `expected_credit_by` of a payment wins.",
        ),
        Key::required(
            "tiers",
            Shape::Map {
                keys: Names::Words,
                of: &ANY_DURATION,
                min: 1,
            },
            "Steps of escalation, each later than the one before: time after the append time, or after the due time.",
        ),
        Key::optional("give_up", SOME_DURATION, "Its own `give_up`."),
    ],
);

static MATCH: Section = Section {
    doc: "Conditions on a payment; a list means any of its values.",
    keys: &[
        Key::optional("channel", WORDS, "Payment channels."),
        Key::optional(
            "settle_mode",
            Shape::OneOrMany(&SETTLE_MODE),
            "Settlement modes; absent in a payment means `realtime`.",
        ),
        Key::optional("merchant_id", WORDS, "Merchants."),
        Key::optional(
            "currency",
            Shape::OneOrMany(&Shape::Currency),
            "Currencies.",
        ),
        Key::optional(
            "amount_minor",
            Shape::Section(&AMOUNT),
            "Range of amounts in minor units, both ends included.",
        ),
        Key::optional("method", WORDS, "Payment methods."),
        Key::optional("region", WORDS, "Regions."),
        Key::optional("gateway", WORDS, "Gateways."),
        Key::optional("connector", WORDS, "Connectors."),
    ],
    open: Some(OpenKeys {
        prefix: "attrs.",
        shape: WORDS,
        doc: "Values of one of the payment's own attributes.",
    }),
};

const SETTLE_MODE: Shape = Shape::Choice(&[
    ("realtime", "at once"),
    ("d0", "the same day, in a batch"),
    ("t1", "the next business day, in a batch"),
]);

static AMOUNT: Section = Section::new(
    "A range of amounts.",
    &[
        Key::optional("min", Shape::Minor, "At least this much."),
        Key::optional("max", Shape::Minor, "At most this much."),
    ],
);

static DUE: Section = Section::new(
    "When a batch is due.",
    &[
        Key::required("calendar", WORD, "One of `calendars`."),
        Key::default(
            "business_days",
            Shape::Count { min: 0, max: 366 },
            "1",
            "Business days after the payment's own.",
        ),
    ],
);

static ORPHAN: Section = Section::new(
    "Credits without a payment.",
    &[Key::default(
        "after",
        ANY_DURATION,
        "120s",
        "How long a credit may wait for its payment.",
    )],
);

static DUPLICATE: Section = Section::new(
    "The same payer paying the same twice.",
    &[Key::default(
        "window",
        ANY_DURATION,
        "600s",
        "How far apart the two may be.",
    )],
);

static HOLD: Section = Section::new(
    "Payments held for review.",
    &[Key::default(
        "limit",
        SOME_DURATION,
        "24h",
        "How long a hold may last that names no release time.",
    )],
);

static FEES: Section = Section::new(
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

static FEEDS: Section = Section::new(
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
            "true",
            "Status of merchants' accounts.",
        ),
        Key::default(
            "batch_settled",
            Shape::Flag,
            "true",
            "Announcements of settled batches.",
        ),
        Key::default(
            "markers",
            Shape::Flag,
            "true",
            "Deployments, maintenance, campaigns.",
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
            "How often a terminal reports.",
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

static INCIDENTS: Section = Section::new(
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

static LIMITS: Section = Section::new(
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
