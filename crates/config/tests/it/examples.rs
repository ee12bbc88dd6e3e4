//! The configuration that is shipped as an example.

use std::path::{Path, PathBuf};

use settlewatch_config::{Env, Purpose, load, reference_markdown};

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/settlewatch.yaml")
}

#[test]
fn the_example_loads_without_a_warning() {
    for purpose in [Purpose::Replay, Purpose::Run] {
        let loaded =
            load(&example(), purpose, &Env::empty()).unwrap_or_else(|told| panic!("{told}"));
        assert_eq!(loaded.warnings, []);
        assert_eq!(loaded.config.settings.rules.len(), 4);
    }
}

#[test]
fn the_reference_names_every_key_of_the_example() {
    let reference = reference_markdown();
    let text = std::fs::read_to_string(example()).expect("the example");
    let keys = text
        .lines()
        .filter_map(|line| line.trim_start().trim_start_matches("- ").split_once(':'));
    for (key, _) in keys.filter(|(key, _)| !key.contains([' ', '#', '.'])) {
        let chosen = ["payments", "credits", "lifecycle", "terminals", "cn"];
        assert!(
            chosen.contains(&key) || reference.contains(&format!("`{key}`")),
            "{key}"
        );
    }
}
