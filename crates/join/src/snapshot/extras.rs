//! The unusual side of a payment in a snapshot: refunds, holds, alerts, records that came early.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::alert::{AlertState, CreditSum};
use crate::event::{Body, Credited, Event, Refund, Refusal};
use crate::extras::{Early, Extras, Hold, Rare, RefundState};
use crate::packed::PackedId;
use crate::pairs::PaymentRef;

use super::codec::{Coded, Input, Malformed, coded_fields, put_record};

coded_fields!(record Extras {
    seen, alerts, rare,
});

coded_fields!(record Rare {
    early, expected_credit_by, released_at, parts_minor, part_lag_ms, refunds, refunded_minor, hold, rejection,
    near, ended, twins,
});

coded_fields!(record AlertState {
    kind, revision, resolution, tier, deadline, verdict, related, credits,
});

coded_fields!(record Early {
    at, stream, uncounted, decided, passed, event,
});

coded_fields!(CreditSum { amount, currency });
coded_fields!(RefundState { id, status });
coded_fields!(Hold {
    until,
    stops_clock,
    raised
});

coded_fields!(Event<'static> {
    tenant, event_id, occurred_at, body,
});

coded_fields!(record Credited<'static> {
    payment_id, credit_id, channel, amount_minor, currency, fee_minor, terminal_id, merchant_id, mcc, partial,
    batch_id,
});

coded_fields!(record Refund<'static> {
    payment_id, refund_id, amount_minor, status,
});

coded_fields!(record Refusal<'static> {
    payment_id, channel, merchant_id, terminal_id, amount_minor, currency, code, class,
});

const CREDITED: u8 = 0;
const AUTHORIZED: u8 = 1;
const REFUNDED: u8 = 2;
const REVERSED: u8 = 3;
const HELD: u8 = 4;
const RELEASED: u8 = 5;
const DECLINED: u8 = 6;
const REJECTED: u8 = 7;

/// Only events that wait for their payment are kept.
impl Coded for Body<'static> {
    fn write(&self, out: &mut Vec<u8>) {
        let mut tagged = |tag: u8, body: &dyn Fn(&mut Vec<u8>)| {
            out.push(tag);
            body(out);
        };
        match self {
            Self::Credited(body) => tagged(CREDITED, &|out| body.write(out)),
            Self::Authorized { payment_id } => tagged(AUTHORIZED, &|out| payment_id.write(out)),
            Self::Refunded(body) => tagged(REFUNDED, &|out| body.write(out)),
            Self::Reversed(body) => tagged(REVERSED, &|out| body.write(out)),
            Self::Held {
                payment_id,
                reason,
                expected_release_at,
            } => tagged(HELD, &|out| {
                payment_id.write(out);
                reason.write(out);
                expected_release_at.write(out);
            }),
            Self::Released { payment_id } => tagged(RELEASED, &|out| payment_id.write(out)),
            Self::Declined(body) => tagged(DECLINED, &|out| body.write(out)),
            Self::Rejected(body) => tagged(REJECTED, &|out| body.write(out)),
            Self::Succeeded(_)
            | Self::Stage { .. }
            | Self::Heartbeat(_)
            | Self::AccountStatus { .. }
            | Self::BatchSettled(_)
            | Self::Marker(_) => unreachable!("only events that wait for a payment are kept"),
        }
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Malformed> {
        Ok(match input.read::<u8>()? {
            CREDITED => Self::Credited(input.read()?),
            AUTHORIZED => Self::Authorized {
                payment_id: input.read()?,
            },
            REFUNDED => Self::Refunded(input.read()?),
            REVERSED => Self::Reversed(input.read()?),
            HELD => Self::Held {
                payment_id: input.read()?,
                reason: input.read()?,
                expected_release_at: input.read()?,
            },
            RELEASED => Self::Released {
                payment_id: input.read()?,
            },
            DECLINED => Self::Declined(input.read()?),
            REJECTED => Self::Rejected(input.read()?),
            _ => return Err(Malformed),
        })
    }
}

