//! A counter that one thread adds to without a lock, and hands over now and then.

use prometheus::IntCounter;

pub(crate) struct Count {
    new: u64,
    total: IntCounter,
}

impl Count {
    pub(crate) fn new(total: IntCounter) -> Self {
        Self { new: 0, total }
    }

    pub(crate) fn add(&mut self, count: u64) {
        self.new += count;
    }

    pub(crate) fn flush(&mut self) {
        if self.new > 0 {
            self.total.inc_by(std::mem::take(&mut self.new));
        }
    }
}
