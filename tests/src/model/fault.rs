//! What goes wrong, and where in the protocol it does.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::generate::Rng;

/// Declares an enum whose values have names.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $(#[allow(missing_docs, reason = "the name says it")] $variant,)+ }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }
    };
}
pub(super) use named;

named! {
    /// Where a lane is, after each thing that it does.
    Phase {
        ProducerMade = "producer_made",
        ClaimBegun = "claim_begun",
        ClaimProduced = "claim_produced",
        ClaimDrained = "claim_drained",
        ClaimOffsets = "claim_offsets",
        ClaimCommitted = "claim_committed",
        RestoreBegun = "restore_begun",
        Restoring = "restoring",
        RestoreRead = "restore_read",
        Begun = "begun",
        Assigned = "assigned",
        CatchingUp = "catching_up",
        Running = "running",
        StepBegun = "step_begun",
        StepProduced = "step_produced",
        StepDrained = "step_drained",
        StepOffsets = "step_offsets",
        StepCommitted = "step_committed",
        SnapshotBegun = "snapshot_begun",
        SnapshotProduced = "snapshot_produced",
        SnapshotDrained = "snapshot_drained",
        SnapshotOffsets = "snapshot_offsets",
        SnapshotCommitted = "snapshot_committed",
        Truncated = "truncated",
        Aborted = "aborted",
        Idle = "idle",
        DrainBegun = "drain_begun",
    }
}

named! {
    /// What goes wrong.
    Fault {
        Crash = "crash",
        CrashElsewhere = "crash, new name",
        PauseShort = "pause, short",
        PauseSession = "pause > session",
        PauseTransaction = "pause > transaction",
        Leader = "leader change",
        Slow = "slow followers",
        Rebalance = "rebalance",
        Abort = "abortable error",
        CommitLost = "commit, no answer",
        CommitLate = "commit, late",
        CommitNever = "commit, lost",
    }
}

impl Fault {
    /// Whether it can strike there.
    pub fn fits(self, phase: Phase) -> bool {
        let commits = matches!(
            phase,
            Phase::ClaimOffsets | Phase::StepOffsets | Phase::SnapshotOffsets
        );
        let open = matches!(
            phase,
            Phase::ClaimBegun
                | Phase::ClaimProduced
                | Phase::ClaimDrained
                | Phase::StepBegun
                | Phase::StepProduced
                | Phase::StepDrained
                | Phase::SnapshotBegun
                | Phase::SnapshotProduced
                | Phase::SnapshotDrained
        );
        match self {
            Self::Abort => open || commits,
            Self::CommitLost | Self::CommitLate | Self::CommitNever => commits,
            _ => true,
        }
    }

    /// Every fault and where it can strike.
    pub fn cells() -> Vec<(Self, Phase)> {
        let of = |&fault: &Self| {
            let phases = Phase::ALL.iter().copied();
            let cells = phases.filter(move |&phase| fault.fits(phase));
            cells.map(move |phase| (fault, phase))
        };
        Self::ALL.iter().flat_map(of).collect()
    }
}

/// Faults that will strike.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    left: Vec<(Fault, Phase, i64)>,
}

impl Plan {
    /// So many faults, anywhere.
    pub(super) fn new(rng: &mut Rng, faults: i64) -> Self {
        let cells = Fault::cells();
        let one = |_| {
            let (fault, phase) = rng.pick(&cells);
            (fault, phase, rng.pick(&[1, 1, 1, 2, 3, 8]))
        };
        Self {
            left: (0..faults).map(one).collect(),
        }
    }

    /// A lane is at `phase`: what strikes.
    pub(super) fn meet(&mut self, phase: Phase) -> Option<Fault> {
        for planned in self.left.iter_mut().filter(|planned| planned.1 == phase) {
            planned.2 -= 1;
        }
        let at = self.left.iter().position(|planned| planned.2 <= 0)?;
        Some(self.left.remove(at).0)
    }
}

/// Which fault met which phase, and how often.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage(BTreeMap<(Fault, Phase), u64>);

impl Coverage {
    /// Counts.
    pub fn met(&mut self, fault: Fault, phase: Phase) {
        *self.0.entry((fault, phase)).or_default() += 1;
    }

    /// Adds what another run met.
    pub fn merge(&mut self, other: &Self) {
        for (&cell, count) in &other.0 {
            *self.0.entry(cell).or_default() += count;
        }
    }

    /// Cells that nothing met.
    pub fn missing(&self) -> Vec<(Fault, Phase)> {
        let mut cells = Fault::cells();
        cells.retain(|cell| !self.0.contains_key(cell));
        cells
    }
}

impl std::fmt::Display for Coverage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut head = format!("{:<20}", "");
        for number in 0..Fault::ALL.len() {
            write!(head, "{:>6}", number + 1)?;
        }
        writeln!(f, "{head}")?;
        for &phase in Phase::ALL {
            write!(f, "{:<20}", phase.name())?;
            for &fault in Fault::ALL {
                match self.0.get(&(fault, phase)) {
                    Some(count) => write!(f, "{count:>6}")?,
                    None if fault.fits(phase) => write!(f, "{:>6}", 0)?,
                    None => write!(f, "{:>6}", ".")?,
                }
            }
            writeln!(f)?;
        }
        for (number, fault) in Fault::ALL.iter().enumerate() {
            writeln!(f, "{:>3} {}", number + 1, fault.name())?;
        }
        Ok(())
    }
}
