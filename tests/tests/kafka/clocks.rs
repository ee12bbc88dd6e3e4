//! Clocks of machines that differ by minutes.
//!
//! The brokers' clock is the one that is moved: what counts is how far the two are apart, and librdkafka waits by the
//! wall clock, which cannot be moved under it.

use settlewatch_tests::broker::{Cluster, Group, Options, Setup, now_ms};

use crate::script::{pass_beginning, play, settle};

fn with_clocks_apart(name: &str, offset_s: i64) {
    let cluster = Cluster::start(&Options {
        clock_offset_s: Some(offset_s),
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
        (last - offset_s * 1_000).abs() < 120_000,
        "the brokers' clock is off by {last} ms only"
    );
    expected
        .compare(&group)
        .assert(&format!("brokers whose clock is off by {offset_s} s"));
}

#[test]
fn brokers_that_are_ten_minutes_behind_us_decide_as_ever() {
    with_clocks_apart("behind", -600);
}

#[test]
fn brokers_that_are_ten_minutes_ahead_of_us_decide_as_ever() {
    with_clocks_apart("ahead", 600);
}
