//! What the watcher asks of whoever judges: it carries pulses and steps, and knows nothing of incidents.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use settlewatch_join::Timestamp;

use crate::io::SourceId;

/// A record of the pulse topic, as far as the watcher must know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard<P> {
    /// Everything of its partition before this moment is in it or in an earlier one, in milliseconds since 1970.
    pub known_ms: i64,
    /// The first second that it speaks of, in seconds since 1970.
    pub begins_s: i64,
    /// What it says.
    pub pulse: P,
}

/// A second that is judged.
#[derive(Clone, Copy, Debug)]
pub struct Second<'a> {
    /// The second, since 1970.
    pub second: i64,
    /// Up to when each pulse partition is known, in milliseconds since 1970: those that are not known to the end of
    /// the second are blind.
    pub known_ms: &'a [i64],
    /// Auxiliary topics whose records are not known to the end of the second: what they do not say means nothing.
    pub withheld: &'a [SourceId],
    /// It was judged before a restart: what it says is in the log already.
    pub again: bool,
}

/// A record to be written: a revision of an incident, or the end of its memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its key.
    pub key: Box<[u8]>,
    /// Its value; `None` is a tombstone.
    pub value: Option<Box<[u8]>>,
    /// The moment that it is decided at, so that the delay can be measured.
    pub decided_at: Option<Timestamp>,
}

/// Whoever judges. What it says must depend on nothing but the calls: a restart repeats them.
pub trait Core {
    /// What a record of the pulse topic says.
    type Pulse;

    /// Reads a record of a partition of the pulse topic.
    ///
    /// # Errors
    /// It cannot be read: its partition stays unknown until another one can.
    fn read(&self, number: i32, value: Option<&[u8]>) -> Result<Heard<Self::Pulse>, String>;

    /// Begins with nothing, under these rules.
    ///
    /// # Errors
    /// The rules cannot be read.
    fn begin(&mut self, rules: &[u8]) -> Result<(), String>;

    /// Goes on from a snapshot, under the rules of then.
    ///
    /// # Errors
    /// One of them cannot be read.
    fn restore(&mut self, rules: &[u8], chunks: &[Box<[u8]>]) -> Result<(), String>;

    /// Other rules apply after the second `second`.
    ///
    /// # Errors
    /// They cannot be read.
    fn reconfigure(&mut self, rules: &[u8], second: i64) -> Result<(), String>;

    /// Everything that is known, in chunks of at most 512 KiB.
    fn snapshot(&mut self) -> Vec<Box<[u8]>>;

    /// Takes a pulse in.
    fn absorb(&mut self, pulse: Self::Pulse);

    /// Takes a record of an auxiliary topic in, appended at `at`.
    fn hear(&mut self, source: SourceId, at: Timestamp, value: Option<&[u8]>, again: bool);

    /// A second is over. Returns what is to be written.
    fn end_second(&mut self, second: &Second<'_>) -> Vec<Said>;
}
