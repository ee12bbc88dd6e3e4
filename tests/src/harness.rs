//! A replay in this process: the text of a configuration and records go in, the five files come out.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;
use settlewatch_config::{Config, Env, Purpose, load_str};
use settlewatch_replay::input::{LiveOptions, Options};
use settlewatch_replay::{Engine, Finished, Output, Replay, ReplayError, Until};
use tempfile::TempDir;

/// The files that a replay writes.
pub const FILES: [&str; 5] = [
    "alerts.ndjson",
    "incidents.ndjson",
    "rejected.ndjson",
    "channels.ndjson",
    "summary.json",
];

/// A replay to be run.
#[derive(Clone, Debug)]
pub struct Bench {
    config: Config,
    partitions: usize,
    until: Until,
    memory_bytes: usize,
}

/// What a replay wrote.
pub struct Written {
    /// The bytes of [`FILES`], in their order.
    pub files: [Vec<u8>; 5],
    /// The lines of `alerts.ndjson`.
    pub alerts: Vec<Value>,
    /// `summary.json`.
    pub summary: Value,
    /// Lines that were no records.
    pub bad_lines: u64,
    /// The engine as it stands at the end.
    pub engine: Option<Engine>,
}

impl Bench {
    /// A replay by the rules in `yaml`, over one partition, up to the last record.
    ///
    /// # Panics
    /// When the configuration is wrong.
    pub fn new(yaml: &str) -> Self {
        Self::named("settlewatch.yaml", yaml)
    }

    /// A replay by the rules in the file at `path`.
    ///
    /// # Panics
    /// When there is none, or it is wrong.
    pub fn of_file(path: &Path) -> Self {
        let yaml = std::fs::read_to_string(path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self::named(&path.display().to_string(), &yaml)
    }

    fn named(name: &str, yaml: &str) -> Self {
        let loaded = load_str(name, yaml, Purpose::Replay, &Env::empty())
            .unwrap_or_else(|problems| panic!("{problems}\n{yaml}"));
        Self {
            config: loaded.config,
            partitions: 1,
            until: Until::LastRecord,
            memory_bytes: Options::default().memory_bytes,
        }
    }

    /// Over this many virtual partitions.
    pub fn partitions(mut self, partitions: usize) -> Self {
        self.partitions = partitions;
        self
    }

    /// Until then.
    pub fn until(mut self, until: Until) -> Self {
        self.until = until;
        self
    }

    /// Records beyond this are sorted on disk.
    pub fn memory_bytes(mut self, memory_bytes: usize) -> Self {
        self.memory_bytes = memory_bytes;
        self
    }

    /// Replays lines, as one file.
    ///
    /// # Errors
    /// As [`Replay::files`].
    pub fn lines(&self, lines: &[String]) -> Result<Written, ReplayError> {
        self.parts(&[lines])
    }

    /// Replays lines, each part as a file.
    ///
    /// # Errors
    /// As [`Replay::files`].
    pub fn parts(&self, parts: &[&[String]]) -> Result<Written, ReplayError> {
        let mut files = Vec::new();
        for part in parts {
            let mut bytes = Vec::new();
            for line in *part {
                bytes.extend_from_slice(line.as_bytes());
                bytes.push(b'\n');
            }
            files.push(bytes);
        }
        let files: Vec<&[u8]> = files.iter().map(Vec::as_slice).collect();
        self.bytes(&files)
    }

    /// Replays the bytes of files.
    ///
    /// # Errors
    /// As [`Replay::files`].
    pub fn bytes(&self, files: &[&[u8]]) -> Result<Written, ReplayError> {
        let folder = folder();
        let mut paths = Vec::new();
        for (i, bytes) in files.iter().enumerate() {
            let path = folder.path().join(format!("{i}.ndjson"));
            std::fs::write(&path, bytes).expect("a temporary file can be written");
            paths.push(path);
        }
        self.paths(paths)
    }

    /// Replays files.
    ///
    /// # Errors
    /// As [`Replay::files`].
    pub fn paths(&self, paths: Vec<PathBuf>) -> Result<Written, ReplayError> {
        let out = folder();
        let options = Options {
            memory_bytes: self.memory_bytes,
            temp_dir: Some(out.path().into()),
            ..Options::default()
        };
        let finished = self.replay(out.path())?.files(paths, options, &mut ())?;
        Ok(Written::read(out.path(), finished))
    }

    /// Replays what comes from a reader, as it comes.
    ///
    /// # Errors
    /// As [`Replay::live`].
    pub fn live(&self, input: impl Read + Send + 'static) -> Result<Written, ReplayError> {
        let out = folder();
        let options = LiveOptions::default();
        let finished = self
            .replay(out.path())?
            .live_from(input, options, &mut ())?;
        Ok(Written::read(out.path(), finished))
    }

    fn replay(&self, out: &Path) -> Result<Replay<'_>, ReplayError> {
        let output = Output::create(out)?;
        Ok(Replay::new(&self.config, self.partitions, self.until).write_to(output))
    }
}

impl Written {
    fn read(folder: &Path, finished: Finished) -> Self {
        let read = |name| {
            let path: PathBuf = folder.join(name);
            std::fs::read(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
        };
        let files = FILES.map(read);
        Self {
            alerts: json_lines(&files[0]),
            summary: serde_json::from_slice(&files[4]).expect("the summary is JSON"),
            files,
            bad_lines: finished.summary.input.bad_lines,
            engine: finished.engine,
        }
    }

    /// The lines of a file of [`FILES`].
    ///
    /// # Panics
    /// When there is no such file.
    pub fn lines_of(&self, name: &str) -> Vec<Value> {
        let at = FILES.iter().position(|file| *file == name);
        json_lines(&self.files[at.expect("the name of a file")])
    }

    /// The first file that differs and how; `None` when all five are the same to the byte.
    pub fn difference(&self, other: &Self) -> Option<String> {
        let mut pairs = FILES.iter().zip(self.files.iter().zip(&other.files));
        pairs
            .find(|(_, (ours, theirs))| ours != theirs)
            .map(|(name, (ours, theirs))| first_difference(name, ours, theirs))
    }
}

fn first_difference(name: &str, ours: &[u8], theirs: &[u8]) -> String {
    let (ours, theirs) = (
        String::from_utf8_lossy(ours),
        String::from_utf8_lossy(theirs),
    );
    let (mut left, mut right) = (ours.lines(), theirs.lines());
    for number in 1.. {
        match (left.next(), right.next()) {
            (None, None) => break,
            (a, b) if a == b => {}
            (a, b) => {
                let (a, b) = (a.unwrap_or("(end)"), b.unwrap_or("(end)"));
                return format!("{name}, line {number}:\n- {a}\n+ {b}");
            }
        }
    }
    format!("{name}: the ends of lines")
}

/// The values in a file of JSON lines.
///
/// # Panics
/// When a line is none.
pub fn json_lines(bytes: &[u8]) -> Vec<Value> {
    let lines = bytes
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_slice(line).expect("each line is JSON"))
        .collect()
}

/// The folder of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}
