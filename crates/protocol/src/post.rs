//! Parcels between partition numbers, through the pairs topic.
//!
//! A lane's record for a target holds, of every partition number that the lane owns, its known time and what
//! it has to say to the target. Messages wait until every sender's known time has passed them: then all of
//! their millisecond have come. Notes are taken as they come.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use settlewatch_join::snapshot::Parcel;
use settlewatch_join::{Message, Note, Pairs, Timestamp};

use crate::bytes::{Malformed, Reader, Writer};
use crate::io::{Produce, Topic};

/// What one partition number says to another in one step.
pub(crate) struct Letter {
    pub(crate) from: i32,
    pub(crate) known: Timestamp,
    pub(crate) parcel: Option<Parcel>,
}

/// The record of the pairs topic that carries letters to a partition number.
pub(crate) fn envelope(target: i32, letters: &[Letter]) -> Produce {
    let mut out = Writer::default();
    out.len(letters.len());
    for letter in letters {
        let mut bytes = Vec::new();
        if let Some(parcel) = &letter.parcel {
            parcel.write(&mut bytes);
        }
        out.i64(i64::from(letter.from))
            .i64(letter.known.millis())
            .bytes(&bytes);
    }
    Produce {
        topic: Topic::Pairs,
        partition: target,
        key: None,
        value: Some(out.finish()),
        headers: Vec::new(),
        decided_at: None,
    }
}

/// What a record of the pairs topic says about known times: that of each sender, by partition number. Nothing where it
/// cannot be read.
pub fn heard(value: &[u8]) -> Vec<(i32, Timestamp)> {
    let mut from = Reader(value);
    let mut letters = || {
        let count = from.len(24)?;
        let letters = (0..count).map(|_| {
            let sender = i32::try_from(from.i64()?).map_err(|_| Malformed)?;
            let known = Timestamp::from_millis(from.i64()?);
            from.bytes()?;
            Ok((sender, known))
        });
        letters.collect::<Result<Vec<_>, Malformed>>()
    };
    letters().unwrap_or_default()
}

/// The post of one partition number.
pub(crate) struct Post {
    pub(crate) pairs: Pairs,
    /// Known time of every sender, as far as it said.
    senders: Vec<Timestamp>,
    /// Messages that wait for their millisecond to be complete.
    waiting: BTreeMap<Timestamp, Vec<Message>>,
    /// Records that were read and are not opened: offset and value.
    unopened: VecDeque<(i64, Box<[u8]>)>,
    /// Notes in records before it are not taken: they are for a predecessor whose state was lost.
    pub(crate) notes_from: i64,
}

impl Post {
    pub(crate) fn new(pairs: Pairs, senders: usize) -> Self {
        Self {
            pairs,
            senders: alloc::vec![Timestamp::MIN; senders],
            waiting: BTreeMap::new(),
            unopened: VecDeque::new(),
            notes_from: 0,
        }
    }

    /// A post with messages that wait.
    pub(crate) fn gathered(pairs: Pairs, senders: Vec<Timestamp>, messages: Vec<Message>) -> Self {
        let mut post = Self::new(pairs, 0);
        post.senders = senders;
        post.keep(messages);
        post
    }

    fn keep(&mut self, messages: Vec<Message>) {
        for message in messages {
            let at = message.place.at;
            self.waiting.entry(at).or_default().push(message);
        }
    }

    /// Everything that is in it: the stage, messages that wait, and notes that were not taken.
    pub(crate) fn scatter(mut self) -> Result<(Pairs, Vec<Message>, Vec<Note>), Malformed> {
        let mut notes = Vec::new();
        while let Some((_, value)) = self.unopened.pop_front() {
            self.take(&value, &mut notes)?;
        }
        let messages = self.waiting.into_values().flatten().collect();
        Ok((self.pairs, messages, notes))
    }

    /// A record was read.
    pub(crate) fn read(&mut self, offset: i64, value: Option<Box<[u8]>>) {
        self.unopened.push_back((offset, value.unwrap_or_default()));
    }

    /// The first offset that was not opened, where one waits.
    pub(crate) fn next_unopened(&self) -> Option<i64> {
        self.unopened.front().map(|&(offset, _)| offset)
    }

    pub(crate) fn has_unopened(&self) -> bool {
        !self.unopened.is_empty()
    }

    /// Opens the records before `end`: what they say to the pairs stage goes there as far as it is complete.
    /// Returns the notes for the payments of this number, and adds what the stage says to `out`.
    pub(crate) fn open(&mut self, end: i64, out: &mut Vec<Note>) -> Result<Vec<Note>, Malformed> {
        let mut notes = Vec::new();
        while let Some((offset, value)) = self.unopened.pop_front_if(|(offset, _)| *offset < end) {
            let before = notes.len();
            self.take(&value, &mut notes)?;
            if offset < self.notes_from {
                notes.truncate(before);
            }
        }
        let known = self.senders.iter().copied().min().unwrap_or(Timestamp::MIN);
        while let Some(first) = self
            .waiting
            .first_entry()
            .filter(|entry| *entry.key() < known)
        {
            let (at, mut messages) = first.remove_entry();
            messages.sort_by_key(|message| message.place);
            self.pairs.apply(&messages, at, out);
        }
        Ok(notes)
    }

    fn take(&mut self, value: &[u8], notes: &mut Vec<Note>) -> Result<(), Malformed> {
        let mut from = Reader(value);
        for _ in 0..from.len(24)? {
            let sender = usize::try_from(from.i64()?).map_err(|_| Malformed)?;
            let known = Timestamp::from_millis(from.i64()?);
            let mut bytes = from.bytes()?;
            let slot = self.senders.get_mut(sender).ok_or(Malformed)?;
            *slot = known.max(*slot);
            if bytes.is_empty() {
                continue;
            }
            let parcel = Parcel::read(&mut bytes).map_err(|_| Malformed)?;
            self.keep(parcel.messages);
            notes.extend(parcel.notes);
        }
        from.end()
    }

    /// Writes what is not in the pairs stage itself.
    pub(crate) fn write(&self) -> Box<[u8]> {
        let mut out = Writer::default();
        out.len(self.senders.len());
        for sender in &self.senders {
            out.i64(sender.millis());
        }
        let messages = self.waiting.values().flatten().cloned().collect();
        let mut bytes = Vec::new();
        Parcel {
            messages,
            notes: Vec::new(),
        }
        .write(&mut bytes);
        out.bytes(&bytes);
        out.finish()
    }

    /// A post from what [`write`](Self::write) wrote.
    pub(crate) fn restore(pairs: Pairs, bytes: &[u8]) -> Result<Self, Malformed> {
        let mut from = Reader(bytes);
        let count = from.len(8)?;
        let mut post = Self::new(pairs, count);
        for sender in &mut post.senders {
            *sender = Timestamp::from_millis(from.i64()?);
        }
        let mut bytes = from.bytes()?;
        let parcel = Parcel::read(&mut bytes).map_err(|_| Malformed)?;
        post.keep(parcel.messages);
        from.end()?;
        Ok(post)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_reads_an_envelope_hears_how_far_each_sender_is() {
        let letter = |from, ms| Letter {
            from,
            known: Timestamp::from_millis(ms),
            parcel: None,
        };
        let produce = envelope(3, &[letter(0, 7), letter(2, 9)]);
        let value = produce.value.expect("a value");
        let expected = [(0, 7), (2, 9)].map(|(from, ms)| (from, Timestamp::from_millis(ms)));
        assert_eq!(heard(&value), expected);
        for cut in 0..value.len() {
            assert_eq!(heard(&value[..cut]), []);
        }
    }
}
