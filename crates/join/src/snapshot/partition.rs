//! A partition as a snapshot.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write as _};
use core::hash::Hasher;

use siphasher::sip::SipHasher13;

use crate::partition::Partition;
use crate::settings::{Rule, Settings};

use super::codec::{Coded, put_list, put_text};
use super::entry::put_entry;
use super::frames::{FrameWriter, Kind};
use super::tuples::Numbers;
use super::{CHUNK_BYTES, finished, tags};

impl Partition {
    /// Writes the whole state to `out`, in chunks of at most [`CHUNK_BYTES`]. Equal histories give equal
    /// bytes, and so does a partition that was restored on the way.
    pub fn snapshot(&self, out: &mut dyn FnMut(&[u8])) {
        self.snapshot_chunks(CHUNK_BYTES, out);
    }

    /// Like [`snapshot`](Self::snapshot), in chunks of at most `chunk_bytes`.
    pub fn snapshot_chunks(&self, chunk_bytes: usize, out: &mut dyn FnMut(&[u8])) {
        let mut frames = FrameWriter::new(Kind::Partition, chunk_bytes, out);
        let numbers = Numbers::new(&self.attributes, &self.table);
        frames.one(tags::HEAD, |out| self.put_head(out));
        frames.many(tags::TENANTS, self.tenants.iter(), |out, tenant| {
            put_text(out, tenant);
        });
        let channels = self.attributes.channels.iter();
        frames.many(tags::CHANNELS, channels, |out, channel| {
            put_text(out, channel);
        });
        frames.one(tags::LEDGER, |out| self.ledger.write(out));
        numbers
            .places
            .write(&mut frames, tags::PLACES, &self.attributes.places);
        numbers
            .routes
            .write(&mut frames, tags::ROUTES, &self.attributes.routes);
        self.put_table(&mut frames, &numbers);
        self.put_auxiliary(&mut frames);
        finished::write(&mut frames, tags::OF_PARTITION, &self.finished);
        finished::write(&mut frames, tags::OF_AUXILIARY, &self.auxiliary.seen);
        frames.finish();
    }

    fn put_head(&self, out: &mut Vec<u8>) {
        let (origin, elapsed) = self.table.wheel().position();
        self.home.write(out);
        self.known.write(out);
        self.knows_since.0.write(out);
        self.hole_until.write(out);
        origin.write(out);
        elapsed.write(out);
        rules_digest(&self.settings).write(out);
        let names: Vec<String> = rule_names(&self.settings.rules);
        put_list(out, &names);
        put_list(out, &self.settings.streams);
    }

    fn put_table(&self, frames: &mut FrameWriter<'_>, numbers: &Numbers) {
        let mut last = 0;
        frames.many(tags::FREE, self.table.free().iter(), |out, &slot| {
            put_slot(out, slot, &mut last);
        });
        frames.many(tags::ENTRIES, self.table.iter(), |out, (_, entry)| {
            put_entry(out, entry, self.known, numbers);
        });
        let mut last = 0;
        let timers = self.table.timers().into_iter();
        frames.many(tags::TIMERS, timers, |out, slot| {
            let timer = &self.table.get(slot).timer;
            if let Some(ahead) = self.table.wheel().ahead(timer) {
                put_slot(out, slot.0, &mut last);
                ahead.write(out);
            }
        });
    }

    fn put_auxiliary(&self, frames: &mut FrameWriter<'_>) {
        frames.one(tags::AUXILIARY, |out| self.auxiliary.swept_at.write(out));
        let mut terminals: Vec<_> = self.auxiliary.terminals.iter().collect();
        // The map's order depends on its history; the snapshot must not.
        terminals.sort_unstable();
        frames.many(tags::TERMINALS, terminals.into_iter(), |out, (id, at)| {
            id.write(out);
            at.write(out);
        });
    }
}

/// A slot as its distance from the one before it.
fn put_slot(out: &mut Vec<u8>, slot: u32, last: &mut i64) {
    (i64::from(slot) - *last).write(out);
    *last = i64::from(slot);
}

pub(super) fn rule_names(rules: &[Rule]) -> Vec<String> {
    rules.iter().map(|rule| rule.name.clone()).collect()
}

/// A hash of what the rules say. A false difference only costs dating everything anew.
pub(super) fn rules_digest(settings: &Settings) -> u64 {
    struct Digest(SipHasher13);

    impl fmt::Write for Digest {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.write(text.as_bytes());
            Ok(())
        }
    }

    let mut digest = Digest(SipHasher13::new());
    // Writing to a hash cannot fail.
    let _ = write!(digest, "{:?}", settings.rules);
    digest.0.finish()
}
