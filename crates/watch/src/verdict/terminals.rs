//! What a terminal, its merchant's software and its heartbeats say of the cause.

use settlewatch_join::Timestamp;

use super::{Draft, HARDWARE_MS, Scene};
use crate::incident::Basis;
use crate::incident::cause::Cause;
use crate::terminals::{Hearts, Terminal};

impl Scene<'_> {
    pub(super) fn terminal(&self) -> Draft {
        let broken = self.each_terminal(|terminal| {
            terminal.is_broken(
                self.onset_ms - HARDWARE_MS,
                self.onset_ms,
                self.until().millis(),
            )
        });
        if broken {
            return Draft::new(Cause::TerminalHardware, Basis::Confirmed);
        }
        if self.is_frozen(self.only_merchant()) {
            return self.frozen();
        }
        if self.is_ill_operated() {
            return Draft::new(Cause::MerchantOperation, Basis::Confirmed);
        }
        let hearts = self.hearts();
        let busy = hearts != Hearts::Stopped
            && self.each_terminal(|terminal| terminal.is_queueing(self.onset_ms - 60_000));
        if busy {
            return Draft::new(Cause::TerminalBusy, Basis::Confirmed)
                .but("nothing is lost: its queue grew");
        }
        // Where nobody tells its queue, that it drains says so.
        let drains = hearts == Hearts::Alive
            && self.tally.is_draining()
            && self.each_terminal(|terminal| !terminal.tells_queue());
        if drains {
            return Draft::new(Cause::TerminalBusy, Basis::Inferred)
                .but("nothing is lost: what it took in is credited, one after the other");
        }
        match hearts {
            Hearts::Stopped => Draft::new(Cause::TerminalOffline, Basis::Confirmed),
            Hearts::Alive => self.outdated().unwrap_or_else(|| {
                Draft::new(Cause::TerminalFault, Basis::Confirmed)
                    .but("not the network: its heartbeats come")
            }),
            Hearts::Unknown => Draft::new(Cause::TerminalFault, Basis::Guess)
                .but("its next heartbeat is not due: cannot tell network from software yet"),
            Hearts::NoFeed => {
                Draft::new(Cause::TerminalFault, Basis::Guess).but(&self.without_hearts("hardware"))
            }
        }
    }

    pub(super) fn release(&self) -> Draft {
        match self.hearts() {
            Hearts::Stopped => Draft::new(Cause::TerminalReleaseFault, Basis::Inferred)
                .but("the terminals' heartbeats stopped too"),
            Hearts::Alive => Draft::new(Cause::TerminalReleaseFault, Basis::Inferred)
                .but("not the network: the terminals' heartbeats come"),
            Hearts::Unknown => Draft::new(Cause::TerminalReleaseFault, Basis::Inferred),
            Hearts::NoFeed => Draft::new(Cause::TerminalReleaseFault, Basis::Guess)
                .but(&self.without_hearts("software")),
        }
    }

    /// Why heartbeats do not tell the network from what is `other` than that.
    pub(super) fn without_hearts(&self, other: &str) -> String {
        let lacking = if self.around.terminals.ever_beat() {
            "no heartbeats are known"
        } else {
            "no heartbeat feed configured"
        };
        format!("{lacking}: cannot tell network from {other}")
    }

    pub(super) fn hearts(&self) -> Hearts {
        let Some(feed) = self.around.heartbeat else {
            return Hearts::NoFeed;
        };
        let ids = self.tally.terminals.iter();
        let ids = ids.map(|value| self.detector.values.text(*value).1.as_ref());
        self.around.terminals.hearts(
            ids,
            (Timestamp::from_millis(self.onset_ms), self.until()),
            self.now,
            feed,
        )
    }

    pub(super) fn each_terminal(&self, is: impl Fn(&Terminal) -> bool) -> bool {
        let mut known = 0;
        let all = self.tally.terminals.iter().all(|value| {
            let text = self.detector.values.text(*value).1;
            self.around.terminals.get(text).is_some_and(|terminal| {
                known += 1;
                is(terminal)
            })
        });
        all && known > 0
    }

    /// Whether the terminals that miss credits were signed out.
    pub(super) fn is_ill_operated(&self) -> bool {
        let until_ms = self.until().millis();
        self.each_terminal(|terminal| terminal.is_signed_out(self.onset_ms, until_ms))
    }

    /// The mistake, where the software of every terminal that misses credits is older than nearly all of its model.
    pub(super) fn outdated(&self) -> Option<Draft> {
        let values = &self.detector.values;
        let ids = self.tally.terminals.iter();
        let ids = ids.map(|terminal| values.text(*terminal).1.as_ref());
        self.around.terminals.are_outdated(ids, values).then(|| {
            Draft::new(Cause::MerchantOperation, Basis::Inferred)
                .but("its software is older than nearly all of its model")
        })
    }
}
