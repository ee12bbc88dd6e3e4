//! Clients that are of no use any more, and others in their place.

use std::time::{Duration, Instant};

use rdkafka::error::KafkaError;
use settlewatch_protocol::{Input, Probe};

use super::Running;
use crate::closing::leave_behind;
use crate::lane::LaneEnd;
use crate::machine::Machine;
use crate::reader::Reader;
use crate::state::StateReader;
use crate::unread::UNREAD_FOR;

/// Consumers that may turn out to be of no use one after the other, before a person is asked.
const JOIN_ANEW_AT_MOST: usize = 8;

/// Within this.
const JOIN_ANEW_WITHIN: Duration = Duration::from_secs(120);

/// A state topic that says nothing for longer than this, and open transactions, is not read at all.
const STATE_WITHIN: Duration = Duration::from_secs(30);

impl<M: Machine> Running<M> {
    /// What another client says of ends, beside what was read.
    pub(super) fn compare(&mut self, probes: &[Probe]) {
        let now = Instant::now();
        for probe in probes {
            let place = (probe.source, probe.partition);
            let position = self.reader.reads_from(place);
            self.unread.told(place, position, probe.end, now);
        }
    }

    /// Replaces a consumer that has lost a leader, though others have found it: it would say nothing for ever.
    pub(super) fn replace_deaf(&mut self) -> Option<LaneEnd> {
        let now = Instant::now();
        let (place, end) = self.unread.longest(now)?;
        if self.reader.has_seen(place, end) {
            // It hears of what is there: somebody's transaction is open.
            self.unread.forget(place);
            return None;
        }
        if !self.unread.may_replace(now) {
            return None;
        }
        let (topic, partition) = (self.member.topics.source(place.0), place.1);
        tracing::error!(
            topic,
            partition,
            end,
            "the consumer has heard nothing of a partition for {UNREAD_FOR:?}, though another client says that there \
             are records: a new one joins"
        );
        self.replace_reader()
    }

    /// The consumer will never read again: the group took it for another's, though it may have been our own answer
    /// that was lost. A new one joins as a new member.
    pub(super) fn join_anew(&mut self, error: &KafkaError) -> Option<LaneEnd> {
        let error = self.member.context.describe(error);
        let member = self.member.name.as_deref().unwrap_or("none");
        tracing::error!(
            %error,
            member,
            "the group gave our name to another consumer; a new one joins. If that happens again and again, another \
             process runs with the same kafka.instance_id: give each its own"
        );
        let now = Instant::now();
        self.joined_anew
            .retain(|&then| now - then < JOIN_ANEW_WITHIN);
        self.joined_anew.push(now);
        if self.joined_anew.len() > JOIN_ANEW_AT_MOST {
            return Some(LaneEnd::Broken(format!(
                "the group gave our name, {member}, to another consumer {JOIN_ANEW_AT_MOST} times within \
                 {JOIN_ANEW_WITHIN:?}: another process runs with the same kafka.instance_id. Give each its own"
            )));
        }
        self.replace_reader()
    }

    /// How long a state topic may say nothing while it is read: our own claim is in it, once whoever died with an open
    /// transaction is out of the way.
    pub(super) fn state_within(&self) -> Duration {
        2 * self.member.transaction_timeout + STATE_WITHIN
    }

    /// The client that reads the state has lost its leader: others take over, from the beginning.
    pub(super) fn read_state_anew(&mut self) -> Option<LaneEnd> {
        tracing::warn!(
            "nothing of the state was read for {:?}: new clients join",
            self.state_within()
        );
        self.state_came = Instant::now();
        match StateReader::new(&self.member) {
            Ok(state) => leave_behind(std::mem::replace(&mut self.state, state)),
            Err(error) => return Some(LaneEnd::Broken(error.to_string())),
        }
        self.replace_reader()
    }

    fn replace_reader(&mut self) -> Option<LaneEnd> {
        self.void_assignment();
        let made = self.until_done("joining the group anew", |running| {
            Reader::new(&running.member)
        });
        match made {
            Ok(reader) => {
                leave_behind(std::mem::replace(&mut self.reader, reader));
                None
            }
            Err(end) => Some(end),
        }
    }

    fn void_assignment(&mut self) {
        self.state.end_all();
        self.unread.clear();
        self.group = None;
        self.prober.read_by(&self.tells, &[], &self.numbers);
        self.numbers.clear();
        self.machine.rebalanced(&[]);
        self.machine.handle(Input::Revoked);
    }
}
