//! A client that is made anew when it has failed for a while.
//!
//! A broker that pauses may leave a client behind that finds no leader any more, though others find it at once (seen
//! with librdkafka 2.x after a fenced broker came back). Whether the client or the cluster is at fault cannot be told from
//! here, and a new client costs little.

use std::time::{Duration, Instant};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::KafkaResult;

use crate::client::Context;
use crate::closing::leave_behind;

/// How long a client may fail before another one takes its place.
const ANEW_AFTER: Duration = Duration::from_secs(15);

/// A client, and how to make another one.
pub(crate) struct Renewed<C> {
    make: Box<dyn Fn() -> KafkaResult<C> + Send>,
    client: C,
    failing_since: Option<Instant>,
}

impl Renewed<BaseConsumer<Context>> {
    /// One that reads nothing, to ask for metadata with.
    ///
    /// # Errors
    /// It cannot be made.
    pub(crate) fn asking(base: &ClientConfig, context: Context) -> KafkaResult<Self> {
        let base = base.clone();
        Self::new(move || base.create_with_context(context.clone()))
    }
}

impl<C: Send + 'static> Renewed<C> {
    /// The first one.
    ///
    /// # Errors
    /// It cannot be made.
    pub(crate) fn new(make: impl Fn() -> KafkaResult<C> + Send + 'static) -> KafkaResult<Self> {
        Ok(Self {
            client: make()?,
            make: Box::new(make),
            failing_since: None,
        })
    }

    /// The client's answer. Where none came for too long, the next question goes to another client.
    ///
    /// # Errors
    /// What the client says.
    pub(crate) fn ask<T>(&mut self, question: impl FnOnce(&C) -> KafkaResult<T>) -> KafkaResult<T> {
        let answer = question(&self.client);
        self.heard(answer.is_ok(), Instant::now());
        answer
    }

    fn heard(&mut self, answered: bool, now: Instant) {
        if answered {
            self.failing_since = None;
            return;
        }
        let since = *self.failing_since.get_or_insert(now);
        if now.saturating_duration_since(since) < ANEW_AFTER {
            return;
        }
        self.failing_since = None;
        match (self.make)() {
            Ok(client) => {
                tracing::debug!("a client without answers is replaced");
                leave_behind(std::mem::replace(&mut self.client, client));
            }
            Err(error) => tracing::warn!(%error, "a client without answers cannot be replaced"),
        }
    }
}

#[cfg(test)]
mod tests {
    use rdkafka::error::KafkaError;

    use super::*;

    #[test]
    fn who_fails_for_a_while_is_replaced_and_who_answers_again_is_not() {
        let made = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
        let count = std::sync::Arc::clone(&made);
        let make = move || Ok(count.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        let mut client = Renewed::new(make).expect("it can be made");
        assert_eq!(client.ask(|number| Ok(*number)).ok(), Some(0));
        let failed = client.ask(|_| Err::<(), _>(KafkaError::Canceled));
        assert!(failed.is_err());
        let now = Instant::now();
        client.heard(false, now + ANEW_AFTER / 2);
        client.heard(true, now + ANEW_AFTER);
        client.heard(false, now + ANEW_AFTER * 2);
        client.heard(false, now + ANEW_AFTER * 2 + ANEW_AFTER / 2);
        assert_eq!(client.ask(|number| Ok(*number)).ok(), Some(0));
        client.heard(false, now + ANEW_AFTER * 4);
        client.heard(false, now + ANEW_AFTER * 5);
        assert_eq!(client.ask(|number| Ok(*number)).ok(), Some(1));
        assert_eq!(made.load(std::sync::atomic::Ordering::Relaxed), 2);
    }
}
