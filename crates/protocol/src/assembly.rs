//! From the state topic, or from nothing, to a task.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use settlewatch_join::snapshot::{PairsRestorer, Restorer as PartitionRestorer};
use settlewatch_join::{KnowsSince, Pairs, Partition, Settings, Timestamp};

use crate::io::{Host, SourceId, StartPoint};
use crate::lane::LaneConfig;
use crate::post::Post;
use crate::pulses::Maker;
use crate::rebuilt::Rebuilt;
use crate::restore::Restorer;
use crate::rules::Rules;
use crate::source::Source;
use crate::step::{Counted, Step};
use crate::task::{Beginning, PAIRS, PARTITION, POST, PULSES, REBUILT, RULES, Task};

/// What the state topic of a partition number says so far.
pub(crate) struct Assembly<S = Step>(Restorer<S>);

impl<S> Default for Assembly<S> {
    fn default() -> Self {
        Self(Restorer::default())
    }
}

/// How far it is.
pub(crate) enum Ready<S = Step> {
    /// Our claim has not appeared.
    More,
    /// It appeared, and before it there was nothing.
    Nothing,
    /// It appeared: everything before it is decided and here.
    Whole(Box<Restorer<S>>),
    /// It cannot be read.
    Broken(String),
}

impl<S: Counted> Assembly<S> {
    /// Takes the next record; `token` is our claim's.
    pub(crate) fn push(&mut self, offset: i64, key: &[u8], value: &[u8], token: u64) -> Ready<S> {
        match self.0.push(offset, key, value) {
            Err(error) => Ready::Broken(error.to_string()),
            Ok(Some(claim)) if claim == token => {
                let restorer = core::mem::take(&mut self.0);
                match (&restorer.snapshot, restorer.steps.is_empty()) {
                    (Some(_), _) => Ready::Whole(Box::new(restorer)),
                    (None, true) => Ready::Nothing,
                    (None, false) => Ready::Broken("there are steps, but no snapshot".into()),
                }
            }
            Ok(_) => Ready::More,
        }
    }
}

/// A task from the last snapshot and the steps after it, and where that snapshot begins.
pub(crate) fn restored(
    config: &LaneConfig,
    host: &impl Host,
    number: i32,
    restorer: Restorer,
) -> Result<(Task, i64), String> {
    let snapshot = restorer.snapshot.ok_or("there is no snapshot")?;
    if snapshot.manifest.identity != config.identity {
        return Err(foreign(&snapshot.manifest.identity, &config.identity));
    }
    let rebuilt = match &of_kind(&snapshot.chunks, REBUILT)[..] {
        [] => None,
        bytes => Some(Rebuilt::read(bytes).map_err(|_| "how it was rebuilt is malformed")?),
    };
    let unpacked = unpack(&snapshot.chunks, &|rules| host.settings(rules))?;
    let pulses = of_kind(&snapshot.chunks, PULSES);
    let pulses = (!pulses.is_empty()).then_some(&pulses[..]);
    let beginning = Beginning {
        pulses: Maker::new(host.pulses(number, snapshot.manifest.step.known, pulses)),
        partition: unpacked.partition,
        post: unpacked.post,
        sources: sources(config, &snapshot.manifest.step, &snapshot.manifest.clocks),
        step: snapshot.manifest.step,
        rules: unpacked.rules,
    };
    let mut task = Task::new(number, config.numbers, beginning, restorer.steps);
    if let Some(rebuilt) = rebuilt {
        task.rebuild(rebuilt);
    }
    Ok((task, snapshot.begins_at))
}

/// What the chunks of a snapshot hold.
pub(crate) struct Unpacked {
    pub(crate) partition: Partition,
    pub(crate) post: Post,
    pub(crate) rules: Rules,
}

/// What rules mean.
pub(crate) type Compile<'a> = &'a dyn Fn(&[u8]) -> Result<Arc<Settings>, String>;

/// Reads the chunks of a snapshot.
pub(crate) fn unpack(chunks: &[Box<[u8]>], compile: Compile<'_>) -> Result<Unpacked, String> {
    let rules = Rules::read(&of_kind(chunks, RULES)).map_err(|_| "the rules are malformed")?;
    let settings = compile(&rules.text)?;
    let mut partition = PartitionRestorer::new(Arc::clone(&settings));
    let mut pairs = PairsRestorer::new(settings.duplicate_window);
    for chunk in chunks {
        let (kind, bytes) = chunk.split_first().ok_or("an empty chunk")?;
        let pushed = match *kind {
            PARTITION => partition.push(bytes),
            PAIRS => pairs.push(bytes),
            POST | RULES | REBUILT | PULSES => Ok(()),
            _ => return Err(format!("a chunk of an unknown kind {kind}")),
        };
        pushed.map_err(|error| error.to_string())?;
    }
    let pairs = pairs.finish().map_err(|error| error.to_string())?;
    let post = of_kind(chunks, POST);
    Ok(Unpacked {
        partition: partition.finish().map_err(|error| error.to_string())?,
        post: Post::restore(pairs, &post).map_err(|_| "the post is malformed")?,
        rules,
    })
}

pub(crate) fn of_kind(chunks: &[Box<[u8]>], kind: u8) -> Vec<u8> {
    let of_kind = chunks.iter().filter(|chunk| chunk.first() == Some(&kind));
    of_kind.flat_map(|chunk| &chunk[1..]).copied().collect()
}

pub(crate) fn foreign(theirs: &[u8], ours: &[u8]) -> String {
    format!(
        "it belongs to {}, not to {}",
        String::from_utf8_lossy(theirs),
        String::from_utf8_lossy(ours)
    )
}

/// A task that begins with nothing.
pub(crate) fn fresh(
    config: &LaneConfig,
    host: &impl Host,
    number: i32,
    start: &StartPoint,
) -> Result<Task, String> {
    let since = KnowsSince(start.knows_since);
    let settings = host.settings(&config.rules)?;
    let window = settings.duplicate_window;
    let partition = Partition::new(settings, since).with_home(number.unsigned_abs());
    let step = Step {
        known: start.knows_since,
        positions: start.positions.clone(),
        ..Step::default()
    };
    let senders = usize::try_from(config.numbers).unwrap_or(0);
    let beginning = Beginning {
        pulses: Maker::new(host.pulses(number, start.knows_since, None)),
        partition,
        post: Post::new(Pairs::new(window), senders),
        sources: sources(config, &step, &[]),
        step,
        rules: Rules::new(Arc::clone(&config.rules)),
    };
    Ok(Task::new(number, config.numbers, beginning, Vec::new()))
}

pub(crate) fn sources(config: &LaneConfig, step: &Step, clocks: &[Timestamp]) -> Vec<Source> {
    let sources = config.sources.iter().zip(0..);
    sources
        .map(|(&source, id)| {
            let at = usize::from(id);
            let position = step.positions.get(at).copied().unwrap_or(0);
            let last = clocks.get(at).copied().unwrap_or(Timestamp::MIN);
            Source::new(SourceId(id), source, position, last, step.known)
        })
        .collect()
}
