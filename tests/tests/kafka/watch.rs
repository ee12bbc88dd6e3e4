//! The watch: what it says live, and what it says when somebody dies.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use settlewatch_join::Timestamp;
use settlewatch_replay::Until;
use settlewatch_tests::broker::{
    Cluster, Group, Outgoing, Record, Service, Setup, Tail, die_in_every_phase, kcat_lines, now_ms,
    read_all, until,
};
use settlewatch_tests::harness::Bench;
use settlewatch_tests::reference::{Config, Rule, STREAMS, Tier, parse_ms};

use crate::script::{SOON, Script, pass_ms};
use crate::told::{Follower, assert_told};

/// Whatever is waited for that takes minutes by itself.
const LATER: Duration = Duration::from_secs(400);

/// How far apart the onset of an incident may be, live and in a replay, in milliseconds.
const ONSET_MS: i64 = 5_000;

/// Traffic in which one channel stops for a while.
const STOPPED: [&str; 6] = [
    "--rate",
    "40",
    "--duration",
    "330s",
    "--scenario",
    "channel-stopped@120s-210s:alipay",
];

/// Traffic without a fault.
const HEALTHY: [&str; 4] = ["--rate", "30", "--duration", "150s"];

/// Rules under which simulated payments are credited in time.
fn rules() -> Config {
    let tier = |name: &str, after_ms| Tier {
        name: name.into(),
        after_ms,
    };
    let default = Rule {
        name: "default".into(),
        tiers: [tier("warn", 30_000), tier("breach", 120_000)].into(),
        ..Rule::default()
    };
    Config {
        rules: [default].into(),
        give_up_ms: 600_000,
        orphan_after_ms: 120_000,
        duplicate_window_ms: 600_000,
        redelivery_horizon_ms: 26 * 3_600_000,
        hold_limit_ms: 600_000,
    }
}

fn setup() -> Setup {
    Setup {
        rules: rules(),
        start_at: "latest".into(),
        ..Setup::quick()
    }
}

/// Every revision in the read-committed view, by incident: each once, without a gap.
fn revisions(group: &Group<'_>) -> BTreeMap<String, Vec<Value>> {
    let mut all = BTreeMap::<String, Vec<Value>>::new();
    for record in group.output("incidents") {
        let line = record.json();
        let id = line["incident_id"].as_str().expect("an id").to_owned();
        assert_eq!(record.key.as_deref(), Some(id.as_bytes()));
        all.entry(id).or_default().push(line);
    }
    for (id, revisions) in &all {
        let numbers: Vec<u64> = revisions
            .iter()
            .map(|it| it["revision"].as_u64().expect("a number"))
            .collect();
        let expected: Vec<u64> = (1..=numbers.len() as u64).collect();
        assert_eq!(numbers, expected, "{id}: each once, none missing");
    }
    all
}

/// Waits for a revision that is as it is wanted.
fn until_said(group: &Group<'_>, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let mut tail = Tail::new(group.cluster, &group.topic("incidents"), true);
    until(what, LATER, || {
        let records = tail.refresh();
        records.iter().map(Record::json).find(|it| wanted(it))
    })
}

fn is(line: &Value, verdict: &str, state: &str) -> bool {
    line["verdict"] == verdict && line["state"] == state
}

fn active(service: &Service) -> bool {
    service.metric("settlewatch_watch_active", "") == Some(1.0)
}

/// How long credits take is told by the active watch alone, channel by channel.
fn assert_tells_lags([active, other]: [&Service; 2]) {
    let lags = |service: &Service| service.samples("settlewatch_credit_lag_quantile_seconds");
    let told = lags(active);
    assert!(!told.is_empty(), "the active watch tells lags");
    for quantile in ["0.5", "0.95", "0.99"] {
        let label = format!("quantile=\"{quantile}\"");
        let of_quantile = told.iter().filter(|(labels, _)| labels.contains(&label));
        let known: Vec<f64> = of_quantile.map(|(_, seconds)| *seconds).collect();
        let plausible =
            |seconds: &f64| *seconds > 0.0 && (*seconds < 60.0 || seconds.is_infinite());
        assert!(known.len() > 2, "{quantile} of every channel: {told:?}");
        assert!(known.iter().all(plausible), "{quantile}: {told:?}");
    }
    assert_eq!(lags(other), [], "from the active watch alone");
}

