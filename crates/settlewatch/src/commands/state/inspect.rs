//! `state inspect`: what the state topic says, partition by partition. It changes nothing and disturbs nobody.

use std::io::{Write, stdout};
use std::sync::Arc;

use serde_json::{Value, json};
use settlewatch_join::Timestamp;
use settlewatch_kafka::{ReadTo, TopicState, Topics, Upkeep};
use settlewatch_protocol::{Contents, StateLook};
use settlewatch_wire::format_time;

use super::{WAIT, loaded, not_ready, of_run, reading, topics};
use crate::cli::InspectArgs;
use crate::exit::Failed;
use crate::service;
use crate::text::grouped;

pub(super) fn run(args: &InspectArgs) -> anyhow::Result<()> {
    let config = loaded(&args.config)?;
    let upkeep = Upkeep::new(of_run(&config), topics(&config), WAIT).map_err(not_ready)?;
    let mut shown = Vec::new();
    let mut broken = 0;
    for number in numbers(&upkeep, &args.partitions)? {
        let seen = Seen::of(&upkeep, number).map_err(not_ready)?;
        broken += usize::from(seen.broken().is_some());
        if args.json {
            shown.push(seen.json(upkeep.topics()));
        } else {
            stdout().write_all(seen.text(upkeep.topics()).as_bytes())?;
        }
    }
    if args.json {
        writeln!(stdout(), "{}", serde_json::to_string_pretty(&shown)?)?;
    }
    match broken {
        0 => Ok(()),
        1 => Err(Failed("the state of one partition cannot be used".into()).into()),
        many => Err(Failed(format!("the state of {many} partitions cannot be used")).into()),
    }
}

/// The partitions that are asked for; all of them where none is.
fn numbers(upkeep: &Upkeep, asked: &[i32]) -> anyhow::Result<Vec<i32>> {
    let topic = &upkeep.topics().state;
    let state = upkeep.admin().topics(&[topic]).map_err(not_ready)?;
    let Some(TopicState::Present { partitions, .. }) = state.first() else {
        return Err(Failed(format!("there is no topic {topic}, or it may not be seen")).into());
    };
    let all = 0..i32::try_from(*partitions).unwrap_or(i32::MAX);
    if let Some(other) = asked.iter().find(|number| !all.contains(number)) {
        return Err(Failed(format!("{topic} has no partition {other}")).into());
    }
    Ok(if asked.is_empty() {
        all.collect()
    } else {
        asked.to_vec()
    })
}

/// One partition.
struct Seen {
    number: i32,
    look: StateLook,
    read_to: ReadTo,
    contents: Result<Contents, String>,
}

impl Seen {
    fn of(upkeep: &Upkeep, number: i32) -> Result<Self, settlewatch_kafka::AdminError> {
        let (look, read_to) = reading::look(upkeep, number)?;
        let compile = |rules: &[u8]| service::settings(rules).map(Arc::new);
        Ok(Self {
            number,
            contents: look.contents(compile),
            look,
            read_to,
        })
    }

    /// Why it cannot be used; `None` where it can, or where there is nothing.
    fn broken(&self) -> Option<&str> {
        let look = &self.look;
        let whole = self.contents.as_ref().err();
        let unreadable = whole.filter(|_| !look.is_empty()).map(String::as_str);
        look.broken.as_deref().or(unreadable)
    }

    /// Records of an open transaction.
    fn undecided(&self) -> i64 {
        self.read_to.end - self.read_to.committed
    }

    fn positions<'a>(&'a self, topics: &'a Topics) -> impl Iterator<Item = (&'a str, i64)> {
        let names = topics.sources().map(|(_, name)| name);
        names.zip(self.look.positions().iter().copied())
    }

    fn text(&self, topics: &Topics) -> String {
        let look = &self.look;
        let mut lines = vec![format!("partition {}", self.number)];
        let mut line = |name: &str, words: String| lines.push(format!("  {name:<10} {words}"));
        if let Some(broken) = self.broken() {
            line("BROKEN", broken.to_owned());
        }
        match look.claim {
            Some((offset, ts, token)) => line(
                "claimed",
                format!("{} at offset {offset}, token {token:016x}", time(ts)),
            ),
            None => line("claimed", "never".into()),
        }
        if let Some(snapshot) = look.snapshot() {
            let (chunks, bytes) = (snapshot.chunks, grouped(snapshot.bytes));
            let (sequence, at) = (snapshot.sequence, snapshot.begins_at);
            line(
                "snapshot",
                format!("of step {sequence}, {bytes} bytes in {chunks} chunks from offset {at}"),
            );
        }
        if let Some(sequence) = look.sequence() {
            line(
                "steps",
                format!("{} since, the last is {sequence}", look.steps()),
            );
        }
        if let Some(known) = look.known {
            line("known", format!("decided up to {}", format_time(known)));
        }
        let positions: Vec<String> = self
            .positions(topics)
            .map(|(name, position)| format!("{name} {position}"))
            .collect();
        if !positions.is_empty() {
            line("positions", positions.join(", "));
        }
        if let Ok(contents) = &self.contents {
            let [waiting, payments, finished, pairs] = sizes(contents).map(grouped);
            line(
                "snapshot's",
                format!(
                    "{waiting} waiting of {payments} payments at hand, {finished} finished ids, {pairs} in the pairs stage"
                ),
            );
            line("rules", format!("{:016x}", contents.rules));
        }
        let (records, bytes) = (grouped(look.records), grouped(look.bytes));
        let mut log = format!(
            "{records} records, {bytes} bytes, format {}",
            StateLook::FORMAT
        );
        if self.undecided() > 0 {
            log += &format!("; a transaction is open over {} offsets", self.undecided());
        }
        line("log", log);
        lines.join("\n") + "\n"
    }

    fn json(&self, topics: &Topics) -> Value {
        let look = &self.look;
        let positions: serde_json::Map<String, Value> = self
            .positions(topics)
            .map(|(name, position)| (name.to_owned(), position.into()))
            .collect();
        json!({
            "partition": self.number,
            "format": StateLook::FORMAT,
            "broken": self.broken(),
            "claim": look.claim.map(|(offset, ts, token)| json!({
                "offset": offset, "at": time(ts), "token": format!("{token:016x}"),
            })),
            "snapshot": look.snapshot().map(|snapshot| json!({
                "step": snapshot.sequence,
                "chunks": snapshot.chunks,
                "bytes": snapshot.bytes,
                "offset": snapshot.begins_at,
                "known": format_time(snapshot.known).to_string(),
                "identity": String::from_utf8_lossy(&snapshot.identity),
            })),
            "step": look.sequence(),
            "steps_since_snapshot": look.steps(),
            "known": look.known.map(|at| format_time(at).to_string()),
            "positions": positions,
            "contents": self.contents.as_ref().ok().map(|contents| json!({
                "waiting": contents.waiting,
                "payments": contents.payments,
                "finished_ids": contents.finished,
                "pairs": contents.pairs,
                "rules": format!("{:016x}", contents.rules),
            })),
            "records": look.records,
            "bytes": look.bytes,
            "open_transaction_offsets": self.undecided(),
        })
    }
}

fn sizes(contents: &Contents) -> [usize; 4] {
    [
        contents.waiting,
        contents.payments,
        contents.finished,
        contents.pairs,
    ]
}

fn time(ts_ms: i64) -> String {
    format_time(Timestamp::from_millis(ts_ms)).to_string()
}
