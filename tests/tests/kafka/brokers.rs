//! Brokers that restart, stop and die.
//!
//! Kafka up to 4.3 ends a transaction without its markers where a partition has no leader at that moment
//! (KAFKA-20734), which tears it whatever its client does. Of three brokers one always leads; a broker that is alone goes
//! when no transaction is open.

use std::time::Duration;

use settlewatch_tests::broker::{
    Cluster, Group, Options, Rules, Service, Setup, Signal, Traffic, short_rules, until,
};

use crate::script::{SOON, Script, by_payment, pass_beginning, pass_ms, settle};

/// Rules by which payments wait while a broker is away.
fn patient_rules() -> Rules {
    let mut rules = short_rules();
    for rule in &mut rules.rules {
        rule.tiers.truncate(1);
        rule.tiers[0].after_ms = 12_000;
    }
    rules
}

/// Pauses a service between two transactions.
fn pause_between(group: &Group<'_>, service: &mut Service) {
    let admin = group.cluster.admin();
    let topics = ["alerts", "dead_letters", "state", "pairs", "pulse"].map(|of| group.topic(of));
    let count = i32::try_from(group.setup.partitions).expect("partitions are few");
    until("no transaction is open", SOON, || {
        service.signal(Signal::STOP);
        let is_open = |topic: &String| (0..count).any(|at| admin.is_open(topic, at));
        if topics.iter().any(is_open) {
            service.signal(Signal::CONT);
            return None;
        }
        Some(())
    });
}

pub(crate) fn a_lone_broker_that_restarts_loses_nobody_who_waits() {
    let cluster = Cluster::start(&Options::default());
    let setup = Setup {
        rules: patient_rules(),
        ..Setup::default()
    };
    let group = Group::new(&cluster, "restart", setup);
    let mut service = group.start_ready("one");
    let script = Script::new(&group);
    let mut lost = Vec::new();
    for killed in [false, true] {
        let ids: Vec<String> = (0..24).map(|i| format!("restart-{killed}-{i}")).collect();
        for id in &ids {
            script.pay(id);
        }
        pause_between(&group, &mut service);
        if killed {
            cluster.node(0).kill();
        } else {
            cluster.node(0).stop();
        }
        service.signal(Signal::CONT);
        // Beyond the session, or not.
        pass_ms(if killed { 1_000 } else { 7_000 });
        cluster.node(0).start();
        cluster.node(0).wait_until_ready();
        for id in &ids[..12] {
            script.credit(id);
        }
        lost.extend_from_slice(&ids[12..]);
        script.until_alerted(ids[12..].iter().map(String::as_str));
    }
    service.wait_until_ready();
    let expected = settle(&group);
    service.stop();
    let alerted = by_payment(&group.output("alerts"));
    assert!(lost.iter().all(|id| alerted.contains_key(id)));
    expected
        .compare(&group)
        .assert("a broker that was stopped and killed");
}

/// Moments in which a broker that pauses again and again answers: of its partitions some have leaders then, others not yet.
const AWAKE_MS: [i64; 3] = [300, 700, 1_500];

/// Beyond the session of a broker.
const PAUSED_MS: i64 = 10_000;

/// Beyond its session a broker is fenced: clients that ask in between are told of no leader at all, and must find it
/// again.
pub(crate) fn a_broker_that_pauses_is_found_again_by_every_client() {
    let cluster = Cluster::start(&Options::default());
    let setup = Setup {
        rules: patient_rules(),
        ..Setup::default()
    };
    let group = Group::new(&cluster, "pause", setup);
    let mut services = ["one", "two"].map(|name| group.start_ready(name));
    let script = Script::new(&group);
    let ids: Vec<String> = (0..24).map(|i| format!("pause-{i}")).collect();
    for id in &ids {
        script.pay(id);
    }
    for service in &mut services {
        pause_between(&group, service);
    }
    cluster.node(0).signal(Signal::STOP);
    for service in &mut services {
        service.signal(Signal::CONT);
    }
    for awake_ms in AWAKE_MS {
        pass_ms(PAUSED_MS);
        cluster.node(0).signal(Signal::CONT);
        pass_ms(awake_ms);
        cluster.node(0).signal(Signal::STOP);
    }
    pass_ms(PAUSED_MS);
    cluster.node(0).signal(Signal::CONT);
    cluster.node(0).wait_until_ready();
    for id in &ids[..12] {
        script.credit(id);
    }
    script.until_alerted(ids[12..].iter().map(String::as_str));
    for service in &mut services {
        service.wait_until_ready();
    }
    until("one watch is active", SOON, || {
        let active = services
            .iter()
            .map(|it| it.metric("settlewatch_watch_active", ""));
        (active.filter(|it| *it == Some(1.0)).count() == 1).then_some(())
    });
    let expected = settle(&group);
    for service in services {
        service.stop();
    }
    let alerted = by_payment(&group.output("alerts"));
    assert!(ids[12..].iter().all(|id| alerted.contains_key(id)));
    expected.compare(&group).assert("a broker that paused");
}

pub(crate) fn of_three_brokers_one_pauses_one_dies_one_restarts() {
    let cluster = Cluster::start(&Options {
        three: true,
        ..Options::default()
    });
    let group = Group::new(&cluster, "three", Setup::default());
    let mut service = group.start_ready("one");
    pass_beginning(&group);
    let traffic = Traffic::start(&group, 22, 10);
    pass_ms(2_000);
    cluster.node(0).signal(Signal::STOP);
    pass_ms(6_000);
    cluster.node(0).signal(Signal::CONT);
    until_replicated(&group);
    cluster.node(1).kill();
    pass_ms(5_000);
    cluster.node(1).start();
    cluster.node(1).wait_until_ready();
    until_replicated(&group);
    cluster.node(2).stop();
    pass_ms(1_000);
    cluster.node(2).start();
    cluster.node(2).wait_until_ready();
    until_replicated(&group);
    traffic.finish();
    service.wait_until_ready();
    let expected = settle(&group);
    let log = service.log();
    assert!(!log.contains("replication factor"), "of three: {log}");
    service.stop();
    expected
        .compare(&group)
        .assert("three brokers, one paused, one killed, one restarted");
}

/// Waits until all brokers have everything: then any of them may go.
fn until_replicated(group: &Group<'_>) {
    let admin = group.cluster.admin();
    until("all replicas are in sync", Duration::from_secs(90), || {
        admin.is_replicated(3).then_some(())
    });
}
