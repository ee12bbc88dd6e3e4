//! The commands of the pages, where a flag decides whether what they say is true.

use crate::root;

fn commands(page: &str) -> Vec<String> {
    let text = std::fs::read_to_string(root().join(page)).unwrap();
    let blocks = text.split("```sh\n").skip(1);
    let commands = blocks.filter_map(|block| block.split("```").next());
    commands.map(str::to_owned).collect()
}

#[test]
fn what_feeds_a_live_replay_prints_each_line_at_once() {
    let commands = commands("README.md");
    let live: Vec<_> = commands
        .iter()
        .flat_map(|block| block.lines())
        .filter(|line| line.contains("--input -") && line.contains('|'))
        .collect();
    assert!(!live.is_empty());
    for line in live {
        assert!(line.contains("kcat -u "), "{line}");
    }
}

#[test]
fn a_recording_of_several_topics_is_replayed_until_it_began() {
    let commands = commands("docs/replay-a-day.md");
    let dumps: Vec<_> = commands
        .iter()
        .filter(|block| block.contains("kcat -C -J -e"))
        .collect();
    assert!(!dumps.is_empty());
    for block in dumps {
        let began = block.find("until=$(date -u").expect("the time is taken");
        assert!(began < block.find("kcat").unwrap(), "{block}");
    }
    let replays: Vec<_> = commands
        .iter()
        .filter(|block| block.contains("settlewatch replay"))
        .collect();
    assert!(!replays.is_empty());
    for block in replays {
        assert!(block.contains("--until \"$until\""), "{block}");
    }
}
