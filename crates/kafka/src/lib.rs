//! Carries the commands of the protocol to Kafka.
