//! The how-to pages as programs: what stands between their fences, taken as it is.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::broker::binary;
use crate::harness::root;

/// What stands between two fences.
#[derive(Clone, Debug)]
pub struct Block {
    /// The page, from the root.
    pub page: String,
    /// The line of the opening fence, from 1.
    pub line: usize,
    /// The word behind the fence.
    pub language: String,
    /// The lines between.
    pub text: String,
}

/// The pages that people follow: the READMEs and what lies in `docs`, from the root.
///
/// # Panics
/// When they cannot be listed.
pub fn pages() -> Vec<String> {
    let mut pages = vec!["README.md".to_owned(), "README.zh-CN.md".to_owned()];
    let entries = std::fs::read_dir(root().join("docs")).expect("docs can be read");
    let names = entries.map(|entry| entry.expect("docs can be read").file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    pages.extend(
        names
            .filter(|name| name.ends_with(".md"))
            .map(|name| format!("docs/{name}")),
    );
    pages.sort();
    pages
}

/// The blocks of a page, in order.
///
/// # Panics
/// When there is no such page, or a fence is not closed.
pub fn blocks(page: &str) -> Vec<Block> {
    let text = std::fs::read_to_string(root().join(page));
    let text = text.unwrap_or_else(|error| panic!("{page}: {error}"));
    let (mut found, mut open): (Vec<Block>, Option<Block>) = (Vec::new(), None);
    for (number, line) in text.lines().enumerate() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(_), Some(block)) => found.push(block),
            (Some(language), None) => {
                open = Some(Block {
                    page: page.to_owned(),
                    line: number + 1,
                    language: language.to_owned(),
                    text: String::new(),
                });
            }
            (None, Some(mut block)) => {
                block.text.push_str(line);
                block.text.push('\n');
                open = Some(block);
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{page}: a fence is not closed");
    found
}

/// The blocks of a page in a language.
///
/// # Panics
/// When the page has none.
pub fn blocks_in(page: &str, language: &str) -> Vec<Block> {
    let mut blocks = blocks(page);
    blocks.retain(|block| block.language == language);
    assert!(!blocks.is_empty(), "{page} has no block of {language}");
    blocks
}

/// The shell commands of a page as one script, which says where it is.
pub fn script(page: &str) -> String {
    let told = |block: Block| {
        format!(
            "echo \"=== {page}:{} $SECONDS s\" >&2\n{}",
            block.line, block.text
        )
    };
    blocks_in(page, "sh").into_iter().map(told).collect()
}

/// A shell for a script, in a folder that looks like the root of a clone: `examples` is there, and `settlewatch` is a
/// program. What it starts in the background ends with it, and after `limit_s` seconds it ends anyway.
///
/// # Panics
/// When the folder cannot be made.
pub fn shell(folder: &Path, script: &str, limit_s: u32) -> Command {
    let programs = programs(folder);
    let examples = folder.join("examples");
    if !examples.exists() {
        std::os::unix::fs::symlink(root().join("examples"), &examples).expect("a link can be made");
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(programs).chain(std::env::split_paths(&path));
    let path = std::env::join_paths(paths).expect("a path without colons");
    let mut shell = Command::new("timeout");
    shell.args(["--kill-after=10", &limit_s.to_string(), "bash", "-c"]);
    shell.arg(format!(
        "set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{script}"
    ));
    shell.current_dir(folder).env("PATH", path);
    shell
}

/// The folder of programs that such a shell finds first.
///
/// # Panics
/// When it cannot be made.
pub fn programs(folder: &Path) -> PathBuf {
    let programs = folder.join("bin");
    std::fs::create_dir_all(&programs).expect("a folder can be made");
    let link = programs.join("settlewatch");
    if !link.exists() {
        std::os::unix::fs::symlink(binary(), link).expect("a link can be made");
    }
    programs
}
