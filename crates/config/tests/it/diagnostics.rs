//! Each problem is shown with its place, its line and its remedy.

use crate::{messages, minimal, minimal_run, replay, run};

/// One story: a text, and what is said about it.
fn check(text: &str, told: &str) {
    let said = match run(text) {
        Err(errors) => errors.to_string(),
        Ok(loaded) => loaded
            .warnings
            .iter()
            .map(|found| format!("{found}\n"))
            .collect(),
    };
    assert_eq!(
        said.trim_end(),
        told.trim_matches('\n').trim_end(),
        "\n--- said ---\n{said}\n"
    );
}

#[test]
fn an_unknown_key_is_shown_with_the_one_that_was_meant() {
    check(
        &minimal_run("limits: {waiting_payment: 5}\n"),
        r"
error: unknown key `waiting_payment` in `limits`
 --> s.yaml:5:10
  |
5 | limits: {waiting_payment: 5}
  |          ^^^^^^^^^^^^^^^
  = help: did you mean `waiting_payments`? The keys here are: `waiting_payments`, `waiting_records`, `record_bytes`, `reload_alerts`

1 error",
    );
}

#[test]
fn a_condition_without_a_value_is_no_condition_and_an_error() {
    check(
        &minimal_run("").replace(
            "{name: all,",
            "{name: a, match: {channel: }, tiers: {breach: 1s}}, {name: all,",
        ),
        r"
error: `rules[0].match.channel` has no value
 --> s.yaml:3:34
  |
3 | rules: [{name: a, match: {channel: }, tiers: {breach: 1s}}, {name: all, tiers: {breach: 120s}}]
  |                                  ^
  = help: give it text, or a list of such, or remove the key

1 error",
    );
}

#[test]
fn what_says_nothing_in_a_rule_is_refused() {
    for (empty, place) in [
        ("match: ", "match"),
        ("match: {settle_mode: ~}", "match.settle_mode"),
        ("match: {merchant_id: null}", "match.merchant_id"),
        ("match: {currency: }", "match.currency"),
        ("match: {amount_minor: }", "match.amount_minor"),
        ("match: {amount_minor: {}}", "match.amount_minor"),
        ("match: {amount_minor: {min: }}", "match.amount_minor.min"),
        ("match: {amount_minor: {max: ~}}", "match.amount_minor.max"),
        ("match: {method: }", "match.method"),
        ("match: {region: ~}", "match.region"),
        ("match: {gateway: }", "match.gateway"),
        ("match: {connector: }", "match.connector"),
        ("match: {attrs.lane: }", "match.attrs.lane"),
        ("due: ", "due"),
        ("give_up: ", "give_up"),
    ] {
        let rule = format!("{{name: a, {empty}, tiers: {{breach: 1s}}}}, {{name: all,");
        let said = messages(&minimal_run("").replace("{name: all,", &rule));
        let place = format!("`rules[0].{place}` ");
        assert!(
            said.iter().any(|message| message.starts_with(&place)),
            "{empty}: {said:?}"
        );
    }
}

#[test]
fn a_duration_without_unit_is_offered_one() {
    check(
        &minimal_run("give_up: 3\n"),
        r"
error: `give_up` has no unit: `3`
 --> s.yaml:5:10
  |
5 | give_up: 3
  |          ^
  = help: add a unit: `3s` for seconds; units are `ms`, `s`, `m`, `h`, `d`

1 error",
    );
}

