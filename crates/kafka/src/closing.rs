//! Clients that may never come back from being dropped.
//!
//! librdkafka ends a client by asking the group and the brokers, and waits for answers longer than anybody who stops a
//! service does. So a client is dropped on a thread that can be left behind.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// How long clients have for leaving: the group then learns at once that its partition numbers are free.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// Drops a client and does not wait for it.
pub(crate) fn leave_behind<C: Send + 'static>(client: C) {
    let _ = dropped(client);
}

/// Drops clients of somebody who has ended, and waits for them [`CLOSE_WITHIN`] at most: what is committed is committed,
/// and whoever is left behind is missed by the group when its session ends.
pub(crate) fn close<C: Send + 'static>(clients: C) {
    close_within(clients, CLOSE_WITHIN);
}

/// Whether they were dropped in time.
fn close_within<C: Send + 'static>(clients: C, limit: Duration) -> bool {
    let waited = dropped(clients).map(|done| done.recv_timeout(limit));
    let is_late = matches!(waited, Some(Err(RecvTimeoutError::Timeout)));
    if is_late {
        tracing::warn!(
            ?limit,
            "clients do not come back from leaving the cluster: they are left behind"
        );
    }
    !is_late
}

/// The thread's end of the channel is dropped when the client is, whether or not that panics.
fn dropped<C: Send + 'static>(client: C) -> Option<Receiver<()>> {
    let (ends, ended) = channel::<()>();
    let thread = std::thread::Builder::new().name("left behind".into());
    let drop_both = move || {
        drop(client);
        drop(ends);
    };
    match thread.spawn(drop_both) {
        Ok(_) => Some(ended),
        Err(error) => {
            // The closure, and the client in it, is dropped where it could not be handed over.
            tracing::error!(%error, "no thread can be started to leave a client behind");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::Sender;

    use super::*;

    /// Its drop waits until somebody says so.
    struct Slow(Receiver<()>);

    impl Drop for Slow {
        fn drop(&mut self) {
            let _ = self.0.recv();
        }
    }

    fn slow() -> (Sender<()>, Slow) {
        let (tells, hears) = channel();
        (tells, Slow(hears))
    }

    #[test]
    fn a_client_that_does_not_come_back_is_left_behind() {
        let (_kept, client) = slow();
        assert!(!close_within(client, Duration::from_millis(10)));
    }

    #[test]
    fn a_client_that_comes_back_is_waited_for() {
        let (tells, client) = slow();
        drop(tells);
        assert!(close_within(client, Duration::from_secs(60)));
    }
}
