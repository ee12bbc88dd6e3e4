//! The shape of the workspace: who may depend on whom, that the cores stay pure, that files and functions stay small.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Longest allowed function, signature and braces included.
const FUNCTION_LINES: usize = 70;
/// Longest allowed source file, its test module not counted.
const FILE_LINES: usize = 500;

/// Functions that are longer, as (file, function, lines): none may grow, and none may be added without a reason.
const LONG_FUNCTIONS: &[(&str, &str, usize)] = &[];

/// What a crate may use.
struct Allowed {
    name: &'static str,
    /// Crates of this workspace, also for its own tests.
    workspace: &'static [&'static str],
    /// Crates from outside; `None` where any may be used that `deny.toml` lets in.
    outside: Option<&'static [&'static str]>,
}

/// Arrows point one way: down this list a crate may use only what stands above it.
const CRATES: &[Allowed] = &[
    Allowed {
        name: "settlewatch-join",
        workspace: &[],
        // Tables, hashes and filters: nothing that could reach a clock, a socket or a file.
        outside: Some(&["foldhash", "hashbrown", "siphasher", "xorf"]),
    },
    Allowed {
        name: "settlewatch-watch",
        workspace: &["settlewatch-join"],
        outside: Some(&["foldhash", "hashbrown", "hdrhistogram"]),
    },
    Allowed {
        name: "settlewatch-wire",
        workspace: &["settlewatch-join"],
        outside: Some(&["memchr", "serde", "serde_json", "thiserror"]),
    },
    Allowed {
        name: "settlewatch-config",
        workspace: &["settlewatch-join", "settlewatch-wire"],
        outside: None,
    },
    // The truth must not come from the code that it judges.
    Allowed {
        name: "settlewatch-sim",
        workspace: &[],
        outside: None,
    },
    // Its tests bring a model of Kafka, and replay as the judge.
    Allowed {
        name: "settlewatch-protocol",
        workspace: &["settlewatch-join"],
        outside: Some(&[]),
    },
    Allowed {
        name: "settlewatch-kafka",
        workspace: &[
            "settlewatch-config",
            "settlewatch-join",
            "settlewatch-protocol",
            "settlewatch-wire",
        ],
        outside: None,
    },
    // It is told what happens; it asks Kafka nothing, so that its answers do not depend on Kafka.
    Allowed {
        name: "settlewatch-serve",
        workspace: &[
            "settlewatch-join",
            "settlewatch-protocol",
            "settlewatch-watch",
            "settlewatch-wire",
        ],
        outside: None,
    },
    Allowed {
        name: "settlewatch-replay",
        workspace: &[
            "settlewatch-config",
            "settlewatch-join",
            "settlewatch-watch",
            "settlewatch-wire",
        ],
        outside: None,
    },
    Allowed {
        name: "settlewatch",
        workspace: &[
            "settlewatch-config",
            "settlewatch-join",
            "settlewatch-kafka",
            "settlewatch-protocol",
            "settlewatch-replay",
            "settlewatch-serve",
            "settlewatch-sim",
            "settlewatch-watch",
            "settlewatch-wire",
        ],
        outside: None,
    },
    // Its harness runs replays, its evaluation of the simulator; its naive reference uses nothing of ours.
    Allowed {
        name: "settlewatch-tests",
        workspace: &[
            "settlewatch-config",
            "settlewatch-join",
            "settlewatch-protocol",
            "settlewatch-replay",
            "settlewatch-sim",
            "settlewatch-watch",
            "settlewatch-wire",
        ],
        outside: None,
    },
    Allowed {
        name: "settlewatch-benches",
        workspace: &[
            "settlewatch-config",
            "settlewatch-join",
            "settlewatch-replay",
            "settlewatch-sim",
            "settlewatch-tests",
            "settlewatch-watch",
            "settlewatch-wire",
        ],
        outside: None,
    },
];

/// Crates whose own tests look at the whole, so that their dev-dependencies are free.
const OUTSIDE_THE_LAYERS: &[&str] = &["settlewatch-tests", "settlewatch-benches"];

/// The cores: time and records are arguments, effects are values.
const PURE: &[&str] = &["join", "protocol", "watch"];

/// What no core may name, and what it does instead.
const IMPURE: &[(&str, &str)] = &[
    ("std::time", "time is an argument"),
    ("Instant", "time is an argument"),
    ("SystemTime", "time is an argument"),
    ("std::thread", "the shell decides about threads"),
    ("std::process", "the shell decides about processes"),
    ("std::env", "settings are arguments"),
    ("std::fs", "inputs are arguments, effects are values"),
    ("std::io", "inputs are arguments, effects are values"),
    ("std::net", "the shell owns sockets"),
    ("print!", "effects are values"),
    ("println!", "effects are values"),
    ("eprintln!", "effects are values"),
    ("thread_rng", "chance is an argument"),
];

fn root() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root
}

fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    metadata["packages"]
        .as_array()
        .expect("a list of packages")
        .clone()
}

