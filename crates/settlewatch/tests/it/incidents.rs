//! `incidents`: over the folder of a replay.

use crate::{Ran, folder, run, run_in};

const CHANNEL: &str = r#"{"schema":"settlewatch.incident/1","incident_id":"inc-1","revision":REVISION,"state":"STATE","severity":"critical","verdict":"CHANNEL_DOWN","basis":"inferred","confidence":0.93,"scope":{"channel":"visa"},"opened_at":"2026-03-02T04:00:08.000Z","started_at":"2026-03-02T04:00:00.000Z","updated_at":"2026-03-02T04:0REVISION:00.000Z","resolved_at":RESOLVED,"evidence":{"open":12,"amount_minor":{"CNY":"128000","JPY":"500"},"merchants":6,"terminals":7,"rate_inside":0.98,"rate_outside":0.004,"explains":0.87,"lag_p95_ms":41200,"touched":40,"touched_minor":{"CNY":"428000","JPY":"900"},"credited_late":28,"ruled_out":["no peak: payments come at their usual rate"]},"action":{"code":"SWITCH_CHANNEL","en":"Switch to the backup channel","zh":"切换备用通道"},"samples":["P1","P2"]}"#;

const FEES: &str = r#"{"schema":"settlewatch.incident/1","incident_id":"inc-2","revision":1,"state":"open","severity":"warning","verdict":"FEE_MISMATCH","basis":"inferred","confidence":0.9,"scope":{"region":["east","west"]},"opened_at":"2026-03-02T04:10:00.000Z","started_at":"2026-03-02T04:00:00.000Z","updated_at":"2026-03-02T04:10:00.000Z","resolved_at":null,"evidence":{"open":0,"amount_minor":{},"merchants":1,"terminals":1,"rate_inside":1.0,"rate_outside":0.0,"explains":1.0,"lag_p95_ms":null,"touched":5,"credited_late":0,"ruled_out":[]},"action":{"code":"CHECK_FEES","en":"Check the fee rate and the merchant category","zh":"核对费率与MCC"},"samples":[]}"#;

const ALERTS: &str = r#"{"schema":"settlewatch.alert/1","alert_id":"a1","revision":1,"payment_id":"P1","kind":"credit_missing","state":"open","tier":"warn","channel":"visa","merchant_id":"M1","terminal_id":"T1","amount_minor":1250,"currency":"CNY","paid_at":"2026-03-02T04:01:00.000Z","deadline":"2026-03-02T04:01:30.000Z","decided_at":"2026-03-02T04:01:30.000Z","resolution":null,"verdict":null,"dimensions":{"region":"east"}}
{"schema":"settlewatch.alert/1","alert_id":"a1","revision":2,"payment_id":"P1","kind":"credit_missing","state":"resolved","tier":"warn","channel":"visa","merchant_id":"M1","terminal_id":"T1","amount_minor":1250,"currency":"CNY","paid_at":"2026-03-02T04:01:00.000Z","deadline":"2026-03-02T04:01:30.000Z","decided_at":"2026-03-02T04:02:00.000Z","resolution":"credited_late","verdict":null,"dimensions":{"region":"east"}}
{"schema":"settlewatch.alert/1","alert_id":"a2","revision":1,"payment_id":"P2","kind":"credit_missing","state":"open","tier":"warn","channel":"alipay","merchant_id":"M1","terminal_id":"T1","amount_minor":1250,"currency":"CNY","paid_at":"2026-03-02T04:01:00.000Z","deadline":"2026-03-02T04:01:30.000Z","decided_at":"2026-03-02T04:01:30.000Z","resolution":null,"verdict":null,"dimensions":{"region":"east"}}
"#;

fn channel(revision: &str, state: &str, resolved: &str) -> String {
    let line = CHANNEL
        .replace("REVISION", revision)
        .replace("STATE", state);
    line.replace("RESOLVED", resolved) + "\n"
}

fn folder_of_a_replay() -> tempfile::TempDir {
    let incidents = channel("1", "open", "null")
        + FEES
        + "\n"
        + &channel("2", "resolved", "\"2026-03-02T04:02:00.000Z\"");
    folder(&[("incidents.ndjson", &incidents), ("alerts.ndjson", ALERTS)])
}

fn told(args: &[&str]) -> Ran {
    let folder = folder_of_a_replay();
    let mut all = vec!["incidents"];
    all.extend(args);
    all.extend(["--replayed", "."]);
    run_in(folder.path(), &all)
}

#[test]
fn each_is_a_line_as_it_is_now_and_open_ones_are_first() {
    for args in [["--lang", "en"].as_slice(), &["list", "--lang", "en"]] {
        let ran = told(args);
        assert_eq!((ran.status, ran.err.as_str()), (0, ""));
        let expected = "\
inc-2  warning  open     FEE_MISMATCH           region=east|west  since 2026-03-02T04:00:00.000Z  0 payments as of 2026-03-02T04:10:00.000Z
inc-1  critical resolved CHANNEL_DOWN           channel=visa  since 2026-03-02T04:00:00.000Z  12 payments, 1,280.00 CNY + 500 JPY as of 2026-03-02T04:02:00.000Z
";
        assert_eq!(ran.out, expected);
    }
    let open = told(&["list", "--open", "--lang", "zh"]);
    assert!(open.out.starts_with("inc-2  警告"), "{}", open.out);
    assert_eq!(open.out.lines().count(), 1);
    let json = told(&["list", "--json"]);
    assert_eq!(json.out.lines().next(), Some(FEES));
}

