//! The references are what the program says of itself.

use settlewatch_tests::harness::root;
use settlewatch_tests::pages::pages;

#[test]
fn every_reference_is_that_of_this_program() {
    let pages = pages();
    assert!(pages.len() >= 3);
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
