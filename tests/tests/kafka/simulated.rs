//! Simulated traffic through Kafka, with a fault on a schedule.

use settlewatch_tests::broker::{Cluster, Group, Setup, read_all};

use crate::script::{pass_beginning, settle};

pub(crate) fn simulated_traffic_is_judged_as_it_is_replayed() {
    let cluster = Cluster::shared();
    let group = Group::new(&cluster, "simulated", Setup::default());
    let service = group.start_ready("one");
    pass_beginning(&group);
    let (status, told) = group.command(&[
        "simulate",
        "--rate",
        "60",
        "--duration",
        "15s",
        "--scenario",
        "channel-stopped@6s-12s:alipay,duplicate-credit@5s-14s",
    ]);
    assert_eq!(status, Some(0), "{told}");
    let payments = read_all(&cluster, &group.topic("payments")).len();
    assert!((400..800).contains(&payments), "{payments} payments");
    let expected = settle(&group);
    service.stop();
    expected.compare(&group).assert("simulated traffic");
    let alerts = group.output("alerts");
    let of = |kind: &str, channel: &str| {
        let lines = alerts.iter().map(|record| record.json());
        lines
            .filter(|line| line["kind"] == kind && line["channel"] == channel)
            .count()
    };
    assert!(of("credit_missing", "alipay") > 10);
    let (status, told) = group.command(&["simulate", "--scenario", "channel-stopped@5s"]);
    assert_eq!(status, Some(2), "{told}");
}
