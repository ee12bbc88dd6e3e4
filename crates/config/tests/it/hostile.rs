//! No text stops the program, whatever it holds.

use proptest::prelude::*;
use settlewatch_config::{Env, Purpose, load_str};

use crate::{minimal_run, run};

fn reads(text: &str) {
    for purpose in [Purpose::Replay, Purpose::Run] {
        if let Err(errors) = load_str("s.yaml", text, purpose, &Env::empty()) {
            assert!(!errors.list().is_empty());
            let _ = errors.to_string();
        }
    }
}

/// Pieces that YAML and this configuration give a meaning to.
const PIECES: [&str; 44] = [
    "version: 1\n",
    "streams:",
    "rules:",
    "  - ",
    "name: a",
    "tiers: {breach: 1s}",
    "{",
    "}",
    "[",
    "]",
    ": ",
    ",",
    "\n",
    "\n  ",
    "&a ",
    "*a",
    "<<: *a",
    "\"",
    "'",
    "|\n",
    ">-\n ",
    "${",
    "${X:-",
    "$$",
    "!!str ",
    "---\n",
    "...\n",
    "? ",
    "- ",
    "#",
    "\t",
    "calendars: {c: {time_zone: UTC}}\n",
    "match: {attrs.x: ",
    "payments: {topic: p}",
    "\u{feff}",
    "\u{0}",
    "中文",
    "%YAML 1.2\n",
    "~",
    "null",
    "0",
    "-1",
    "1e9",
    "\r\n",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,120}") {
        reads(&text);
    }

    #[test]
    fn arbitrary_characters_never_panic(text in proptest::collection::vec(any::<char>(), 0..80)) {
        reads(&text.into_iter().collect::<String>());
    }

    #[test]
    fn arbitrary_yaml_pieces_never_panic(pieces in proptest::collection::vec(proptest::sample::select(&PIECES[..]), 0..40)) {
        reads(&pieces.concat());
    }

    #[test]
    fn the_example_with_a_hole_never_panics(from in 0usize..6_000, length in 0usize..60, insert in "\\PC{0,8}") {
        let text: Vec<char> = include_str!("../../../../examples/settlewatch.yaml").chars().collect();
        let from = from.min(text.len());
        let to = (from + length).min(text.len());
        reads(&text[..from].iter().copied().chain(insert.chars()).chain(text[to..].iter().copied()).collect::<String>());
    }

    #[test]
    fn arbitrary_overrides_never_panic(name in "[A-Z0-9_]{0,40}", value in "\\PC{0,40}") {
        let env = Env::from_iter([(format!("SETTLEWATCH__{name}"), value)]);
        if let Err(errors) = load_str("s.yaml", &minimal_run(""), Purpose::Run, &env) {
            let _ = errors.to_string();
        }
    }
}

#[test]
fn deep_nesting_is_refused() {
    for open in ["[", "{a: ", "- ", "a:\n"] {
        assert!(run(&open.repeat(10_000)).is_err());
    }
    let lines: String = (0..2_000)
        .map(|depth| format!("{}a:\n", " ".repeat(depth)))
        .collect();
    assert!(run(&lines).is_err());
}

#[test]
fn aliases_cannot_multiply_without_bound() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    let errors = run(&text).expect_err("it is a bomb");
    assert!(
        errors.to_string().contains("more than 200000 values"),
        "{errors}"
    );
    assert!(run("a: &a [*a]\n").is_err());
}

#[test]
fn long_lines_are_cut_around_the_caret() {
    let text = minimal_run(&format!(
        "hold: {{limit: \"{}\", limt: 1h, \"{}\": 1}}\n",
        "9".repeat(400),
        "b".repeat(400)
    ));
    let errors = run(&text).expect_err("it is wrong");
    for found in errors.list() {
        let shown = found.to_string();
        let line = shown
            .lines()
            .find(|line| line.starts_with("5 |"))
            .expect("the line is shown");
        assert!(line.chars().count() < 160, "{line}");
    }
}
