//! `state rebuild`: begins partitions anew from their inputs.
//!
//! 1. Nobody may own the state: the group has no member, no transaction is open.
//! 2. What the predecessor had decided is dated: by its last steps, and by its letters in the pairs topic. The log
//!    holds those decisions; they are made again, and not written again.
//! 3. The state is emptied, claimed, and gets a snapshot of a beginning. The append time of the claim is the broker's
//!    clock: nothing that is appended later is missed.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::io::{Write, stdout};
use std::sync::Arc;

use serde_json::Value;
use settlewatch_config::{Env, Loaded, Purpose, load};
use settlewatch_join::{Span, Timestamp};
use settlewatch_kafka::{CheckOptions, Checked, StartAt, Upkeep, Writer, check};
use settlewatch_protocol::{
    LaneConfig, Rebuilt, StartPoint, StateLook, claim, heard, rebuild, rules_id,
};
use settlewatch_wire::format_time;

use super::{Reading, WAIT, not_ready, of_run, reading, refuse_while_owned, topics};
use crate::cli::RebuildArgs;
use crate::clock;
use crate::exit::{BadConfig, Failed, NotReady};
use crate::service;

pub(super) fn run(args: &RebuildArgs) -> anyhow::Result<()> {
    let loaded = load(&args.config, Purpose::Run, &Env::of_process()).map_err(BadConfig)?;
    let run = of_run(&loaded.config);
    let options = CheckOptions {
        wait: WAIT,
        transactions: false,
    };
    let checked = check(run, &loaded.config.streams, options).map_err(NotReady)?;
    let upkeep = Upkeep::new(run, topics(&loaded.config), WAIT).map_err(not_ready)?;
    let numbers = numbers(args, &checked)?;
    let plan = Plan::new(&loaded, &checked, &upkeep, args.from)?;
    let mut lost = BTreeMap::new();
    for &number in &numbers {
        lost.insert(number, plan.lost(number)?);
    }
    for (number, lost) in &lost {
        plan.announce(*number, lost)?;
    }
    plan.refuse_other_rules(&lost)?;
    refuse_while_owned(&upkeep.members().map_err(not_ready)?, run)?;
    if !args.yes {
        return Err(Failed("nothing was changed: with --yes it will be".into()).into());
    }
    let writer = upkeep.writer().map_err(not_ready)?;
    for (number, lost) in &lost {
        plan.carry_out(*number, lost, &writer)?;
    }
    Ok(())
}

fn numbers(args: &RebuildArgs, checked: &Checked) -> Result<Vec<i32>, Failed> {
    let all = 0..checked.numbers;
    if let Some(other) = args.partitions.iter().find(|number| !all.contains(number)) {
        let count = checked.numbers;
        return Err(Failed(format!(
            "there is no partition {other}: there are {count}"
        )));
    }
    Ok(if args.all {
        all.collect()
    } else {
        args.partitions.clone()
    })
}

/// So many of the last records of the alerts topic are looked at.
const LAST_ALERTS: i64 = 200;

/// What is left of a predecessor.
struct Lost {
    look: StateLook,
    /// It had decided everything before; `None` where nothing tells.
    decided: Option<Timestamp>,
    /// The rules of its last alerts; `None` where there are none.
    rules: Option<String>,
}

struct Plan<'a> {
    lane: LaneConfig,
    reading: Reading,
    upkeep: &'a Upkeep,
    numbers: i32,
    from: StartAt,
    window: Span,
}

impl<'a> Plan<'a> {
    fn new(
        loaded: &'a Loaded,
        checked: &Checked,
        upkeep: &'a Upkeep,
        from: StartAt,
    ) -> anyhow::Result<Self> {
        let rules: Arc<[u8]> = loaded.decision.as_bytes().into();
        let settings = service::settings(&rules).map_err(Failed)?;
        let run = of_run(&loaded.config);
        Ok(Self {
            lane: service::lane_config(&loaded.config, run, checked, &rules, 0),
            reading: Reading::new(&loaded.config),
            upkeep,
            numbers: checked.numbers,
            from,
            window: settings.duplicate_window,
        })
    }

    /// Reads what there is of the predecessor.
    fn lost(&self, number: i32) -> anyhow::Result<Lost> {
        let (look, read_to) = reading::look(self.upkeep, number).map_err(not_ready)?;
        if read_to.committed < read_to.end {
            return Err(Failed(format!(
                "a transaction is open in the state of partition {number}: try again when it has ended, after \
                 kafka.transaction_timeout at the latest"
            ))
            .into());
        }
        let decided = look.known.max(self.last_heard(number)?);
        Ok(Lost {
            look,
            decided,
            rules: self.last_rules(number)?,
        })
    }

    /// The rules that the last alerts of a partition were decided by.
    fn last_rules(&self, number: i32) -> anyhow::Result<Option<String>> {
        let alerts = &self.upkeep.topics().alerts;
        let (first, end) = self.upkeep.marks(alerts, number).map_err(not_ready)?;
        let from = first.max(end.saturating_sub(LAST_ALERTS));
        let mut last = None;
        let read = self.upkeep.read(alerts, number, Some(from), &mut |entry| {
            let proof: Option<Value> = serde_json::from_slice(entry.proof).ok();
            let rules = proof.and_then(|proof| proof["rules"].as_str().map(str::to_owned));
            last = rules.or(last.take());
        });
        read.map_err(not_ready)?;
        Ok(last)
    }

