//! Services whose machine has the wrong time.

use settlewatch_tests::broker::{Cluster, Group, Setup, clock_library, now_ms};
use settlewatch_tests::reference::parse_ms;

use crate::script::{delays_ms, pass_beginning, play, settle, spread};

/// How far the clock of a log may be from where it was moved to.
const ABOUT_MS: i64 = 120_000;

fn with_clocks_apart(name: &str, offset_s: i64) {
    let cluster = Cluster::shared();
    let group = Group::new(&cluster, name, Setup::default());
    let library = clock_library(&cluster.folder().join(name));
    let library = library.to_str().expect("the path is text");
    let offset = offset_s.to_string();
    let env = [("LD_PRELOAD", library), ("CLOCK_OFFSET_S", offset.as_str())];
    let mut service = group.start("one", "one", &env);
    service.wait_until_ready();
    pass_beginning(&group);
    play(&group, 31, 20, 4_000);
    let expected = settle(&group);
    let log = service.log();
    service.stop();
    let off_ms = last_told_ms(&log) - now_ms() - offset_s * 1_000;
    assert!(
        off_ms.abs() < ABOUT_MS,
        "its clock is {off_ms} ms from there"
    );
    expected
        .compare(&group)
        .assert(&format!("a clock that is off by {offset_s} s"));
    let [median, p99, max] = spread(&delays_ms(&group.output("alerts")));
    println!("due to appended: median {median} ms, p99 {p99} ms, at most {max} ms");
    assert!(
        p99 < 3_000,
        "deadlines wait for the wrong clock: p99 {p99} ms"
    );
}

/// When the last line of a log was written, by the clock of its writer.
fn last_told_ms(log: &str) -> i64 {
    let times = log.lines().filter_map(|line| line.split(' ').next());
    let told = times.filter_map(parse_ms).next_back();
    told.expect("lines of a log begin with their time")
}

pub(crate) fn a_clock_that_is_ten_minutes_slow_decides_nothing() {
    with_clocks_apart("slow", -600);
}

pub(crate) fn a_clock_that_is_ten_minutes_fast_decides_nothing() {
    with_clocks_apart("fast", 600);
}
