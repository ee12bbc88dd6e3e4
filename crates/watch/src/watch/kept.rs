//! A watch as chunks of bytes, and a watch from them; names that nothing refers to are let go.
//!
//! What a watch says must not depend on when it was written down. So a snapshot holds everything as it is, and the
//! watch lets names go by itself, when there are many: after the same second wherever it runs.

use super::{Watch, WatchSettings, case_settings};
use crate::cases::Cases;
use crate::incident::book::{Book, Entry};
use crate::keep::{Keep, Numbers, Reader, Unreadable, Writer};
use crate::second::end_of;

/// Version of the format. Another one is not read.
const FORMAT: u8 = 6;

/// A chunk holds so many bytes at most, which fits into a record.
const CHUNK_BYTES: usize = 500 << 10;

impl Watch {
    /// Everything that it knows, in chunks of at most 512 KiB.
    pub fn snapshot(&self) -> Vec<Box<[u8]>> {
        let bytes = self.written(Numbers::Stay).0;
        bytes.chunks(CHUNK_BYTES).map(Into::into).collect()
    }

    /// The watch that [`snapshot`](Self::snapshot) was taken of. Dimensions and streams are found by their names: one
    /// that is not configured any more is forgotten.
    ///
    /// # Errors
    /// The bytes are malformed, or of another version.
    pub fn restore(
        settings: WatchSettings,
        chunks: &[impl AsRef<[u8]>],
    ) -> Result<Self, Unreadable> {
        let chunks: Vec<&[u8]> = chunks.iter().map(AsRef::as_ref).collect();
        Ok(Self::read(settings, &chunks.concat())?.0)
    }

    /// Other settings apply after the second `second`. Incidents of what is not known under them are closed.
    ///
    /// # Errors
    /// There are more streams than can be numbered.
    pub fn reconfigure(&mut self, settings: WatchSettings, second: i64) -> Result<(), Unreadable> {
        let bytes = self.written(Numbers::Stay).0;
        let (mut watch, owned) = Self::read(settings, &bytes)?;
        watch.book.close_all_but(&owned, end_of(second));
        *self = watch;
        Ok(())
    }

    /// Lets the values and tuples go that nothing refers to, where many were named since the last time. The others
    /// keep their order: it decides between equals.
    pub(super) fn let_go(&mut self) {
        if self.detector.values.size() >= self.settings.names.max(2 * self.named) {
            self.let_go_now();
        }
    }

    fn let_go_now(&mut self) {
        let (_, noted) = self.written(Numbers::note());
        let numbers = noted.renumbered(&self.detector.values);
        let (bytes, _) = self.written(numbers);
        // What was just written can be read: were it not so, all would stay as it is.
        if let Ok((watch, _)) = Self::read(self.settings.clone(), &bytes) {
            *self = watch;
        }
        self.named = self.detector.values.size();
    }

    fn written(&self, numbers: Numbers) -> (Vec<u8>, Numbers) {
        let mut to = Writer::new(numbers);
        to.byte(FORMAT);
        to.names(&self.settings.dims, &self.settings.streams);
        self.write(&mut to);
        to.finish()
    }

    fn read(settings: WatchSettings, bytes: &[u8]) -> Result<(Self, Vec<Entry>), Unreadable> {
        let mut from = Reader::new(bytes, &settings.dims, &settings.streams);
        let is = from.byte()?;
        if is != FORMAT {
            return Err(Unreadable::Version { is });
        }
        from.names()?;
        let watch = Self::read_from(settings, &mut from)?;
        from.end()?;
        Ok((watch, from.owned()))
    }

    fn write(&self, to: &mut Writer) {
        let Self {
            settings: _,
            detector,
            terminals,
            feeds,
            gateways,
            sources,
            lateness,
            late,
            faults,
            silence,
            cases,
            merchants,
            batches,
            behind,
            burns,
            book,
            notes,
            waiting,
            named,
            // They are of the moment.
            gateway_rows: _,
        } = self;
        // Whatever refers to values and tuples comes after them.
        detector.write(to);
        terminals.write(to);
        feeds.write(to);
        gateways.write(to);
        sources.write(to);
        lateness.write(to);
        late.write(to);
        faults.write(to);
        silence.write(to);
        cases.write(to);
        merchants.write(to);
        batches.write(to);
        behind.write(to);
        burns.write(to);
        book.write(to);
        notes.write(to);
        waiting.write(to);
        named.write(to);
    }

    fn read_from(settings: WatchSettings, from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        Ok(Self {
            detector: Keep::read(from)?,
            terminals: Keep::read(from)?,
            feeds: Keep::read(from)?,
            gateways: Keep::read(from)?,
            sources: Keep::read(from)?,
            lateness: Keep::read(from)?,
            late: Keep::read(from)?,
            faults: Keep::read(from)?,
            silence: Keep::read(from)?,
            cases: Cases::read(case_settings(&settings), from)?,
            merchants: Keep::read(from)?,
            batches: Keep::read(from)?,
            behind: Keep::read(from)?,
            burns: Keep::read(from)?,
            book: Book::read(settings.reopen_within, from)?,
            notes: Keep::read(from)?,
            waiting: Keep::read(from)?,
            named: Keep::read(from)?,
            gateway_rows: Vec::new(),
            settings,
        })
    }
}

#[cfg(test)]
mod tests {
    use settlewatch_join::event::Currency;
    use settlewatch_join::{Fingerprint, Timestamp};

    use super::*;
    use crate::pulse::{Dims, Note, Pulse, TERMINAL, Tuple, What};

    fn settings(names: usize) -> WatchSettings {
        WatchSettings {
            dims: Dims::new(&[]),
            streams: vec!["payments".into(), "credits".into()],
            marker_feed: false,
            names,
            ..crate::watch::story::settings()
        }
    }

    /// A second in which `count` terminals pay that never did before.
    fn strangers(second: i64, count: i64) -> Pulse {
        let note = |number: i64| {
            let terminal = format!("T{second}-{number}");
            let at = Timestamp::from_millis(second * 1000);
            Note {
                payment: Fingerprint((second * count + number) as u64),
                tuple: Tuple::of(&[(TERMINAL, &terminal)]),
                partition: 0,
                accepted_at: at,
                due_at: at,
                at,
                amount_minor: 100,
                currency: Currency::new(*b"CNY").expect("three letters"),
                timed: false,
                id: None,
                what: What::Paid,
            }
        };
        Pulse {
            second,
            notes: (0..count).map(note).collect(),
            ..Pulse::default()
        }
    }

    #[test]
    fn names_that_nothing_refers_to_are_let_go() {
        let mut watch = Watch::new(settings(1000));
        let mut most = 0;
        for second in 0..9000 {
            watch.absorb(strangers(second, 4));
            watch.end_second(second);
            most = most.max(watch.detector.values.size());
            // A terminal is remembered with the latest of its tuples.
            watch.terminals = crate::terminals::Terminals::default();
        }
        // Payments are kept for half an hour: 7,200 tuples with a value each.
        assert!((14_000..32_000).contains(&most), "{most} of 72,000 names");
    }
}
