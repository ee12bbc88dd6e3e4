//! TLS, SCRAM and the least rights; what nobody may be told.

use std::thread;
use std::time::Duration;

use settlewatch_tests::broker::{
    ADMIN_PASSWORD, APP_PASSWORD, Cluster, End, Grant, Group, Login, Options, PAYER, Record,
    STRANGERS_PASSWORD, Service, Setup, Traffic,
};

use crate::script::{pass_beginning, pass_ms, settle};

/// A service that refuses has ended by then.
const REFUSED_WITHIN: Duration = Duration::from_secs(60);

/// The service that has every right.
const WITH_ALL: u8 = 0;

/// A right, and what is said where it is missing.
struct Least {
    operation: &'static str,
    on: Vec<String>,
    /// Where somebody lacks it: what it is said to be for.
    missing: Option<String>,
}

/// What a service needs, and no more: each right that is ever missing is one.
fn least(group: &Group<'_>) -> Vec<Least> {
    let on = |kind: &str, name: &str| vec![kind.to_owned(), name.to_owned()];
    let topics = |of: &[&str]| {
        let named = of.iter().map(|name| on("--topic", &group.topic(name)));
        named.flatten().collect::<Vec<_>>()
    };
    let of_topic = |operation, topic: &str| Least {
        operation,
        on: topics(&[topic]),
        missing: Some(group.topic(topic)),
    };
    let always = |operation, on| Least {
        operation,
        on,
        missing: None,
    };
    let mut prefix = on("--transactional-id", &group.name);
    prefix.extend(on("--resource-pattern-type", "prefixed"));
    vec![
        always("Read", topics(&["payments", "lifecycle", "terminals"])),
        always(
            "DescribeConfigs",
            topics(&["payments", "credits", "lifecycle"]),
        ),
        always(
            "DescribeConfigs",
            topics(&["dead_letters", "state", "pairs", "pulse"]),
        ),
        // Of the watch.
        always("DescribeConfigs", topics(&["incidents", "watch_state"])),
        always("Write", topics(&["incidents", "watch_state"])),
        always("Read", topics(&["pulse", "watch_state"])),
        always("Delete", topics(&["watch_state"])),
        always("Read", on("--group", &format!("{}-watch", group.name))),
        of_topic("Read", "credits"),
        of_topic("Write", "alerts"),
        of_topic("DescribeConfigs", "alerts"),
        of_topic("Write", "dead_letters"),
        of_topic("Write", "state"),
        of_topic("Read", "state"),
        of_topic("Delete", "state"),
        of_topic("Write", "pairs"),
        of_topic("Read", "pairs"),
        of_topic("Write", "pulse"),
        Least {
            operation: "Read",
            on: on("--group", &group.name),
            missing: Some(format!("group `{}`", group.name)),
        },
        Least {
            operation: "Write",
            on: prefix,
            missing: Some("transactional".into()),
        },
    ]
}

/// Gives each right to every service but one: which service lacks what is the order of those that are ever missing.
fn allow(cluster: &Cluster, least: &[Least]) {
    let lacking: Vec<usize> = (0..least.len())
        .filter(|&i| least[i].missing.is_some())
        .collect();
    let all = WITH_ALL..=u8::try_from(lacking.len()).expect("rights are few");
    let grant = |(i, least): (usize, &Least)| {
        let number = lacking.iter().position(|&it| it == i).map(|it| it + 1);
        Grant {
            operations: [least.operation].into(),
            on: least.on.clone(),
            to: all
                .clone()
                .filter(|&to| Some(usize::from(to)) != number)
                .collect(),
        }
    };
    let grants: Vec<Grant> = least.iter().enumerate().map(grant).collect();
    // Each is a Java program of its own.
    thread::scope(|scope| {
        for half in grants.chunks(grants.len().div_ceil(2)) {
            scope.spawn(|| half.iter().for_each(|grant| cluster.allow(grant)));
        }
    });
}

/// Nobody is told who pays, nor a password.
fn keeps_secrets(what: &str, text: &str) {
    for secret in [ADMIN_PASSWORD, APP_PASSWORD, STRANGERS_PASSWORD, PAYER] {
        let found = text.find(secret);
        let around = found.map(|at| {
            let chars = text.char_indices().map(|(at, _)| at);
            let near: Vec<usize> = chars.filter(|it| it.abs_diff(at) < 200).collect();
            text[near[0]..near[near.len() - 1]].to_owned()
        });
        assert_eq!(around, None, "{secret} stands in {what}");
    }
}

