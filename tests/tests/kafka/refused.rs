//! What a service refuses, and says what to do.

use std::time::Duration;

use settlewatch_tests::broker::{Cluster, End, Group, Producer, Setup};

use crate::script::{Script, credit};

/// A service that refuses has ended by then.
const REFUSED_WITHIN: Duration = Duration::from_secs(40);

/// Starts a service that must end with status 1, and say all of `words`.
fn refuses(group: &Group<'_>, words: &[&str]) {
    let mut service = group.start("refused", "refused", &[]);
    let end = service.process().wait(REFUSED_WITHIN);
    let log = service.log();
    println!("{log}");
    assert_eq!(end, End::Exit(1), "{log}");
    for word in words {
        assert!(log.contains(word), "{word:?} is not said: {log}");
    }
}

pub(crate) fn inputs_with_different_counts_are_refused() {
    let cluster = Cluster::shared();
    let group = Group::new(&cluster, "counts", Setup::default());
    cluster.admin().grow(&group.topic("credits"), 4);
    refuses(
        &group,
        &["number of partitions", "counts-credits", "--alter"],
    );
}

pub(crate) fn a_partition_that_is_added_stops_the_service() {
    let cluster = Cluster::shared();
    let group = Group::new(&cluster, "grown", Setup::default());
    let mut service = group.start_ready("one");
    Script::new(&group).barrier("before");
    cluster.admin().grow(&group.topic("payments"), 4);
    let end = service.process().wait(REFUSED_WITHIN);
    let log = service.log();
    println!("{log}");
    assert_eq!(end, End::Exit(1), "{log}");
    assert!(
        log.contains("grown-payments") && log.contains("partition"),
        "{log}"
    );
    assert!(
        log.contains("state migrate"),
        "it is not said what to do: {log}"
    );
}

pub(crate) fn partitioners_that_differ_are_refused() {
    let cluster = Cluster::shared();
    let group = Group::new(&cluster, "partitioners", Setup::default());
    let script = Script::new(&group);
    let other = Producer::new(&cluster, &[("partitioner", "consistent_random")]);
    for i in 0..60 {
        let id = format!("id-{i}");
        script.pay(&id);
        other.append(&group.topic("credits"), &id, &credit(&id));
    }
    refuses(&group, &["murmur2", "CRC32", "partitioners-credits"]);
}
