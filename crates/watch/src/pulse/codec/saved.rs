//! What a collector knows, as bytes of a snapshot: the second under way, and payments of which more will be said.

use std::sync::Arc;

use settlewatch_join::event::Currency;
use settlewatch_join::{Fingerprint, Timestamp};

use super::bytes::{Reader, Writer};
use super::counts::{
    LEAST_ARRIVALS, LEAST_CHANNEL, LEAST_LEG, LEAST_STREAM, read_arrivals, read_channel, read_leg,
    read_stream, write_arrivals, write_channel, write_leg, write_stream,
};
use super::notes::read_currency;
use super::tables::{Input, Output};
use super::{Malformed, read_names, read_pulse, write_names, write_pulse};
use crate::pulse::acks::{Acks, Expected};
use crate::pulse::collector::{Collector, CollectorSettings, CreditTimes, Open};
use crate::pulse::legs::{Legs, Way};
use crate::pulse::{Arrivals, Dims};

/// The version of the format.
const VERSION: u8 = 3;

/// Bytes of a fingerprint: nothing in a list is shorter.
const LEAST: usize = 8;

/// Bytes of what a collector knows.
pub(in crate::pulse) struct Saving(Output);

/// What a collector knows, as it is read.
pub(in crate::pulse) struct Saved<'a>(Input<'a>);

impl Saving {
    fn new(dims: &Dims) -> Self {
        let names = dims.attr_names();
        let mut bytes = Writer::default();
        bytes.byte(VERSION);
        write_names(&names, &mut bytes);
        Self(Output::new(bytes, -1, names.len()))
    }

    fn list<T>(&mut self, list: &[T], write: impl Fn(&T, &mut Output)) {
        self.0.bytes.len(list.len());
        list.iter().for_each(|item| write(item, &mut self.0));
    }
}

impl<'a> Saved<'a> {
    fn new(bytes: &'a [u8], dims: &Dims) -> Result<Self, Malformed> {
        let mut bytes = Reader::new(bytes);
        if bytes.byte()? != VERSION {
            return Err(Malformed);
        }
        let names = read_names(&mut bytes)?;
        let from = Input::new(bytes, -1, names.len());
        Ok(Self(from.wanted(&names, dims)))
    }

    fn list<T>(
        &mut self,
        least: usize,
        read: impl Fn(&mut Input<'a>) -> Result<T, Malformed>,
    ) -> Result<Vec<T>, Malformed> {
        let len = self.0.bytes.len(least)?;
        let mut list = Vec::with_capacity(len);
        for _ in 0..len {
            list.push(read(&mut self.0)?);
        }
        Ok(list)
    }
}

impl Collector {
    /// Everything that it knows.
    pub(in crate::pulse) fn snapshot(&self) -> Vec<u8> {
        let mut to = Saving::new(&self.settings().dims);
        to.0.bytes.signed(self.pulse.second);
        write_pulse(&self.pulse, &mut to.0);
        let counts: Vec<_> = self.counts.values().collect();
        to.list(&counts, |it, to| write_stream(it, to));
        let channels: Vec<_> = self.channels.values().collect();
        to.list(&channels, |it, to| {
            write_channel(it, self.pulse.second, to);
        });
        let arrivals = self.arrivals.iter();
        let arrivals = arrivals.map(|((side, gateway, connector), lateness_ms)| Arrivals {
            side: *side,
            gateway: gateway.clone(),
            connector: connector.clone(),
            lateness_ms: lateness_ms.clone(),
        });
        to.list(&arrivals.collect::<Vec<_>>(), write_arrivals);
        let mut open: Vec<_> = self.open.iter().collect();
        open.sort_unstable_by_key(|(payment, _)| payment.0);
        to.list(&open, |(payment, open), to| {
            write_payment(**payment, to);
            write_open(open, to);
        });
        let ages: Vec<_> = self.ages.iter().collect();
        to.list(&ages, |(due, payment), to| {
            write_payment(*payment, to);
            write_time(*due, to);
        });
        let early = self.early_in_order();
        to.list(&early, |(payment, times), to| {
            write_payment(*payment, to);
            write_times(times, to);
        });
        save_acks(&self.acks, &mut to);
        save_legs(&self.legs, &mut to);
        to.0.bytes.finish()
    }

