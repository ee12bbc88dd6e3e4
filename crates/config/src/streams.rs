//! Streams: names and topics by rank.

use crate::item::{Item, Named};
use crate::model::Stream;
use crate::report::Report;

/// Streams whose records come first in ties.
const FIRST: [&str; 3] = ["payments", "credits", "lifecycle"];
/// The rank is an index in one byte, and every stream costs counters.
const MAX_STREAMS: usize = 64;

/// The streams by rank.
pub(crate) fn compile(streams: &Item, report: &mut Report) -> Vec<Stream> {
    let written = streams.map();
    check_topics(written, report);
    if written.len() > MAX_STREAMS {
        let message = format!("more than {MAX_STREAMS} streams");
        report.error(
            written[MAX_STREAMS].mark,
            message,
            "one stream is one topic: merge some",
        );
    }
    let keyed = |named: &&Named| named.item.at("keyed").text();
    let all_known = written.iter().all(|named| keyed(&named).is_some());
    if !written.is_empty()
        && all_known
        && written
            .iter()
            .all(|named| keyed(&named).as_deref() == Some("other"))
    {
        report.error(
            streams.mark,
            "no stream carries payments",
            "remove `keyed: other` where records are keyed by payment id",
        );
    }
    let rank = |name: &str| {
        FIRST
            .iter()
            .position(|first| *first == name)
            .unwrap_or(FIRST.len())
    };
    let mut ranked: Vec<&Named> = written.iter().collect();
    ranked.sort_by_key(|named| rank(&named.name));
    ranked.into_iter().filter_map(stream).collect()
}

fn stream(named: &Named) -> Option<Stream> {
    let keyed_other = named.item.at("keyed").text()? == "other";
    Some(Stream {
        name: named.name.clone(),
        topic: named.item.at("topic").text()?,
        keyed_other,
    })
}

/// One topic is one stream: its records would count twice.
fn check_topics(streams: &[Named], report: &mut Report) {
    for (at, named) in streams.iter().enumerate() {
        let Some(topic) = named.item.at("topic").text() else {
            continue;
        };
        let earlier = streams[..at]
            .iter()
            .find(|other| other.item.at("topic").text().as_ref() == Some(&topic));
        if let Some(earlier) = earlier {
            let message = format!(
                "the topic `{topic}` is already read by the stream `{}`",
                earlier.name
            );
            report.error(
                named.item.at("topic").mark,
                message,
                "remove one of the two: its records would count twice",
            );
        }
    }
}
