//! The commands of the pages, where a flag decides whether what they say is true.

use std::process::Command;

use crate::{root, run_in};

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

/// Both READMEs: who has replayed the recording may paste what comes next.
#[test]
fn after_the_replay_the_next_commands_tell_which_fault_it_was() {
    for page in ["README.md", "README.zh-CN.md"] {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(root().join("examples"), folder.path().join("examples"))
            .unwrap();
        let commands = commands(page);
        let replay = commands.iter().find(|it| it.contains("-- replay"));
        let replay = replay.expect("a replay").replace("\\\n", " ");
        let (_, words) = replay.split_once(" -- ").unwrap();
        let recording = root().join("examples/recording");
        let files = std::fs::read_dir(recording).unwrap();
        let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let files: Vec<_> = files
            .filter(|name| name.ends_with(".ndjson"))
            .map(|name| format!("examples/recording/{name}"))
            .collect();
        let glob = "examples/recording/*.ndjson";
        let words = words.replace(glob, &files.join(" "));
        let words: Vec<_> = words.split_whitespace().collect();
        assert_eq!(run_in(folder.path(), &words).status, 0, "{page}: {words:?}");

        let next = commands.iter().find(|it| it.contains("incidents show"));
        let next = next.expect("the next commands");
        let programs = std::path::Path::new(env!("CARGO_BIN_EXE_settlewatch"));
        let path = format!(
            "{}:{}",
            programs.parent().unwrap().display(),
            std::env::var("PATH").unwrap()
        );
        let mut shell = Command::new("bash");
        shell.args(["-c", &format!("set -euo pipefail\n{next}")]);
        let output = shell.current_dir(folder.path()).env("PATH", path).output();
        let output = output.expect("a shell runs");
        let told = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{page}: {told}");
        for part in ["CHANNEL_DOWN", "channel=unionpay_qr"] {
            assert!(told.contains(part), "{page}: {part} in {told}");
        }
    }
}
