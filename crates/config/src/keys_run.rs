//! The keys that belong to the service: Kafka, outputs, roles, HTTP, delivery.

use crate::keys::{SOME_DURATION, WORD};
use crate::table::{Key, Section, Shape};

/// `roles`.
pub(crate) const ROLES: Shape = Shape::List {
    of: &Shape::Choice(&[
        ("join", "decides about payments"),
        ("watch", "finds faults"),
        ("notify", "tells people"),
    ]),
    min: 1,
};

/// `kafka`.
pub(crate) static KAFKA: Section = Section::new(
    "The cluster that is read and written.",
    &[
        Key::required(
            "bootstrap_servers",
            Shape::Servers,
            "Brokers to begin with.",
        ),
        Key::default(
            "group_id",
            WORD,
            "settlewatch",
            "Consumer group, and the name of this installation.",
        ),
        Key::default(
            "start_at",
            Shape::StartAt,
            "latest",
            "Where to begin when neither state nor offsets exist: `latest`, `earliest` or a time.",
        ),
        Key::default(
            "instance_id",
            Shape::Text {
                min_bytes: 0,
                max_bytes: 256,
            },
            "\"\"",
            "A stable name gives static membership; empty means dynamic.",
        ),
        Key::default(
            "session_timeout",
            Shape::Duration {
                min_ms: 1_000,
                max_ms: 1_800_000,
            },
            "45s",
            "After how long without a sign of life the group goes on without this instance.",
        ),
        Key::default(
            "transaction_timeout",
            Shape::Duration {
                min_ms: 1_000,
                max_ms: 900_000,
            },
            "15s",
            "How long a transaction may stay open before the brokers abort it; a process that dies within one hides its last alerts for so long at most.",
        ),
        Key::default(
            "lanes",
            Shape::Count { min: 1, max: 64 },
            "1",
            "Threads that read and decide, each a member of the group of its own; more than there are partitions idle.",
        ),
        Key::default(
            "allow_plaintext",
            Shape::Flag,
            "false",
            "Whether brokers that are not this machine may be spoken to unencrypted.",
        ),
        Key::optional(
            "oauth_token_file",
            Shape::File,
            "A file that somebody keeps filled with a valid token, for `sasl.mechanism: OAUTHBEARER`; read anew when the last one runs out.",
        ),
        Key::default(
            "properties",
            Shape::Properties,
            "{}",
            "Settings of librdkafka, such as `security.protocol`; our own settings win. `NAME_file: PATH` reads a value from a file.",
        ),
    ],
);

/// `http`.
pub(crate) static HTTP: Section = Section::new(
    "Metrics, probes and API.",
    &[
        Key::default(
            "listen",
            Shape::Listen,
            "\"127.0.0.1:9464\"",
            "Address to listen on.",
        ),
        Key::default(
            "channels",
            Shape::Count {
                min: 1,
                max: 10_000,
            },
            "100",
            "Channels with figures of their own; the others are counted together, as `other`.",
        ),
    ],
);

/// `log`.
pub(crate) static LOG: Section = Section::new(
    "What is logged, on standard error.",
    &[
        Key::default(
            "format",
            Shape::Choice(&[
                ("auto", "text on a terminal, else JSON"),
                ("text", "a line an event"),
                ("json", "a JSON object an event"),
            ]),
            "auto",
            "How it looks.",
        ),
        Key::default(
            "level",
            WORD,
            "info",
            "`error`, `warn`, `info`, `debug` or `trace`; `TARGET=LEVEL`, separated by commas, for parts. The environment variable `RUST_LOG` wins.",
        ),
    ],
);

/// `output`.
pub(crate) static OUTPUT: Section = Section::new(
    "Topics that are written.",
    &[
        Key::default(
            "alerts",
            Shape::Topic,
            "alerts",
            "One record for each change of an alert.",
        ),
        Key::default(
            "incidents",
            Shape::Topic,
            "incidents",
            "Incidents, compacted.",
        ),
        Key::default(
            "dead_letters",
            Shape::Topic,
            "settlewatch-dead-letters",
            "Rejected records.",
        ),
        Key::default(
            "state",
            Shape::Topic,
            "settlewatch-state",
            "State of the join.",
        ),
        Key::default(
            "pairs",
            Shape::Topic,
            "settlewatch-pairs",
            "What two payments share.",
        ),
        Key::default(
            "pulse",
            Shape::Topic,
            "settlewatch-pulse",
            "Counts and histograms for the watch.",
        ),
        Key::default(
            "watch_state",
            Shape::Topic,
            "settlewatch-watch-state",
            "State of the watch.",
        ),
    ],
);

/// `notify`.
pub(crate) static NOTIFY: Section = Section::new(
    "Where incidents are delivered.",
    &[Key::default(
        "sinks",
        Shape::List {
            of: &Shape::Section(&SINK),
            min: 0,
        },
        "[]",
        "Receivers; each gets every incident that it asks for.",
    )],
);

static SINK: Section = Section::new(
    "One receiver of incidents.",
    &[
        Key::required(
            "name",
            WORD,
            "Its unique name, the label `sink` of metrics.",
        ),
        Key::required(
            "kind",
            Shape::Choice(&[
                ("alertmanager", "Prometheus Alertmanager"),
                ("pagerduty", "PagerDuty events"),
                ("webhook", "JSON to any address"),
                ("dingtalk", "a DingTalk robot"),
                ("feishu", "a Feishu robot"),
                ("wecom", "a WeCom robot"),
            ]),
            "What it is.",
        ),
        Key::optional(
            "url",
            Shape::Secret { literal: true },
            "Its address; never printed, since robots carry their token in it.",
        ),
        Key::optional(
            "url_file",
            Shape::SecretFile,
            "A file that holds the address.",
        ),
        Key::optional(
            "secret",
            Shape::Secret { literal: false },
            "Signing secret or routing key.",
        ),
        Key::optional(
            "secret_file",
            Shape::SecretFile,
            "A file that holds the secret.",
        ),
        Key::default(
            "route",
            Shape::Choice(&[
                ("oncall", "incidents that page"),
                ("finance", "cases and patterns for the finance queue"),
                ("all", "everything"),
            ]),
            "oncall",
            "Which incidents it gets.",
        ),
        Key::default(
            "language",
            Shape::Choice(&[("en", "English"), ("zh", "Chinese")]),
            "en",
            "Language of the text.",
        ),
        Key::default(
            "timeout",
            SOME_DURATION,
            "10s",
            "How long one delivery may take.",
        ),
    ],
);
