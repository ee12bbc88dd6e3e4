//! Settings, errors and logs, without a cluster.

#![allow(clippy::unwrap_used)]

use settlewatch_config::{Env, Purpose, load_str};

use super::*;

fn kafka(properties: &str) -> Kafka {
    let text = format!(
        "version: 1\nkafka: {{bootstrap_servers: \"localhost:9092\", properties: {{{properties}}}}}\n\
         streams: {{payments: {{topic: p}}}}\nrules: [{{name: all, tiers: {{b: 1m}}}}]\n"
    );
    let env = Env::from_iter([("SECRET", "hunter2")]);
    let loaded = load_str("s.yaml", &text, Purpose::Run, &env);
    loaded
        .unwrap_or_else(|told| panic!("{told}"))
        .config
        .run
        .unwrap()
        .kafka
}

#[test]
fn properties_win_over_defaults_and_the_brokers_over_properties() {
    let config = base(&kafka(
        "client.id: mine, bootstrap.servers: \"elsewhere:1\"",
    ));
    assert_eq!(config.get("client.id"), Some("mine"));
    assert_eq!(config.get("bootstrap.servers"), Some("localhost:9092"));
    assert_eq!(config.get("reconnect.backoff.max.ms"), Some("500"));
}

#[test]
fn an_error_never_shows_the_value_of_a_setting() {
    let kafka = kafka("ssl.key.password: \"${SECRET}\", socket.timeout.ms: 99999999");
    let context = Context::new(&kafka);
    let error = base(&kafka).create_native_config().err().unwrap();
    let text = context.describe(&error);
    assert!(text.contains("socket.timeout.ms"), "{text}");
    let other = KafkaError::ClientCreation("key hunter2 is wrong".into());
    assert!(!context.describe(&other).contains("hunter2"));
}

#[test]
fn what_a_broker_said_is_kept_without_thread_and_secrets() {
    let context = Context::new(&kafka("ssl.key.password: \"${SECRET}\""));
    context.log(
        RDKafkaLogLevel::Error,
        "FAIL",
        "[thrd:localhost:1/bootstrap]: localhost:1/bootstrap: hunter2 refused",
    );
    let kept = context.last_failure().unwrap();
    assert_eq!(kept, "localhost:1/bootstrap: *** refused");
}

#[test]
fn a_build_without_tls_says_so_where_it_is_needed() {
    let scram = kafka(
        "security.protocol: SASL_PLAINTEXT, sasl.mechanism: SCRAM-SHA-512, sasl.username: u, \
         sasl.password: \"${SECRET}\"",
    );
    for (kafka, needs) in [
        (kafka("security.protocol: SSL"), "`security.protocol: ssl`"),
        (scram, "`sasl.mechanism: SCRAM-SHA-512`"),
    ] {
        assert!(unsupported(&kafka, false).unwrap().starts_with(needs));
        assert_eq!(unsupported(&kafka, true), None);
    }
    assert_eq!(unsupported(&kafka(""), false), None);
}

#[test]
fn what_the_client_refuses_is_found_without_a_cluster() {
    assert_eq!(verify(&kafka("")), Ok(()));
    let told = verify(&kafka("socket.timeout.ms: never")).unwrap_err();
    assert!(told.contains("`socket.timeout.ms`"), "{told}");
}
