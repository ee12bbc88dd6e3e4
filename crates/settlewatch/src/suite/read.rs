//! A file of cases, read with a place for everything that is wrong with it.

use std::path::{Path, PathBuf};

use settlewatch_config::{Config, Diagnostics, Document, Env, Part, Purpose, load};
use settlewatch_join::Place;
use settlewatch_replay::Until;

use super::clock::Clock;
use super::event::{Draft, Reader};
use super::{Case, Suite, expect, fields};

const FILE_KEYS: &[&str] = &["config", "env", "start", "until", "payment", "cases"];
const CASE_KEYS: &[&str] = &[
    "name",
    "start",
    "until",
    "events",
    "expect",
    "expect_no_alerts",
    "others",
];

/// Reads the file of cases at `path` and the configuration that it names.
///
/// # Errors
/// Everything that is wrong with one of the two.
pub(crate) fn read(path: &Path) -> Result<Suite, Diagnostics> {
    let document = Document::read(path)?;
    let root = document.root();
    check_keys(&document, root, FILE_KEYS, "the file");
    for map in ["env", "payment"] {
        if let Some(part) = root.get(map).filter(|part| part.fields().is_none()) {
            let message = format!("`{map}` must be a map, not {}", part.kind());
            document.error(part.spot(), message, "write `name: value`, one a line");
        }
    }
    let config = match config_path(&document, root, path) {
        Some(config) => load(&config, Purpose::Replay, &environment(root))?.config,
        None => {
            document.check()?;
            unreachable!("what keeps the configuration from being named is noted");
        }
    };
    let cases = cases(&document, root, &config);
    document.check()?;
    Ok(Suite {
        name: path.display().to_string(),
        config,
        cases,
    })
}

fn check_keys(document: &Document, part: Part<'_>, known: &[&str], what: &str) {
    let Some(fields) = part.fields() else {
        document.error(
            part.spot(),
            format!("{what} must be a map of keys, not {}", part.kind()),
            format!("the keys are `{}`", known.join("`, `")),
        );
        return;
    };
    for field in fields.filter(|field| !known.contains(&field.key)) {
        document.unknown_key(&field, known);
    }
}

/// Where the configuration lies; a relative path starts from the file of cases.
fn config_path(document: &Document, root: Part<'_>, path: &Path) -> Option<PathBuf> {
    let Some(config) = root.get("config") else {
        document.error(
            root.spot(),
            "the configuration to test is not named",
            "add `config: settlewatch.yaml`, relative to this file",
        );
        return None;
    };
    let base = path.parent().unwrap_or(Path::new(""));
    let file = base.join(config.text().unwrap_or_default());
    if !file.is_file() {
        document.error(
            config.spot(),
            format!("there is no configuration at {}", file.display()),
            "name a file, relative to this one",
        );
        return None;
    }
    Some(file)
}

/// Only what the file says: a case must not depend on who runs it.
fn environment(root: Part<'_>) -> Env {
    let variables = root.get("env").and_then(Part::fields).into_iter().flatten();
    variables
        .map(|field| (field.key, field.value.text().unwrap_or_default()))
        .collect()
}

fn cases(document: &Document, root: Part<'_>, config: &Config) -> Vec<Case> {
    let Some(list) = root.get("cases").and_then(Part::items) else {
        document.error(
            root.get("cases").unwrap_or(root).spot(),
            "there is no list of cases",
            "add `cases:` and under it `- name: …` with `events:` and `expect:`",
        );
        return Vec::new();
    };
    list.filter_map(|part| case(document, root, config, part))
        .collect()
}

fn case(document: &Document, root: Part<'_>, config: &Config, part: Part<'_>) -> Option<Case> {
    check_keys(document, part, CASE_KEYS, "a case");
    let _ = part.fields()?;
    let name = part.get("name").and_then(Part::text);
    if name.is_none_or(str::is_empty) {
        let remedy = "add `name:` and say what the case shows";
        document.error(part.spot(), "the case has no name", remedy);
    }
    let clock = clock(document, root, part)?;
    let reader = Reader {
        document,
        config,
        clock: &clock,
        payment: root.get("payment"),
    };
    let records = placed(events(&reader, part));
    let expected = expected(document, config, &clock, part);
    let until = until(document, &clock, root, part);
    check_until(document, root, part, until, &records);
    let others_ignored = others_ignored(document, part);
    Some(Case {
        name: name?.to_owned(),
        line: part.line(),
        clock,
        records,
        until: until?,
        expected: expected?,
        others_ignored: others_ignored?,
    })
}

