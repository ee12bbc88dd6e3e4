//! A canary beside a service that runs, and beside none.

use std::collections::BTreeSet;
use std::process::Command;

use settlewatch_tests::broker::{
    Cluster, End, Group, Process, Setup, Signal, binary, read_all, until,
};

use crate::script::{SOON, by_payment, pass_beginning, settle};

const QUICK: [&str; 9] = [
    "canary",
    "--interval",
    "500ms",
    "--credit-after",
    "200ms",
    "--listen",
    "127.0.0.1:0",
    "--currency",
    "USD",
];

fn canary(group: &Group<'_>, checks: &str, margin: &str) -> (Option<i32>, String) {
    let options = ["--checks", checks, "--margin", margin];
    group.command(&[&QUICK[..], &options].concat())
}

/// Payments of canaries that were told of on a topic.
fn told_on(group: &Group<'_>, stream: &str) -> BTreeSet<String> {
    let records = read_all(group.cluster, &group.topic(stream));
    let ids = records
        .iter()
        .map(|record| record.json()["payment_id"].clone());
    ids.filter_map(|id| id.as_str().map(str::to_owned))
        .filter(|id| id.starts_with("canary-"))
        .collect()
}

/// A canary that is told to stop as soon as its first two payments are there.
fn stopped_at_once(group: &Group<'_>) {
    let before = told_on(group, "payments").len();
    let (config, _) = group.write_config("stopped", "", group.setup.login);
    let mut command = Command::new(binary());
    command.args(QUICK).arg("--config").arg(&config);
    let mut canary = Process::start(&mut command, &config.with_extension("log"));
    until("a canary's payments are there", SOON, || {
        (told_on(group, "payments").len() >= before + 2).then_some(())
    });
    canary.signal(Signal::TERM);
    let end = canary.wait(SOON);
    assert_eq!(end, End::Exit(0), "{}", canary.log());
}

pub(crate) fn a_canary_is_content_with_a_service_that_runs_and_misses_one_that_does_not() {
    let cluster = Cluster::shared();
    let group = Group::new(&cluster, "canary", Setup::default());
    let service = group.start_ready("one");
    pass_beginning(&group);
    let (status, told) = canary(&group, "4", "5s");
    assert_eq!(status, Some(0), "{told}");
    assert!(told.contains("checks: 4 ok\n"), "{told}");

    service.stop();
    let (status, told) = canary(&group, "1", "500ms");
    assert_eq!(status, Some(1), "{told}");
    assert!(told.contains("checks: 1 missing_alert\n"), "{told}");

    stopped_at_once(&group);
    let paid = told_on(&group, "payments");
    let mut over = told_on(&group, "credits");
    over.extend(told_on(&group, "lifecycle"));
    assert_eq!(over, paid, "something of a canary stays open");

    // Whatever it left is told by the next service, and everything was given back.
    let service = group.start_ready("one");
    settle(&group).compare(&group).assert("a canary");
    service.stop();
    let alerts = by_payment(&group.output("alerts"));
    let of_canary = alerts.iter().filter(|(id, _)| id.starts_with("canary-"));
    let ends = of_canary.map(|(id, revisions)| {
        let last = revisions.last().expect("an alert has a revision");
        assert!(id.ends_with("-uncredited"), "{id}");
        assert_eq!(last["channel"], "settlewatch_canary");
        last["resolution"].as_str().unwrap_or("none").to_owned()
    });
    let ends: Vec<String> = ends.collect();
    // One of the last, which was given back at once, may have been in time.
    assert!(ends.len() >= 5, "{ends:?}");
    assert!(ends.iter().all(|end| end == "refunded"), "{ends:?}");

    // The default, three seconds, is longer than the first deadline here.
    let (status, told) = group.command(&["canary", "--listen", "127.0.0.1:0"]);
    assert_eq!(status, Some(2), "{told}");
    assert!(told.contains("--credit-after"), "{told}");
}
