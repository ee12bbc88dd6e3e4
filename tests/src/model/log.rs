//! One partition: records, markers, the high watermark, the last stable offset.

use std::collections::VecDeque;

/// Bytes that may be absent.
pub(super) type Bytes = Option<Box<[u8]>>;

/// What a client wants appended.
#[derive(Clone, Debug, Default)]
pub(super) struct Data {
    pub(super) key: Bytes,
    pub(super) value: Bytes,
    pub(super) headers: Vec<(String, Box<[u8]>)>,
    /// Which transaction its producer meant it for; 0 for none.
    pub(super) part_of: u64,
    /// The producer's timestamp; a LogAppendTime topic replaces it.
    pub(super) ts: i64,
}

/// What is known of an entry's transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// Written outside of any transaction.
    Plain,
    /// The transaction of this producer is open.
    Open(u64),
    Committed,
    Aborted,
    /// A control record.
    Marker,
}

/// A record or a marker.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) data: Data,
    pub(super) status: Status,
    /// Number of the coordinator's decision on it; 0 while there is none.
    pub(super) decision: u64,
    /// When it was appended: physical time.
    pub(super) appended: i64,
    /// The latest time that a leader of the partition had shown when the entry came below the high watermark;
    /// `None` before that.
    pub(super) visible: Option<i64>,
}

/// What a fetch brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fetched {
    /// Offsets of records, and the position after them: it steps over markers and aborted records.
    Records(Vec<i64>, i64),
    /// The position lies before the first offset that is left.
    OutOfRange,
}

/// A partition.
#[derive(Clone, Debug, Default)]
pub(super) struct Log {
    /// Index of the broker that leads it.
    pub(super) leader: usize,
    /// Whether the broker's time replaces the producer's.
    pub(super) log_append_time: bool,
    /// First offset that is left.
    pub(super) start: i64,
    /// First offset that is not replicated.
    pub(super) high: i64,
    pub(super) entries: Vec<Entry>,
    open: Vec<(u64, i64)>,
    /// Transactions that are decided by a marker that is not replicated: first offset, marker.
    undecided: Vec<(i64, i64)>,
    replications: VecDeque<(i64, i64)>,
    /// The latest time that a former leader had shown.
    shown: i64,
}

impl Log {
    /// First offset that was not written.
    pub(super) fn end(&self) -> i64 {
        self.entries.len() as i64
    }

    pub(super) fn entry(&self, offset: i64) -> &Entry {
        &self.entries[usize::try_from(offset).expect("offsets are never negative")]
    }

    /// Another broker leads; the old one's clock stood at `shown`.
    pub(super) fn lead_by(&mut self, leader: usize, shown: i64) {
        self.leader = leader;
        self.shown = self.shown.max(shown);
    }

    /// Appends a record; it is replicated at `replicated_at`, physical time.
    pub(super) fn append(
        &mut self,
        mut data: Data,
        producer: Option<u64>,
        (now, broker_time): (i64, i64),
        replicated_at: i64,
    ) -> i64 {
        let offset = self.end();
        if self.log_append_time {
            data.ts = broker_time;
        }
        let status = match producer {
            None => Status::Plain,
            Some(pid) => {
                if !self.open.iter().any(|&(open, _)| open == pid) {
                    self.open.push((pid, offset));
                }
                Status::Open(pid)
            }
        };
        self.push(data, status, now, replicated_at);
        offset
    }

    /// Ends a transaction of `pid`, if it has one here.
    pub(super) fn mark(
        &mut self,
        pid: u64,
        (commit, decision): (bool, u64),
        (now, broker_time): (i64, i64),
        replicated_at: i64,
    ) {
        let status = if commit {
            Status::Committed
        } else {
            Status::Aborted
        };
        if let Some(at) = self.open.iter().position(|&(open, _)| open == pid) {
            let (_, first) = self.open.remove(at);
            let from = usize::try_from(first).expect("offsets are never negative");
            for entry in &mut self.entries[from..] {
                if entry.status == Status::Open(pid) {
                    (entry.status, entry.decision) = (status, decision);
                }
            }
            self.undecided.push((first, self.end()));
        }
        let data = Data {
            ts: broker_time,
            ..Data::default()
        };
        self.push(data, Status::Marker, now, replicated_at);
    }

