//! A canary beside a service that runs, and beside none.

use settlewatch_tests::broker::{Cluster, Group, Setup};

use crate::script::{by_payment, pass_beginning, settle};

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
    assert_eq!(ends, ["refunded"; 5]);

    // The default, three seconds, is longer than the first deadline here.
    let (status, told) = group.command(&["canary", "--listen", "127.0.0.1:0"]);
    assert_eq!(status, Some(2), "{told}");
    assert!(told.contains("--credit-after"), "{told}");
}
