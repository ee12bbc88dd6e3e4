//! Values that are never printed.

use std::fmt;

/// Words that make a key's value a secret.
const SECRET_WORDS: [&str; 7] = [
    "password",
    "passphrase",
    "secret",
    "token",
    "jaas",
    "key.pem",
    "oauthbearer.config",
];

/// A secret: printing it shows `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret itself: for the client that needs it, never for a log line.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Whether the value of a key of this name is a secret. The name of a file that holds one is none.
pub(crate) fn is_secret_key(name: &str) -> bool {
    // Levels of an override's name are separated by two underscores.
    name.to_ascii_lowercase()
        .replace('_', ".")
        .split("..")
        .any(is_secret_word)
}

fn is_secret_word(word: &str) -> bool {
    let secret = word == "url" || SECRET_WORDS.iter().any(|part| word.contains(part));
    secret && !word.ends_with(".file")
}

/// The line with what follows a secret key replaced. References to variables stay: they are no secret.
///
/// It works on the text, not on the tree, because a line may be shown exactly when there is no tree.
pub(crate) fn mask(line: &str) -> String {
    let mut from = 0;
    while let Some(found) = line[from..].find([':', '=']) {
        let at = from + found + 1;
        let value = line[at..].trim();
        if is_secret_key(key_before(&line[..at - 1])) && !value.is_empty() && !is_reference(value) {
            return format!("{} ***", line[..at].trim_end());
        }
        from = at;
    }
    line.to_owned()
}

/// The word that ends `text`, without quotes.
fn key_before(text: &str) -> &str {
    let text = text.trim_end().trim_end_matches(['"', '\'']);
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let start = text.rfind(|c| !word(c)).map_or(0, |at| {
        at + text[at..].chars().next().map_or(1, char::len_utf8)
    });
    &text[start..]
}

/// Whether a value is nothing but `${NAME}` or `${file:PATH}`.
fn is_reference(value: &str) -> bool {
    let value = value.trim_matches(['"', '\'', ' ', '}', ',']);
    value
        .strip_prefix("${")
        .is_some_and(|name| !name.contains(['}', '$', ' ']) && !name.contains(":-"))
}
