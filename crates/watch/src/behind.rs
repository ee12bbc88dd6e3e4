//! What we have not read: partitions whose known time stands still are our own fault, not anybody else's.

use std::collections::BTreeMap;

use settlewatch_join::Timestamp;

use crate::incident::book::{Book, Entry, Family, Report};
use crate::incident::cause::Cause;
use crate::incident::{Basis, Evidence, Finding, Severity};
use crate::keep::keep;
use crate::second::end_of;

/// Known time that stands still for so long is said, in seconds.
const BEHIND_S: i64 = 15;

/// It is over when everything was known again for so long, in seconds.
const OVER_S: i64 = 20;

/// Known times of the partitions, and the incident while one of them stands still.
#[derive(Default)]
pub(crate) struct Behind {
    known_s: BTreeMap<i32, i64>,
    open: Option<Open>,
}

struct Open {
    entry: Entry,
    since_s: i64,
    partitions: Vec<i32>,
    last_s: i64,
}

impl Behind {
    /// Everything of a partition is known up to the second `known_s`, inclusive.
    pub(crate) fn known(&mut self, partition: i32, known_s: i64) {
        let known = self.known_s.entry(partition).or_insert(known_s);
        *known = (*known).max(known_s);
    }

    /// Whether a partition is not known up to `second`: nothing is claimed of it.
    pub(crate) fn is_blind(&self, partition: i32, second: i64) -> bool {
        self.known_s
            .get(&partition)
            .is_some_and(|known_s| *known_s < second)
    }

    /// Whether any partition is not known up to `second`.
    pub(crate) fn is_any(&self, second: i64) -> bool {
        self.known_s.values().any(|known_s| *known_s < second)
    }

    /// The second `second` ended.
    pub(crate) fn end_second(&mut self, second: i64, book: &mut Book) {
        let standing: Vec<i32> = self
            .known_s
            .iter()
            .filter(|(_, known_s)| second - **known_s >= BEHIND_S)
            .map(|(partition, _)| *partition)
            .collect();
        match (&mut self.open, standing.is_empty()) {
            (None, true) => {}
            (None, false) => {
                let known = standing.iter().map(|partition| self.known_s[partition]);
                let since_s = known.min().unwrap_or(second) + 1;
                let report = self.report(&standing, since_s);
                self.open = Some(Open {
                    entry: book.open(Family::Behind, report, end_of(second)),
                    since_s,
                    partitions: standing,
                    last_s: second,
                });
            }
            (Some(open), false) => {
                open.last_s = second;
                let more = standing.iter().any(|it| !open.partitions.contains(it));
                if more {
                    open.partitions.extend(standing);
                    open.partitions.sort_unstable();
                    open.partitions.dedup();
                    let (entry, since_s) = (open.entry, open.since_s);
                    let partitions = open.partitions.clone();
                    book.update(entry, self.report(&partitions, since_s), end_of(second));
                }
            }
            (Some(open), true) if second - open.last_s >= OVER_S => {
                let (entry, since_s) = (open.entry, open.since_s);
                let partitions = std::mem::take(&mut open.partitions);
                self.open = None;
                book.resolve(entry, self.report(&partitions, since_s), end_of(second));
            }
            (Some(_), true) => {}
        }
    }

    fn report(&self, partitions: &[i32], since_s: i64) -> Report {
        // All of them: no partition is to blame.
        let scope = if partitions.len() < self.known_s.len() {
            let partitions = partitions.iter().map(ToString::to_string).collect();
            vec![("partition".to_owned(), partitions)]
        } else {
            Vec::new()
        };
        Report {
            finding: Finding {
                cause: Cause::MonitorBehind,
                basis: Basis::Confirmed,
                confidence: 1.0,
                ruled_out: vec![
                    "nothing is claimed of payments that were not read: their deadlines are held"
                        .into(),
                ],
            },
            severity: Severity::Warning,
            scope,
            started_at: Timestamp::from_millis(since_s * 1000),
            evidence: Evidence::default(),
            samples: Vec::new(),
        }
    }
}

keep!(Behind { known_s, open });
keep!(Open {
    entry,
    since_s,
    partitions,
    last_s,
});

#[cfg(test)]
mod tests {
    use super::*;
    use settlewatch_join::Span;

    #[test]
    fn a_partition_that_stands_still_is_one_incident_and_ends() {
        let mut behind = Behind::default();
        let mut book = Book::new(Span::from_secs(600));
        for second in 0..100 {
            behind.known(0, second);
            if !(20..60).contains(&second) {
                behind.known(1, second);
            }
            behind.end_second(second, &mut book);
        }
        let said = book.take();
        assert_eq!(said.len(), 2, "{said:?}");
        assert_eq!(said[0].finding.cause, Cause::MonitorBehind);
        let scope = vec![("partition".to_owned(), vec!["1".to_owned()])];
        assert_eq!(said[0].scope, scope);
        assert_eq!(said[0].started_at, Timestamp::from_millis(20_000));
        assert_eq!(said[1].resolved_at, Some(Timestamp::from_millis(80_000)));
    }

    #[test]
    fn what_stands_still_everywhere_has_no_partition() {
        let mut behind = Behind::default();
        let mut book = Book::new(Span::from_secs(600));
        (0..8).for_each(|partition| behind.known(partition, 0));
        (1..40).for_each(|second| behind.end_second(second, &mut book));
        let said = book.take();
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].scope.is_empty());
    }
}
