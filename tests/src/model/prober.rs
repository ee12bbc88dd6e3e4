//! Asks leaders for ends, while the lane's thread does something else.

use settlewatch_join::{Span, Timestamp};
use settlewatch_protocol::{Probe, SourceId};

use super::cluster::Place;
use super::kafka::{Kafka, Side};
use super::member::Member;
use super::mutation::Mutation;

/// The clocks of brokers differ by less.
const APART: Span = Span::from_millis(501);

/// A request on its way.
#[derive(Debug)]
struct Ask {
    leader: usize,
    places: Vec<(SourceId, Place)>,
    sent_at: Timestamp,
    asked_at: i64,
    answered_at: i64,
    ends: Option<Vec<(SourceId, i32, i64)>>,
}

/// Requests, and answers that nobody has looked at.
#[derive(Debug, Default)]
pub(super) struct Prober {
    asks: Vec<Ask>,
    next_at: i64,
    answers: Vec<Vec<Probe>>,
}

impl Prober {
    /// What was answered since.
    pub(super) fn answered(&mut self, _now: i64) -> Vec<Vec<Probe>> {
        std::mem::take(&mut self.answers)
    }

    /// Leaders answer, whatever the process does.
    pub(super) fn leaders_answer(&mut self, kafka: &Kafka, to_stable: bool) {
        let now = kafka.now();
        for ask in &mut self.asks {
            if ask.ends.is_some() || ask.asked_at > now {
                continue;
            }
            let leads = |place: &Place| kafka.cluster.log(*place).leader == ask.leader;
            let end = |place: Place| {
                let log = kafka.cluster.log(place);
                if to_stable { log.stable() } else { log.high }
            };
            let of_leader = ask.places.iter().filter(|(_, place)| leads(place));
            ask.ends = Some(
                of_leader
                    .map(|&(source, place)| (source, place.partition, end(place)))
                    .collect(),
            );
        }
    }
}

impl Member {
    /// The prober's thread: asks, and takes answers in.
    pub(super) fn probe(&mut self, kafka: &mut Kafka) {
        let now = kafka.now();
        self.take_answers(now);
        if now < self.prober.next_at || self.consumer.numbers.is_empty() {
            return;
        }
        self.prober.next_at = now + self.setup.probe_every_ms;
        if self.mutated(Mutation::WallClock) {
            return self.believe_the_wall(now);
        }
        let monotonic = self.monotonic(now);
        for leader in 0..kafka.cluster.ahead.len() {
            let Some(sent_at) = self.sent_at(leader, monotonic) else {
                continue;
            };
            let places = self.places(kafka, leader);
            let asked_at = now + kafka.rng.between(0, 4);
            let answered_at = asked_at + kafka.rng.between(0, 4);
            self.prober.asks.push(Ask {
                leader,
                places,
                sent_at,
                asked_at,
                answered_at,
                ends: None,
            });
        }
    }

    /// What is asked for: of the watch, its auxiliary topic.
    fn inputs(&self) -> impl Iterator<Item = (SourceId, Place)> {
        let topics = self.setup.topics;
        let numbers = self.consumer.numbers.iter().copied();
        let (sources, numbers) = match self.side() {
            Side::Lanes => (
                0..u8::try_from(topics.inputs).expect("few inputs"),
                numbers.collect::<Vec<i32>>(),
            ),
            Side::Watch => (1..2, (0..topics.feeds).collect()),
        };
        sources.flat_map(move |source| {
            let source = SourceId(source);
            let numbers = numbers.clone().into_iter();
            numbers.map(move |number| (source, self.place(source, number)))
        })
    }

    /// Broker time when an end is asked for, at the earliest. Like the shell, the watch takes any other broker's where
    /// the leader leads nothing that it writes: its auxiliary topic decides no deadline.
    fn sent_at(&self, leader: usize, monotonic: u64) -> Option<Timestamp> {
        let about = || Some(self.about(monotonic)? - APART);
        let known = self.clocks[leader].earliest(monotonic);
        known.or_else(|| about().filter(|_| self.side() == Side::Watch))
    }

    /// The same of the answer, at the latest.
    fn answered_by(&self, leader: usize, monotonic: u64) -> Option<Timestamp> {
        let about = || Some(self.about(monotonic)? + APART + APART);
        let known = self.clocks[leader].latest(monotonic);
        known.or_else(|| about().filter(|_| self.side() == Side::Watch))
    }

    /// Broker time, about.
    pub(super) fn about(&self, monotonic: u64) -> Option<Timestamp> {
        let clocks = self.clocks.iter();
        clocks.filter_map(|clock| clock.earliest(monotonic)).max()
    }

    fn places(&self, kafka: &Kafka, leader: usize) -> Vec<(SourceId, Place)> {
        let leads = |&(_, place): &(SourceId, Place)| kafka.cluster.log(place).leader == leader;
        self.inputs().filter(leads).collect()
    }

    fn take_answers(&mut self, now: i64) {
        let monotonic = self.monotonic(now);
        let (done, left) = std::mem::take(&mut self.prober.asks)
            .into_iter()
            .partition(|ask: &Ask| ask.ends.is_some() && ask.answered_at <= now);
        self.prober.asks = left;
        for ask in done {
            let Some(answered_by) = self.answered_by(ask.leader, monotonic) else {
                continue;
            };
            let probe = |(source, partition, end)| Probe {
                source,
                partition,
                end,
                sent_at: ask.sent_at,
                answered_by,
            };
            let probes = ask.ends.unwrap_or_default().into_iter().map(probe);
            self.prober.answers.push(probes.collect());
        }
    }

    /// Broken on purpose: what the wall clock shows has been read.
    fn believe_the_wall(&mut self, now: i64) {
        let at = Timestamp::from_millis(now + self.setup.wall_ahead_ms);
        let probe = |(source, place): (SourceId, Place)| Probe {
            source,
            partition: place.partition,
            end: 0,
            sent_at: at,
            answered_by: at,
        };
        let probes = self.inputs().map(probe).collect();
        self.prober.answers.push(probes);
    }
}