/// Traffic of the simulator in the background, in real time.
fn simulate<'s>(
    scope: &'s thread::Scope<'s, '_>,
    group: &'s Group<'_>,
    arguments: &'static [&'static str],
) -> thread::ScopedJoinHandle<'s, ()> {
    scope.spawn(move || {
        let arguments = [&["simulate"], arguments].concat();
        let (status, told) = group.command(&arguments);
        assert_eq!(status, Some(0), "{told}");
    })
}

/// What a replay of everything in the inputs says, up to now.
fn replayed(group: &Group<'_>) -> Vec<Value> {
    let inputs = STREAMS.map(|stream| read_all(group.cluster, &group.topic(stream)));
    let files: Vec<Vec<u8>> = inputs.iter().map(|records| kcat_lines(records)).collect();
    let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
    let now = Timestamp::from_millis(now_ms());
    let bench = Bench::new(&group.rules_text()).until(Until::Time(now));
    let written = bench.bytes(&files).expect("the inputs can be replayed");
    let lines = written.lines_of("incidents.ndjson");
    let mut last = BTreeMap::new();
    for line in lines {
        let id = line["incident_id"].as_str().expect("an id").to_owned();
        last.insert(id, line);
    }
    last.into_values().collect()
}

fn started_ms(line: &Value) -> i64 {
    line["started_at"]
        .as_str()
        .and_then(parse_ms)
        .expect("a time")
}

pub(crate) fn a_fault_live_is_the_incident_of_its_replay_though_the_watch_dies_in_every_phase() {
    let cluster = Cluster::shared();
    let group = Group::new(&cluster, "watched", setup());
    let watch = |env: &[(&str, &str)]| group.start_with("watch", "watch", "roles: [watch]\n", env);
    let mut lanes = group.start_with("lanes", "lanes", "roles: [join]\n", &[]);
    let mut service = watch(&[]);
    lanes.wait_until_ready();
    service.wait_until_ready();
    let follower = Follower::start(&group);
    thread::scope(|scope| {
        let traffic = simulate(scope, &group, &STOPPED);
        let opened = until_said(&group, "the fault is seen", |it| {
            it["scope"]["channel"] == "alipay"
        });
        // In the middle of the incident, its baseline frozen.
        service.kill();
        die_in_every_phase(watch);
        let service = watch(&[]);
        until("it judges again", SOON, || active(&service).then_some(()));
        let id = opened["incident_id"].clone();
        let resolved = until_said(&group, "the fault is over", |it| {
            it["incident_id"] == id && it["state"] == "resolved"
        });
        traffic.join().expect("the traffic ends");
        service.stop();
        lanes.stop();
        let live = revisions(&group);
        let written = &live[id.as_str().expect("an id")];
        follower.assert_showed(written);
        assert_told(&group, written);
        let ends = written
            .iter()
            .filter(|it| it["state"] == "resolved")
            .count();
        assert_eq!(ends, 1, "it is over once, and was not opened again");
        let of_channel: Vec<&Value> = live
            .values()
            .filter_map(|revisions| revisions.last())
            .filter(|it| it["scope"]["channel"] == "alipay")
            .collect();
        assert_eq!(of_channel.len(), 1, "one incident a fault: {of_channel:?}");
        let replayed = replayed(&group);
        let expected: Vec<&Value> = replayed
            .iter()
            .filter(|it| it["scope"]["channel"] == "alipay")
            .collect();
        assert_eq!(expected.len(), 1, "{replayed:?}");
        assert_eq!(resolved["verdict"], expected[0]["verdict"]);
        assert_eq!(resolved["scope"], expected[0]["scope"]);
        let apart_ms = started_ms(&resolved) - started_ms(expected[0]);
        println!("onset live less onset in replay: {apart_ms} ms");
        assert!(apart_ms.abs() <= ONSET_MS, "{apart_ms} ms apart");
    });
}

