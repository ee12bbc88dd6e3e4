//! One partition of the pulse topic: what was read of it and is not taken in, and whether we are blind there.

use alloc::collections::VecDeque;

use super::core::Heard;

/// A partition of which nothing came for so long is not waited for, in milliseconds.
pub(crate) const SILENT_MS: u64 = 5000;

/// A partition whose own records say that they are so old, and older than those of others, is not waited for, in
/// milliseconds: its lane is behind.
const BEHIND_MS: i64 = 10_000;

/// A record that was read.
struct Read<P> {
    offset: i64,
    bytes: usize,
    heard: Heard<P>,
}

/// One partition.
pub(crate) struct Pulses<P> {
    queue: VecDeque<Read<P>>,
    /// The offset that the consumer reads next.
    position: i64,
    /// Up to when what was read makes it known; `None` before the first record.
    read_ms: Option<i64>,
    /// The same of what was taken in.
    pub(crate) known_ms: i64,
    /// How old its last record was when it was appended, in milliseconds.
    age_ms: i64,
    /// When something of it came last, by the shell's clock.
    heard_ms: u64,
    blind: bool,
    /// It is not fetched for now.
    pub(crate) stands_aside: bool,
}

impl<P> Pulses<P> {
    pub(crate) fn new(position: i64, known_ms: i64, now_ms: u64) -> Self {
        Self {
            queue: VecDeque::new(),
            position,
            read_ms: None,
            known_ms,
            age_ms: 0,
            heard_ms: now_ms,
            blind: false,
            stands_aside: false,
        }
    }

    /// A record was read, stamped `ts_ms`; `Err` where it could not be understood.
    pub(crate) fn read(
        &mut self,
        (offset, ts_ms): (i64, i64),
        bytes: usize,
        heard: Option<Heard<P>>,
        now_ms: u64,
    ) {
        if offset < self.position {
            // Read before: the assignment was renewed.
            return;
        }
        self.position = offset + 1;
        let Some(heard) = heard else { return };
        self.heard_ms = now_ms;
        self.read_ms = self.read_ms.max(Some(heard.known_ms));
        self.age_ms = ts_ms.saturating_sub(heard.known_ms);
        self.queue.push_back(Read {
            offset,
            bytes,
            heard,
        });
    }

    /// The consumer stands at `position`.
    pub(crate) fn reached(&mut self, position: i64) {
        self.position = self.position.max(position);
    }

    /// The first offset that was not taken in.
    pub(crate) fn untaken(&self) -> i64 {
        self.queue.front().map_or(self.position, |read| read.offset)
    }

    /// The offset that is read next.
    pub(crate) fn position(&self) -> i64 {
        self.position
    }

    /// Up to when it is known by what was read, taken in or not.
    pub(crate) fn read_ms(&self) -> i64 {
        self.read_ms
            .map_or(self.known_ms, |read| read.max(self.known_ms))
    }

    /// The first second that it speaks of.
    pub(crate) fn begins_s(&self) -> Option<i64> {
        self.queue.front().map(|read| read.heard.begins_s)
    }

    /// Whether it is known up to `target_ms`, or not waited for. `front_ms`: up to when the furthest is known.
    pub(crate) fn is_ready(&mut self, target_ms: i64, front_ms: i64, now_ms: u64) -> bool {
        let read_ms = self.read_ms();
        if read_ms >= target_ms {
            self.blind = false;
            return true;
        }
        let silent = self.is_silent(now_ms);
        let behind = front_ms.saturating_sub(read_ms) > BEHIND_MS && self.age_ms > BEHIND_MS;
        self.blind |= silent || behind;
        self.blind
    }

    /// Whether nothing came for so long that it is not waited for.
    pub(crate) fn is_silent(&self, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.heard_ms) >= SILENT_MS
    }

    /// It is fetched again from now on: before, nothing could come.
    pub(crate) fn listen(&mut self, now_ms: u64) {
        self.heard_ms = self.heard_ms.max(now_ms);
    }

    /// Records that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// The next record that makes it known up to `target_ms`; its bytes and what it says.
    pub(crate) fn take_until(&mut self, target_ms: i64) -> Option<(usize, P)> {
        if self.known_ms >= target_ms {
            return None;
        }
        self.take_before(i64::MAX)
    }

    /// The next record before `offset`.
    pub(crate) fn take_before(&mut self, offset: i64) -> Option<(usize, P)> {
        let read = self.queue.pop_front_if(|read| read.offset < offset)?;
        self.known_ms = self.known_ms.max(read.heard.known_ms);
        Some((read.bytes, read.heard.pulse))
    }
}
