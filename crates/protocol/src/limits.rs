//! Sizes and counts at which a lane does the next thing.

/// Bounds of a lane's work. They change when things are written, never what is decided: simulations draw small ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A snapshot is due when so many times its size was applied since the last: a quarter of the input's
    /// traffic at most.
    pub snapshot_times_its_size: usize,
    /// No snapshot is due before so many bytes were applied, unless the lane stops.
    pub snapshot_at_least_bytes: usize,
    /// Steps after which one is due all the same: a restart reads them all.
    pub snapshot_at_most_steps: u64,
    /// Bytes of chunks that go into one transaction.
    pub snapshot_bytes_per_step: usize,
    /// A transaction takes no further step when it holds so many bytes.
    pub transaction_bytes: usize,
    /// Effects of one step; what is beyond goes into the next.
    pub effects_per_step: usize,
    /// An input may always have so many records waiting, however many inputs there are.
    pub waiting_at_least: usize,
}

impl Limits {
    /// The watch judges a second for up to a tenth of one: a restart must not judge many again.
    pub fn of_watch() -> Self {
        Self {
            snapshot_times_its_size: 1,
            snapshot_at_most_steps: 600,
            ..Self::default()
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            snapshot_times_its_size: 4,
            snapshot_at_least_bytes: 1 << 20,
            snapshot_at_most_steps: 10_000,
            snapshot_bytes_per_step: 2 << 20,
            transaction_bytes: 8 << 20,
            effects_per_step: 10_000,
            waiting_at_least: 500,
        }
    }
}