pub(crate) fn what_is_not_read_is_said_and_accuses_nobody_though_the_active_watch_dies() {
    let cluster = Cluster::shared();
    let group = Group::new(&cluster, "unread", setup());
    let topic = group.topic("terminals");
    let start = |name: &str, role: &str| {
        let roles = format!("roles: [{role}]\n");
        group.start_with(name, name, &roles, &[])
    };
    let (mut one, mut two) = (start("watch-1", "watch"), start("watch-2", "watch"));
    let mut lanes = start("lanes", "join");
    for service in [&mut one, &mut two, &mut lanes] {
        service.wait_until_ready();
    }
    until("one is active", SOON, || {
        (active(&one) != active(&two)).then_some(())
    });
    group
        .producer()
        .send(&Outgoing::event(&topic, "T1", "no event at all"))
        .wait();
    thread::scope(|scope| {
        let traffic = simulate(scope, &group, &HEALTHY);
        pass_ms(50_000);
        assert_tells_lags(if active(&one) {
            [&one, &two]
        } else {
            [&two, &one]
        });
        lanes.kill();
        let said = until_said(&group, "what is not read is said", |it| {
            is(it, "MONITOR_BEHIND", "open")
        });
        let (dead, mut alive) = if active(&one) { (one, two) } else { (two, one) };
        let unreadable = dead.metric("settlewatch_watch_unreadable_total", "auxiliary");
        assert_eq!(unreadable, Some(1.0), "auxiliary topics are read");
        let blind = dead.metric("settlewatch_watch_blind_partitions", "");
        assert_eq!(blind, Some(3.0));
        dead.kill();
        until("the other one takes over", SOON, || {
            active(&alive).then_some(())
        });
        let mut lanes = start("lanes", "join");
        lanes.wait_until_ready();
        let id = said["incident_id"].clone();
        until_said(&group, "it is over", |it| {
            it["incident_id"] == id && it["state"] == "resolved"
        });
        assert_eq!(
            alive.metric("settlewatch_watch_blind_partitions", ""),
            Some(0.0)
        );
        traffic.join().expect("the traffic ends");
        alive.wait_until_ready();
        lanes.stop();
        alive.stop();
    });
    let said = revisions(&group);
    let others: Vec<&Value> = said
        .values()
        .flatten()
        .filter(|it| it["verdict"] != "MONITOR_BEHIND")
        .collect();
    assert!(others.is_empty(), "nobody else is to blame: {others:?}");
    assert_eq!(said.len(), 1, "{said:?}");
}

pub(crate) fn alerts_go_on_where_the_state_of_the_watch_is_lost() {
    let cluster = Cluster::shared();
    let group = Group::new(&cluster, "stateless", Setup::quick());
    let start = |name: &str| group.start_with(name, "one", "roles: [join, watch]\n", &[]);
    let service = start("before");
    let (admin, state) = (cluster.admin(), group.topic("watch_state"));
    until("it judges", SOON, || active(&service).then_some(()));
    let (_, begun) = admin.ends(&state, 0);
    Script::new(&group).barrier("before");
    until("its steps are written", SOON, || {
        (admin.ends(&state, 0).1 > begun + 4).then_some(())
    });
    service.stop();
    let (_, end) = admin.ends(&state, 0);
    admin.delete_before(&state, 0, end);
    let service = start("after");
    let failed = || {
        service
            .get("/readyz")
            .filter(|(_, body)| body.contains("a person"))
    };
    let (status, _) = until("the watch has ended", SOON, failed);
    assert_eq!(status, 503, "somebody must look");
    Script::new(&group).barrier("alone");
    assert!(service.log().contains("To begin anew"), "{}", service.log());
    assert_eq!(service.metric("settlewatch_watch_active", ""), Some(0.0));
    let alive = service.get("/livez").map(|(status, _)| status);
    assert_eq!(alive, Some(200), "another start would not help");
    service.stop();
}
