//! Interpolation and overrides.

use settlewatch_config::Purpose::{Replay, Run};
use settlewatch_join::Span;

use crate::{minimal, minimal_run, with_env};

#[test]
fn variables_defaults_and_dollars_are_replaced() {
    let group = |written: &str| {
        let text = minimal(&format!(
            "kafka: {{bootstrap_servers: \"localhost:9092\", group_id: \"{written}\"}}\n"
        ));
        with_env(&text, Run, [("A", "alpha"), ("EMPTY", "")])
            .map(|config| config.run.expect("asked for").kafka.group_id)
    };
    for (written, read) in [
        ("${A}", "alpha"),
        ("x-${A}-y", "x-alpha-y"),
        ("${B:-beta}", "beta"),
        ("${EMPTY:-beta}", "beta"),
        ("${B:-${A}}", "alpha"),
        ("${B:-${C:-gamma}}!", "gamma!"),
        ("$${A}", "${A}"),
        ("5$", "5$"),
        ("$A", "$A"),
    ] {
        assert_eq!(group(written).as_deref().ok(), Some(read), "{written}");
    }
    for wrong in [
        "${B}",
        "${A",
        "${}",
        "${a b}",
        "${EMPTY}",
        "${file:/etc/hostname}",
    ] {
        assert!(group(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_number_from_a_variable_may_stand_in_quotes() {
    let config = with_env(
        &minimal("limits: {record_bytes: \"${N:-2048}\"}\n"),
        Replay,
        [],
    )
    .expect("it is good");
    assert_eq!(config.limits.record_bytes, 2_048);
}

#[test]
fn any_value_can_be_overridden() {
    let text = minimal("hold: {limit: 1h}\n");
    let config = with_env(
        &text,
        Replay,
        [
            ("SETTLEWATCH__HOLD__LIMIT", "2h"),
            ("SETTLEWATCH__LIMITS__WAITING_PAYMENTS", "10"),
            ("SETTLEWATCH__RULES__0__TIERS__BREACH", "5m"),
            ("SETTLEWATCH__RULES__0__TIERS__ESCALATE", "9m"),
            ("SETTLEWATCH__STREAMS__Credits", "{topic: c}"),
            ("SETTLEWATCH__dimensions", "[channel, attrs.lane]"),
            ("SETTLEWATCH__INCIDENTS__CRITICAL_MINOR__USD", "7"),
            ("SETTLEWATCH__FEEDS__STAGES__0", "channel_ack"),
            ("SETTLEWATCH_UNRELATED", "x"),
        ],
    )
    .expect("all of them are good");
    assert_eq!(config.settings.hold_limit, Span::from_secs(7_200));
    assert_eq!(config.limits.waiting_payments, 10);
    assert_eq!(
        config.settings.rules[0].tiers[0].after,
        Span::from_secs(300)
    );
    assert_eq!(config.settings.rules[0].tiers[1].name.as_ref(), "escalate");
    assert_eq!(config.settings.streams, ["payments", "credits"]);
    assert_eq!(config.settings.dimensions.len(), 2);
    assert_eq!(config.incidents.critical_minor[0].1, 7);
    assert_eq!(config.feeds.stages.len(), 1);
}

#[test]
fn names_with_dots_are_found_without_them() {
    let text = "version: 1\nkafka: {bootstrap_servers: \"localhost:9092\", properties: {security.protocol: plaintext}}\nstreams: {payments: {topic: p}}\nrules: [{name: a, match: {attrs.lane: x}, tiers: {b: 1m}}, {name: all, tiers: {b: 1m}}]\n";
    let config = with_env(
        text,
        Run,
        [
            ("SETTLEWATCH__RULES__0__MATCH__ATTRS_LANE", "[y, z]"),
            ("SETTLEWATCH__KAFKA__PROPERTIES__SECURITY_PROTOCOL", "SSL"),
            ("SETTLEWATCH__KAFKA__PROPERTIES__SASL_PASSWORD", "p$w: #1"),
        ],
    )
    .expect("all of them are good");
    assert_eq!(config.settings.rules[0].matcher.attrs[0].1, ["y", "z"]);
    let properties = config.run.expect("asked for").kafka.properties;
    let value = |name: &str| {
        properties
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.expose().to_owned())
    };
    assert_eq!(value("security.protocol").as_deref(), Some("SSL"));
    assert_eq!(
        value("sasl.password").as_deref(),
        Some("p$w: #1"),
        "the environment is taken as it is"
    );
}

#[test]
fn a_replay_ignores_overrides_of_the_service() {
    assert!(
        with_env(
            &minimal(""),
            Replay,
            [("SETTLEWATCH__KAFKA__NONSENSE", "1")]
        )
        .is_ok()
    );
}

#[test]
fn a_wrong_override_names_its_variable() {
    let told = |name: &str, value: &str| {
        with_env(&minimal_run(""), Run, [(name, value)])
            .expect_err("it is wrong")
            .to_string()
    };
    assert_eq!(
        told("SETTLEWATCH__HOLD__LIMIT", "soon"),
        "error: `hold.limit` is not a duration: `soon`\n --> environment variable SETTLEWATCH__HOLD__LIMIT:1:26\n  |\n\
         1 | SETTLEWATCH__HOLD__LIMIT=soon\n  |                          ^^^^\n  = help: write whole numbers with \
         `d`, `h`, `m`, `s`, `ms`, the longest first: `90s`, `1h30m`\n\n1 error"
    );
    assert!(told("SETTLEWATCH__HOLD__LIMT", "1h").contains("names no key: `limt`"));
    assert!(told("SETTLEWATCH__HOLD__LIMT", "1h").contains("did you mean `limit`?"));
    assert!(told("SETTLEWATCH__HOLD__LIMIT__X", "1h").contains("one level too deep"));
    assert!(told("SETTLEWATCH__RULES__7__NAME", "x").contains("names no element: `7`"));
    assert!(told("SETTLEWATCH__DIMENSIONS", "[a").contains("not YAML"));
    assert!(told("SETTLEWATCH__", "x").contains("names no key"));
}
