//! Messages and notes between partitions as bytes and back: they travel in the pairs topic.

use alloc::vec::Vec;

use crate::pairs::{Candidate, Message, MessageBody, Note, NoteBody};

use super::SnapshotError;
use super::codec::{Coded, Input, Malformed, coded_fields, put_record};

coded_fields!(Candidate {
    payment,
    payment_appended_at,
    orphan,
    orphan_appended_at,
    orphan_amount,
    differences
});
coded_fields!(record Message { key, place, body });
coded_fields!(record Note { to, at, body });

impl Coded for MessageBody {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Paid { payer, payment } => {
                out.push(0);
                payer.write(out);
                payment.write(out);
            }
            Self::Ended { payment } => {
                out.push(1);
                payment.write(out);
            }
            Self::Near(item) => {
                out.push(2);
                item.write(out);
            }
            Self::Gone { payment } => {
                out.push(3);
                payment.write(out);
            }
        }
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Malformed> {
        Ok(match input.read::<u8>()? {
            0 => Self::Paid {
                payer: input.read()?,
                payment: input.read()?,
            },
            1 => Self::Ended {
                payment: input.read()?,
            },
            2 => Self::Near(input.read()?),
            3 => Self::Gone {
                payment: input.read()?,
            },
            _ => return Err(Malformed),
        })
    }
}

impl Coded for NoteBody {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Twin { earlier } => {
                out.push(0);
                earlier.write(out);
            }
            Self::HasTwin { later } => {
                out.push(1);
                later.write(out);
            }
            Self::TwinEnded { resolution } => {
                out.push(2);
                resolution.write(out);
            }
            Self::NearFound(candidate) => {
                out.push(3);
                candidate.write(out);
            }
            Self::NearOffer(candidates) => {
                out.push(4);
                candidates.write(out);
            }
            Self::NearTaken { candidate, rest } => {
                out.push(5);
                candidate.write(out);
                rest.write(out);
            }
            Self::NearAgreed { payment } => {
                out.push(6);
                payment.write(out);
            }
        }
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Malformed> {
        Ok(match input.read::<u8>()? {
            0 => Self::Twin {
                earlier: input.read()?,
            },
            1 => Self::HasTwin {
                later: input.read()?,
            },
            2 => Self::TwinEnded {
                resolution: input.read()?,
            },
            3 => Self::NearFound(input.read()?),
            4 => Self::NearOffer(input.read()?),
            5 => Self::NearTaken {
                candidate: input.read()?,
                rest: input.read()?,
            },
            6 => Self::NearAgreed {
                payment: input.read()?,
            },
            _ => return Err(Malformed),
        })
    }
}

/// What travels between partitions in one record of the pairs topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parcel {
    /// For the pairs stage.
    pub messages: Vec<Message>,
    /// For the payments of the partition.
    pub notes: Vec<Note>,
}

impl Parcel {
    /// Appends its bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        put_record(out, |out| {
            self.messages.write(out);
            self.notes.write(out);
        });
    }

    /// Reads a parcel from the front of `bytes`, and moves them on.
    ///
    /// # Errors
    /// [`SnapshotError::Corrupt`] when the bytes are none.
    pub fn read(bytes: &mut &[u8]) -> Result<Self, SnapshotError> {
        let mut input = Input(bytes);
        let parcel = Self::parse(&mut input).map_err(|_| SnapshotError::Corrupt)?;
        *bytes = input.0;
        Ok(parcel)
    }

    fn parse(input: &mut Input<'_>) -> Result<Self, Malformed> {
        let mut input = input.record()?;
        Ok(Self {
            messages: input.read()?,
            notes: input.read()?,
        })
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.notes.is_empty()
    }
}
