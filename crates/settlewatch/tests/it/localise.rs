//! `localise`: places from a table, ranked; what is wrong with a table.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{folder, run, run_in};

/// Two channels, three regions, thirty stores: one channel loses half in one region.
fn table() -> String {
    let mut text = String::from("channel,region,store,total,bad\n");
    for store in 0..30 {
        for channel in ["alipay", "unionpay_qr"] {
            let region = ["east", "north", "south"][store % 3];
            let bad = if (channel, region) == ("unionpay_qr", "north") {
                20
            } else {
                0
            };
            let _ = writeln!(text, "{channel},{region},s{store},40,{bad}");
        }
    }
    text
}

#[test]
fn the_place_is_ranked_first_with_its_rates() {
    let folder = folder(&[("t.csv", &table())]);
    let ran = run_in(folder.path(), &["localise", "t.csv"]);
    assert_eq!((ran.status, &*ran.err), (0, ""));
    assert!(
        ran.out
            .starts_with("60 rows, 3 dimensions: 200 bad of 2,400 (8.33 %)\n"),
        "{}",
        ran.out
    );
    let first = ran
        .out
        .lines()
        .find(|line| line.starts_with("  1 "))
        .expect("a first place");
    for part in [
        "50.0 %",
        "0.0 %",
        "100.0 %",
        "channel=unionpay_qr region=north",
    ] {
        assert!(first.contains(part), "{first}");
    }
}

#[test]
fn programs_get_the_scope_as_incidents_have_it() {
    let folder = folder(&[("t.csv", &table())]);
    let args = ["localise", "t.csv", "--json", "--top", "2"];
    let json: Value = serde_json::from_str(&run_in(folder.path(), &args).out).unwrap();
    assert_eq!(json["stands_out"], true);
    assert_eq!((&json["total"], &json["bad"]), (&2400.into(), &200.into()));
    assert_eq!(json["ranked"].as_array().map(Vec::len), Some(2));
    let first = &json["ranked"][0];
    assert_eq!(
        first["scope"],
        serde_json::json!({"channel": "unionpay_qr", "region": "north"})
    );
    assert_eq!(
        (&first["cause"], &first["rate_inside"]),
        (&1.into(), &0.5.into())
    );
    let args = ["localise", "t.csv", "--json", "--max-conditions", "1"];
    let json: Value = serde_json::from_str(&run_in(folder.path(), &args).out).unwrap();
    for place in json["ranked"].as_array().expect("places") {
        assert!(
            place["scope"]
                .as_object()
                .is_some_and(|scope| scope.len() <= 1),
            "{place}"
        );
    }
}

#[test]
fn where_everything_is_bad_it_is_said() {
    let table = "channel,store,total,bad\na,1,50,25\na,2,50,26\nb,1,50,24\nb,2,50,25\n";
    let clean = "channel,total,bad\na,50,0\n";
    let folder = folder(&[("t.csv", table), ("clean.csv", clean)]);
    let ran = run_in(folder.path(), &["localise", "t.csv"]);
    assert_eq!(ran.status, 0);
    assert!(
        ran.out.contains("No proper subset stands out"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("everything"), "{}", ran.out);
    let json = run_in(folder.path(), &["localise", "t.csv", "--json"]).out;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["ranked"][0]["scope"], serde_json::json!({}));
    assert_eq!(json["stands_out"], false);
    let ran = run_in(folder.path(), &["localise", "clean.csv"]);
    assert!(ran.out.ends_with("Nothing is bad.\n"), "{}", ran.out);
}

#[test]
fn standard_input_is_read() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_settlewatch"))
        .args(["localise", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(table().as_bytes()).expect("it reads");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(text.contains("channel=unionpay_qr region=north"), "{text}");
}

#[test]
fn a_wrong_table_fails_with_its_place_and_the_remedy() {
    let folder = folder(&[("t.csv", "channel,total,bad\na,1,0\nb,x,0\n")]);
    let ran = run_in(folder.path(), &["localise", "t.csv"]);
    assert_eq!(ran.status, 1);
    assert!(
        ran.err
            .starts_with("error: t.csv:3: column `total`: `x` is no number"),
        "{}",
        ran.err
    );
    assert_eq!(run(&["localise", "nowhere.csv"]).status, 1);
    assert_eq!(run(&["localise"]).status, 2);
    assert_eq!(
        run(&["localise", "t.csv", "--max-conditions", "4"]).status,
        2
    );
}
