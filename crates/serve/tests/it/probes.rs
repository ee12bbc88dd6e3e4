//! Whether a process lives, and whether it does all that it has to do.

use std::time::Duration;

use crate::{idle_lane, metrics, partition};

#[test]
fn a_lane_that_hangs_is_told_and_one_that_waits_for_kafka_is_not() {
    let metrics = metrics(100);
    let (hangs, calls) = (metrics.lane("lane-0"), metrics.lane("lane-1"));
    calls.calling(true);
    assert_eq!(metrics.stuck(), []);
    std::thread::sleep(Duration::from_millis(250));
    let stuck = metrics.stuck();
    assert_eq!(stuck.len(), 1);
    assert_eq!(stuck[0].0, "lane-0");
    hangs.look(&idle_lane(), None);
    calls.calling(false);
    assert_eq!(metrics.stuck(), []);
}

#[test]
fn ready_is_assigned_and_restored_or_nothing_to_do() {
    let metrics = metrics(100);
    assert!(!metrics.is_ready(), "there is no lane");
    let lane = metrics.lane("lane-0");
    assert!(!metrics.is_ready(), "the group has not answered");
    lane.rebalanced(&[]);
    assert!(metrics.is_ready(), "the group has nothing for us");
    lane.rebalanced(&[0, 1]);
    assert!(!metrics.is_ready(), "nothing is restored");
    lane.restoring(0, 1000);
    lane.restored(0, &partition(0));
    let (_, _, status) = metrics.lanes().remove(0);
    assert_eq!(status.restore.ratio().to_string(), "0.5");
    assert_eq!((status.restore.records, status.restore.bytes), (1, 1000));
    assert!(!metrics.is_ready(), "half of it is restored");
}