#[test]
fn the_caret_stands_right_behind_wide_characters_and_tabs() {
    check(
        &minimal_run("hold: {\"期限\": 5h,\tlimit: soon}\n"),
        "
error: unknown key `期限` in `hold`
 --> s.yaml:5:8
  |
5 | hold: {\"期限\": 5h,\tlimit: soon}
  |        ^^^^^^
  = help: the keys here are: `limit`

error: `hold.limit` is not a duration: `soon`
 --> s.yaml:5:25
  |
5 | hold: {\"期限\": 5h,\tlimit: soon}
  |                   \t       ^^^^
  = help: write whole numbers with `d`, `h`, `m`, `s`, `ms`, the longest first: `90s`, `1h30m`

2 errors",
    );
}

#[test]
fn tiers_must_rise() {
    check(
        "version: 1\nkafka: {bootstrap_servers: \"localhost:9092\"}\nstreams: {payments: {topic: p}}\nrules:\n  - name: default\n    tiers:\n      warn: 2m\n      breach: 90s\n",
        r"
error: the tier `breach` of the rule `default` must come after `warn` (2m)
 --> s.yaml:8:15
  |
8 |       breach: 90s
  |               ^^^
  = help: give each tier a time of its own, `warn` before `breach` before `escalate`

1 error",
    );
}

#[test]
fn a_rule_behind_a_wider_one_is_a_warning() {
    check(
        "version: 1\nkafka: {bootstrap_servers: \"localhost:9092\"}\nstreams: {payments: {topic: p}}\nrules:\n  - {name: a, match: {channel: [x, y]}, tiers: {breach: 1m}}\n  - {name: b, match: {channel: x, region: east}, tiers: {breach: 1m}}\n  - {name: rest, tiers: {breach: 2m}}\n",
        r"
warning: the rule `b` is never used: `a` before it matches all its payments
 --> s.yaml:6:12
  |
6 |   - {name: b, match: {channel: x, region: east}, tiers: {breach: 1m}}
  |            ^
  = help: put the narrower rule first, or remove one",
    );
}

#[test]
fn the_last_rule_must_match_everything() {
    check(
        "version: 1\nkafka: {bootstrap_servers: \"localhost:9092\"}\nstreams: {payments: {topic: p}}\nrules:\n  - {name: a, match: {channel: x}, tiers: {breach: 1m}}\n",
        r"
error: the last rule, `a`, does not match everything
 --> s.yaml:5:22
  |
5 |   - {name: a, match: {channel: x}, tiers: {breach: 1m}}
  |                      ^
  = help: add a rule without `match` after it, such as `- {name: default, tiers: {breach: 120s}}`

1 error",
    );
}

#[test]
fn what_is_no_yaml_is_shown_where_it_breaks() {
    check(
        "version: 1\nstreams: {payments: {topic: p}\nrules: []\n",
        r"
error: not YAML: invalid indentation in flow construct
 --> s.yaml:3:1
  |
3 | rules: []
  | ^
  = help: close the bracket that is open since an earlier line

1 error",
    );
}

#[test]
fn a_variable_that_is_not_set_is_named() {
    check(
        &minimal_run("give_up: \"${GRACE}\"\n"),
        r#"
error: `give_up` needs the environment variable `GRACE`, which is not set
 --> s.yaml:5:10
  |
5 | give_up: "${GRACE}"
  |          ^^^^^^^^^^
  = help: set `GRACE`, or give a default: `${GRACE:-…}`

1 error"#,
    );
}

#[test]
fn an_empty_file_says_what_is_needed() {
    let told: Vec<String> = messages("");
    assert_eq!(
        told,
        [
            "the key `version` is missing",
            "the key `kafka` is missing",
            "the key `streams` is missing",
            "the key `rules` is missing"
        ]
    );
}

#[test]
fn every_problem_is_found_in_one_pass_in_the_order_of_the_text() {
    let text = "version: 1\nstreams: {payments: {topic: p, keyed: payments}, credits: {topic: p}}\nrules:\n  - {name: a, tiers: {warn: 5, breach: 6s}}\n  - {name: a, due: {calendar: cn}, teirs: {breach: 0s}}\nkafka: {bootstrap_servers: k}\nversion: 1\n";
    assert_eq!(
        messages(text),
        [
            "`streams.payments.keyed` cannot be `payments`",
            "the topic `p` is already read by the stream `payments`",
            "`rules[0].tiers.warn` has no unit: `5`",
            "two rules are called `a`",
            "the rule `a` is never used: `a` before it matches all its payments",
            "the rule `a` needs the calendar `cn`, which does not exist",
            "unknown key `teirs` in `rules[1]`",
            "`kafka.bootstrap_servers` names a broker without host and port: `k`",
            "the key `version` is already set in line 1",
        ]
    );
}

#[test]
fn each_wrong_value_has_its_own_words() {
    let cases = [
        (
            "limits: {record_bytes: \"2048\"}",
            "`limits.record_bytes` is text, but must be a whole number",
        ),
        (
            "limits: {record_bytes: -1}",
            "`limits.record_bytes` is not a whole number: `-1`",
        ),
        (
            "limits: {record_bytes: 5}",
            "`limits.record_bytes` is out of range: 5",
        ),
        ("limits: [1]", "`limits` must be a map of keys, not a list"),
        (
            "incidents: {critical_minor: {CNY: 1.5}}",
            "`incidents.critical_minor.CNY` is a fraction: `1.5`",
        ),
        (
            "incidents: {critical_minor: {cny: 1}}",
            "`cny` cannot be a key of `incidents.critical_minor`",
        ),
        (
            "incidents: {page: critical}",
            "`incidents.page` must be a list, not a single value",
        ),
        (
            "incidents: {page: [info]}",
            "`incidents.page[0]` cannot be `info`",
        ),
        (
            "fees: {contract_rates: [0.00000001]}",
            "`fees.contract_rates[0]` is finer than one part in a million: `0.00000001`",
        ),
        (
            "fees: {contract_rates: [1.2]}",
            "`fees.contract_rates[0]` is not a rate: `1.2`",
        ),
        (
            "watch: {share: 0.0}",
            "`watch.share` is no share above 0 and up to 1 with at most six places: `0.0`",
        ),
        (
            "watch: {share: 1.5}",
            "`watch.share` is no share above 0 and up to 1 with at most six places: `1.5`",
        ),
        (
            "feeds: {markers: yes}",
            "`feeds.markers` is neither `true` nor `false`: `yes`",
        ),
        (
            "feeds: {heartbeat: {interval: 5m}}",
            "`feeds.heartbeat.offline_after` is shorter than `interval`",
        ),
        ("dimensions: [chanel]", "`dimensions[0]` cannot be `chanel`"),
        ("give_up: 1.5h", "`give_up` is not a duration: `1.5h`"),
        ("give_up: 0s", "`give_up` is too short: `0s`"),
        ("give_up: 5s5s", "`give_up` is not a duration: `5s5s`"),
        ("give_up: 99999d", "`give_up` is too long: `99999d`"),
        (
            "http: {listen: 9464}",
            "`http.listen` is not an address to listen on: `9464`",
        ),
        (
            "output: {alerts: payments}",
            "the topic `payments` of `output.alerts` is already used by the stream `payments`",
        ),
        (
            "output: {alerts: x, pulse: x}",
            "the topic `x` of `output.pulse` is already used by `output.alerts`",
        ),
        (
            "output: {alerts: \"a b\"}",
            "`output.alerts` is no name Kafka allows: `a b`",
        ),
        ("roles: []", "`roles` is an empty list"),
        (
            "notify: {sinks: [{name: a, kind: webhook}]}",
            "this sink needs an address",
        ),
        (
            "calendars: {x: {time_zone: Mars/Base}}",
            "`calendars.x.time_zone` is not a known time zone: `Mars/Base`",
        ),
        (
            "calendars: {x: {time_zone: UTC, cut_off: \"25:00\"}}",
            "`calendars.x.cut_off` is not a time of day: `25:00`",
        ),
        (
            "calendars: {x: {time_zone: UTC, holidays: [2026-02-30]}}",
            "`calendars.x.holidays[0]` is not a date: `2026-02-30`",
        ),
        (
            "calendars: {x: {}}",
            "the key `time_zone` is missing in `calendars.x`",
        ),
        (
            "hold: *nowhere",
            "not YAML: while parsing node, found unknown anchor",
        ),
        ("? [a]\n: b", "a key must be a single word"),
        ("hold: !!int 5", "tags have no meaning here"),
        ("---\nhold: {}", "a second document begins here"),
    ];
    for (rest, told) in cases {
        assert_eq!(
            messages(&minimal_run(&format!("{rest}\n"))),
            [told],
            "for {rest}"
        );
    }
}

#[test]
fn a_replay_looks_at_nothing_that_belongs_to_the_service() {
    let text =
        minimal("kafka: [wrong]\noutput: 5\nroles: {a: b}\nnotify: ${MISSING}\nhttp: nonsense\n");
    assert!(replay(&text).is_ok());
    assert_eq!(run(&text).expect_err("the service does").list().len(), 5);
}

#[test]
fn a_file_that_cannot_be_read_is_a_diagnostic_too() {
    let path = std::path::Path::new("no/such/file.yaml");
    let errors = settlewatch_config::load(
        path,
        settlewatch_config::Purpose::Replay,
        &settlewatch_config::Env::empty(),
    )
    .expect_err("there is no such file");
    assert!(
        errors
            .to_string()
            .starts_with("error: cannot read the configuration: "),
        "{errors}"
    );
}