impl Coded for Arc<str> {
    fn write(&self, out: &mut Vec<u8>) {
        super::codec::put_text(out, self);
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Malformed> {
        input.text().map(Self::from)
    }
}

coded_fields!(PaymentRef { tenant, id, home });

const HEX: u8 = 0;
const SIX_BIT: u8 = 1;
const UUID: u8 = 2;
const PLAIN: u8 = 3;
const LONG: u8 = 4;

/// Bytes that `len` characters of six bits fill.
fn six_bit_bytes(len: u8) -> usize {
    (usize::from(len) * 6).div_ceil(8)
}

impl Coded for PackedId {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Hex { len, nibbles } => {
                out.extend([HEX, *len]);
                out.extend_from_slice(&nibbles[..usize::from(*len).div_ceil(2)]);
            }
            Self::SixBit { len, bits } => {
                out.extend([SIX_BIT, *len]);
                out.extend_from_slice(&bits[..six_bit_bytes(*len)]);
            }
            Self::Uuid(bytes) => {
                out.push(UUID);
                out.extend_from_slice(bytes);
            }
            Self::Plain { len, bytes } => {
                out.extend([PLAIN, *len]);
                out.extend_from_slice(&bytes[..usize::from(*len)]);
            }
            Self::Long(text) => {
                out.push(LONG);
                text.write(out);
            }
        }
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Malformed> {
        let form = input.read::<u8>()?;
        match form {
            UUID => return input.array().map(Self::Uuid),
            LONG => return input.read().map(Self::Long),
            _ => {}
        }
        let len = input.read::<u8>()?;
        Ok(match form {
            HEX => Self::Hex {
                len,
                nibbles: padded(input, usize::from(len).div_ceil(2))?,
            },
            SIX_BIT => Self::SixBit {
                len,
                bits: padded(input, six_bit_bytes(len))?,
            },
            PLAIN => Self::Plain {
                len,
                bytes: padded(input, usize::from(len))?,
            },
            _ => return Err(Malformed),
        })
    }
}

/// `len` bytes, filled up with zeros; more than there is room for is malformed.
fn padded<const N: usize>(input: &mut Input<'_>, len: usize) -> Result<[u8; N], Malformed> {
    let mut room = [0; N];
    room.get_mut(..len)
        .ok_or(Malformed)?
        .copy_from_slice(input.bytes(len)?);
    Ok(room)
}

/// Extras as they stand at the end of an entry; nothing where there are none.
pub(super) fn put_extras(out: &mut Vec<u8>, extras: Option<&Extras>) {
    match extras {
        Some(extras) => extras.write(out),
        None => put_record(out, |_| ()),
    }
}

/// What [`put_extras`] wrote; it has at least one byte for each field.
pub(super) fn read_extras(input: &mut Input<'_>) -> Result<Option<Extras>, Malformed> {
    let mut ahead = *input;
    if ahead.record()?.is_empty() {
        *input = ahead;
        return Ok(None);
    }
    input.read().map(Some)
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;

    #[test]
    fn every_shape_of_id_survives() {
        for text in [
            "",
            "P1",
            "4200166815202604090046521459",
            "00000000-0000-4000-8000-00000000002a",
            "订单二十四",
            "ORD.2026/11/25:0001",
            "a payment id that is longer than any packed form can hold",
        ] {
            let id = PackedId::pack(text);
            let mut bytes = Vec::new();
            id.write(&mut bytes);
            let read = Input(&bytes).read::<PackedId>();
            assert_eq!(read.map(|id| id.unpack()), Ok(String::from(text)));
        }
    }

    #[test]
    fn an_id_longer_than_its_form_is_malformed() {
        for form in [HEX, SIX_BIT, PLAIN] {
            let mut bytes = alloc::vec![form, 200];
            bytes.extend([0; 200]);
            assert_eq!(Input(&bytes).read::<PackedId>(), Err(Malformed));
        }
    }
}
