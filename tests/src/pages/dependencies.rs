//! The reference of the dependencies: what the workspace's manifest says of each, and which crates use it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::Command;

use serde_json::Value;

use crate::harness::root;

const HEAD: &str = "\
# Dependencies

Every crate from outside that this workspace names, why it is there, and who uses it. Default features are off where that
leaves something out. `cargo tree` shows what they bring along; `deny.toml` says which licences and sources may come in.

| crate | why | used by | in tests alone |
| --- | --- | --- | --- |
";

/// Crates of the workspace that use a crate, and those whose tests alone do.
#[derive(Default)]
struct Users {
    product: BTreeSet<String>,
    tests: BTreeSet<String>,
}

pub(super) fn page() -> String {
    let (reasons, mut users) = (reasons(), users());
    let mut page = String::from(HEAD);
    for (name, why) in reasons {
        let users = users.remove(&name);
        let users = users.unwrap_or_else(|| panic!("nobody uses {name}: Cargo.toml names it"));
        let alone = users.tests.difference(&users.product).cloned().collect();
        let _ = writeln!(
            page,
            "| `{name}` | {why} | {} | {} |",
            list(&users.product),
            list(&alone)
        );
    }
    assert!(
        users.is_empty(),
        "not among the workspace's dependencies: {:?}",
        users.keys()
    );
    page
}

fn list(names: &BTreeSet<String>) -> String {
    let short = |name: &String| name.replace("settlewatch-", "");
    names.iter().map(short).collect::<Vec<_>>().join(", ")
}

/// Each crate from outside with the comment above it in the workspace's manifest.
fn reasons() -> BTreeMap<String, String> {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("there is a manifest");
    let section = manifest
        .split("[workspace.dependencies]\n")
        .nth(1)
        .and_then(|rest| rest.split("\n[").next())
        .expect("the workspace has dependencies");
    let (mut reasons, mut comment) = (BTreeMap::new(), String::new());
    for line in section.lines() {
        if let Some(text) = line.strip_prefix('#') {
            comment.push_str(text);
        } else if let Some((name, _)) = line.split_once(" = ") {
            if !name.starts_with("settlewatch-") {
                assert!(!comment.is_empty(), "Cargo.toml does not say why: {name}");
                reasons.insert(name.to_owned(), comment.trim().to_owned());
            }
            comment.clear();
        }
    }
    reasons
}

fn users() -> BTreeMap<String, Users> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "cargo metadata fails");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let mut users: BTreeMap<String, Users> = BTreeMap::new();
    for package in metadata["packages"].as_array().expect("a list") {
        let user = package["name"].as_str().expect("a package has a name");
        for dependency in package["dependencies"].as_array().expect("a list") {
            let name = dependency["name"].as_str().expect("it has a name");
            if name.starts_with("settlewatch") {
                continue;
            }
            let of = users.entry(name.to_owned()).or_default();
            // The workspace's tests and benchmarks are in nobody's binary.
            let tests = ["settlewatch-tests", "settlewatch-benches"].contains(&user);
            if tests || !dependency["kind"].is_null() {
                of.tests.insert(user.to_owned());
            } else {
                of.product.insert(user.to_owned());
            }
        }
    }
    users
}