    fn push(&mut self, data: Data, status: Status, now: i64, replicated_at: i64) {
        self.entries.push(Entry {
            data,
            status,
            decision: 0,
            appended: now,
            visible: None,
        });
        let last = self.replications.back().map_or(0, |&(at, _)| at);
        self.replications
            .push_back((replicated_at.max(last), self.end()));
    }

    /// Followers fetch.
    pub(super) fn replicate(&mut self, now: i64, broker_time: i64) {
        while let Some((_, end)) = self.replications.pop_front_if(|(at, _)| *at <= now) {
            let offset = |offset| usize::try_from(offset).expect("offsets are never negative");
            for entry in &mut self.entries[offset(self.high)..offset(end)] {
                entry.visible = Some(broker_time.max(self.shown));
            }
            self.high = end;
        }
        let high = self.high;
        self.undecided.retain(|&(_, marker)| marker >= high);
    }

    /// Nothing waits for replication.
    pub(super) fn hurry(&mut self, now: i64) {
        for replication in &mut self.replications {
            replication.0 = replication.0.min(now);
        }
    }

    /// The last stable offset: what lies below is decided and replicated.
    pub(super) fn stable(&self) -> i64 {
        let open = self.open.iter().map(|&(_, first)| first);
        let undecided = self.undecided.iter().map(|&(first, _)| first);
        open.chain(undecided)
            .min()
            .unwrap_or(i64::MAX)
            .min(self.high)
    }

    /// Read committed, from `position`, at most `most` records.
    pub(super) fn fetch(&self, position: i64, most: usize) -> Fetched {
        if position < self.start {
            return Fetched::OutOfRange;
        }
        let mut records = Vec::new();
        let (mut at, stable) = (position, self.stable());
        while at < stable && records.len() < most {
            if matches!(self.entry(at).status, Status::Plain | Status::Committed) {
                records.push(at);
            }
            at += 1;
        }
        Fetched::Records(records, at)
    }

    /// Committed records are gone, as if the log had been cleaned of them.
    pub(super) fn forget(&mut self, which: impl Fn(&Data) -> bool) {
        let committed = self.entries.iter_mut();
        for entry in committed.filter(|entry| entry.status == Status::Committed) {
            if which(&entry.data) {
                entry.status = Status::Aborted;
            }
        }
    }

    /// Records that a reader that waits long enough sees, from the very first: offset and entry.
    pub(super) fn committed(&self) -> impl Iterator<Item = (i64, &Entry)> {
        let entries = (0..).zip(&self.entries);
        entries.filter(|(_, entry)| matches!(entry.status, Status::Plain | Status::Committed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(ts: i64) -> Data {
        Data {
            ts,
            ..Data::default()
        }
    }

    #[test]
    fn an_open_transaction_holds_back_what_stands_after_it() {
        let mut log = Log::default();
        log.append(data(1), None, (1, 1), 1);
        log.append(data(2), Some(7), (2, 2), 2);
        log.append(data(3), None, (3, 3), 3);
        log.replicate(3, 3);
        assert_eq!((log.stable(), log.high), (1, 3));
        assert_eq!(log.fetch(0, 9), Fetched::Records(vec![0], 1));
        log.mark(7, (false, 1), (4, 4), 9);
        log.replicate(4, 4);
        assert_eq!(log.stable(), 1, "the marker is not replicated");
        log.replicate(9, 9);
        assert_eq!(log.fetch(1, 9), Fetched::Records(vec![2], 4));
        assert_eq!(log.entry(3).visible, Some(9));
    }
}
