//! The protocol, broken on purpose: each break must be found.

use super::fault::named;
use super::kafka::Side;

named! {
    /// One break, between a member and the cluster, or in what a member remembers.
    Mutation {
        ProbeStable = "probe to the last stable offset",
        RestoreToWatermark = "restore to the watermark",
        NoClaim = "no claim",
        OffsetsFirst = "offsets before acknowledgements",
        TimerWithoutOffsets = "timer-only commit without offsets",
        ProducerReused = "producer reused after a time-out",
        GroupOffsets = "group offsets trusted",
        WallClock = "wall-clock expiry",
        Sticky = "cooperative-sticky",
        MetadataAtCommit = "metadata asked at commit",
        LastOffset = "position as last offset + 1",
        PulseOutside = "pulse outside transactions",
        SnapshotInPlace = "snapshot chunks overwritten in place",
        WatchNoClaim = "watch without a claim",
        WatchBaseline = "baseline not in the watch's state",
        WatchBlind = "blind partition counted as zero",
    }
}

impl Mutation {
    /// Who is broken.
    pub(super) fn side(self) -> Side {
        match self {
            Self::WatchNoClaim | Self::WatchBaseline | Self::WatchBlind => Side::Watch,
            _ => Side::Lanes,
        }
    }

    /// Whether the watch is broken, not the lanes.
    pub fn is_of_watch(self) -> bool {
        self.side() == Side::Watch
    }
}
