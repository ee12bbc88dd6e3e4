//! Every scenario that `simulate` stages comes out of a replay as the truth beside it says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use settlewatch_sim::{Fault, Plan, Rate, Scenario, write_dir};
use settlewatch_tests::harness::{Bench, Written};
use tempfile::TempDir;

const TOPICS: [&str; 4] = ["payments", "credits", "lifecycle", "terminals"];
const PARTITIONS: [usize; 3] = [1, 7, 48];

/// Payment and kind.
type Key = (String, String);

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}

fn key(value: &Value) -> Key {
    (text(value, "payment_id"), text(value, "kind"))
}

/// Ten minutes of `scenario`, written to `folder`.
fn simulate(scenario: Scenario, seed: u64, folder: &Path) -> Value {
    let plan = Plan::builder()
        .seed(seed)
        .rate(Rate::per_second(10))
        .duration_ms(600_000)
        .fault(Fault::new(scenario))
        .build()
        .expect("the plan can be carried out");
    write_dir(&plan, folder).expect("the folder can be written to");
    let truth = std::fs::read(folder.join("truth.json")).expect("the truth was written");
    serde_json::from_slice(&truth).expect("the truth is JSON")
}

fn replay(folder: &Path, partitions: usize) -> Written {
    let files: Vec<PathBuf> = TOPICS
        .map(|topic| folder.join(format!("{topic}.ndjson")))
        .into();
    Bench::of_file(&folder.join("settlewatch.yaml"))
        .partitions(partitions)
        .paths(files)
        .expect("what simulate writes can be read")
}

/// What an expected alert and its revisions disagree on.
fn disagreements(expected: &Value, revisions: &[&Value]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut differ = |what: &str, wanted: &Value, got: Value| {
        if *wanted != got {
            wrong.push(format!("{what}: {wanted} expected, {got} written"));
        }
    };
    let (first, last) = (revisions[0], revisions[revisions.len() - 1]);
    let resolved = revisions.iter().find(|it| it["state"] == "resolved");
    differ(
        "opens_at",
        &expected["opens_at"],
        first["decided_at"].clone(),
    );
    differ(
        "resolution",
        &expected["resolution"],
        resolved.map_or(Value::Null, |it| it["resolution"].clone()),
    );
    differ(
        "resolves_at",
        &expected["resolves_at"],
        resolved.map_or(Value::Null, |it| it["decided_at"].clone()),
    );
    let verdicts = expected["verdicts"].as_array();
    if let Some(verdicts) = verdicts.filter(|it| !it.is_empty())
        && !verdicts.contains(&last["verdict"])
    {
        wrong.push(format!(
            "verdict: one of {verdicts:?} expected, {} written",
            last["verdict"]
        ));
    }
    for (tier, at) in expected["tiers"].as_object().into_iter().flatten() {
        let passed = revisions.iter().find(|it| it["tier"] == tier.as_str());
        if passed.is_none_or(|it| it["decided_at"] != *at) {
            wrong.push(format!("tier {tier}: {at} expected"));
        }
    }
    wrong
}

/// Holds `written` against `truth`; returns how many alerts were compared.
fn compare(truth: &Value, written: &Written, of: &str) -> usize {
    let mut alerts = BTreeMap::<Key, Vec<&Value>>::new();
    for alert in &written.alerts {
        alerts.entry(key(alert)).or_default().push(alert);
    }
    let expected = truth["alerts"].as_array().expect("the truth lists alerts");
    let mut wrong = Vec::new();
    for entry in expected {
        match alerts.remove(&key(entry)) {
            None => wrong.push(format!("{:?} is missing", key(entry))),
            Some(revisions) => wrong.extend(
                disagreements(entry, &revisions)
                    .into_iter()
                    .map(|what| format!("{:?}: {what}", key(entry))),
            ),
        }
    }
    wrong.extend(alerts.keys().map(|key| format!("{key:?} was not expected")));
    assert!(wrong.is_empty(), "{of}: {wrong:#?}");
    expected.len()
}

#[test]
fn the_truth_of_every_scenario_comes_out() {
    let mut compared = 0;
    for (i, scenario) in Scenario::all().enumerate() {
        let seed = 11 + i as u64;
        let partitions = PARTITIONS[i % PARTITIONS.len()];
        let folder = TempDir::new().expect("a temporary folder can be made");
        let truth = simulate(scenario, seed, folder.path());
        let of = format!("{} seed {seed} partitions {partitions}", scenario.name());
        let alerts = compare(&truth, &replay(folder.path(), partitions), &of);
        println!("{of}: {alerts} alerts as the truth says");
        compared += alerts;
    }
    assert!(compared > 500, "only {compared} alerts were compared");
}

/// Twenty minutes of a world that the seed draws, with three scenarios at once.
#[test]
fn the_truth_of_drawn_plans_comes_out() {
    let drawn: [&[Scenario]; 4] = [
        &[Scenario::SyncDelay, Scenario::Decline, Scenario::Orphan],
        &[
            Scenario::NetworkRegion,
            Scenario::RiskHoldOverdue,
            Scenario::FeeMismatch,
        ],
        &[
            Scenario::ChannelPeak,
            Scenario::BatchMissed,
            Scenario::DuplicatePayment,
        ],
        &[Scenario::GatewayDelay, Scenario::Silence, Scenario::Refund],
    ];
    for (scenarios, seed) in drawn.into_iter().zip(70..) {
        let plan = Plan::drawn(seed, scenarios);
        let plan = plan.build().expect("the plan can be carried out");
        let folder = TempDir::new().expect("a temporary folder can be made");
        let counted = write_dir(&plan, folder.path()).expect("the folder can be written to");
        let names: Vec<_> = scenarios.iter().map(|it| it.name()).collect();
        let of = format!("{} seed {seed}", names.join(","));
        let alerts = compare(&counted.json(&plan), &replay(folder.path(), 7), &of);
        println!("{of}: {alerts} alerts as the truth says");
        assert!(alerts > 100, "{of}: only {alerts} alerts were compared");
    }
}
