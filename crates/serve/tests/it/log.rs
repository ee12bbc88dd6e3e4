//! What is logged, and how.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use settlewatch_serve::{LogFormat, log_to};

/// What was written.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .expect("nobody panics")
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn logged(format: LogFormat, filter: &str, act: impl FnOnce()) -> String {
    let written = Written::default();
    let writer = written.clone();
    let log = log_to(move || writer.clone(), format, filter).expect("a filter");
    tracing::subscriber::with_default(log, act);
    let bytes = written.0.lock().expect("nobody panics").clone();
    String::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn an_event_is_one_json_object_with_its_fields() {
    let text = logged(LogFormat::Json, "info", || {
        tracing::info!(partition = 3, "restored\nat last");
        tracing::debug!("not this");
    });
    assert_eq!(text.lines().count(), 1, "{text}");
    let event: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(event["level"], "INFO");
    assert_eq!(event["partition"], 3);
    assert_eq!(event["message"], "restored\nat last");
    assert!(
        event["timestamp"]
            .as_str()
            .is_some_and(|time| time.ends_with('Z'))
    );
}

#[test]
fn parts_have_levels_of_their_own() {
    let text = logged(LogFormat::Text, "warn,loud=trace", || {
        tracing::info!("quiet");
        tracing::trace!(target: "loud", "heard");
    });
    assert!(text.contains("heard") && !text.contains("quiet"), "{text}");
    assert!(!text.contains('\x1b'), "no colours in a file");
}

#[test]
fn a_filter_that_is_none_is_refused() {
    let error = log_to(io::sink, LogFormat::Text, "loud=very")
        .err()
        .expect("no level");
    assert!(error.to_string().contains("loud=very"), "{error}");
}

/// What identifies a payer or an account, and what opens doors.
const NEVER_LOGGED: &[&str] = &[
    "payment_id",
    "payer",
    "merchant",
    "terminal_id",
    "payload",
    "credit_id",
    "password",
    "secret",
    "credential",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// What stands between the parentheses of every event of a source, up to where the statement ends.
fn events(text: &str) -> impl Iterator<Item = &str> {
    let levels = ["error!(", "warn!(", "info!(", "debug!(", "trace!("];
    levels.into_iter().flat_map(move |level| {
        let at = text
            .match_indices("tracing::")
            .map(|(at, word)| at + word.len());
        at.filter_map(move |at| {
            let event = text[at..].strip_prefix(level)?;
            Some(&event[..event.find(");").unwrap_or(event.len())])
        })
    })
}

#[test]
fn no_event_names_a_payer_an_account_or_a_secret() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for name in ["kafka", "serve", "settlewatch"] {
        sources(&crates.join(name).join("src"), &mut files);
    }
    let mut seen = 0;
    for file in files {
        let text = fs::read_to_string(&file).expect("UTF-8");
        for event in events(&text) {
            seen += 1;
            for word in NEVER_LOGGED {
                assert!(!event.contains(word), "{}: {event}", file.display());
            }
        }
    }
    assert!(seen > 5, "events were not found");
}
