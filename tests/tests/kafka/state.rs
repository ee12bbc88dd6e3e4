//! What a person does with the state: look at it, and begin it anew.

use std::time::Duration;

use serde_json::Value;
use settlewatch_tests::broker::{Cluster, End, Group, Outgoing, Record, Setup, now_ms};
use settlewatch_tests::reference::rfc3339;

use crate::script::{Script, by_payment, pass_beginning, pass_ms};

fn inspected(group: &Group<'_>) -> (Option<i32>, Vec<Value>) {
    let (status, told) = group.command(&["state", "inspect", "--json"]);
    let begin = told.find('[').unwrap_or_else(|| panic!("{told}"));
    let mut values = serde_json::Deserializer::from_str(&told[begin..]).into_iter();
    let all = values.next().expect("a value").expect("JSON");
    (status, serde_json::from_value(all).expect("an array"))
}

fn revisions(records: &[Record]) -> Vec<(String, u64)> {
    let named = records.iter().map(|record| {
        let alert = record.json();
        let id = alert["alert_id"].as_str().expect("an id").to_owned();
        (id, alert["revision"].as_u64().expect("a revision"))
    });
    let mut all: Vec<_> = named.collect();
    all.sort();
    all
}

pub(crate) fn inspect_shows_every_partition_of_a_service_that_runs_or_stands() {
    let cluster = Cluster::shared();
    let group = Group::new(&cluster, "look", Setup::quick());
    let (status, before) = inspected(&group);
    assert_eq!((status, before.len()), (Some(0), 3));
    assert!(
        before
            .iter()
            .all(|it| it["claim"].is_null() && it["snapshot"].is_null())
    );
    let service = group.start_ready("one");
    pass_beginning(&group);
    let script = Script::new(&group);
    script.barrier("look");
    let (status, running) = inspected(&group);
    assert_eq!(status, Some(0));
    for partition in &running {
        assert!(partition["claim"]["token"].is_string(), "{partition}");
        assert!(partition["step"].as_u64() > Some(0), "{partition}");
        assert!(partition["broken"].is_null(), "{partition}");
    }
    service.stop();
    let (status, stopped) = inspected(&group);
    assert_eq!(status, Some(0));
    // Draining takes a snapshot of everything that was decided.
    let at_hand = stopped.iter().map(|it| it["contents"]["payments"].as_u64());
    let at_hand: u64 = at_hand.map(|count| count.expect("a snapshot")).sum();
    assert!(at_hand >= 3, "{stopped:?}");
    let payments = group.topic("payments");
    let read = stopped.iter().map(|it| it["positions"][&payments].as_i64());
    let read: i64 = read.map(|position| position.expect("a position")).sum();
    assert!(read >= 4, "{stopped:?}");
    let (_, told) = group.command(&["state", "inspect", "--partition", "0"]);
    assert!(told.starts_with("partition 0\n"), "{told}");
    let (status, told) = group.command(&["state", "inspect", "--partition", "3"]);
    assert_eq!(status, Some(1), "{told}");
}

pub(crate) fn a_state_that_was_lost_is_rebuilt_and_no_alert_is_written_twice_or_missed() {
    let cluster = Cluster::shared();
    let mut setup = Setup::quick();
    setup.rules.give_up_ms = 120_000;
    let group = Group::new(&cluster, "rebuilt", setup);
    let service = group.start_ready("one");
    pass_beginning(&group);
    let script = Script::new(&group);
    let begun = now_ms();
    // Alerted before the loss, credited after it; and one that is not due before the loss.
    let ids: Vec<String> = (0..12).map(|i| format!("early-{i}")).collect();
    for id in &ids {
        script.pay(id);
    }
    script.until_alerted(ids.iter().map(String::as_str));
    let from = rfc3339(begun);
    let rebuild = ["state", "rebuild", "--all", "--from", &from, "--yes"];
    let (status, told) = group.command(&rebuild);
    assert_eq!(status, Some(1), "{told}");
    assert!(told.contains("has members"), "{told}");
    let late: Vec<String> = (0..12).map(|i| format!("late-{i}")).collect();
    for id in &late {
        script.pay(id);
    }
    service.stop();
    let admin = cluster.admin();
    let state = group.topic("state");
    for partition in 0..3 {
        let (_, end) = admin.ends(&state, partition);
        admin.delete_before(&state, partition, end);
    }
    // Deadlines pass while nobody runs.
    pass_ms(1_500);
    for id in ids.iter().step_by(2) {
        script.credit(id);
    }
    let mut lost = group.start("two", "two", &[]);
    let end = lost.process().wait(std::time::Duration::from_secs(60));
    let log = lost.log();
    assert!(log.contains("state rebuild --partition"), "{end:?}: {log}");
    let (status, told) = group.command(&rebuild[..5]);
    assert_eq!(status, Some(1), "{told}");
    assert!(told.contains("with --yes it will be"), "{told}");
    let (status, told) = group.command(&rebuild);
    assert_eq!(status, Some(0), "{told}");
    println!("{told}");
    let service = group.start_ready("three");
    script.barrier("rebuilt");
    script.until_alerted(late.iter().map(String::as_str));
    service.stop();
    let alerts = group.output("alerts");
    let all = revisions(&alerts);
    let mut once = all.clone();
    once.dedup();
    assert_eq!(all, once, "a revision was written twice");
    let by_id = by_payment(&alerts);
    for (i, id) in ids.iter().enumerate() {
        let revisions = &by_id[id];
        let numbers: Vec<u64> = revisions
            .iter()
            .filter_map(|it| it["revision"].as_u64())
            .collect();
        let without_gap: Vec<u64> = (1..=numbers.len() as u64).collect();
        assert_eq!(numbers, without_gap, "{id}");
        let resolution = revisions.last().and_then(|it| it["resolution"].as_str());
        if i % 2 == 0 {
            assert_eq!(resolution, Some("credited_late"), "{id}: {revisions:?}");
        }
    }
}

