//! Tags of frames. A number is given once and never again.

/// Scalars that everything after it needs.
pub(super) const HEAD: u8 = 1;
/// Names of tenants, in the order of their numbers.
pub(super) const TENANTS: u8 = 2;
/// Names of channels, in the order of their numbers.
pub(super) const CHANNELS: u8 = 3;
/// The accounts.
pub(super) const LEDGER: u8 = 4;
/// What terminals fix of the payments' attributes.
pub(super) const PLACES: u8 = 5;
/// The other attributes.
pub(super) const ROUTES: u8 = 6;
/// Free slots, the next to be used last.
pub(super) const FREE: u8 = 7;
/// Payments, in the order of their slots.
pub(super) const ENTRIES: u8 = 8;
/// Slots and times of timers, in the order in which they were set.
pub(super) const TIMERS: u8 = 9;
/// Scalars of the auxiliary events.
pub(super) const AUXILIARY: u8 = 10;
/// Last heartbeats by terminal.
pub(super) const TERMINALS: u8 = 11;
/// Whose finished ids follow.
pub(super) const FINISHED: u8 = 12;
/// One hour of them follows.
pub(super) const HOUR: u8 = 13;
/// Hashes of the hour.
pub(super) const KEYS: u8 = 14;
/// A filter of the hour follows.
pub(super) const FILTER: u8 = 15;
/// Words of the filter.
pub(super) const WORDS: u8 = 16;
/// Payments of the pairs stage.
pub(super) const PAID: u8 = 17;
/// Ids that look for their other half.
pub(super) const SEEKERS: u8 = 18;

/// The finished ids of the partition.
pub(super) const OF_PARTITION: u8 = 0;
/// What was seen of auxiliary events.
pub(super) const OF_AUXILIARY: u8 = 1;
