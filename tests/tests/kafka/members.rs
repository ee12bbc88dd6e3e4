//! Members of a group that come and go under load.

use settlewatch_tests::broker::{Cluster, Group, Setup, Traffic, until};

use crate::script::{SOON, pass_beginning, pass_ms, settle};

pub(crate) fn members_come_and_go_under_load() {
    let cluster = Cluster::shared();
    let setup = Setup {
        partitions: 4,
        ..Setup::quick()
    };
    let group = Group::new(&cluster, "members", setup);
    let mut one = group.start("one", "", &[]);
    one.wait_until_ready();
    pass_beginning(&group);
    let traffic = Traffic::start(&group, 9, 60);
    pass_ms(1_000);
    let (mut two, mut three) = (group.start("two", "", &[]), group.start("three", "", &[]));
    two.wait_until_ready();
    three.wait_until_ready();
    let has_some = |it: &settlewatch_tests::broker::Service| {
        it.metric("settlewatch_assigned_partitions", "")
            .filter(|count| *count > 0.5)
    };
    until("three share", SOON, || {
        has_some(&one).and(has_some(&two)).and(has_some(&three))
    });
    pass_ms(1_500);
    two.stop();
    pass_ms(1_000);
    one.kill();
    three.wait_until_ready();
    let all = || {
        three
            .metric("settlewatch_assigned_partitions", "")
            .filter(|count| *count > 3.5)
    };
    until("one has everything", SOON, all);
    let mut four = group.start("four", "", &[]);
    four.wait_until_ready();
    traffic.finish();
    let expected = settle(&group);
    four.stop();
    three.stop();
    expected.compare(&group).assert("members that come and go");
}
