//! What happens in a lane, counted on its own thread without locks and handed over now and then.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use prometheus::local::LocalHistogram;
use settlewatch_join::{
    Alert, AlertKind, ChannelIndex, Flow, Outcome, Partition, Resolution, TierIndex, Timestamp,
    Waiting,
};
use settlewatch_protocol::{Host, Lane, RulesNews, SourceId, TxnOutcome};

use crate::ages::second_of;
use crate::channel::{Channel, Ended};
use crate::count::Count;
use crate::descriptors::Metric;
use crate::edges::seconds;
use crate::limit::Limit;
use crate::live::Share;
use crate::metrics::Inner;
use crate::records::Records;
use crate::status::{LaneBoard, Restore, merge};

/// Counters and figures are handed over so often at most.
const PUBLISH_EVERY: Duration = Duration::from_millis(250);

/// Sums over the last minutes, and what memory is used, are made so often at most.
const SUM_EVERY: Duration = Duration::from_secs(1);

/// The channel of an alert about a payment that nobody knows.
const UNKNOWN: &str = "unknown";

/// The eyes on one lane. Every call belongs on the lane's thread.
pub struct LaneObserver {
    seen: RefCell<Seen>,
    board: Arc<LaneBoard>,
}

/// What is known of one partition number.
#[derive(Default)]
struct Number {
    restored: bool,
    /// Second up to which its payments were accepted before it was restored.
    since_s: i64,
    /// Places in the lane's channels, by the partition's own index.
    channels: Vec<Option<u16>>,
}

struct Seen {
    lane: usize,
    shared: Arc<Inner>,
    numbers: Vec<Number>,
    /// By the channel's number in this process.
    channels: Vec<Option<Channel>>,
    records: Records,
    /// Alerts by channel, kind and tier.
    raised: BTreeMap<(Option<u16>, AlertKind, Option<TierIndex>), Count>,
    restore_records: Count,
    restore_bytes: Count,
    delay: LocalHistogram,
    lag_generation: u64,
    published: Option<Instant>,
    summed: Option<Instant>,
}

impl LaneObserver {
    pub(crate) fn new(lane: usize, shared: Arc<Inner>, board: Arc<LaneBoard>) -> Self {
        let families = &shared.families;
        let counter = |metric| Count::new(families.counter(metric, &[]));
        let seen = Seen {
            lane,
            numbers: Vec::new(),
            channels: Vec::new(),
            records: Records::new(&shared),
            raised: BTreeMap::new(),
            restore_records: counter(Metric::RestoreRecords),
            restore_bytes: counter(Metric::RestoreBytes),
            delay: families.histogram(Metric::DetectionDelay, &[]).local(),
            lag_generation: families.lag_generation(),
            published: None,
            summed: None,
            shared,
        };
        Self {
            seen: RefCell::new(seen),
            board,
        }
    }

    /// A flow of a partition number; `again` where it was counted before a restart: it changes what waits, but
    /// no counter.
    pub fn flow(&self, number: i32, partition: &Partition, flow: &Flow, again: bool) {
        self.seen.borrow_mut().flow(number, partition, flow, again);
    }

    /// A record was applied: what it counts as, where that is decided, or the reason of its rejection.
    pub fn applied(&self, source: SourceId, outcome: Result<Option<Outcome>, &'static str>) {
        let seen = &mut *self.seen.borrow_mut();
        if let Some(limit) = seen.records.applied(&seen.shared, source, outcome) {
            seen.shared.limit_hit(limit);
        }
    }

    /// A record of `source` lies under another key than its payment's.
    pub fn misplaced(&self, source: SourceId) {
        self.seen.borrow_mut().records.misplaced(source);
    }

    /// An alert is about to be written.
    pub fn alert(&self, alert: &Alert) {
        if alert.resolution != Some(Resolution::CreditedInTime) {
            return;
        }
        let mut seen = self.seen.borrow_mut();
        let (place, _) = seen
            .shared
            .live
            .channel(alert.channel.as_deref().unwrap_or(UNKNOWN));
        seen.channel_of(place).retracted();
    }

    /// A partition number was restored, or begins: what waits in it. Where it had been restored before, the lane
    /// began anew, and everything it knew is void.
    pub fn restored(&self, number: i32, partition: &Partition) {
        let mut seen = self.seen.borrow_mut();
        if seen.number(number).restored {
            seen.forget();
        }
        seen.restored(number, partition);
        let restored = seen.numbers.iter().filter(|number| number.restored).count();
        self.board.status().restore.restored = restored;
    }