/// What a service says on all its pages.
fn pages_keep_secrets(service: &Service) {
    for page in ["/metrics", "/livez", "/readyz", "/api/v1/status", "/"] {
        let (_, text) = service.get(page).expect("a page is answered");
        keeps_secrets(page, &text);
    }
}

/// What stands in a topic: keys, values, headers.
fn topic_keeps_secrets(of: &str, records: &[Record]) {
    for record in records {
        let headers = record
            .headers
            .iter()
            .filter_map(|(_, value)| value.as_ref());
        let fields = [record.key.as_ref(), record.value.as_ref()];
        for bytes in fields.into_iter().flatten().chain(headers) {
            keeps_secrets(of, &String::from_utf8_lossy(bytes));
        }
    }
}

fn commands_keep_secrets(group: &Group<'_>, alerts: &[Record]) {
    let mut alert = alerts.iter().map(Record::json);
    let alert = alert.rfind(|it| it["kind"] == "duplicate_payment");
    let alert = alert.expect("somebody paid twice");
    let text = |field: &str| alert[field].as_str().expect("an alert has it").to_owned();
    let (id, payment) = (text("alert_id"), text("payment_id"));
    for arguments in [
        ["explain", payment.as_str()].as_slice(),
        &["verify", &id],
        &["validate", "--env"],
        &["topics"],
    ] {
        let (status, told) = group.command_as(Login::Admin, arguments);
        println!("{arguments:?}: status {status:?}, {} bytes", told.len());
        assert_eq!(status, Some(0), "{arguments:?}: {told}");
        keeps_secrets(arguments[0], &told);
    }
    // What may not be read must not pass for what is not there.
    let (status, told) = group.command(&["verify", &id]);
    assert_eq!(status, Some(1), "{told}");
    assert!(
        told.contains("uthoriz"),
        "the missing right is not told: {told}"
    );
}

pub(crate) fn a_service_needs_few_rights_and_names_the_one_that_is_missing() {
    let cluster = Cluster::start(&Options {
        secure: true,
        ..Options::default()
    });
    let setup = Setup {
        login: Login::App(WITH_ALL),
        // Whatever is ever said.
        log_level: "trace",
        properties: [("debug", "conf,security")].into(),
        ..Setup::default()
    };
    let group = Group::new(&cluster, "least", setup);
    let least = least(&group);
    allow(&cluster, &least);
    runs_with_the_least_rights(&group);
    let missing = least.iter().filter(|it| it.missing.is_some());
    for (number, least) in (1..).zip(missing) {
        let about = least.missing.as_deref().unwrap_or_default();
        refuses(&group, Login::App(number), &[least.operation, about]);
    }
    refuses(&group, Login::Stranger, &["Authentication failed"]);
}

fn runs_with_the_least_rights(group: &Group<'_>) {
    let service = group.start_ready("one");
    pass_beginning(group);
    let traffic = Traffic::start(group, 51, 25);
    pass_ms(5_000);
    traffic.finish();
    let expected = settle(group);
    pages_keep_secrets(&service);
    let log = service.log();
    service.stop();
    expected
        .compare(group)
        .assert("TLS, SCRAM and the least rights");
    assert!(log.contains(" DEBUG "), "it says whatever it can: {log}");
    keeps_secrets("the log", &log);
    let read: String = group
        .dump()
        .iter()
        .map(|it| String::from_utf8_lossy(it))
        .collect();
    assert!(read.contains(PAYER), "payers were told to the service");
    let alerts = group.output("alerts");
    for (of, records) in [
        ("alerts", &alerts),
        ("state", &group.output("state")),
        ("pairs", &group.output("pairs")),
        ("pulse", &group.output("pulse")),
    ] {
        topic_keeps_secrets(of, records);
    }
    commands_keep_secrets(group, &alerts);
}

/// Starts a service that must end by itself, and say what is missing.
fn refuses(group: &Group<'_>, login: Login, words: &[&str]) {
    let name = format!("{login:?}").replace(['(', ')'], "-");
    let mut service = group.start_as(login, &name, &name, &[]);
    let end = service.process().wait(REFUSED_WITHIN);
    let log = service.log();
    // Its last words, behind the log.
    let at = log.find("\nerror: ").unwrap_or(0);
    let said = log[at..].trim();
    println!("{login:?}: {end:?}: {said}");
    assert!(matches!(end, End::Exit(1 | 69)), "{end:?}: {said}");
    for word in words {
        assert!(said.contains(word), "{word:?} is not said: {said}");
    }
    keeps_secrets("the log of a refusal", &log);
}
