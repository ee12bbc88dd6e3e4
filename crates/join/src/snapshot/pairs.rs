//! The pairs stage as a snapshot and back.

use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::identity::Fingerprint;
use crate::pairs::{NearItem, OrphanAmount, Paid, Pairs, PaymentRef};
use crate::time::Span;

use super::codec::{Coded, Input, Malformed, coded_fields};
use super::frames::{FrameReader, FrameWriter, Kind};
use super::{CHUNK_BYTES, SnapshotError, tags};

coded_fields!(record Paid { key, payer, payment, place, ended });

/// An id that looks for its other half, under one key.
struct Seeker {
    key: Fingerprint,
    item: NearItem,
}

coded_fields!(record Seeker { key, item });
coded_fields!(NearItem {
    payment,
    appended_at,
    third,
    orphan
});
coded_fields!(OrphanAmount {
    amount_minor,
    currency
});

impl Pairs {
    /// Writes the whole state to `out`, in chunks of at most [`CHUNK_BYTES`]. Equal histories give equal
    /// bytes, and so does a stage that was restored on the way.
    pub fn snapshot(&self, out: &mut dyn FnMut(&[u8])) {
        self.snapshot_chunks(CHUNK_BYTES, out);
    }

    /// Like [`snapshot`](Self::snapshot), in chunks of at most `chunk_bytes`.
    pub fn snapshot_chunks(&self, chunk_bytes: usize, out: &mut dyn FnMut(&[u8])) {
        let mut frames = FrameWriter::new(Kind::Pairs, chunk_bytes, out);
        frames.one(tags::HEAD, |out| self.first.write(out));
        frames.many(tags::PAID, self.paid.iter(), |out, paid| paid.write(out));
        let seekers = self.seekers.iter().map(|(key, item)| {
            let mut bytes = Vec::new();
            Seeker { key, item }.write(&mut bytes);
            bytes
        });
        let mut seekers: Vec<Vec<u8>> = seekers.collect();
        // The table's order depends on its history; the snapshot must not.
        seekers.sort_unstable();
        frames.many(tags::SEEKERS, seekers.into_iter(), |out, seeker| {
            out.extend_from_slice(&seeker);
        });
        frames.finish();
    }

    /// A stage from the chunks of its snapshot, see [`PairsRestorer`].
    ///
    /// # Errors
    /// [`SnapshotError`] when they are not the whole snapshot of a stage that can be read here.
    pub fn restore<C: AsRef<[u8]>>(
        window: Span,
        chunks: impl IntoIterator<Item = C>,
    ) -> Result<Self, SnapshotError> {
        let mut restorer = PairsRestorer::new(window);
        for chunk in chunks {
            restorer.push(chunk.as_ref())?;
        }
        restorer.finish()
    }
}

/// Puts a pairs stage together again from the chunks of its snapshot.
pub struct PairsRestorer {
    frames: FrameReader,
    building: Building,
}

struct Building {
    pairs: Pairs,
    headed: bool,
    /// Each tenant once: many payments share its name.
    tenants: BTreeSet<Arc<str>>,
}

impl PairsRestorer {
    /// A restorer of a stage that remembers payments for `window`.
    pub fn new(window: Span) -> Self {
        Self {
            frames: FrameReader::new(Kind::Pairs),
            building: Building {
                pairs: Pairs::new(window),
                headed: false,
                tenants: BTreeSet::new(),
            },
        }
    }

    /// Takes the next chunk.
    ///
    /// # Errors
    /// [`SnapshotError`] when the bytes are not those of a snapshot that can be read here.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), SnapshotError> {
        let building = &mut self.building;
        self.frames.push(chunk, &mut |tag, payload| {
            building.frame(tag, Input(payload))
        })
    }

    /// The stage, after the last chunk.
    ///
    /// # Errors
    /// [`SnapshotError`] when chunks are missing or do not belong together.
    pub fn finish(self) -> Result<Pairs, SnapshotError> {
        self.frames.finish()?;
        let building = self.building;
        building
            .headed
            .then_some(building.pairs)
            .ok_or(SnapshotError::Corrupt)
    }
}

impl Building {
    fn frame(&mut self, tag: u8, mut input: Input<'_>) -> Result<(), Malformed> {
        match tag {
            tags::HEAD if !self.headed => {
                self.headed = true;
                self.pairs.first = input.read()?;
            }
            _ if !self.headed => return Err(Malformed),
            tags::PAID => {
                while !input.is_empty() {
                    let mut paid: Paid = input.read()?;
                    self.share_tenant(&mut paid.payment);
                    // Sequence numbers count up from the first for as long as the stage lives.
                    if !self.pairs.remember(paid) {
                        return Err(Malformed);
                    }
                }
            }
            tags::SEEKERS => {
                while !input.is_empty() {
                    let Seeker { key, item } = input.read()?;
                    self.pairs.seekers.insert(key, &item);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn share_tenant(&mut self, payment: &mut PaymentRef) {
        let Some(tenant) = &mut payment.tenant else {
            return;
        };
        match self.tenants.get(tenant.as_ref()) {
            Some(known) => *tenant = Arc::clone(known),
            None => {
                self.tenants.insert(Arc::clone(tenant));
            }
        }
    }
}
