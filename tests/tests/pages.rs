//! The references are what the program says of itself, and the how-to pages do what they say.

use std::process::Command;

use settlewatch_config::{Env, Purpose, load_str};
use settlewatch_tests::broker::binary;
use settlewatch_tests::harness::root;
use settlewatch_tests::howto::{self, Block};
use settlewatch_tests::pages::pages;

#[test]
fn every_reference_is_that_of_this_program() {
    let pages = pages();
    assert!(pages.len() >= 6);
    for (name, text) in pages {
        let path = root().join("docs/reference").join(name);
        let shipped = std::fs::read_to_string(&path).unwrap_or_default();
        let differs = shipped.lines().zip(text.lines()).find(|(a, b)| a != b);
        assert!(text.lines().count() > 20, "{name} says nothing");
        assert!(
            shipped == text,
            "{} is old: {differs:?}; write it anew: cargo run -p settlewatch-tests --bin pages",
            path.display()
        );
    }
}

/// A configuration of which a page shows a part, made whole.
fn whole(block: &Block) -> String {
    const REST: [(&str, &str); 3] = [
        ("version:", "version: 1\n"),
        (
            "streams:",
            "streams: {payments: {topic: p}, credits: {topic: c}, lifecycle: {topic: l}}\n",
        ),
        ("rules:", "rules: [{name: default, tiers: {breach: 1m}}]\n"),
    ];
    let mut text = block.text.clone();
    for (key, line) in REST {
        if !block.text.lines().any(|line| line.starts_with(key)) {
            text.push_str(line);
        }
    }
    text
}

fn check_suite(block: &Block) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("suite.yaml");
    std::fs::write(&path, &block.text).expect("a file can be written");
    let example = root().join("examples/settlewatch.yaml");
    std::fs::copy(example, folder.path().join("settlewatch.yaml")).expect("a file can be copied");
    let output = Command::new(binary()).arg("test").arg(&path).output();
    let output = output.expect("the program runs");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{}:{}: {told}",
        block.page,
        block.line
    );
}

#[test]
fn every_configuration_that_a_page_shows_is_right() {
    let (mut configurations, mut suites) = (0, 0);
    for page in howto::pages() {
        let shown = howto::blocks(&page);
        for block in shown.iter().filter(|block| block.language == "yaml") {
            if block.text.contains("\ncases:") {
                check_suite(block);
                suites += 1;
                continue;
            }
            let name = format!("{page}:{}", block.line);
            let told = load_str(&name, &whole(block), Purpose::Replay, &Env::empty());
            if let Err(told) = told {
                panic!("{told}");
            }
            configurations += 1;
        }
    }
    assert!(configurations >= 2 && suites >= 1);
}

#[test]
fn the_pages_that_need_no_kafka_run() {
    for page in [
        "docs/write-rules.md",
        "docs/test-a-configuration.md",
        "docs/simulate-and-localise.md",
    ] {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let mut shell = howto::shell(folder.path(), &howto::script(page), 60);
        let output = shell.output().expect("a shell runs");
        let told = [output.stdout, output.stderr].concat();
        let told = String::from_utf8_lossy(&told);
        assert!(output.status.success(), "{page}: {told}");
    }
}

#[test]
fn a_link_of_a_page_leads_somewhere() {
    let mut checked = 0;
    for page in howto::pages() {
        let text = std::fs::read_to_string(root().join(&page)).expect("a page can be read");
        let folder = root().join(&page);
        let folder = folder.parent().expect("a page lies in a folder");
        for target in text
            .split("](")
            .skip(1)
            .filter_map(|it| it.split(')').next())
        {
            if !target.contains("://") && !target.starts_with('#') {
                let target = target.split('#').next().unwrap_or_default();
                assert!(folder.join(target).exists(), "{page}: {target}");
                checked += 1;
            }
        }
    }
    assert!(checked > 20);
}
