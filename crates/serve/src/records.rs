//! Records that a lane applied, by input.

use settlewatch_join::Outcome;
use settlewatch_protocol::SourceId;
use settlewatch_wire::Reason;

use crate::count::Count;
use crate::descriptors::Metric;
use crate::limit::Limit;
use crate::metrics::Inner;

struct Input {
    consumed: Count,
    misplaced: Count,
    dead_letters: Count,
    /// In the order of [`Outcome::ALL`].
    outcomes: Vec<Count>,
    /// Reasons that were met.
    rejected: Vec<(&'static str, Count)>,
}

/// The counters of every input.
pub(crate) struct Records(Vec<Input>);

impl Records {
    pub(crate) fn new(shared: &Inner) -> Self {
        let counter = |metric, labels: &[&str]| Count::new(shared.families.counter(metric, labels));
        let input = |stream: &String| Input {
            consumed: counter(Metric::EventsConsumed, &[stream]),
            misplaced: counter(Metric::EventsMisplaced, &[stream]),
            dead_letters: counter(Metric::DeadLetters, &[stream]),
            outcomes: Outcome::ALL
                .iter()
                .map(|outcome| counter(Metric::EventsApplied, &[stream, outcome.as_str()]))
                .collect(),
            rejected: Vec::new(),
        };
        Self(shared.streams.iter().map(input).collect())
    }

    /// A record of `source` was applied or rejected. Returns the limit that it exceeded.
    pub(crate) fn applied(
        &mut self,
        shared: &Inner,
        source: SourceId,
        outcome: Result<Option<Outcome>, &'static str>,
    ) -> Option<Limit> {
        let input = self.0.get_mut(usize::from(source.0))?;
        input.consumed.add(1);
        match outcome {
            Ok(Some(outcome)) => input.outcomes[outcome as usize].add(1),
            Ok(None) => {}
            Err(reason) => {
                input.dead_letters.add(1);
                input.outcomes[Outcome::Rejected as usize].add(1);
                input.rejected(shared, source, reason).add(1);
                return (reason == Reason::TooLarge.as_str()).then_some(Limit::RecordBytes);
            }
        }
        None
    }

    /// A record of `source` lies under another key than its payment's.
    pub(crate) fn misplaced(&mut self, source: SourceId) {
        if let Some(input) = self.0.get_mut(usize::from(source.0)) {
            input.misplaced.add(1);
        }
    }

    pub(crate) fn flush(&mut self) {
        for input in &mut self.0 {
            input.consumed.flush();
            input.misplaced.flush();
            input.dead_letters.flush();
            input.outcomes.iter_mut().for_each(Count::flush);
            input
                .rejected
                .iter_mut()
                .for_each(|(_, count)| count.flush());
        }
    }
}

impl Input {
    fn rejected(&mut self, shared: &Inner, source: SourceId, reason: &'static str) -> &mut Count {
        let known = self.rejected.iter().position(|&(word, _)| word == reason);
        let at = known.unwrap_or_else(|| {
            let labels = [shared.stream(source), reason];
            let counter = shared.families.counter(Metric::EventsRejected, &labels);
            self.rejected.push((reason, Count::new(counter)));
            self.rejected.len() - 1
        });
        &mut self.rejected[at].1
    }
}
