//! The way to the brokers is encrypted, or somebody said that it need not be.

use crate::{messages, minimal, run};

fn kafka(servers: &str, keys: &str, properties: &str) -> String {
    minimal(&format!(
        "kafka:\n  bootstrap_servers: \"{servers}\"\n  properties: {{{properties}}}\n{keys}"
    ))
}

fn told(properties: &str) -> Vec<String> {
    messages(&kafka("localhost:9092", "", properties))
}

#[test]
fn plaintext_to_another_machine_is_refused_with_its_line() {
    for properties in [
        "",
        "security.protocol: PLAINTEXT",
        "security.protocol: sasl_plaintext, sasl.mechanism: PLAIN, sasl.username: u, sasl.password: \"${P:-}x\"",
    ] {
        let text = kafka("localhost:1,kafka-1:9092", "", properties);
        let errors = run(&text).expect_err("it is not encrypted");
        let found = errors
            .list()
            .iter()
            .find(|found| found.message.contains("`kafka-1:9092` is not encrypted"));
        let found = found.unwrap_or_else(|| panic!("{errors}"));
        assert!(found.remedy.contains("allow_plaintext"), "{found}");
        let line = if properties.is_empty() { 5 } else { 6 };
        assert_eq!(found.line, line, "{found}");
    }
}

#[test]
fn plaintext_within_this_machine_needs_no_leave() {
    for servers in [
        "localhost:9092",
        "127.0.0.1:9092",
        "127.8.8.8:1",
        "[::1]:9092",
        "LOCALHOST:1, 127.0.0.1:2",
        "PLAINTEXT://localhost:9092",
    ] {
        run(&kafka(servers, "", "")).unwrap_or_else(|told| panic!("{servers}: {told}"));
    }
    for servers in ["localhost.evil.example:1", "127.0.0.1.example:1", "[::2]:1"] {
        assert!(run(&kafka(servers, "", "")).is_err(), "{servers}");
    }
}

#[test]
fn plaintext_elsewhere_can_be_allowed() {
    let text = kafka("kafka-1:9092", "  allow_plaintext: true\n", "");
    run(&text).unwrap_or_else(|told| panic!("{told}"));
    let text = kafka("kafka-1:9092", "", "security.protocol: SSL");
    run(&text).unwrap_or_else(|told| panic!("{told}"));
}

#[test]
fn sasl_is_complete_or_refused() {
    let missing = told("security.protocol: SASL_SSL, sasl.mechanism: SCRAM-SHA-512");
    assert_eq!(
        missing,
        [
            "`SCRAM-SHA-512` needs `sasl.username`",
            "`SCRAM-SHA-512` needs `sasl.password`"
        ]
    );
    assert_eq!(
        told("security.protocol: SASL_SSL"),
        ["the protocol uses SASL, but no mechanism is set"]
    );
    assert_eq!(
        told("security.protocol: SSL, sasl.mechanism: PLAIN"),
        ["a SASL mechanism is set, but the protocol does not use SASL"]
    );
    assert_eq!(
        told("security.protocol: SASL_SSL, sasl.mechanism: OAUTHBEARER"),
        ["`OAUTHBEARER` needs tokens"]
    );
}

#[test]
fn words_that_are_nearly_right_are_offered() {
    for (properties, offered) in [
        ("security.protocol: SSLL", "`ssl`"),
        (
            "security.protocol: SASL_SSL, sasl.mechanism: SCRAM-SHA512",
            "`SCRAM-SHA-512`",
        ),
        ("ssl.ca.locaton: x", "`ssl.ca.location`"),
        ("ssl.truststore.location: x", "`ssl.ca.location`"),
        ("sasl.mechanims: x", "`sasl.mechanism`"),
    ] {
        let errors = run(&kafka("localhost:1", "", properties)).expect_err("it is misspelt");
        assert!(errors.list()[0].remedy.contains(offered), "{errors}");
    }
}

#[test]
fn files_must_be_there_and_are_found_beside_the_configuration() {
    let told = told("security.protocol: SSL, ssl.ca.location: no-such.pem");
    assert!(told[0].contains("needs the file `no-such.pem`"), "{told:?}");
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("ca.pem"), "x").expect("writable");
    let text = kafka("k:1", "", "security.protocol: SSL, ssl.ca.location: ca.pem");
    let file = dir.path().join("s.yaml");
    std::fs::write(&file, text).expect("writable");
    let loaded = settlewatch_config::load(
        &file,
        settlewatch_config::Purpose::Run,
        &settlewatch_config::Env::empty(),
    );
    let loaded = loaded.unwrap_or_else(|told| panic!("{told}"));
    let kafka = loaded.config.run.expect("asked for").kafka;
    let full = dir.path().join("ca.pem").display().to_string();
    assert_eq!(kafka.property("ssl.ca.location"), Some(full.as_str()));
}

#[test]
fn a_certificate_comes_with_its_key() {
    let told = told("security.protocol: SSL, ssl.certificate.location: /dev/null");
    assert!(
        told.iter()
            .any(|message| message.contains("without its key")),
        "{told:?}"
    );
}

#[test]
fn whoever_verifies_no_certificate_is_warned() {
    let properties = "security.protocol: SSL, enable.ssl.certificate.verification: false";
    let loaded = run(&kafka("k:1", "", properties)).expect("it can be used");
    assert!(loaded.warnings[0].message.contains("not verified"));
}

#[test]
fn a_property_that_has_a_key_of_its_own_names_it() {
    let loaded = run(&kafka("localhost:1", "", "transaction.timeout.ms: 5000"));
    let loaded = loaded.expect("it can be used");
    assert!(
        loaded.warnings[0]
            .remedy
            .contains("`kafka.transaction_timeout`")
    );
}
