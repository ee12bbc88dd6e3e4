//! What is said of an incident, in two languages.

use super::told::Told;
use crate::text::money;

/// A language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Language {
    /// English
    En,
    /// 中文
    Zh,
}

impl Language {
    /// The language of the environment.
    pub(crate) fn of_environment() -> Self {
        let set = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
        match set {
            Some(value) if value.starts_with("zh") => Self::Zh,
            _ => Self::En,
        }
    }

    /// One of two texts.
    pub(super) const fn of<'a>(self, en: &'a str, zh: &'a str) -> &'a str {
        match self {
            Self::En => en,
            Self::Zh => zh,
        }
    }

    pub(crate) fn severity(self, word: &str) -> &str {
        match (self, word) {
            (Self::Zh, "critical") => "严重",
            (Self::Zh, "warning") => "警告",
            (Self::Zh, "info") => "提示",
            _ => word,
        }
    }

    pub(super) fn state(self, word: &str) -> &str {
        match (self, word) {
            (Self::Zh, "open") => "未恢复",
            (Self::Zh, "resolved") => "已恢复",
            _ => word,
        }
    }

    pub(super) fn basis(self, word: &str) -> &str {
        match (self, word) {
            (Self::Zh, "confirmed") => "已证实",
            (Self::Zh, "inferred") => "推断",
            (Self::Zh, "guess") => "猜测",
            _ => word,
        }
    }

    /// Its place, or that it is everywhere.
    pub(crate) fn place(self, told: &Told) -> String {
        told.place()
            .unwrap_or_else(|| self.of("everywhere", "全部").to_owned())
    }

    /// What is to be done.
    pub(crate) fn action(self, told: &Told) -> &str {
        let action = &told.json["action"];
        action[self.of("en", "zh")].as_str().unwrap_or_default()
    }

    /// What is missing now: payments and money.
    pub(crate) fn missing(self, told: &Told) -> String {
        self.payments(told, "open", "amount_minor")
    }

    /// What a fault touched in all: payments and money, or a number where it may be of records.
    pub(crate) fn touched(self, told: &Told) -> String {
        if told.money("touched_minor").is_empty() {
            return told.count("touched").to_string();
        }
        self.payments(told, "touched", "touched_minor")
    }

    fn payments(self, told: &Told, count: &str, sums: &str) -> String {
        let count = told.count(count);
        let payments = match (self, count) {
            (Self::En, 1) => "1 payment".into(),
            (Self::En, _) => format!("{count} payments"),
            (Self::Zh, _) => format!("{count} 笔"),
        };
        let sums = told.money(sums).into_iter();
        let sums: Vec<_> = sums.map(|(currency, sum)| money(sum, currency)).collect();
        if sums.is_empty() {
            payments
        } else {
            format!("{payments}, {}", sums.join(" + "))
        }
    }
}

/// An incident on one line. Its figures are those of its last revision: when that was is said.
pub(crate) fn line(told: &Told, language: Language) -> String {
    format!(
        "{}  {:<8} {:<8} {:<22} {}  {} {}  {} {} {}",
        told.text("incident_id"),
        language.severity(told.text("severity")),
        language.state(told.text("state")),
        told.text("verdict"),
        language.place(told),
        language.of("since", "始于"),
        told.text("started_at"),
        language.missing(told),
        language.of("as of", "截至"),
        told.text("updated_at"),
    )
}
