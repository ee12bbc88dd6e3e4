//! What is logged, and how.

use std::io;
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
