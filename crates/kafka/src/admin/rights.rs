//! What a principal may do with something, as brokers tell it.

/// Something that an access control list grants, with its number in Kafka's protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// Read records, or be a member of a group.
    Read = 3,
    /// Write records.
    Write = 4,
    /// Delete records.
    Delete = 6,
    /// See that it is there.
    Describe = 8,
    /// See its settings.
    DescribeConfigs = 10,
}

impl Right {
    /// What Kafka's tools call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "Read",
            Self::Write => "Write",
            Self::Delete => "Delete",
            Self::Describe => "Describe",
            Self::DescribeConfigs => "DescribeConfigs",
        }
    }
}

/// A set of rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights(u32);

impl Rights {
    /// The set of these operations, by their numbers in Kafka's protocol.
    pub(super) fn of(operations: impl Iterator<Item = u32>) -> Self {
        Self(operations.fold(0, |set, operation| {
            set | 1_u32.checked_shl(operation).unwrap_or(0)
        }))
    }

    /// Whether it holds a right.
    pub fn has(self, right: Right) -> bool {
        self.0 & (1 << right as u32) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_those_that_were_told() {
        let rights = Rights::of([3, 8, 77].into_iter());
        assert!(rights.has(Right::Read) && rights.has(Right::Describe));
        assert!(!rights.has(Right::Write));
    }
}
