//! What a healthy service writes.

use std::time::Duration;

use settlewatch_tests::broker::{Cluster, Expected, Group, Setup, Traffic, now_ms, until, untold};

#[test]
fn a_service_writes_what_a_replay_writes() {
    let cluster = Cluster::shared();
    let group = Group::new(&cluster, "plain", Setup::default());
    let service = group.start_ready("one");
    let begun = now_ms() + 4_200;
    until("the group has begun", Duration::from_secs(30), || {
        (now_ms() > begun).then_some(())
    });
    let traffic = Traffic::start(&group, 1, 25);
    let enough = now_ms() + 8_000;
    until("there is traffic", Duration::from_secs(30), || {
        (now_ms() > enough).then_some(())
    });
    let told = traffic.finish();
    println!("{told:?}, never: {:?}", untold(&told));
    let expected = Expected::of(&group);
    expected.wait_for(&group, Duration::from_secs(40));
    service.stop();
    expected.compare(&group).assert("a healthy service");
}
