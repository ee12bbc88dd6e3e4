//! Findings, without a cluster.

#![allow(clippy::unwrap_used)]

use settlewatch_config::{Config, Env, Purpose, load_str};

use super::*;

fn config(kafka: &str) -> Config {
    let text = format!(
        "version: 1\nkafka: {{bootstrap_servers: \"127.0.0.1:1\"{kafka}}}\n\
         streams: {{payments: {{topic: p}}}}\nrules: [{{name: all, tiers: {{b: 1m}}}}]\n"
    );
    let loaded = load_str("s.yaml", &text, Purpose::Run, &Env::empty());
    loaded.unwrap_or_else(|told| panic!("{told}")).config
}

fn problems(kafka: &str) -> Vec<Problem> {
    let config = config(kafka);
    let options = CheckOptions {
        wait: Duration::from_secs(1),
        transactions: false,
    };
    check(&config.run.unwrap(), &config.streams, options).unwrap_err()
}

#[test]
fn a_cluster_that_is_not_there_is_said_to_be_unreachable_and_why() {
    let found = problems("");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].cause, Cause::Unreachable);
    assert!(found[0].what.contains("127.0.0.1:1"), "{}", found[0]);
    assert!(found[0].what.contains("refused"), "{}", found[0]);
}

#[test]
fn settings_that_make_no_client_are_the_configurations_fault() {
    let found = problems(", properties: {socket.timeout.ms: 1}");
    assert_eq!(found[0].cause, Cause::Settings, "{}", found[0]);
}

#[test]
fn the_identity_names_cluster_group_and_what_the_state_is_made_from() {
    let checked = Checked {
        cluster: Cluster {
            id: "C".into(),
            brokers: Vec::new(),
        },
        numbers: 1,
        stamps: true,
        inputs: vec![CheckedInput {
            rank: 0,
            topic: "p".into(),
            log_append_time: true,
            partitioner: Partitioner::Unknown,
        }],
        feeds: Vec::new(),
        ids: [("p".to_owned(), TopicId(1)), ("x".to_owned(), TopicId(2))].into(),
        notices: Vec::new(),
        findings: Vec::new(),
    };
    let text = String::from_utf8(checked.identity("g", "x")).unwrap();
    assert_eq!(
        text,
        "cluster=C\ngroup=g\ntopic=p AAAAAAAAAAAAAAAAAAAAAQ\ntopic=x AAAAAAAAAAAAAAAAAAAAAg\n"
    );
}
