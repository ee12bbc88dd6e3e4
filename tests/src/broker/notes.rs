//! What an alert says whenever a note of another partition number arrives.
//!
//! Near ids are found by another partition number, which sends a note. A replay knows it at once; a service knows it
//! when the note arrives: its revision then stands in a later place, those between lack the verdict, and where the
//! alert was resolved by then there is none.

use std::collections::BTreeSet;

use serde_json::Value;

/// The verdict that comes with a note.
const BY_NOTE: &str = "ID_CORRUPTED";

/// How the revisions of one alert compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// They say different things.
    Different,
    /// The same, but that a note's revision has another place.
    Moved,
    /// The same, but that the note came too late for a revision.
    TooLate,
}

/// Compares all revisions of an alert, those of a replay with those of services, each in their order.
pub(super) fn compare(expected: &[Value], written: &[Value]) -> Place {
    let noted = expected.iter().any(|alert| alert["verdict"] == BY_NOTE);
    if !noted || without_notes(expected) != without_notes(written) {
        Place::Different
    } else if expected.len() == written.len() {
        Place::Moved
    } else {
        Place::TooLate
    }
}

/// What revisions say but for their numbers and verdicts, and when the first was decided that says so: a note's own
/// revision repeats what the one before it says.
fn without_notes(alerts: &[Value]) -> Vec<(String, Value)> {
    let mut said = BTreeSet::new();
    let mut facts = Vec::new();
    for alert in alerts {
        let mut fact = alert.clone();
        let decided_at = fact["decided_at"].take();
        for field in ["revision", "verdict", "related_payment_id"] {
            fact[field] = Value::Null;
        }
        if said.insert(fact.to_string()) {
            facts.push((fact.to_string(), decided_at));
        }
    }
    facts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn revision(tier: &str, decided_at: i64, noted: bool) -> Value {
        let verdict = if noted { json!(BY_NOTE) } else { Value::Null };
        json!({"tier": tier, "decided_at": decided_at, "verdict": verdict})
    }

    #[test]
    fn a_note_may_come_later_or_too_late_but_changes_nothing_else() {
        let expected = [
            revision("warn", 1, false),
            revision("warn", 2, true),
            revision("breach", 3, true),
        ];
        let later = [
            revision("warn", 1, false),
            revision("breach", 3, false),
            revision("breach", 2, true),
        ];
        assert_eq!(compare(&expected, &later), Place::Moved);
        assert_eq!(compare(&expected, &later[..2]), Place::TooLate);
        assert_eq!(compare(&expected, &later[..1]), Place::Different);
        let other = [revision("warn", 1, false), revision("breach", 4, false)];
        assert_eq!(compare(&expected, &other), Place::Different);
        assert_eq!(compare(&later[..2], &other), Place::Different);
    }
}
