//! The corpus of the fuzzer: each file is named after what becomes of it.

mod support;

use std::fs;
use std::path::Path;

#[test]
fn every_file_of_the_corpus_has_the_outcome_in_its_name() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/decode");
    let mut compared = 0;
    for entry in fs::read_dir(corpus).expect("the corpus") {
        let path = entry.expect("a file").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name in UTF-8");
        // What the fuzzer finds is named by a hash.
        let Some((outcome, _)) = name.split_once('-') else {
            continue;
        };
        let reason = support::reason(fs::read(&path).expect("its bytes"));
        assert_eq!(
            reason.map_or("valid", |reason| reason.as_str()),
            outcome,
            "{name}"
        );
        compared += 1;
    }
    assert!(compared > 40, "only {compared} files");
}