/// Every `.rs` file under `dir`, as a path from the root and its text, in order.
fn sources(dir: &str) -> Vec<(String, String)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root().join(dir)];
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for entry in entries {
            let path = entry.expect("a readable folder").path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if name.ends_with(".rs") {
                let text = fs::read_to_string(&path).expect("UTF-8");
                found.insert(from_root(&path), text);
            }
        }
    }
    assert!(!found.is_empty(), "no source under {dir}");
    found.into_iter().collect()
}

fn from_root(path: &Path) -> String {
    path.strip_prefix(root())
        .expect("under the root")
        .to_string_lossy()
        .into_owned()
}

/// Source files of the product, as far as their test modules; files of tests alone are left out.
fn product_sources() -> Vec<(String, String)> {
    sources("crates")
        .into_iter()
        .filter(|(file, _)| file.contains("/src/") && !is_test_file(file))
        .map(|(file, text)| (file, without_tests(&text)))
        .collect()
}

fn is_test_file(file: &str) -> bool {
    file.ends_with("/tests.rs") || file.ends_with("_tests.rs") || file.contains("/tests/")
}

/// The text before the test module, which stands last in a file.
fn without_tests(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let end = lines
        .windows(2)
        .position(|pair| {
            pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].ends_with('{')
        })
        .unwrap_or(lines.len());
    lines[..end].join("\n")
}

/// The code of a line: what stands before a comment.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

/// Whether `text` has `word` with no identifier character on either side.
fn mentions(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

/// Name and number of lines of every function of a file as rustfmt lays it out: the closing brace has
/// the indentation of the signature.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else {
            continue;
        };
        let indent = &line[..line.len() - line.trim_start().len()];
        let close = format!("{indent}}}");
        let one_line = line.ends_with('}') || line.ends_with(';');
        let length = if one_line {
            1
        } else {
            1 + lines[start..]
                .iter()
                .position(|line| **line == close)
                .unwrap_or(0)
        };
        found.push((name.to_owned(), length));
    }
    found
}

/// The name of the function whose signature begins on this line.
fn function_name(line: &str) -> Option<&str> {
    let mut rest = line.trim_start();
    loop {
        if let Some(signature) = rest.strip_prefix("fn ") {
            return signature.split(['(', '<']).next();
        }
        let (word, tail) = rest.split_once(' ')?;
        let qualifier = matches!(
            word,
            "pub" | "const" | "async" | "unsafe" | "extern" | "\"C\""
        );
        if !qualifier && !word.starts_with("pub(") {
            return None;
        }
        rest = tail;
    }
}

fn refuse(what: &str, failures: &[String]) {
    assert!(failures.is_empty(), "{what}:\n  {}", failures.join("\n  "));
}

#[test]
fn every_crate_uses_only_what_it_may() {
    let packages = packages();
    let mut failures = Vec::new();
    for package in &packages {
        let name = package["name"].as_str().expect("a name");
        let Some(allowed) = CRATES.iter().find(|allowed| allowed.name == name) else {
            failures.push(format!("{name} is not in the table: say what it may use"));
            continue;
        };
        for dependency in package["dependencies"].as_array().expect("a list") {
            let used = dependency["name"].as_str().expect("a name");
            let in_tests_only = dependency["kind"] == "dev";
            let ours = CRATES.iter().any(|other| other.name == used);
            let fits = if ours {
                allowed.workspace.contains(&used)
                    || (in_tests_only && OUTSIDE_THE_LAYERS.contains(&name))
            } else {
                in_tests_only
                    || allowed
                        .outside
                        .is_none_or(|outside| outside.contains(&used))
            };
            if !fits {
                failures.push(format!("{name} uses {used}"));
            }
        }
    }
    refuse("dependencies that are not allowed", &failures);
    assert_eq!(
        packages.len(),
        CRATES.len(),
        "the table names a crate that is gone"
    );
}

#[test]
fn arrows_point_one_way() {
    for (rank, allowed) in CRATES.iter().enumerate() {
        for used in allowed.workspace {
            assert!(
                CRATES[..rank].iter().any(|above| above.name == *used),
                "{} may use {used}, which does not stand above it",
                allowed.name
            );
        }
    }
}

/// The one file with unsafe code, and its crate, whose lints deny it where those of the workspace forbid it.
const UNSAFE: (&str, &str) = ("settlewatch-kafka", "crates/kafka/src/admin/native.rs");

#[test]
fn every_crate_keeps_the_lints_of_the_workspace() {
    let workspace = fs::read_to_string(root().join("Cargo.toml")).expect("the workspace");
    assert!(
        workspace.contains("unsafe_code = \"forbid\""),
        "unsafe code is forbidden"
    );
    let (_, lints) = workspace
        .split_once("[workspace.lints.rust]\n")
        .expect("lints");
    let (rust, rest) = lints
        .split_once("\n\n[workspace.lints.clippy]\n")
        .expect("lints of clippy");
    let (clippy, _) = rest.split_once("\n\n").expect("what follows the lints");
    let denied = rust.replace("\"forbid\"", "\"deny\"");
    for package in packages() {
        let manifest = package["manifest_path"].as_str().expect("a path");
        let text = fs::read_to_string(manifest).expect("a manifest");
        let kept = if package["name"] == UNSAFE.0 {
            text.contains(&format!(
                "[lints.rust]\n{denied}\n\n[lints.clippy]\n{clippy}\n"
            ))
        } else {
            text.contains("[lints]\nworkspace = true")
        };
        assert!(kept, "{manifest} leaves the lints");
    }
}