fn clock(document: &Document, root: Part<'_>, part: Part<'_>) -> Option<Clock> {
    let Some(start) = part.get("start").or_else(|| root.get("start")) else {
        document.error(
            part.spot(),
            "the case does not say when it starts",
            "add `start: 2026-03-02T12:00:00+08:00` to the case or at the top of the file",
        );
        return None;
    };
    let text = start.text().unwrap_or_default();
    let clock = Clock::starting(text);
    if clock.is_none() {
        document.error(
            start.spot(),
            format!("`start` is not a time: `{text}`"),
            "write an RFC 3339 time with an offset: `2026-03-02T12:00:00+08:00`",
        );
    }
    clock
}

fn events(reader: &Reader<'_>, part: Part<'_>) -> Vec<Draft> {
    let Some(list) = part.get("events").and_then(Part::items) else {
        reader.document.error(
            part.get("events").unwrap_or(part).spot(),
            "the case has no list of events",
            "add `events:` and under it `- {at: \"12:00:00\", pay: P1}`",
        );
        return Vec::new();
    };
    let events: Vec<Option<Draft>> = list
        .zip(1..)
        .map(|(event, number)| reader.event(event, number))
        .collect();
    if events.is_empty() {
        let spot = part.get("events").unwrap_or(part).spot();
        let remedy = "add an event: `- {at: \"12:00:00\", pay: P1}`";
        reader
            .document
            .error(spot, "a case without events shows nothing", remedy);
    }
    events.into_iter().flatten().collect()
}

/// One partition a stream, appended in the order of time and then of the file.
fn placed(mut drafts: Vec<Draft>) -> Vec<(Place, Vec<u8>)> {
    drafts.sort_by_key(|draft| draft.at);
    let drafts = drafts.into_iter().zip(0..);
    let placed = drafts.map(|(draft, offset)| {
        let place = Place {
            at: draft.at,
            stream: draft.stream,
            partition: 0,
            offset,
        };
        (place, draft.payload)
    });
    placed.collect()
}

fn expected(
    document: &Document,
    config: &Config,
    clock: &Clock,
    part: Part<'_>,
) -> Option<Vec<super::Expected>> {
    let none = part.get("expect_no_alerts");
    let list = part.get("expect");
    match (list, none) {
        (None, Some(none)) if none.text() == Some("true") => Some(Vec::new()),
        (None, Some(none)) => {
            let remedy = "write `expect_no_alerts: true`, or a list of alerts under `expect:`";
            document.error(none.spot(), "`expect_no_alerts` can only be `true`", remedy);
            None
        }
        (Some(_), Some(none)) => {
            let remedy = "keep one of the two";
            document.error(
                none.spot(),
                "`expect` and `expect_no_alerts` exclude each other",
                remedy,
            );
            None
        }
        (None, None) => {
            let remedy =
                "add `expect:` with the alerts that must come, or `expect_no_alerts: true`";
            document.error(part.spot(), "the case expects nothing", remedy);
            None
        }
        (Some(list), None) => {
            let Some(items) = list.items() else {
                let message = format!("`expect` must be a list, not {}", list.kind());
                let remedy = "write one `- {at: …, kind: …}` an alert, or `expect_no_alerts: true`";
                document.error(list.spot(), message, remedy);
                return None;
            };
            let all: Vec<_> = items
                .map(|item| expect::expected(document, config, clock, item))
                .collect();
            all.into_iter().collect()
        }
    }
}

/// By default nothing stays hidden: the clock goes on until nothing is pending.
fn until(document: &Document, clock: &Clock, root: Part<'_>, part: Part<'_>) -> Option<Until> {
    match part.get("until").or_else(|| root.get("until")) {
        None => Some(Until::Drained),
        Some(until) if until.text() == Some("drained") => Some(Until::Drained),
        Some(until) => fields::time(document, clock, until, "until").map(Until::Time),
    }
}

/// A clock that stops before the first event has seen nothing.
fn check_until(
    document: &Document,
    root: Part<'_>,
    part: Part<'_>,
    until: Option<Until>,
    records: &[(Place, Vec<u8>)],
) {
    let (Some(Until::Time(until)), Some((first, _))) = (until, records.first()) else {
        return;
    };
    if until < first.at {
        let written = part.get("until").or_else(|| root.get("until"));
        document.error(
            written.unwrap_or(part).spot(),
            "`until` lies before every event of the case: nothing would be tested",
            "write a later time, or `drained`",
        );
    }
}

fn others_ignored(document: &Document, part: Part<'_>) -> Option<bool> {
    let Some(others) = part.get("others") else {
        return Some(false);
    };
    match others.text() {
        Some("ignore") => Some(true),
        Some("fail") => Some(false),
        text => {
            let known = ["fail", "ignore"];
            document.unknown_word(others.spot(), "choice", text.unwrap_or_default(), &known);
            None
        }
    }
}
