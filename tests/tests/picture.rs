//! The picture in the README is what the shipped recording gives.

use settlewatch_tests::harness::{Bench, Written, root};
use settlewatch_tests::picture::{Replayed, draw};

fn recording() -> Written {
    let folder = root().join("examples/recording");
    let bench = Bench::of_file(&folder.join("settlewatch.yaml"));
    let streams = ["payments", "credits", "lifecycle", "terminals"];
    let files = streams.map(|stream| folder.join(format!("{stream}.ndjson")));
    bench
        .paths(files.into())
        .expect("the recording is replayed")
}

fn replayed() -> Replayed {
    let written = recording();
    let [alerts, _, _, channels, summary] = &written.files;
    Replayed::read(channels, alerts, summary).expect("what a replay writes can be read")
}

#[test]
fn the_picture_is_that_of_the_recording() {
    let path = root().join("docs/replay.svg");
    let shipped = std::fs::read_to_string(&path).expect("the picture is there");
    let drawn = draw(&replayed());
    let differs = shipped.lines().zip(drawn.lines()).find(|(a, b)| a != b);
    assert!(
        shipped == drawn,
        "{} is old: {differs:?}; draw it anew: cargo run --release -p settlewatch-tests --bin picture -- DIR docs/replay.svg, \
         where DIR is what replay wrote of examples/recording",
        path.display(),
    );
}

#[test]
fn alerts_tell_the_overdue_payments_that_the_channels_file_counts() {
    assert_eq!(replayed().disagreements(), []);
}

#[test]
fn the_picture_needs_nothing_from_elsewhere() {
    let drawn = draw(&replayed());
    for foreign in [
        "<script",
        "<image",
        "href",
        "@import",
        "@font-face",
        "<foreignObject",
    ] {
        assert!(!drawn.contains(foreign), "{foreign}");
    }
    let coordinates = drawn.lines().filter(|line| line.starts_with("<path"));
    assert!(coordinates.clone().count() > 50);
    assert!(coordinates.clone().all(|line| !line.contains('.')));
}
