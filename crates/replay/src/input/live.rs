//! Standard input while it grows: records as they come, a clock when none does.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use settlewatch_join::Timestamp;
use settlewatch_wire::Scratch;

use super::error::InputError;
use super::hold::{Arrived, Hold, Released};
use super::lines::{Line, Lines};
use super::load::{Origin, without_mark};
use super::parse::{Parser, is_blank};
use super::report::{BadLine, BadLines, Counters};
use super::sorted::Raw;
use super::{MAX_LINE_BYTES, StreamSpec};

/// Lines on their way between the two threads. When they are not taken, the reader waits, and whoever writes
/// to us waits for it.
const CHANNEL_LINES: usize = 256;

/// Lines taken before a record is returned.
const BATCH_LINES: usize = 1024;

/// How standard input is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveOptions {
    /// How long a record waits for those of other partitions that belong before it.
    pub hold: Duration,
    /// Real time when the reading begins. A timestamp more than ten minutes beyond real time is then not
    /// believed: nothing is appended in the future. `None` judges as recorded files are judged.
    pub real_time: Option<Timestamp>,
    /// Bytes of records that may be held; with more, reading waits.
    pub memory_bytes: usize,
    /// Length in bytes from which a line is bad instead of read.
    pub line_limit_bytes: usize,
}

impl Default for LiveOptions {
    fn default() -> Self {
        Self {
            hold: Duration::from_secs(2),
            real_time: None,
            memory_bytes: 256 << 20,
            line_limit_bytes: 64 << 20,
        }
    }
}

/// What there is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Live<'a> {
    /// A record: no record before it in canonical order is expected any more.
    Record(Raw<'a>),
    /// No record in time: all that was appended before this moment is taken to have come.
    Clock(Timestamp),
    /// No record in time, and none before either: there is no clock yet.
    Quiet,
    /// There is no more.
    End,
}

/// A growing input. A thread reads it and lives until the input ends or a line finds this gone.
pub struct LiveInput {
    lines: Receiver<Message>,
    started: Instant,
    memory_bytes: usize,
    hold: Hold,
    latest: Option<Released>,
    name: PathBuf,
    counters: Counters,
    bad: BadLines,
}

/// What the reading thread has to say of a line, or of the end.
enum Message {
    Blank,
    Bad(u64),
    Record(Arrived),
    Failed(InputError),
}

impl LiveInput {
    /// Starts to read `source`, called `name` in messages.
    pub fn start(
        source: impl Read + Send + 'static,
        name: &Path,
        streams: &[StreamSpec],
        options: LiveOptions,
    ) -> Result<Self, InputError> {
        let parser = Parser::new(streams).ok_or(InputError::NoStreams)?;
        let counters = Counters {
            implausible: vec![0; parser.ranks()],
            ..Counters::default()
        };
        let max_line_bytes = options
            .line_limit_bytes
            .saturating_sub(1)
            .min(MAX_LINE_BYTES);
        let (sender, lines) = sync_channel(CHANNEL_LINES);
        let reader = Reader {
            lines: Lines::new(source, max_line_bytes),
            name: name.to_path_buf(),
            parser,
            sender,
        };
        let spawned = thread::Builder::new()
            .name("input".into())
            .spawn(move || reader.run());
        spawned.map_err(|source| InputError::Open {
            file: name.to_path_buf(),
            source,
        })?;
        Ok(Self {
            lines,
            started: Instant::now(),
            memory_bytes: options.memory_bytes,
            hold: Hold::new(options.hold, options.real_time),
            latest: None,
            name: name.to_path_buf(),
            counters,
            bad: BadLines::default(),
        })
    }

