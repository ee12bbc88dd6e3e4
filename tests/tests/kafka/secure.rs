//! TLS, SCRAM and the least rights.

use std::time::Duration;

use settlewatch_tests::broker::{APP_PASSWORD, Cluster, End, Grant, Group, Login, Options, Setup};

use crate::script::{pass_beginning, play, settle};

fn on(kind: &str, names: &[String]) -> Vec<String> {
    names
        .iter()
        .flat_map(|name| [kind.to_owned(), name.clone()])
        .collect()
}

/// What the service needs, and no more.
fn least(group: &Group<'_>) -> Vec<Grant> {
    let topics = |of: &[&str]| {
        on(
            "--topic",
            &of.iter().map(|it| group.topic(it)).collect::<Vec<_>>(),
        )
    };
    let inputs = topics(&["payments", "credits", "lifecycle", "terminals"]);
    let own = topics(&["alerts", "dead_letters", "state", "pairs"]);
    let grant = |operations: &[&'static str], on: Vec<String>| Grant {
        operations: operations.into(),
        on,
    };
    let prefixed = |kind: &str, name: &str| {
        [
            kind.to_owned(),
            name.to_owned(),
            "--resource-pattern-type".into(),
            "prefixed".into(),
        ]
        .into()
    };
    vec![
        grant(&["Read", "Describe", "DescribeConfigs"], inputs),
        grant(&["Write", "Describe", "DescribeConfigs"], own),
        grant(&["Read"], topics(&["state", "pairs"])),
        grant(&["Delete"], topics(&["state"])),
        grant(&["Read"], on("--group", std::slice::from_ref(&group.name))),
        grant(
            &["Write", "Describe"],
            prefixed("--transactional-id", &group.name),
        ),
    ]
}

#[test]
fn a_service_runs_with_the_least_rights_and_names_the_one_that_is_missing() {
    let cluster = Cluster::start(&Options {
        secure: true,
        ..Options::default()
    });
    let setup = Setup {
        login: Login::App,
        ..Setup::default()
    };
    let group = Group::new(&cluster, "least", setup);
    least(&group).iter().for_each(|grant| cluster.allow(grant));
    let service = group.start_ready("one");
    pass_beginning(&group);
    play(&group, 51, 15, 3_000);
    let expected = settle(&group);
    let log = service.log();
    service.stop();
    expected
        .compare(&group)
        .assert("TLS, SCRAM and the least rights");
    assert!(
        !log.contains(APP_PASSWORD),
        "the password stands in the log: {log}"
    );

    let writing = Grant {
        operations: ["Write"].into(),
        on: on("--topic", &[group.topic("alerts")]),
    };
    cluster.forbid(&writing);
    let mut service = group.start("refused", "refused", &[]);
    let end = service.process().wait(Duration::from_secs(40));
    let log = service.log();
    println!("{log}");
    assert_eq!(end, End::Exit(1), "{log}");
    assert!(
        log.contains("least-alerts") && log.contains("Write"),
        "{log}"
    );
    assert!(
        !log.contains(APP_PASSWORD),
        "the password stands in the log: {log}"
    );
}
