//! Clocks of machines that differ by minutes.
//!
//! The brokers' clock is the one that is moved: librdkafka under libfaketime spins, Java does not, and what counts is
//! how far the two are apart.

use settlewatch_tests::broker::{Cluster, Group, Options, Setup, now_ms};

use crate::script::{pass_beginning, play, settle};

fn with_clocks_apart(name: &str, offset: &'static str, offset_ms: i64) {
    let cluster = Cluster::start(&Options {
        clock: Some(offset),
        ..Options::default()
    });
    let group = Group::new(&cluster, name, Setup::default());
    let mut service = group.start("one", "one", &[]);
    service.wait_until_ready();
    pass_beginning(&group);
    play(&group, 31, 20, 4_000);
    let expected = settle(&group);
    service.stop();
    let last = group
        .output("alerts")
        .last()
        .map(|alert| alert.ts - now_ms())
        .unwrap_or(0);
    assert!(
        (last - offset_ms).abs() < 120_000,
        "the brokers' clock is off by {last} ms only"
    );
    expected
        .compare(&group)
        .assert(&format!("brokers whose clock is off by {offset}"));
}

#[test]
fn brokers_that_are_ten_minutes_behind_us_decide_as_ever() {
    with_clocks_apart("behind", "-10m", -600_000);
}

#[test]
fn brokers_that_are_ten_minutes_ahead_of_us_decide_as_ever() {
    with_clocks_apart("ahead", "+10m", 600_000);
}
