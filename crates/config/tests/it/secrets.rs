//! Secrets come from files or the environment, and are never printed.

use std::fs;

use settlewatch_config::{Env, Loaded, Purpose, load};

use crate::{minimal_run, run, with_env};

const SECRET: &str = "hunter2";

fn service(properties: &str) -> String {
    crate::minimal(&format!(
        "kafka:\n  bootstrap_servers: \"localhost:9092\"\n  properties: {properties}\n"
    ))
}

#[test]
fn a_secret_in_the_configuration_is_refused_without_showing_it() {
    let errors = run(&service("{sasl.password: hunter2}"))
        .expect_err("it stands there")
        .to_string();
    assert!(
        errors.contains("`kafka.properties.sasl.password` is a secret, which must not stand"),
        "{errors}"
    );
    assert!(errors.contains("sasl.password: ***"), "{errors}");
    assert!(!errors.contains(SECRET), "{errors}");
}

#[test]
fn no_diagnostic_shows_a_secret_that_shares_its_line() {
    let texts = [
        service("{sasl.password: hunter2, security.protocol: [x]}"),
        service("{security.protocol: [x], sasl.password: \"${P:-hunter2}\"}"),
        service("{sasl.password: hunter2, sasl.password: x}"),
        service("{sasl.password: \"hunter2\"}}"),
        service("{ssl.key.password: hunter2 : x}"),
        minimal_run(
            "notify: {sinks: [{name: a, kind: webhoook, url: \"https://x/?access_token=hunter2\"}]}\n",
        ),
        minimal_run("notify: {sinks: [{name: a, kind: webhook, url: \"hunter2\"}]}\n"),
    ];
    for text in texts {
        let errors = run(&text).expect_err("something is wrong");
        for shown in [errors.to_string(), format!("{errors:?}")] {
            assert!(!shown.contains(SECRET), "{shown}");
        }
    }
}

#[test]
fn a_wrong_override_of_a_secret_is_masked() {
    let vars = [("SETTLEWATCH__KAFKA__PROPERTIES__SASL_PASSWORD__X", SECRET)];
    let errors = with_env(&minimal_run(""), Purpose::Run, vars).expect_err("one level too deep");
    assert!(!errors.to_string().contains(SECRET), "{errors}");
}

fn with_secret_files() -> (tempfile::TempDir, Loaded) {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("password"), format!("{SECRET}\n")).expect("writable");
    let text = service(
        "{sasl.password_file: password, ssl.key.password: \"${file:password}\", sasl.username: \"${U}\"}",
    ) + "notify: {sinks: [{name: p, kind: pagerduty, secret_file: password}]}\n";
    fs::write(dir.path().join("s.yaml"), text).expect("writable");
    let env = Env::from_iter([("U", SECRET)]);
    let loaded = load(&dir.path().join("s.yaml"), Purpose::Run, &env)
        .unwrap_or_else(|told| panic!("{told}"));
    (dir, loaded)
}

#[test]
fn secrets_are_read_from_files_and_variables() {
    let (_dir, loaded) = with_secret_files();
    let service = loaded.config.run.expect("asked for");
    let names: Vec<&str> = service
        .kafka
        .properties
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(
        names,
        ["sasl.password", "ssl.key.password", "sasl.username"]
    );
    assert!(
        service
            .kafka
            .properties
            .iter()
            .all(|(_, value)| value.expose() == SECRET)
    );
    assert_eq!(
        service.notify.sinks[0]
            .secret
            .as_ref()
            .map(settlewatch_config::Secret::expose),
        Some(SECRET)
    );
}

#[test]
fn printing_a_configuration_shows_no_secret() {
    let (_dir, loaded) = with_secret_files();
    let shown = format!("{loaded:?}");
    assert!(!shown.contains(SECRET) && shown.contains("***"));
    let service = loaded.config.run.expect("asked for");
    assert_eq!(service.kafka.properties[0].1.to_string(), "***");
}

#[test]
fn printing_the_environment_shows_names_only() {
    assert_eq!(format!("{:?}", Env::from_iter([("A", SECRET)])), "{\"A\"}");
}

#[test]
fn a_property_that_is_ours_has_no_effect_and_says_so() {
    let loaded = run(&service("{group.id: other}")).expect("it can be used");
    assert_eq!(
        loaded.warnings[0].message,
        "the property `group.id` has no effect: settlewatch sets it itself"
    );
}

#[test]
fn a_missing_secret_file_is_named() {
    let errors = run(&service("{sasl.password_file: /no/such/file}"))
        .expect_err("it is missing")
        .to_string();
    assert!(errors.contains("`/no/such/file`"), "{errors}");
}