pub(crate) fn a_partition_whose_state_is_broken_is_said_to_be_so_and_can_begin_with_now() {
    let cluster = Cluster::shared();
    let group = Group::new(&cluster, "broken", Setup::quick());
    let service = group.start_ready("one");
    pass_beginning(&group);
    service.stop();
    let state = group.topic("state");
    let record = Outgoing {
        partition: Some(1),
        value: Some(b"nonsense"),
        ..Outgoing::event(&state, "d/1", "")
    };
    group.producer().send(&record).wait();
    let (status, seen) = inspected(&group);
    assert_eq!(status, Some(1));
    let broken: Vec<bool> = seen.iter().map(|it| it["broken"].is_string()).collect();
    assert_eq!(broken, [false, true, false]);
    let (status, told) = group.command(&[
        "state",
        "rebuild",
        "--partition",
        "1",
        "--from",
        "latest",
        "--yes",
    ]);
    assert_eq!(status, Some(0), "{told}");
    let service = group.start_ready("two");
    Script::new(&group).barrier("broken");
    service.stop();
    assert_eq!(inspected(&group).0, Some(0));
}

pub(crate) fn more_partitions_take_the_waiting_payments_over_and_tell_everything_once() {
    let cluster = Cluster::shared();
    let mut setup = Setup::quick();
    setup.rules.give_up_ms = 120_000;
    let mut group = Group::new(&cluster, "moved", setup);
    let service = group.start_ready("one");
    pass_beginning(&group);
    let script = Script::new(&group);
    let ids: Vec<String> = (0..40).map(|i| format!("pay-{i}")).collect();
    for id in &ids {
        script.pay(id);
    }
    for id in ids.iter().step_by(4) {
        script.credit(id);
    }
    script.barrier("before");
    service.stop();
    let (status, told) = group.command(&["state", "migrate", "--partitions", "3", "--yes"]);
    assert_eq!(status, Some(1), "{told}");
    assert!(told.contains("already"), "{told}");
    let admin = cluster.admin();
    let outputs = ["alerts", "dead_letters", "state", "pairs", "pulse"];
    for of in ["payments", "credits", "lifecycle"].iter().chain(&outputs) {
        admin.grow(&group.topic(of), 5);
    }
    drop(script);
    group.setup.partitions = 5;
    let mut early = group.start("early", "early", &[]);
    let ended = early.process().wait(Duration::from_secs(60));
    assert_eq!(ended, End::Exit(1), "{}", early.log());
    assert!(
        early.log().contains("settlewatch state migrate"),
        "{}",
        early.log()
    );
    let (status, told) = group.command(&["state", "migrate", "--partitions", "4"]);
    assert_eq!(status, Some(2), "{told}");
    let (status, told) = group.command(&["state", "migrate", "--partitions", "5"]);
    assert_eq!(status, Some(1), "{told}");
    assert!(told.contains("with --yes it will be"), "{told}");
    let (status, told) = group.command(&["state", "migrate", "--partitions", "5", "--yes"]);
    println!("{told}");
    assert_eq!(status, Some(0), "{told}");
    assert!(told.contains("murmur2"), "{told}");
    let (status, seen) = inspected(&group);
    assert_eq!((status, seen.len()), (Some(0), 5));
    let held: Vec<u64> = seen
        .iter()
        .filter_map(|it| it["contents"]["payments"].as_u64())
        .collect();
    assert!(
        held.len() == 5 && held.iter().all(|&held| held > 0),
        "{held:?}"
    );
    let service = group.start_ready("two");
    let script = Script::new(&group);
    // Late credits, and others a second time: by key they come to other partitions than before.
    for id in ids.iter().skip(1).step_by(4) {
        script.credit(id);
    }
    script.barrier("after");
    service.stop();
    let alerts = group.output("alerts");
    let all = revisions(&alerts);
    let mut once = all.clone();
    once.dedup();
    assert_eq!(all, once, "a revision was written twice");
    let mut by_id = by_payment(&alerts);
    // Those of one payment may lie in two partitions now, which are read in any order.
    for revisions in by_id.values_mut() {
        revisions.sort_by_key(|it| it["revision"].as_u64());
    }
    for (i, id) in ids.iter().enumerate() {
        let revisions = by_id.get(id).map_or(&[][..], Vec::as_slice);
        let numbers: Vec<u64> = revisions
            .iter()
            .filter_map(|it| it["revision"].as_u64())
            .collect();
        assert!(
            numbers.iter().copied().eq(1..=numbers.len() as u64),
            "{id}: {numbers:?}"
        );
        let kinds: Vec<&str> = revisions
            .iter()
            .filter_map(|it| it["kind"].as_str())
            .collect();
        let last = revisions.last().and_then(|it| it["resolution"].as_str());
        match i % 4 {
            0 => assert!(kinds.is_empty() || last == Some("credited_late"), "{id}"),
            1 => assert_eq!(last, Some("credited_late"), "{id}"),
            _ => assert!(
                last.is_none() && kinds.iter().all(|it| *it == "credit_missing"),
                "{id}: {kinds:?}"
            ),
        }
    }
}
