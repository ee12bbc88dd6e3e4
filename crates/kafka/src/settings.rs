//! Settings of a lane's clients: the protocol's, on top of what the configuration says.

use std::time::Duration;

use rdkafka::config::ClientConfig;

use crate::machine::Member;

/// Settings of a consumer of the group.
pub(crate) fn consumer_config(spec: &Member) -> ClientConfig {
    let mut config = spec.base.clone();
    config
        .set("group.id", &spec.group_id)
        .set(
            "session.timeout.ms",
            spec.session_timeout.as_millis().to_string(),
        )
        .set(
            "heartbeat.interval.ms",
            (spec.session_timeout.as_millis() / 6)
                .clamp(100, 3000)
                .to_string(),
        )
        // The others break co-partitioning as soon as a third member joins.
        .set("partition.assignment.strategy", "range")
        .set("isolation.level", "read_committed")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        // Never guess where to go on.
        .set("auto.offset.reset", "error")
        .set("fetch.wait.max.ms", spec.fetch.0.as_millis().to_string())
        .set("fetch.min.bytes", spec.fetch.1.to_string())
        .set("queued.max.messages.kbytes", "65536")
        // What is fetched ahead of an input that must stand aside is fetched again when it goes on.
        .set("queued.min.messages", "5000");
    if let Some(name) = &spec.name {
        config.set("group.instance.id", name);
    }
    config
}

pub(crate) fn state_config(spec: &Member) -> ClientConfig {
    let mut config = spec.base.clone();
    config
        // Never used: it joins no group and commits nothing.
        .set("group.id", &spec.group_id)
        .set("isolation.level", "read_committed")
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        .set("fetch.wait.max.ms", "50");
    config
}

pub(crate) fn producer_config(spec: &Member) -> ClientConfig {
    transactional(&spec.base, &spec.transactional_id, spec.transaction_timeout)
}

/// Settings of a transactional producer.
pub(crate) fn transactional(base: &ClientConfig, id: &str, timeout: Duration) -> ClientConfig {
    let timeout_ms = timeout.as_millis().to_string();
    let mut config = base.clone();
    config
        .set("transactional.id", id)
        .set("transaction.timeout.ms", timeout_ms.as_str())
        .set("message.timeout.ms", timeout_ms.as_str())
        .set("message.max.bytes", "1000000")
        .set("linger.ms", "1")
        .set("compression.type", "zstd");
    config
}
