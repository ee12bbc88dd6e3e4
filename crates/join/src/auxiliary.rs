//! Heartbeats, account status, batches and markers: they change verdicts, never deadlines, so here they are
//! only told apart from their repetitions.

use hashbrown::HashMap;

use foldhash::fast::FixedState;

use crate::event::{Body, Event};
use crate::finished::Finished;
use crate::identity::Fingerprint;
use crate::ledger::Outcome;
use crate::time::{Span, Timestamp};

/// A terminal that was silent for this long is forgotten.
const TERMINAL_KEPT: Span = Span::from_secs(7 * 24 * 3600);

/// What was seen of the auxiliary events of one partition.
pub struct Auxiliary {
    /// Business time of the last heartbeat, by terminal.
    pub(crate) terminals: HashMap<Fingerprint, Timestamp, FixedState>,
    pub(crate) seen: Finished,
    pub(crate) swept_at: Timestamp,
}

impl Auxiliary {
    /// Nothing seen yet; repetitions are recognised for `horizon`.
    pub fn new(horizon: Span) -> Self {
        Self {
            terminals: HashMap::with_hasher(FixedState::with_seed(0)),
            seen: Finished::new(horizon),
            swept_at: Timestamp::MIN,
        }
    }

    /// Judges an event that is about no payment.
    pub fn apply(&mut self, event: &Event<'_>) -> Outcome {
        let subject = match &event.body {
            Body::Heartbeat(heartbeat) => {
                let tenant = event.tenant.as_deref();
                return self.heartbeat(tenant, &heartbeat.terminal_id, event.occurred_at);
            }
            Body::AccountStatus { merchant_id, .. } => merchant_id.as_ref(),
            Body::BatchSettled(batch) => batch.batch_id.as_ref(),
            _ => "",
        };
        let identity = Fingerprint::of_payment(event.tenant.as_deref(), subject)
            .event(event.body.type_name(), &event.event_id);
        if self.seen.insert(identity, event.occurred_at) {
            Outcome::Used
        } else {
            Outcome::Duplicate
        }
    }

    /// A heartbeat not newer than its terminal's last one says nothing.
    fn heartbeat(&mut self, tenant: Option<&str>, terminal_id: &str, at: Timestamp) -> Outcome {
        let terminal = Fingerprint::of_payment(tenant, terminal_id).event("terminal", "");
        let last = self.terminals.entry(terminal).or_insert(Timestamp::MIN);
        if at <= *last {
            return Outcome::Duplicate;
        }
        *last = at;
        Outcome::Used
    }

    /// Takes in what another one saw.
    pub(crate) fn absorb(&mut self, other: &Self) {
        self.seen.absorb(&other.seen);
        self.swept_at = self.swept_at.max(other.swept_at);
        for (&terminal, &at) in &other.terminals {
            let last = self.terminals.entry(terminal).or_insert(at);
            *last = at.max(*last);
        }
    }

    /// Moves the clock: forgets what is past its horizon.
    pub fn advance(&mut self, clock: Timestamp) {
        self.seen.advance(clock);
        if clock.since(self.swept_at) > TERMINAL_KEPT.millis() as i64 {
            let oldest = clock - TERMINAL_KEPT;
            self.terminals.retain(|_, last| *last >= oldest);
            self.swept_at = clock;
        }
    }
}