    /// What is decided again must come out as it was decided, or revisions are missing or there twice.
    fn refuse_other_rules(&self, lost: &BTreeMap<i32, Lost>) -> Result<(), Failed> {
        if self.from == StartAt::Latest {
            return Ok(());
        }
        let ours = format!("{:016x}", rules_id(&self.lane.rules));
        let other = lost.iter().find_map(|(number, lost)| {
            let rules = lost.rules.as_ref().filter(|rules| **rules != ours)?;
            Some((number, rules))
        });
        match other {
            None => Ok(()),
            Some((number, rules)) => Err(Failed(format!(
                "nothing was changed: the last alerts of partition {number} were decided by the rules {rules}, and this \
                 file has the rules {ours}. Decided again by other rules, revisions would be missing or there twice. \
                 Rebuild with the file that ran last, and change the rules afterwards; or begin with --from latest"
            ))),
        }
    }

    /// Up to when a partition had decided, by what it told the others within the last hours.
    fn last_heard(&self, number: i32) -> anyhow::Result<Option<Timestamp>> {
        let since = match self.from {
            StartAt::Time(at) => at,
            StartAt::Earliest => Timestamp::from_millis(0),
            StartAt::Latest => return Ok(None),
        };
        let mut last = None;
        for target in 0..self.numbers {
            let pairs = &self.upkeep.topics().pairs;
            let from = self.upkeep.pairs_since(target, since).map_err(not_ready)?;
            let read = self.upkeep.read(pairs, target, Some(from), &mut |entry| {
                let letters = heard(entry.value).into_iter();
                let own = letters.filter(|&(sender, _)| sender == number);
                last = own.map(|(_, known)| known).max().max(last);
            });
            read.map_err(not_ready)?;
        }
        Ok(last)
    }

    fn announce(&self, number: i32, lost: &Lost) -> std::io::Result<()> {
        let state = match (&lost.look.broken, lost.look.is_empty()) {
            (Some(broken), _) => format!("broken: {broken}"),
            (None, true) => "empty".into(),
            (None, false) => "whole, and will be given up".into(),
        };
        let from = match self.from {
            StartAt::Latest => "what is appended from now on".into(),
            StartAt::Earliest => "the first record that is left".into(),
            StartAt::Time(at) => format!("what is stamped {}", format_time(at)),
        };
        let decided = match lost.decided {
            Some(at) => format!(
                "what was decided before {} is not written again",
                format_time(at)
            ),
            None if self.from == StartAt::Latest => "nothing is decided again".into(),
            None => "nothing tells what was decided before: alerts may be written again".into(),
        };
        writeln!(
            stdout(),
            "partition {number}: its state is {state}; it begins anew with {from}; {decided}"
        )
    }

    fn carry_out(&self, number: i32, lost: &Lost, writer: &Writer) -> anyhow::Result<()> {
        self.upkeep.empty(number).map_err(not_ready)?;
        let token = RandomState::new().hash_one(number);
        let claimed = vec![claim(number, token)];
        writer.write(claimed).map_err(not_ready)?;
        // Broker time: what is appended from here on lies behind the ends that are asked for next.
        let (look, _) = reading::look(self.upkeep, number).map_err(not_ready)?;
        let now = look
            .claim
            .map_or_else(clock::now, |(_, ts, _)| Timestamp::from_millis(ts));
        let start = self.start(number, now)?;
        let pairs = &self.upkeep.topics().pairs;
        let (_, pairs_end) = self.upkeep.marks(pairs, number).map_err(not_ready)?;
        let rebuilt = Rebuilt {
            written_before: lost.decided.unwrap_or(Timestamp::MIN),
            notes_from: pairs_end,
        };
        let records =
            rebuild(&self.lane, &self.reading, number, &start, rebuilt).map_err(Failed)?;
        writer.write(records).map_err(not_ready)?;
        self.tell(number, &start)?;
        Ok(())
    }

    /// Where it begins: in the pairs topic so early that payments of then find their twins.
    fn start(&self, number: i32, now: Timestamp) -> anyhow::Result<StartPoint> {
        let start = self.upkeep.beginning(number, self.from, now);
        let mut start = start.map_err(not_ready)?;
        let pairs = self
            .upkeep
            .pairs_since(number, start.knows_since - self.window);
        if let Some(last) = start.positions.last_mut() {
            *last = pairs.map_err(not_ready)?.max(*last);
        }
        Ok(start)
    }

    fn tell(&self, number: i32, start: &StartPoint) -> std::io::Result<()> {
        let names = self.upkeep.topics().sources().map(|(_, name)| name);
        let positions = names.zip(&start.positions);
        let positions: Vec<String> = positions
            .map(|(name, position)| format!("{name} {position}"))
            .collect();
        writeln!(
            stdout(),
            "partition {number}: begun anew, knows since {}, at {}",
            format_time(start.knows_since),
            positions.join(", ")
        )
    }
}
