//! What a cluster will go on to refuse: a right is missing, and trying again brings nothing.

use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

/// Which right an error says is missing, and the command that grants it; `None` where it says something else.
pub(crate) fn forbidden(error: &KafkaError, group_id: &str) -> Option<String> {
    let (right, on, option) = match error.rdkafka_error_code()? {
        Code::TransactionalIdAuthorizationFailed => (
            "Write",
            format!("transactional ids that begin with `{group_id}`"),
            format!("--transactional-id {group_id} --resource-pattern-type prefixed"),
        ),
        Code::GroupAuthorizationFailed => (
            "Read",
            format!("the group `{group_id}`"),
            format!("--group {group_id}"),
        ),
        _ => return None,
    };
    Some(format!(
        "the right {right} on {on} is missing\n  = help: kafka-acls.sh --add --allow-principal User:NAME --operation \
         {right} {option}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_right_is_named_and_nothing_else_is_taken_for_one() {
        let said = |code| forbidden(&KafkaError::ConsumerCommit(code), "watch");
        let group = said(Code::GroupAuthorizationFailed).expect("a right is missing");
        assert!(group.contains("Read on the group `watch`"), "{group}");
        let transactions = said(Code::TransactionalIdAuthorizationFailed).expect("one is missing");
        assert!(
            transactions.contains("--transactional-id watch"),
            "{transactions}"
        );
        assert_eq!(said(Code::CoordinatorNotAvailable), None);
    }
}
