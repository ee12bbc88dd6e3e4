//! Services that are away for a while.

use settlewatch_tests::broker::{Cluster, Group, Setup, Signal, Traffic, until};

use crate::script::{SOON, Script, by_payment, pass_beginning, pass_ms, settle};

pub(crate) fn what_was_credited_in_time_while_nobody_looked_alerts_nobody() {
    let cluster = Cluster::shared();
    let group = Group::new(&cluster, "down", Setup::default());
    let service = group.start_ready("one");
    let script = Script::new(&group);
    script.barrier("before");
    let credited: Vec<String> = (0..24).map(|i| format!("down-{i}")).collect();
    for id in &credited[..12] {
        script.pay(id);
    }
    service.kill();
    for id in &credited[..12] {
        script.credit(id);
    }
    for id in &credited[12..] {
        script.pay(id);
        script.credit(id);
    }
    let lost: Vec<String> = (0..4).map(|i| format!("down-lost-{i}")).collect();
    for id in &lost {
        script.pay(id);
    }
    // Three times the last deadline.
    pass_ms(12_000);
    let service = group.start_ready("one");
    script.until_alerted(lost.iter().map(String::as_str));
    script.barrier("after");
    let expected = settle(&group);
    service.stop();
    let alerted = by_payment(&group.output("alerts"));
    for id in &credited {
        assert!(
            !alerted.contains_key(id),
            "{id} was credited in time: {:?}",
            alerted[id]
        );
    }
    expected.compare(&group).assert("downtime");
}

pub(crate) fn a_service_that_was_stopped_beyond_its_session_changes_nothing() {
    let cluster = Cluster::shared();
    let group = Group::new(&cluster, "zombie", Setup::quick());
    let mut services = [group.start("one", "", &[]), group.start("two", "", &[])];
    services.iter_mut().for_each(|it| it.wait_until_ready());
    pass_beginning(&group);
    let traffic = Traffic::start(&group, 5, 20);
    for round in 0..4 {
        let (zombie, other) = (round % 2, 1 - round % 2);
        pass_ms(300 * i64::try_from(round).expect("few"));
        services[zombie].signal(Signal::STOP);
        let assigned =
            |service: usize| services[service].metric("settlewatch_assigned_partitions", "");
        until("the other one has everything", SOON, || {
            assigned(other).filter(|count| *count > 2.5)
        });
        services[other].wait_until_ready();
        pass_ms(1_500);
        services[zombie].signal(Signal::CONT);
        let assigned =
            |service: usize| services[service].metric("settlewatch_assigned_partitions", "");
        until("both have something", SOON, || {
            let all = [assigned(0)?, assigned(1)?];
            (all[0] > 0.5 && all[1] > 0.5 && all[0] + all[1] < 3.5).then_some(())
        });
        services.iter_mut().for_each(|it| it.wait_until_ready());
    }
    traffic.finish();
    let expected = settle(&group);
    services.into_iter().for_each(|it| it.stop());
    expected.compare(&group).assert("four zombies");
}

pub(crate) fn credits_that_retention_took_are_a_hole_and_no_storm() {
    let cluster = Cluster::shared();
    let group = Group::new(&cluster, "hole", Setup::default());
    let service = group.start_ready("one");
    let script = Script::new(&group);
    script.barrier("before");
    // With a snapshot, so that what was applied is not needed again.
    service.stop();
    let within: Vec<String> = (0..30).map(|i| format!("hole-{i}")).collect();
    for id in &within {
        script.pay(id);
        script.credit(id);
    }
    let admin = cluster.admin();
    for partition in 0..3 {
        let (_, end) = admin.ends(&group.topic("credits"), partition);
        admin.delete_before(&group.topic("credits"), partition, end);
    }
    pass_ms(5_000);
    let mut service = group.start_ready("one");
    let holes = || service.metric("settlewatch_input_holes_total", "stream=\"credits\"");
    until("the hole is told", SOON, || {
        holes().filter(|count| *count > 0.5)
    });
    let written_off = || {
        let closed = service.metric(
            "settlewatch_payments_closed_total",
            "outcome=\"written_off\"",
        )?;
        (closed > 29.5).then_some(closed)
    };
    until("payments of the hole are written off", SOON, written_off);
    // Only now: what is paid before the end of a hole is known belongs to it.
    script.barrier("after");
    let log = service.log();
    assert!(service.process().ended().is_none(), "it goes on");
    service.stop();
    assert!(log.contains("deleted before they were read"), "{log}");
    let alerted = by_payment(&group.output("alerts"));
    for id in &within {
        assert!(
            !alerted.contains_key(id),
            "{id} was paid within the hole: {:?}",
            alerted[id]
        );
    }
}
