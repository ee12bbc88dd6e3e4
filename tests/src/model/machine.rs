//! What runs in a process: a lane or a watcher, as far as its shell must know it.

use settlewatch_protocol::{Command, Input, Lane, Watcher};

use super::host::ModelHost;
use super::kafka::Side;
use super::watching::Judge;

/// A state machine of the protocol.
pub(super) enum Machine {
    Lane(Box<Lane<ModelHost>>),
    Watch(Box<Watcher<Judge>>),
}

impl Machine {
    pub(super) fn side(&self) -> Side {
        match self {
            Self::Lane(_) => Side::Lanes,
            Self::Watch(_) => Side::Watch,
        }
    }

    pub(super) fn handle(&mut self, input: Input) {
        match self {
            Self::Lane(lane) => lane.handle(input),
            Self::Watch(watcher) => watcher.handle(input),
        }
    }

    pub(super) fn next_command(&mut self) -> Option<Command> {
        match self {
            Self::Lane(lane) => lane.next_command(),
            Self::Watch(watcher) => watcher.next_command(),
        }
    }

    pub(super) fn phase(&self) -> &'static str {
        match self {
            Self::Lane(lane) => lane.phase(),
            Self::Watch(watcher) => watcher.phase(),
        }
    }
}
