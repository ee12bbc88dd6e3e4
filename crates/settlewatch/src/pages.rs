//! What the pages tell people to type is what the command line takes.

use std::path::{Path, PathBuf};

use clap::Parser as _;
use clap::error::ErrorKind;

use crate::cli::Cli;

/// What a shell would put in place of these.
const VARIABLES: [(&str, &str); 2] = [
    ("$until", "2026-03-01T00:00:00Z"),
    ("$ALERT", "00000000000000000000000000000000"),
];

/// A command as a shell would give it to the program.
type Words = Vec<String>;

fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut pages = vec![root.join("README.md"), root.join("README.zh-CN.md")];
    for folder in ["docs", "docs/runbooks"] {
        let entries = std::fs::read_dir(root.join(folder)).expect("the folder is there");
        let paths = entries.map(|entry| entry.expect("it can be read").path());
        pages.extend(paths.filter(|path| path.extension().is_some_and(|it| it == "md")));
    }
    pages
}

/// The words of a line, quotes taken away, up to what the shell takes for itself; `None` where it calls another program.
fn command(line: &str) -> Option<Words> {
    let mut words = Words::new();
    let mut begun = None;
    let mut quote = None;
    for sign in line.chars() {
        match (sign, quote) {
            (_, Some(open)) if sign == open => quote = None,
            ('"' | '\'', None) => {
                quote = Some(sign);
                begun.get_or_insert_with(String::new);
            }
            ('|' | '&' | ';' | '>' | '<' | '#', None) => break,
            (' ', None) => words.extend(begun.take()),
            _ => begun.get_or_insert_with(String::new).push(sign),
        }
    }
    words.extend(begun);
    let is_setting = |word: &String| word.split('=').next().is_some_and(is_variable);
    let mut words: Words = words.into_iter().skip_while(is_setting).collect();
    const BY_CARGO: [&str; 4] = ["cargo", "run", "--release", "--"];
    if words.iter().take(4).eq(BY_CARGO.iter()) {
        words.splice(..4, ["settlewatch".to_owned()]);
    }
    for word in &mut words {
        for (variable, value) in VARIABLES {
            *word = word.replace(variable, value);
        }
    }
    (words.first()? == "settlewatch").then_some(words)
}

fn is_variable(name: &str) -> bool {
    name.starts_with("SETTLEWATCH__")
}

/// The commands in fences, and those in the middle of a sentence, where something may be left out.
fn commands(text: &str) -> (Vec<Words>, Vec<Words>) {
    let (mut whole, mut named) = (Vec::new(), Vec::new());
    let joined = text.replace("\\\n", " ");
    let mut fence = None;
    for line in joined.lines() {
        match (line.strip_prefix("```"), fence) {
            (Some(language), None) => fence = Some(language),
            (Some(_), Some(_)) => fence = None,
            (None, Some("sh")) => {
                let parts = line.split('|').flat_map(|part| part.split("&&"));
                whole.extend(parts.filter_map(|part| command(part.trim())));
            }
            (None, Some(_)) => {}
            (None, None) => named.extend(line.split('`').skip(1).step_by(2).filter_map(command)),
        }
    }
    (whole, named)
}

#[test]
fn every_command_of_a_page_is_one() {
    let (mut whole_ones, mut named_ones) = (0, 0);
    for page in pages() {
        let text = std::fs::read_to_string(&page).expect("a page can be read");
        let (whole, named) = commands(&text);
        for words in &whole {
            if let Err(error) = Cli::try_parse_from(words) {
                panic!("{}: {words:?}: {error}", page.display());
            }
        }
        for words in &named {
            let told = Cli::try_parse_from(words).err().map(|error| error.kind());
            let left_out = matches!(
                told,
                None | Some(
                    ErrorKind::MissingRequiredArgument
                        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                        | ErrorKind::DisplayHelp
                )
            );
            assert!(left_out, "{}: {words:?}: {told:?}", page.display());
        }
        whole_ones += whole.len();
        named_ones += named.len();
    }
    assert!(
        whole_ones >= 25 && named_ones >= 5,
        "{whole_ones} commands, {named_ones} in sentences"
    );
}

#[test]
fn what_is_no_command_is_found() {
    let words = command("SETTLEWATCH__X=1 settlewatch replay --config 'a b' --inputt x | less");
    let words = words.expect("it calls the program");
    assert_eq!(words[3], "a b");
    assert!(Cli::try_parse_from(&words).is_err());
    assert!(command("kcat -C -t settlewatch").is_none());
}
