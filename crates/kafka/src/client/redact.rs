//! Keeps secrets out of what the client says.

use std::borrow::Cow;

/// Shorter ones would blot out ordinary words; nobody is protected by such a password anyway.
const SHORTEST_BYTES: usize = 4;

/// Knows what must not be printed.
pub(crate) struct Redactor {
    secrets: Vec<String>,
}

impl Redactor {
    pub(crate) fn new<'a>(secrets: impl Iterator<Item = &'a str>) -> Self {
        let mut secrets: Vec<String> = secrets
            .flat_map(str::lines)
            .map(str::trim)
            .filter(|secret| secret.len() >= SHORTEST_BYTES)
            .map(str::to_owned)
            .collect();
        // One secret may contain another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self { secrets }
    }

    /// The text with every secret replaced.
    pub(crate) fn clean<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut clean = Cow::Borrowed(text);
        for secret in &self.secrets {
            if clean.contains(secret) {
                clean = Cow::Owned(clean.replace(secret, "***"));
            }
        }
        clean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_replaced_wherever_it_stands() {
        let redactor =
            Redactor::new(["hunter2", "hunter2-and-more", "line one\nline two"].into_iter());
        assert_eq!(
            redactor.clean("a hunter2-and-more b hunter2 c line two"),
            "a *** b *** c ***"
        );
        assert_eq!(redactor.clean("nothing"), "nothing");
    }
}
