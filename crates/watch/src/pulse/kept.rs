//! Pulses in a snapshot of the watch: those of seconds that are not complete.

use std::sync::Arc;

use super::{
    Ack, Arrivals, Auxiliary, Case, ChannelCount, Ended, Excused, Leg, Note, Pulse, Side,
    StreamCount,
};
use super::{Tuple, What, hash_of};
use crate::keep::{Keep, Reader, Unreadable, Writer, keep, keep_enum};

keep!(Note {
    payment,
    tuple,
    partition,
    accepted_at,
    due_at,
    at,
    amount_minor,
    currency,
    timed,
    id,
    what,
});
keep_enum!(What {
    0 => Paid,
    1 => Credited { lag_ms, business_ms, noted, overdue },
    2 => Waiting,
    3 => Overdue,
    4 => Ended { written_off },
    5 => Excused,
    6 => Misnamed,
    7 => Rejected(class),
    8 => Declined(class),
});
keep!(Case {
    id,
    kind,
    verdict,
    tuple,
    at,
    since,
    amount_minor,
    currency,
    amounts,
    resolved,
});
keep!(ChannelCount {
    channel,
    accepted,
    credited,
    ended,
    excused,
    released,
});
keep!(Excused { accepted_s, count });
keep!(Ended {
    accepted_s,
    lag_ms,
    credited,
    otherwise,
});
keep_enum!(Side {
    0 => Payments,
    1 => Credits,
});
keep!(Arrivals {
    side,
    gateway,
    connector,
    lateness_ms,
});
keep!(Leg {
    tuple,
    entered_s,
    gateway_ms
});
keep!(Ack {
    tuple,
    partition,
    late,
    came,
    id,
    amount_minor,
    currency,
    credited_at,
});
keep_enum!(Auxiliary {
    0 => Heartbeat { terminal_id, at, queue_depth, error_code, uptime_s, app_version, signed_in },
    1 => Account { merchant_id, at, status },
    2 => Batch { channel, at, settle_date },
    3 => Marker { kind, at, scope, starts_at, ends_at },
});
keep!(Pulse {
    second,
    notes,
    channels,
    cases,
    streams,
    arrivals,
    legs,
    acks,
    auxiliary,
});

impl Keep for StreamCount {
    fn write(&self, to: &mut Writer) {
        to.byte(self.stream);
        self.partition.write(to);
        self.records.write(to);
        self.rejected.write(to);
        self.kinds.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        Ok(Self {
            // A stream that is not configured any more is none that anything is expected of.
            stream: from.stream()?.unwrap_or(u8::MAX),
            partition: Keep::read(from)?,
            records: Keep::read(from)?,
            rejected: Keep::read(from)?,
            kinds: Keep::read(from)?,
        })
    }
}

/// Equal tuples are written once.
impl Keep for Arc<Tuple> {
    fn write(&self, to: &mut Writer) {
        let known = to.written_tuples();
        if let Some(number) = known.get(&self.hash) {
            let number = u128::from(*number);
            return to.number(number);
        }
        let number = known.len() as u64;
        known.insert(self.hash, number);
        to.number(u128::from(number));
        self.values.to_vec().write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let number = usize::read(from)?;
        if let Some(known) = from.read_tuples().get(number) {
            return Ok(Self::clone(known));
        }
        if number != from.read_tuples().len() {
            return Err(Unreadable::Malformed);
        }
        let then: Vec<Option<Arc<str>>> = Keep::read(from)?;
        let values = from.wide(then, None)?;
        let hash = hash_of(values.iter().map(Option::as_deref));
        let values = values.into();
        let tuple = Self::new(Tuple { hash, values });
        from.read_tuples().push(Self::clone(&tuple));
        Ok(tuple)
    }
}
