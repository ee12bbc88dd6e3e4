//! What people are told of an incident at their terminals is what was written.

use std::time::Duration;

use serde_json::Value;
use settlewatch_tests::broker::{Group, Process, until};

/// What is written is shown within this.
const SHOWN: Duration = Duration::from_secs(60);

/// Follows the incidents of a group.
pub(crate) struct Follower(Process);

impl Follower {
    pub(crate) fn start(group: &Group<'_>) -> Self {
        Self(group.spawn("follow", &["incidents", "follow", "--json"]))
    }

    /// Whether it showed every revision of `written` once, in their order.
    pub(crate) fn assert_showed(mut self, written: &[Value]) {
        let id = &written[0]["incident_id"];
        let shown = || -> Vec<Value> {
            let log = self.0.log();
            let all = lines(&log).filter(|line| line["incident_id"] == *id);
            all.collect()
        };
        let shown = until("every revision is shown", SHOWN, || {
            let shown = shown();
            (shown.len() >= written.len()).then_some(shown)
        });
        assert_eq!(shown, written);
        self.0.kill();
    }
}

fn lines(text: &str) -> impl Iterator<Item = Value> + '_ {
    let objects = text.lines().filter(|line| line.starts_with('{'));
    objects.map(|line| serde_json::from_str(line).expect("a line of JSON"))
}

/// Lists and shows the incident whose revisions are `written`, and finds it by a payment that it covers.
pub(crate) fn assert_told(group: &Group<'_>, written: &[Value]) {
    let last = written.last().expect("a revision");
    let told = |arguments: &[&str]| {
        let (status, told) = group.command(&[&["incidents"], arguments].concat());
        assert_eq!(status, Some(0), "{told}");
        told
    };
    let is_it = |line: &Value| line["incident_id"] == last["incident_id"];
    let all = told(&["list", "--json"]);
    let listed: Vec<Value> = lines(&all).filter(is_it).collect();
    assert_eq!(listed, std::slice::from_ref(last), "as it was written last");
    let open = told(&["list", "--open", "--json"]);
    assert!(!lines(&open).any(|line| is_it(&line)), "it is over");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let (id, payment) = (text(&last["incident_id"]), text(&last["samples"][0]));
    let shown = told(&["show", &id, "--payments", "--lang", "zh"]);
    for part in [&payment, &text(&last["action"]["zh"])] {
        assert!(shown.contains(part.as_str()), "{part} is not in {shown}");
    }
    let covering = told(&["list", "--payment", &payment, "--json"]);
    assert!(lines(&covering).any(|line| is_it(&line)), "{covering}");
}
