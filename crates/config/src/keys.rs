//! The keys of the whole, and those that decide: streams, calendars, rules.

use crate::table::{Key, Names, OpenKeys, Section, Shape};
use crate::{keys_run, keys_watch};

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
            "Metrics, probes and API.",
        )
        .run_only(),
        Key::default(
            "log",
            Shape::Section(&keys_run::LOG),
            "{}",
            "What is logged, on standard error.",
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
            Shape::Section(&keys_watch::ORPHAN),
            "{}",
            "Credits without a payment.",
        ),
        Key::default(
            "duplicate_payment",
            Shape::Section(&keys_watch::DUPLICATE),
            "{}",
            "The same payer paying the same twice.",
        ),
        Key::default(
            "hold",
            Shape::Section(&keys_watch::HOLD),
            "{}",
            "Payments held for review.",
        ),
        Key::default(
            "fees",
            Shape::Section(&keys_watch::FEES),
            "{}",
            "Fees that credits may be net of.",
        ),
        Key::default(
            "feeds",
            Shape::Section(&keys_watch::FEEDS),
            "{}",
            "Auxiliary events to expect; a verdict names the feeds it lacked.",
        ),
        Key::default(
            "watch",
            Shape::Section(&keys_watch::WATCH),
            "{}",
            "What the watch hears of single payments.",
        ),
        Key::default(
            "dimensions",
            Shape::List {
                of: &Shape::Dimension,
                min: 0,
            },
            "[channel, gateway, acquirer, connector, region, carrier, store_id, merchant_id, terminal_id, terminal_model, \
             pos_vendor, app_version, method, mcc, currency, settle_mode]",
            "Fields that alerts show and incidents are localised by; also `attrs.NAME`.",
        ),
        Key::default(
            "incidents",
            Shape::Section(&keys_watch::INCIDENTS),
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
            "shutdown_within",
            SOME_DURATION,
            "25s",
            "How long the service may take to stop when it is told to: it finishes what is begun and saves its state. Whoever runs it must wait longer before killing it.",
        )
        .run_only(),
        Key::default(
            "limits",
            Shape::Section(&keys_watch::LIMITS),
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
            "Steps of escalation by name, in the order of their times: time after the append time, or after the due time.",
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