    /// A collector that knows what was written.
    pub(in crate::pulse) fn restore(
        settings: CollectorSettings,
        bytes: &[u8],
    ) -> Result<Self, Malformed> {
        let mut from = Saved::new(bytes, &settings.dims)?;
        let second = from.0.bytes.signed()?;
        let mut collector = Self::new(settings, Timestamp::from_millis(0));
        collector.pulse = read_pulse(second, &mut from.0)?;
        for count in from.list(LEAST_STREAM, read_stream)? {
            let key = (count.stream, count.partition);
            collector.counts.insert(key, count);
        }
        for count in from.list(LEAST_CHANNEL, |from| read_channel(second, from))? {
            let channel = Arc::clone(&count.channel);
            collector.channels.insert(channel, count);
        }
        for it in from.list(LEAST_ARRIVALS, read_arrivals)? {
            let key = (it.side, it.gateway, it.connector);
            collector.arrivals.insert(key, it.lateness_ms);
        }
        let open = from.list(LEAST, |from| Ok((read_payment(from)?, read_open(from)?)))?;
        collector.open.extend(open);
        let ages = from.list(LEAST, |from| {
            let payment = read_payment(from)?;
            Ok((read_time(from)?, payment))
        })?;
        collector.ages = ages.into();
        let early = from.list(LEAST, |from| Ok((read_payment(from)?, read_times(from)?)))?;
        for (payment, times) in early {
            collector.came_early(payment, times);
        }
        restore_acks(&mut collector.acks, &mut from)?;
        restore_legs(&mut collector.legs, &mut from)?;
        from.0.bytes.end()?;
        Ok(collector)
    }
}

fn save_acks(acks: &Acks, to: &mut Saving) {
    to.list(&acks.expected_in_order(), |(payment, it), to| {
        write_payment(*payment, to);
        write_open(&it.open, to);
        write_time(it.credited_at, to);
        to.bytes.byte(u8::from(it.told));
    });
    to.list(&acks.before_in_order(), |(payment, at), to| {
        write_payment(*payment, to);
        write_time(*at, to);
    });
}

fn restore_acks(acks: &mut Acks, from: &mut Saved<'_>) -> Result<(), Malformed> {
    let expected = from.list(LEAST, |from| {
        let payment = read_payment(from)?;
        let open = read_open(from)?;
        let credited_at = read_time(from)?;
        let told = read_bool(from)?;
        let expected = Expected {
            open,
            credited_at,
            told,
        };
        Ok((payment, expected))
    })?;
    for (payment, it) in expected {
        acks.put(payment, it);
    }
    for (payment, at) in from.list(LEAST, |from| Ok((read_payment(from)?, read_time(from)?)))? {
        acks.put_before(payment, at);
    }
    Ok(())
}

fn save_legs(legs: &Legs, to: &mut Saving) {
    to.list(legs.made(), |leg, to| write_leg(leg, 0, to));
    to.list(&legs.in_order(), |(payment, way), to| {
        write_payment(*payment, to);
        write_maybe(way.entered, to);
        write_maybe(way.left, to);
        write_time(way.until, to);
    });
}

fn restore_legs(legs: &mut Legs, from: &mut Saved<'_>) -> Result<(), Malformed> {
    let made = from.list(LEAST_LEG, |from| read_leg(0, from))?;
    let ways = from.list(LEAST, |from| {
        let payment = read_payment(from)?;
        let way = Way {
            entered: read_maybe(from)?,
            left: read_maybe(from)?,
            until: read_time(from)?,
        };
        Ok((payment, way))
    })?;
    legs.put(made, ways);
    Ok(())
}

fn write_payment(payment: Fingerprint, to: &mut Output) {
    to.bytes.raw(&payment.0.to_le_bytes());
}

fn read_payment(from: &mut Input<'_>) -> Result<Fingerprint, Malformed> {
    let bytes = from.bytes.raw(8)?.try_into().map_err(|_| Malformed)?;
    Ok(Fingerprint(u64::from_le_bytes(bytes)))
}

fn write_time(at: Timestamp, to: &mut Output) {
    to.bytes.signed(at.millis());
}

fn read_time(from: &mut Input<'_>) -> Result<Timestamp, Malformed> {
    Ok(Timestamp::from_millis(from.bytes.signed()?))
}

fn write_maybe(at: Option<Timestamp>, to: &mut Output) {
    to.bytes.byte(u8::from(at.is_some()));
    if let Some(at) = at {
        write_time(at, to);
    }
}

fn read_maybe(from: &mut Input<'_>) -> Result<Option<Timestamp>, Malformed> {
    read_bool(from)?.then(|| read_time(from)).transpose()
}

fn read_bool(from: &mut Input<'_>) -> Result<bool, Malformed> {
    match from.bytes.byte()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Malformed),
    }
}

