//! Replicas of what we write: a topic with one has no leader while its broker restarts.

use super::{Cause, Problem};

/// One notice about all topics of a transaction that have a single replica. Each comes with its number of replicas; of
/// none, nothing is known.
///
/// A transaction that is ended while a partition has no leader may never get its marker there (KAFKA-20734).
pub(super) fn notice<'a>(topics: impl Iterator<Item = (&'a str, usize)>) -> Option<Problem> {
    let alone: Vec<String> = topics
        .filter(|(_, replicas)| *replicas == 1)
        .map(|(name, _)| format!("`{name}`"))
        .collect();
    let (have, whose) = match alone.len() {
        0 => return None,
        1 => ("has", "its broker"),
        _ => ("have", "their broker"),
    };
    Some(Problem {
        cause: Cause::Wrong,
        what: format!(
            "{} {have} a replication factor of 1: a restart of {whose} can tear a transaction, which is then committed in \
             some partitions and undecided in others (KAFKA-20734)",
            alone.join(", ")
        ),
        remedy: "give them three replicas with kafka-reassign-partitions.sh (where they are still to be made: `settlewatch \
                 topics --create --replication-factor 3`); until then stop settlewatch before such a broker restarts"
            .to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(topics: &[(&str, usize)]) -> Option<String> {
        notice(topics.iter().copied()).map(|notice| notice.to_string())
    }

    #[test]
    fn topics_with_one_replica_are_named_in_one_notice_with_what_to_do() {
        let told = told(&[("alerts", 1), ("pairs", 2), ("state", 1)]).expect("a notice");
        assert!(
            told.starts_with("`alerts`, `state` have a replication factor of 1: "),
            "{told}"
        );
        for word in [
            "KAFKA-20734",
            "kafka-reassign-partitions.sh",
            "--replication-factor 3",
        ] {
            assert!(told.contains(word), "{word} is not said: {told}");
        }
    }

    #[test]
    fn one_topic_alone_is_said_to_be_one() {
        let told = told(&[("alerts", 3), ("state", 1)]).expect("a notice");
        assert!(
            told.starts_with("`state` has a replication factor of 1"),
            "{told}"
        );
    }

    #[test]
    fn two_replicas_or_an_unknown_number_are_no_news() {
        assert_eq!(told(&[("alerts", 2), ("pairs", 3), ("state", 0)]), None);
        assert_eq!(told(&[]), None);
    }
}