    /// What there is next, waiting for at most `timeout`.
    pub fn next(&mut self, timeout: Duration) -> Result<Live<'_>, InputError> {
        let deadline = self.started.elapsed() + timeout;
        loop {
            self.take_ready()?;
            let now = self.started.elapsed();
            if let Some(released) = self.hold.pop(now) {
                return Ok(Live::Record(self.raw(released)));
            }
            if self.hold.is_done() {
                return Ok(Live::End);
            }
            if now >= deadline {
                return Ok(self.hold.clock(now).map_or(Live::Quiet, Live::Clock));
            }
            let wake = self
                .hold
                .next_due()
                .map_or(deadline, |due| due.min(deadline));
            self.wait(wake.saturating_sub(now))?;
        }
    }

    /// Whether no record has come, and none that was appended up to `until` is expected any more. Never true of
    /// a moment that had passed when the reading began.
    pub fn is_silent_until(&self, until: Timestamp) -> bool {
        self.hold.is_silent_until(until, self.started.elapsed())
    }

    /// Lines that were no records, in order.
    pub fn bad_lines(&self) -> impl Iterator<Item = BadLine<'_>> {
        self.bad.iter()
    }

    /// Counts so far. Bytes are those of the values.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    fn raw(&mut self, released: Released) -> Raw<'_> {
        if !released.plausible {
            self.counters.implausible[usize::from(released.place.stream)] += 1;
        }
        let latest = self.latest.insert(released);
        Raw {
            place: latest.place,
            ts: latest.ts_ms,
            plausible: latest.plausible,
            payload: latest.payload.as_deref(),
        }
    }

    /// Takes the lines that are there, as far as there is room.
    fn take_ready(&mut self) -> Result<(), InputError> {
        for _ in 0..BATCH_LINES {
            if self.hold.bytes() > self.memory_bytes {
                break;
            }
            match self.lines.try_recv() {
                Ok(message) => self.take(message)?,
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    self.hold.close();
                    break;
                }
            }
        }
        Ok(())
    }

    /// Waits for a line or until `timeout` has passed.
    fn wait(&mut self, timeout: Duration) -> Result<(), InputError> {
        if self.hold.bytes() > self.memory_bytes {
            thread::sleep(timeout);
            return Ok(());
        }
        match self.lines.recv_timeout(timeout) {
            Ok(message) => self.take(message),
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Err(RecvTimeoutError::Disconnected) => {
                self.hold.close();
                Ok(())
            }
        }
    }

    fn take(&mut self, message: Message) -> Result<(), InputError> {
        self.counters.lines += 1;
        match message {
            Message::Blank => {}
            Message::Bad(line) => self.bad.add(&self.name, line),
            Message::Record(record) => {
                self.counters.bytes += record.payload.as_ref().map_or(0, Vec::len) as u64;
                self.hold.push(self.started.elapsed(), record);
                self.counters.repeated = self.hold.repeated();
            }
            Message::Failed(error) => return Err(error),
        }
        Ok(())
    }
}

/// The reading thread.
struct Reader<R> {
    lines: Lines<R>,
    name: PathBuf,
    parser: Parser,
    sender: SyncSender<Message>,
}

impl<R: Read> Reader<R> {
    /// Reads until the input ends or nobody listens.
    fn run(mut self) {
        let mut scratch = Scratch::default();
        while let Some(message) = self.read(&mut scratch) {
            let last = matches!(message, Message::Failed(_));
            if self.sender.send(message).is_err() || last {
                return;
            }
        }
    }

    fn read(&mut self, scratch: &mut Scratch) -> Option<Message> {
        let (number, byte) = (self.lines.number(), self.lines.consumed());
        let line = match self.lines.next() {
            Ok(line) => line?,
            Err(source) => {
                return Some(Message::Failed(InputError::Read {
                    file: self.name.clone(),
                    line: number,
                    byte,
                    source,
                }));
            }
        };
        let number = number + 1;
        let parsed = match line {
            Line::Text(text) => match without_mark(number, text) {
                text if is_blank(text) => return Some(Message::Blank),
                text => self.parser.parse(text, scratch),
            },
            Line::TooLong => None,
        };
        let Some(parsed) = parsed else {
            return Some(Message::Bad(number));
        };
        Some(Message::Record(Arrived {
            origin: match parsed.partition {
                Some(partition) => Origin::Topic(parsed.stream, partition),
                None => Origin::File(0),
            },
            offset: parsed.offset.unwrap_or(number as i64),
            stream: parsed.stream,
            ts_ms: parsed.ts_ms,
            payload: parsed.payload.map(std::borrow::Cow::into_owned),
        }))
    }
}