    /// The group gave the lane other partition numbers; what was known of the earlier ones is void.
    pub fn rebalanced(&self, numbers: &[i32]) {
        let mut seen = self.seen.borrow_mut();
        seen.forget();
        seen.publish(None);
        seen.shared.families.counter(Metric::Rebalances, &[]).inc();
        let mut status = self.board.status();
        status.joined = true;
        status.caught_up = numbers.is_empty();
        status.numbers = numbers.to_vec();
        status.known.clear();
        status.books.clear();
        status.restore = Restore {
            assigned: numbers.len(),
            ..Default::default()
        };
    }

    /// A record of state was read.
    pub fn restoring(&self, _number: i32, bytes: usize) {
        let mut seen = self.seen.borrow_mut();
        seen.restore_records.add(1);
        seen.restore_bytes.add(bytes as u64);
        let mut status = self.board.status();
        status.restore.records += 1;
        status.restore.bytes += bytes as u64;
    }

    /// The lane begins or ends to wait for an answer of the cluster: until then its silence is no sign that it
    /// hangs.
    pub fn calling(&self, calling: bool) {
        self.board.beat();
        self.board.set_calling(calling);
    }

    /// A transaction ended.
    pub fn transaction(&self, outcome: TxnOutcome, took: Duration) {
        self.board.beat();
        let seen = self.seen.borrow();
        seen.shared.transaction(outcome, took);
    }

    /// An alert became visible: the moment of the decision, and its append time.
    pub fn alert_visible(&self, decided_at: Timestamp, appended_at: Timestamp) {
        let delay_ms = appended_at.since(decided_at).max(0).unsigned_abs();
        self.seen.borrow().delay.observe(seconds(delay_ms));
    }

    /// Records between two offsets were deleted before they were read.
    pub fn hole(&self, source: SourceId) {
        let seen = self.seen.borrow();
        let stream = seen.shared.stream(source);
        seen.shared
            .families
            .counter(Metric::InputHoles, &[stream])
            .inc();
    }

    /// What became of rules.
    pub fn rules(&self, news: RulesNews) {
        let mut seen = self.seen.borrow_mut();
        let mut status = self.board.status();
        match news {
            RulesNews::Applied { .. } => {
                status.stale = false;
                // Tiers may have other names now.
                seen.raised.values_mut().for_each(Count::flush);
                seen.raised.clear();
            }
            RulesNews::Refused { .. } => seen.shared.limit_hit(Limit::ReloadAlerts),
            RulesNews::Stale { .. } => status.stale = true,
        }
    }

    /// How the lane stands, as often as it likes, every 50 ms or so. `now` is broker time, about.
    pub fn look<H: Host>(&self, lane: &Lane<H>, now: Option<Timestamp>) {
        self.board.beat();
        let mut seen = self.seen.borrow_mut();
        let at = Instant::now();
        if seen.published.is_some_and(|last| at - last < PUBLISH_EVERY) {
            return;
        }
        seen.published = Some(at);
        let sums = seen.summed.is_none_or(|last| at - last >= SUM_EVERY);
        if sums {
            seen.summed = Some(at);
        }
        let partitions = || {
            lane.assigned_numbers()
                .iter()
                .filter_map(|&n| lane.partition(n))
        };
        seen.publish(partitions().map(Partition::known).min().filter(|_| sums));
        let mut status = self.board.status();
        status.phase = lane.phase();
        status.caught_up = lane.is_ready();
        status.waiting_records = lane.waiting();
        status.now = now.map(|now| (now, at)).or(status.now);
        status.known.clear();
        status.known.extend(lane.known_times());
        if sums {
            let books = partitions().flat_map(|partition| partition.ledger().books());
            status.books = merge(books);
            status.bytes = partitions().map(Partition::bytes).fold([0; 3], add);
        }
    }
}

fn add(sum: [usize; 3], more: [usize; 3]) -> [usize; 3] {
    [sum[0] + more[0], sum[1] + more[1], sum[2] + more[2]]
}

impl Seen {
    fn number(&mut self, number: i32) -> &mut Number {
        let at = usize::try_from(number).unwrap_or(0);
        if at >= self.numbers.len() {
            self.numbers.resize_with(at + 1, Number::default);
        }
        &mut self.numbers[at]
    }

    /// The place of a partition's channel in the lane's channels, and the second from which its payments count.
    fn place(&mut self, number: i32, partition: &Partition, channel: ChannelIndex) -> (u16, i64) {
        let at = usize::from(channel.0);
        let known = usize::try_from(number)
            .ok()
            .and_then(|number| self.numbers.get(number));
        if let Some(known) = known
            && let Some(&Some(place)) = known.channels.get(at)
        {
            return (place, known.since_s);
        }
        self.first_sight(number, partition, channel)
    }