fn write_times(times: &CreditTimes, to: &mut Output) {
    write_time(times.at, to);
    write_time(times.occurred_at, to);
    // One more than the amount: nothing stands for none.
    let amount = times.amount_minor.map_or(0, |it| u128::from(it) + 1);
    to.bytes.wide(amount);
}

fn read_times(from: &mut Input<'_>) -> Result<CreditTimes, Malformed> {
    Ok(CreditTimes {
        at: read_time(from)?,
        occurred_at: read_time(from)?,
        amount_minor: match from.bytes.wide()? {
            0 => None,
            more => Some(u64::try_from(more - 1).map_err(|_| Malformed)?),
        },
    })
}

const TIMED: u8 = 1;
const NOTED: u8 = 2;
const OVERDUE: u8 = 4;
const EXCUSED: u8 = 8;

fn write_open(open: &Open, to: &mut Output) {
    let flags = [
        (open.timed, TIMED),
        (open.noted, NOTED),
        (open.overdue, OVERDUE),
        (open.excused, EXCUSED),
    ];
    let flags = flags.iter().filter(|(there, _)| *there);
    to.bytes.byte(flags.fold(0, |all, (_, bit)| all | bit));
    to.tuple(&open.tuple);
    to.bytes.text(&open.id);
    to.bytes.signed(i64::from(open.partition));
    let accepted = open.accepted_at.millis();
    to.bytes.signed(accepted);
    let occurred = open.occurred_at.millis();
    to.bytes.signed(accepted.wrapping_sub(occurred));
    to.bytes.signed(open.due_at.millis().wrapping_sub(accepted));
    to.bytes.number(open.amount_minor);
    to.bytes.raw(&open.currency.letters());
}

fn read_open(from: &mut Input<'_>) -> Result<Open, Malformed> {
    let flags = from.bytes.byte()?;
    if flags > TIMED | NOTED | OVERDUE | EXCUSED {
        return Err(Malformed);
    }
    let tuple = from.tuple()?;
    let id = from.bytes.text()?.into();
    let partition = from.bytes.signed32()?;
    let accepted = from.bytes.signed()?;
    let occurred = accepted.wrapping_sub(from.bytes.signed()?);
    let due = accepted.wrapping_add(from.bytes.signed()?);
    let amount_minor = from.bytes.number()?;
    let currency: Currency = read_currency(from)?;
    Ok(Open {
        tuple,
        id,
        partition,
        accepted_at: Timestamp::from_millis(accepted),
        due_at: Timestamp::from_millis(due),
        occurred_at: Timestamp::from_millis(occurred),
        amount_minor,
        currency,
        timed: flags & TIMED != 0,
        noted: flags & NOTED != 0,
        overdue: flags & OVERDUE != 0,
        excused: flags & EXCUSED != 0,
    })
}
