//! Brokers that restart, stop and die.

use settlewatch_tests::broker::{Cluster, Group, Options, Setup, Signal, Traffic};

use crate::script::{pass_beginning, pass_ms, settle};

#[test]
fn a_broker_that_restarts_loses_nothing() {
    let cluster = Cluster::start(&Options::default());
    let group = Group::new(&cluster, "restart", Setup::default());
    let mut service = group.start_ready("one");
    pass_beginning(&group);
    let traffic = Traffic::start(&group, 21, 20);
    pass_ms(2_000);
    cluster.node(0).stop();
    pass_ms(2_000);
    cluster.node(0).start();
    cluster.node(0).wait_until_ready();
    pass_ms(4_000);
    cluster.node(0).kill();
    cluster.node(0).start();
    cluster.node(0).wait_until_ready();
    pass_ms(3_000);
    traffic.finish();
    service.wait_until_ready();
    let expected = settle(&group);
    service.stop();
    expected
        .compare(&group)
        .assert("a broker that was stopped and killed");
}

#[test]
fn of_three_brokers_one_may_stop_and_one_may_die() {
    let cluster = Cluster::start(&Options {
        three: true,
        ..Options::default()
    });
    let group = Group::new(&cluster, "three", Setup::default());
    let mut service = group.start_ready("one");
    pass_beginning(&group);
    let traffic = Traffic::start(&group, 22, 15);
    pass_ms(2_000);
    cluster.node(0).signal(Signal::STOP);
    pass_ms(6_000);
    cluster.node(0).signal(Signal::CONT);
    pass_ms(4_000);
    cluster.node(1).kill();
    pass_ms(5_000);
    cluster.node(1).start();
    cluster.node(1).wait_until_ready();
    pass_ms(2_000);
    traffic.finish();
    service.wait_until_ready();
    let expected = settle(&group);
    service.stop();
    expected
        .compare(&group)
        .assert("three brokers, one stopped, one killed");
}