#[test]
fn one_is_told_whole_with_its_revisions_and_payments() {
    let ran = told(&["show", "inc-1", "--payments", "--lang", "en"]);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
    for part in [
        "CHANNEL_DOWN (inferred, 0.93): Switch to the backup channel",
        "切换备用通道",
        "resolved       2026-03-02T04:02:00.000Z",
        "touched        40 payments, 4,280.00 CNY + 900 JPY (of them credited late: 28)",
        "98.00 % here, 0.40 % elsewhere",
        "ruled out      no peak",
        "    1  2026-03-02T04:01:00.000Z  critical open",
        "    2  2026-03-02T04:02:00.000Z  critical resolved",
        "payments with alerts (1)\n  P1  credit_missing resolved credited_late  12.50 CNY",
    ] {
        assert!(ran.out.contains(part), "{part} in {}", ran.out);
    }
    let zh = told(&["show", "inc-1", "--lang", "zh"]);
    assert!(zh.out.contains("已排除"), "{}", zh.out);
}

#[test]
fn a_program_gets_the_incident_and_then_its_alerts_and_can_tell_them_apart() {
    let schemas = |out: &str| -> Vec<(String, u64)> {
        let lines = out.lines().map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let schema = line["schema"].as_str().unwrap().to_owned();
            (schema, line["revision"].as_u64().unwrap())
        });
        lines.collect()
    };
    let incident = |revision| ("settlewatch.incident/1".to_owned(), revision);
    let alone = told(&["show", "inc-1", "--json"]);
    assert_eq!(schemas(&alone.out), [incident(1), incident(2)]);
    let all = told(&["show", "inc-1", "--payments", "--json"]);
    let alert = ("settlewatch.alert/1".to_owned(), 2);
    assert_eq!(schemas(&all.out), [incident(1), incident(2), alert]);
    assert!(all.out.contains("\"credited_late\""), "{}", all.out);
}

#[test]
fn options_stand_before_the_word_or_after_it() {
    let (before, after) = (told(&["show", "inc-1"]), told(&["list", "--open"]));
    let files = folder_of_a_replay();
    let at = |args: &[&str]| run_in(files.path(), &[&["incidents"], args].concat());
    let show = at(&["--replayed", ".", "show", "inc-1"]);
    assert_eq!((show.status, show.out), (0, before.out));
    for args in [
        ["--open", "--replayed", ".", "list"],
        ["--replayed", ".", "list", "--open"],
    ] {
        let list = at(&args);
        assert_eq!((list.status, &list.out), (0, &after.out), "{args:?}");
    }
    let other = at(&["--open", "show", "inc-1", "--replayed", "."]);
    assert_eq!(other.status, 2);
    assert!(other.err.contains("--open is an option"), "{}", other.err);
    let follow = at(&["--replayed", ".", "follow"]);
    assert_eq!(follow.status, 2);
    assert!(follow.err.contains("--config FILE"), "{}", follow.err);
}

#[test]
fn a_payment_has_the_incidents_that_cover_it() {
    let covered = told(&["--payment", "P1", "--lang", "en"]);
    assert_eq!(covered.out.lines().count(), 1);
    assert!(covered.out.starts_with("inc-1"), "{}", covered.out);
    let elsewhere = told(&["list", "--payment", "P2", "--lang", "en"]);
    assert_eq!(
        (elsewhere.status, elsewhere.out.as_str()),
        (0, "no incident\n")
    );
}

#[test]
fn what_is_not_there_is_said() {
    let nobody = told(&["list", "--payment", "P3"]);
    assert_eq!(nobody.status, 1);
    assert!(
        nobody.err.contains("payment `P3` has no alert"),
        "{}",
        nobody.err
    );
    let none = told(&["show", "inc-3"]);
    assert_eq!(none.status, 1);
    let remedy = "no incident `inc-3` in ./incidents.ndjson: `settlewatch incidents list --replayed .` names";
    assert!(none.err.contains(remedy), "{}", none.err);
    let nowhere = run(&["incidents"]);
    assert_eq!(nowhere.status, 2);
    assert!(nowhere.err.contains("--config FILE"), "{}", nowhere.err);
    let folder = folder(&[("incidents.ndjson", "{}\n")]);
    let broken = run_in(folder.path(), &["incidents", "--replayed", "."]);
    assert_eq!(broken.status, 2);
    assert!(
        broken.err.contains("incidents.ndjson:1: no revision"),
        "{}",
        broken.err
    );
}

#[test]
fn what_is_no_folder_of_a_replay_is_said_with_the_remedy() {
    let files = folder_of_a_replay();
    std::fs::create_dir(files.path().join("empty")).unwrap();
    for (given, status, told) in [
        ("incidents.ndjson", 2, "this is a file"),
        ("incidents.ndjson", 2, "--replayed .\n"),
        ("empty", 1, "no incidents.ndjson lies in it"),
        ("nowhere", 1, "there is no such folder"),
        ("nowhere", 1, "replay --out nowhere"),
    ] {
        let ran = run_in(files.path(), &["incidents", "--replayed", given]);
        assert_eq!(ran.status, status, "{given}");
        assert!(ran.err.contains(told), "{told} in {}", ran.err);
    }
}
