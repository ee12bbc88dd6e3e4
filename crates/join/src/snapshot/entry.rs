//! A payment in a snapshot. Times are written as distances from each other, which are short.

use alloc::vec::Vec;

use crate::attributes::{AttributeRefs, Attributes};
use crate::packed::PackedId;
use crate::table::{Entry, Phase};
use crate::time::Timestamp;

use super::codec::{Coded, Input, Malformed, put_record};
use super::extras::{put_extras, read_extras};
use super::tuples::{Loaded, Numbers};

/// Phases by their position; new ones may only be appended.
const PHASES: [Phase; 7] = [
    Phase::Unknown,
    Phase::Waiting,
    Phase::Credited,
    Phase::Refunded,
    Phase::Reversed,
    Phase::Declined,
    Phase::WrittenOff,
];

/// `at` as its distance from `base`; lossless for all times.
fn put_time(out: &mut Vec<u8>, at: Timestamp, base: Timestamp) {
    at.millis().wrapping_sub(base.millis()).write(out);
}

fn read_time(input: &mut Input<'_>, base: Timestamp) -> Result<Timestamp, Malformed> {
    let distance = input.read::<i64>()?;
    Ok(Timestamp::from_millis(base.millis().wrapping_add(distance)))
}

/// Writes an entry. `known` is what its times lie near.
pub(super) fn put_entry(out: &mut Vec<u8>, entry: &Entry, known: Timestamp, numbers: &Numbers) {
    put_record(out, |out| {
        entry.id.write(out);
        out.push(entry.phase as u8);
        put_time(out, entry.appended_at, known);
        put_time(out, entry.occurred_at, entry.appended_at);
        put_time(out, entry.clock, entry.appended_at);
        entry.amount_minor.write(out);
        // A fee is at most 2^63 − 1 (contract): 0 stands for none.
        entry.fee_minor().map_or(0, |fee| fee + 1).write(out);
        let refs = entry.attributes();
        numbers.places.of(refs.place).write(out);
        numbers.routes.of(refs.route).write(out);
        entry.rule.write(out);
        entry.tenant.write(out);
        out.extend([entry.tier, entry.stages, entry.flags]);
        put_extras(out, entry.extras.as_deref());
    });
}

/// What entries refer to.
pub(super) struct Context<'a> {
    pub(super) known: Timestamp,
    pub(super) tenants: usize,
    /// Rules now, by their position when the snapshot was written.
    pub(super) rules: &'a [u16],
    pub(super) places: &'a Loaded,
    pub(super) routes: &'a Loaded,
}

/// Reads an entry and counts its references.
pub(super) fn read_entry(
    input: &mut Input<'_>,
    context: &Context<'_>,
    attributes: &mut Attributes,
) -> Result<Entry, Malformed> {
    let mut input = input.record()?;
    let id = input.read::<PackedId>()?;
    let phase = usize::from(input.read::<u8>()?);
    let mut entry = Entry::new(id, 0, read_time(&mut input, context.known)?);
    entry.phase = *PHASES.get(phase).ok_or(Malformed)?;
    entry.occurred_at = read_time(&mut input, entry.appended_at)?;
    entry.clock = read_time(&mut input, entry.appended_at)?;
    entry.amount_minor = input.read()?;
    entry.set_fee_minor(input.read::<u64>()?.checked_sub(1));
    let refs = AttributeRefs {
        place: context.places.tuple(input.read()?)?,
        route: context.routes.tuple(input.read()?)?,
    };
    let rule = usize::from(input.read::<u16>()?);
    entry.rule = *context.rules.get(rule).ok_or(Malformed)?;
    entry.tenant = input.read()?;
    if usize::from(entry.tenant) > context.tenants {
        return Err(Malformed);
    }
    [entry.tier, entry.stages, entry.flags] = input.array()?;
    entry.extras = read_extras(&mut input)?.map(Into::into);
    attributes.places.retain(refs.place);
    attributes.routes.retain(refs.route);
    entry.set_attributes(refs);
    Ok(entry)
}
