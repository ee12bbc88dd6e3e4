//! Incidents that are resolved, until their memory ends: then the topic forgets them.

use std::collections::{BTreeMap, BTreeSet};

use settlewatch_watch::incident::Incident;

/// A resolved incident is kept so long in the topic, in seconds.
const KEPT_S: i64 = 35 * 86_400;

/// A chunk of a snapshot holds so many bytes, about.
const CHUNK_BYTES: usize = 400 << 10;

/// Resolved incidents by the second in which they are forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Graves {
    due: BTreeSet<(i64, String)>,
    by_id: BTreeMap<String, i64>,
}

impl Graves {
    /// A revision was written: the incident is over, or goes on again.
    pub(super) fn said(&mut self, incident: &Incident) {
        if let Some(due) = self.by_id.remove(&incident.id) {
            self.due.remove(&(due, incident.id.clone()));
        }
        if let Some(at) = incident.resolved_at {
            self.bury(at.millis().div_euclid(1000) + KEPT_S, incident.id.clone());
        }
    }

    fn bury(&mut self, due: i64, id: String) {
        self.due.insert((due, id.clone()));
        self.by_id.insert(id, due);
    }

    /// Those that are forgotten by the end of the second `second`.
    pub(super) fn take_due(&mut self, second: i64) -> Vec<String> {
        let mut ids = Vec::new();
        while let Some((due, _)) = self.due.first()
            && *due <= second
            && let Some((_, id)) = self.due.pop_first()
        {
            self.by_id.remove(&id);
            ids.push(id);
        }
        ids
    }

    /// As chunks of a snapshot: a line each, second and id.
    pub(super) fn chunks(&self) -> Vec<String> {
        let mut chunks = Vec::new();
        for (due, id) in &self.due {
            let line = format!("{due} {id}\n");
            match chunks.last_mut() {
                Some(last) if String::len(last) < CHUNK_BYTES => last.push_str(&line),
                _ => chunks.push(line),
            }
        }
        chunks
    }

    /// Reads a chunk.
    pub(super) fn read(&mut self, chunk: &[u8]) -> Result<(), String> {
        let text = std::str::from_utf8(chunk).map_err(|error| error.to_string())?;
        for line in text.lines() {
            let read = line.split_once(' ');
            let read = read.and_then(|(due, id)| Some((due.parse().ok()?, id)));
            let (due, id) = read.ok_or("a line of resolved incidents is malformed")?;
            self.bury(due, id.to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use settlewatch_join::Timestamp;
    use settlewatch_watch::incident::cause::Cause;
    use settlewatch_watch::incident::{Basis, Evidence, Finding, Severity, Told};

    use super::*;

    fn incident(id: &str, resolved_s: Option<i64>) -> Incident {
        let at = |second: i64| Timestamp::from_millis(second * 1000);
        Incident {
            id: id.into(),
            revision: 1,
            severity: Severity::Info,
            finding: Finding {
                cause: Cause::TerminalBusy,
                basis: Basis::Guess,
                confidence: 0.5,
                ruled_out: Vec::new(),
            },
            scope: Vec::new(),
            opened_at: at(0),
            started_at: at(0),
            updated_at: at(0),
            resolved_at: resolved_s.map(at),
            evidence: Evidence::default(),
            samples: Vec::new(),
            told: Told {
                cause: Cause::TerminalBusy,
                severity: Severity::Info,
                scope: Vec::new(),
            },
        }
    }

    #[test]
    fn what_is_resolved_is_forgotten_once_unless_it_went_on() {
        let mut graves = Graves::default();
        graves.said(&incident("a", Some(10)));
        graves.said(&incident("b", Some(11)));
        graves.said(&incident("a", None));
        graves.said(&incident("a", Some(20)));
        let mut read = Graves::default();
        for chunk in graves.chunks() {
            read.read(chunk.as_bytes()).expect("what was written");
        }
        assert_eq!(read, graves);
        assert!(read.take_due(10 + KEPT_S).is_empty());
        assert_eq!(read.take_due(11 + KEPT_S), ["b"]);
        assert_eq!(read.take_due(i64::MAX), ["a"]);
        assert!(read.take_due(i64::MAX).is_empty());
    }
}