#[test]
fn unsafe_code_stands_in_one_file_with_its_reasons() {
    let mut found = Vec::new();
    for (file, text) in product_sources() {
        if text.lines().any(|line| mentions(code(line), "unsafe")) {
            let blocks = text.matches("unsafe {").count();
            let reasons = text.matches("// SAFETY: ").count();
            assert!(
                reasons >= blocks,
                "{file}: {blocks} blocks, {reasons} reasons"
            );
            found.push(file);
        }
    }
    assert_eq!(found, [UNSAFE.1]);
}

#[test]
fn the_cores_name_no_clock_thread_file_or_socket() {
    let mut failures = Vec::new();
    for core in PURE {
        for (file, text) in sources(&format!("crates/{core}/src")) {
            for (number, line) in text.lines().enumerate() {
                for (word, instead) in IMPURE {
                    if mentions(code(line), word) {
                        failures.push(format!("{file}:{}: {word}: {instead}", number + 1));
                    }
                }
            }
        }
        let lints = root().join(format!("crates/{core}/clippy.toml"));
        let text = fs::read_to_string(lints).expect("a core has its own lints");
        assert!(
            text.contains("std::time::Instant::now"),
            "crates/{core}/clippy.toml bans clocks"
        );
    }
    refuse("impure cores", &failures);
}

#[test]
fn the_join_has_no_standard_library() {
    let text = fs::read_to_string(root().join("crates/join/src/lib.rs")).expect("the join");
    assert!(
        text.lines().any(|line| line == "#![no_std]"),
        "join is no_std"
    );
    let mut failures = Vec::new();
    for (file, text) in product_sources() {
        if file.starts_with("crates/join/")
            && text.lines().any(|line| mentions(code(line), "std::"))
        {
            failures.push(file);
        }
    }
    refuse("files of the join that name std", &failures);
}

#[test]
fn every_file_says_in_its_head_what_it_is() {
    let mut failures = Vec::new();
    for dir in ["crates", "tests", "benches"] {
        for (file, text) in sources(dir) {
            let head = text
                .lines()
                .find(|line| !line.starts_with("#![") && !line.is_empty());
            if !head.is_some_and(|line| line.starts_with("//! ")) {
                failures.push(file);
            }
        }
    }
    refuse("files that do not begin with `//!`", &failures);
}

#[test]
fn files_stay_small() {
    let mut failures = Vec::new();
    for (file, text) in product_sources() {
        let lines = text.lines().count();
        if lines > FILE_LINES {
            failures.push(format!("{file}: {lines} lines"));
        }
    }
    refuse("files that are too long: split them by verb", &failures);
}

#[test]
fn functions_stay_small() {
    let mut failures = Vec::new();
    let mut measured = 0;
    for (file, text) in product_sources() {
        for (name, lines) in functions(&text) {
            measured += 1;
            let excepted = LONG_FUNCTIONS
                .iter()
                .find(|(in_file, function, _)| *in_file == file && *function == name);
            if lines > excepted.map_or(FUNCTION_LINES, |(_, _, longest)| *longest) {
                failures.push(format!("{file}: {name}: {lines} lines"));
            }
        }
    }
    refuse("functions that are too long", &failures);
    assert!(measured > 0, "no function was measured");
}

#[test]
fn functions_are_measured_from_signature_to_brace() {
    let text = "impl X {\n    pub(crate) const fn long(\n        a: u8,\n    ) -> u8 {\n        if a > 1 {\n        }\n        a\n    }\n\n    fn short(&self) {}\n}\n";
    assert_eq!(
        functions(text),
        [("long".to_owned(), 7), ("short".to_owned(), 1)]
    );
}

#[test]
fn a_word_in_a_comment_or_in_a_longer_word_is_no_mention() {
    assert!(mentions(code("let now = Instant::now();"), "Instant"));
    assert!(!mentions(
        code("let now = at; // not an Instant"),
        "Instant"
    ));
    assert!(!mentions(code("struct Instantly;"), "Instant"));
}

#[test]
fn the_naive_reference_shares_no_code_with_what_it_judges() {
    let sources = sources("tests/src");
    let reference: Vec<_> = sources
        .into_iter()
        .filter(|(file, _)| file.contains("reference"))
        .collect();
    assert!(reference.len() > 5, "the reference was not found");
    let failures: Vec<_> = reference
        .into_iter()
        .filter(|(_, text)| text.contains("settlewatch_"))
        .map(|(file, _)| file)
        .collect();
    refuse(
        "files of the reference that use the project's code",
        &failures,
    );
}
