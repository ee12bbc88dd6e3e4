//! The protocol, broken on purpose: each break must be found.

use super::fault::named;

named! {
    /// One break, between the lane and the cluster.
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
    }
}
