//! What an alert says whose payment was closed by a record that became readable after it was appended.
//!
//! A broker stamps a record before it can be read. Between the two a deadline may pass: no reader can know then that
//! the payment is closed. A service then tells the tier, and the end as soon as it is readable, as of the time of its
//! append; a replay, which reads the record at its time, tells no tier.

use serde_json::Value;

use crate::reference::parse_ms;

/// Longest time by which a busy broker may make a record readable later than it stamped it.
const READABLE_MS: i64 = 500;

/// Whether the revisions of services say the same as those of a replay, but for tiers that passed between the stamp of
/// the end and its being readable.
pub(super) fn told_before_the_end(expected: &[Value], written: &[Value]) -> bool {
    let Some(end_ms) = written.last().and_then(end_ms) else {
        return false;
    };
    let passed = |alert: &Value| {
        let told_ms = decided_ms(alert);
        alert["state"] == "open"
            && told_ms.is_some_and(|told| told > end_ms && told - end_ms <= READABLE_MS)
    };
    let rest: Vec<&Value> = written.iter().filter(|alert| !passed(alert)).collect();
    let early = rest.len() < written.len();
    // Without its only tier nothing is left to tell of.
    let nothing =
        expected.is_empty() && rest.len() == 1 && rest[0]["resolution"] == "credited_in_time";
    let same = || {
        expected
            .iter()
            .map(facts)
            .eq(rest.iter().map(|alert| facts(alert)))
    };
    early && (nothing || same())
}

fn decided_ms(alert: &Value) -> Option<i64> {
    alert["decided_at"].as_str().and_then(parse_ms)
}

/// When an alert was resolved.
fn end_ms(alert: &Value) -> Option<i64> {
    (alert["state"] == "resolved").then(|| decided_ms(alert))?
}

/// What a revision says apart from its number; of a resolved one also without the tier that came before it.
fn facts(alert: &Value) -> Value {
    let mut facts = alert.clone();
    facts["revision"] = Value::Null;
    if alert["state"] == "resolved" {
        facts["tier"] = Value::Null;
        facts["deadline"] = Value::Null;
    }
    facts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn revision(number: u64, state: &str, tier: &str, ms: u64, resolution: &str) -> Value {
        let decided_at = format!("2026-03-10T10:00:00.{ms:03}Z");
        json!({"revision": number, "state": state, "tier": tier, "decided_at": decided_at, "resolution": resolution})
    }

    #[test]
    fn a_tier_may_pass_while_the_end_is_appended_and_not_readable() {
        let expected = [
            revision(1, "open", "warn", 0, ""),
            revision(2, "resolved", "warn", 350, "credited_late"),
        ];
        let written = [
            revision(1, "open", "warn", 0, ""),
            revision(2, "open", "breach", 369, ""),
            revision(3, "resolved", "breach", 350, "credited_late"),
        ];
        assert!(told_before_the_end(&expected, &written));
        assert!(!told_before_the_end(&expected, &expected));
        assert!(!told_before_the_end(&expected[1..], &written));
        assert!(!told_before_the_end(&expected, &written[..2]));
        let mut later = written.clone();
        later[1]["decided_at"] = json!("2026-03-10T10:00:00.851Z");
        assert!(
            !told_before_the_end(&expected, &later),
            "nothing is unreadable for so long"
        );
    }

    #[test]
    fn so_may_the_first_tier() {
        let written = [
            revision(1, "open", "warn", 369, ""),
            revision(2, "resolved", "warn", 350, "credited_in_time"),
        ];
        assert!(told_before_the_end(&[], &written));
        let late = [
            written[0].clone(),
            revision(2, "resolved", "warn", 350, "credited_late"),
        ];
        assert!(!told_before_the_end(&[], &late));
    }
}
