//! A machine whose clock is wrong.

use std::path::Path;

use settlewatch_tests::broker::{Cluster, Group, Setup};

use crate::script::{pass_beginning, play, settle};

/// Where Debian puts it.
const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

fn with_clock(name: &str, offset: &str) {
    assert!(
        Path::new(LIBRARY).exists(),
        "{LIBRARY} is missing (Debian: libfaketime)"
    );
    let cluster = Cluster::shared();
    let group = Group::new(&cluster, name, Setup::default());
    let env = [
        ("LD_PRELOAD", LIBRARY),
        ("FAKETIME", offset),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ("DONT_FAKE_MONOTONIC", "1"),
    ];
    let mut service = group.start("one", "one", &env);
    service.wait_until_ready();
    pass_beginning(&group);
    play(&group, 31, 20, 4_000);
    let expected = settle(&group);
    service.stop();
    expected
        .compare(&group)
        .assert(&format!("a clock that is off by {offset}"));
}

#[test]
fn a_clock_that_is_ten_minutes_behind_decides_nothing() {
    with_clock("behind", "-10m");
}

#[test]
fn a_clock_that_is_ten_minutes_ahead_decides_nothing() {
    with_clock("ahead", "+10m");
}