    #[cold]
    fn first_sight(
        &mut self,
        number: i32,
        partition: &Partition,
        channel: ChannelIndex,
    ) -> (u16, i64) {
        let at = usize::from(channel.0);
        let (place, own) = self.shared.live.channel(partition.channel_name(channel));
        if !own {
            self.shared.limit_hit(Limit::Channels);
        }
        let known = self.number(number);
        if known.channels.len() <= at {
            known.channels.resize(at + 1, None);
        }
        known.channels[at] = Some(place);
        (place, known.since_s)
    }

    fn channel_of(&mut self, place: u16) -> &mut Channel {
        let at = usize::from(place);
        if self.channels.len() <= at {
            self.channels.resize_with(at + 1, || None);
        }
        let shared = &self.shared;
        self.channels[at].get_or_insert_with(|| {
            let name = shared.live.name(place);
            Channel::new(name, &shared.families)
        })
    }

    fn flow(&mut self, number: i32, partition: &Partition, flow: &Flow, again: bool) {
        match *flow {
            Flow::Accepted {
                channel,
                at,
                timed,
                amount_minor,
                currency,
                ..
            } => {
                let (place, since_s) = self.place(number, partition, channel);
                let payment = Waiting {
                    channel,
                    accepted_at: at,
                    timed,
                    overdue: false,
                    amount_minor,
                    currency,
                };
                self.channel_of(place).accepted(&payment, since_s, again);
            }
            // Held payments wait like others.
            Flow::Held { .. } | Flow::Credit { .. } => {}
            Flow::Overdue {
                channel,
                amount_minor,
                currency,
                ..
            } => {
                let (place, _) = self.place(number, partition, channel);
                self.channel_of(place).overdue(currency, amount_minor);
            }
            Flow::Closed {
                channel,
                closing,
                accepted_at,
                timed,
                lag_ms,
                overdue,
                amount_minor,
                currency,
                ..
            } => {
                let (place, since_s) = self.place(number, partition, channel);
                let payment = Ended {
                    closing,
                    accepted_at,
                    timed,
                    lag_ms,
                    overdue,
                    amount_minor,
                    currency,
                };
                self.channel_of(place).ended(&payment, since_s, again);
            }
            Flow::Raised {
                channel,
                kind,
                tier,
            } if !again => {
                let place = channel.map(|channel| self.place(number, partition, channel).0);
                self.raised(place, kind, tier, partition);
            }
            Flow::Raised { .. } => {}
        }
    }

    fn raised(
        &mut self,
        place: Option<u16>,
        kind: AlertKind,
        tier: Option<TierIndex>,
        partition: &Partition,
    ) {
        let shared = &self.shared;
        let count = self.raised.entry((place, kind, tier)).or_insert_with(|| {
            let name = place.map(|place| shared.live.name(place));
            let channel = name.as_deref().unwrap_or(UNKNOWN);
            let tier = partition.tier_name(tier);
            Count::new(
                shared
                    .families
                    .counter(Metric::Alerts, &[channel, kind.as_str(), tier]),
            )
        });
        count.add(1);
    }

    fn restored(&mut self, number: i32, partition: &Partition) {
        let since_s = second_of(partition.known());
        *self.number(number) = Number {
            restored: true,
            since_s,
            channels: Vec::new(),
        };
        partition.each_waiting(&mut |waiting| {
            let (place, _) = self.place(number, partition, waiting.channel);
            self.channel_of(place).restored(&waiting);
        });
    }

    /// Forgets what waits and what was known of partition numbers; what was counted stays counted.
    fn forget(&mut self) {
        self.numbers.clear();
        self.channels.iter_mut().flatten().for_each(Channel::forget);
    }

    /// Hands everything over; `known` where sums over the last minutes are made too.
    fn publish(&mut self, known: Option<Timestamp>) {
        self.records.flush();
        self.restore_records.flush();
        self.restore_bytes.flush();
        self.raised.values_mut().for_each(Count::flush);
        self.delay.flush();
        let generation = self.shared.families.lag_generation();
        if generation != self.lag_generation {
            self.lag_generation = generation;
            let channels = self.channels.iter_mut().flatten();
            channels.for_each(|channel| channel.renew_lag(&self.shared.families));
        }
        let is_restored = self.numbers.iter().any(|number| number.restored);
        for channel in self.channels.iter_mut().flatten() {
            channel.flush();
            let name = Arc::clone(&channel.name);
            self.shared.live.write(&name, self.lane, |share| {
                if !is_restored {
                    *share = Share::default();
                    return;
                }
                channel.share(share);
                if let Some(known) = known {
                    channel.share_lags(known, share);
                }
            });
        }
    }
}
