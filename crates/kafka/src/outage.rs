//! Says that no broker answers: at once when it is no passing matter, then at a slow rate, and when it is over.

use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;

use crate::client::Context;

/// A broker that restarts is back by then.
const PASSING: Duration = Duration::from_secs(3);

/// Time between two lines.
const SAY_EVERY: Duration = Duration::from_secs(30);

/// What there is to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Say {
    /// Nobody has answered for so long.
    Waiting(Duration),
    /// Somebody answers again, after so long.
    Over(Duration),
}

/// Who says so: the brokers that were asked, the client's context, and what waits meanwhile.
pub(crate) struct Sayer {
    brokers: String,
    context: Context,
    waits: &'static str,
}

impl Sayer {
    pub(crate) fn new(base: &ClientConfig, context: Context, waits: &'static str) -> Self {
        let brokers = base.get("bootstrap.servers").unwrap_or_default().to_owned();
        Self {
            brokers,
            context,
            waits,
        }
    }

    pub(crate) fn say(&self, say: Say) {
        let (brokers, waits) = (&self.brokers, self.waits);
        match say {
            Say::Waiting(lasts) => tracing::warn!(
                brokers,
                for_s = lasts.as_secs(),
                why = self.context.last_failure().unwrap_or_default(),
                "no broker answers: {waits} until one does"
            ),
            Say::Over(lasted) => {
                let after_s = lasted.as_secs();
                tracing::info!(brokers, after_s, "the brokers answer again");
            }
        }
    }
}

/// Since when nobody answers.
#[derive(Debug, Default)]
pub(crate) struct Outage {
    since: Option<Instant>,
    said: Option<Instant>,
}

impl Outage {
    /// A question was answered, or not.
    pub(crate) fn asked(&mut self, answered: bool, now: Instant) -> Option<Say> {
        if answered {
            let over = self.since.take().filter(|_| self.said.take().is_some())?;
            return Some(Say::Over(now.saturating_duration_since(over)));
        }
        let since = *self.since.get_or_insert(now);
        let lasts = now.saturating_duration_since(since);
        let is_due = match self.said {
            None => lasts >= PASSING,
            Some(said) => now.saturating_duration_since(said) >= SAY_EVERY,
        };
        is_due.then(|| {
            self.said = Some(now);
            Say::Waiting(lasts)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lasts_is_said_slowly_and_its_end_once() {
        let (mut outage, start) = (Outage::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let said: Vec<_> = (0..70)
            .filter_map(|second| outage.asked(false, at(second)))
            .collect();
        let waiting = [3, 33, 63].map(|lasts| Say::Waiting(Duration::from_secs(lasts)));
        assert_eq!(said, waiting);
        let over = outage.asked(true, at(70));
        assert_eq!(over, Some(Say::Over(Duration::from_secs(70))));
        assert_eq!(outage.asked(true, at(71)), None);
    }

    #[test]
    fn a_passing_failure_is_not_worth_a_word() {
        let (mut outage, start) = (Outage::default(), Instant::now());
        assert_eq!(outage.asked(false, start), None);
        assert_eq!(outage.asked(true, start + Duration::from_secs(2)), None);
        assert_eq!(outage.asked(false, start + Duration::from_secs(4)), None);
    }
}
