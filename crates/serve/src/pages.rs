//! What is answered: probes and the status of the service, as JSON.

use axum::http::StatusCode;
use serde_json::{Value, json};
use settlewatch_join::event::Currency;
use settlewatch_join::{Book, Tally, Timestamp};
use settlewatch_wire::format_time;

use crate::live::Figures;
use crate::metrics::{Metrics, broker_now};
use crate::status::{LaneStatus, merge};
use crate::watch::WatchStatus;

/// Whether the lanes make progress. Kafka has no say in it: a process that waits for Kafka is alive.
pub(crate) fn livez(metrics: &Metrics) -> (StatusCode, Value) {
    let stuck = metrics.stuck();
    if stuck.is_empty() {
        return (StatusCode::OK, json!({"status": "alive"}));
    }
    let lanes: Vec<Value> = stuck
        .iter()
        .map(|(lane, silent)| json!({"lane": lane, "silent_seconds": silent.as_secs()}))
        .collect();
    let body = json!({
        "status": "stuck",
        "reason": "a lane shows no sign of life and waits for nothing: restart this process",
        "lanes": lanes,
    });
    (StatusCode::SERVICE_UNAVAILABLE, body)
}

/// Whether everything that the group gave us is restored and caught up, or it gave us nothing.
pub(crate) fn readyz(metrics: &Metrics) -> (StatusCode, Value) {
    let ready = metrics.is_ready();
    let lanes: Vec<Value> = metrics
        .lanes()
        .iter()
        .map(|(name, _, lane)| lane_brief(name, lane))
        .collect();
    let (status, word) = if ready {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready")
    };
    let watch = metrics.watch_status();
    let watch = watch.map(|(_, watch)| watch_brief(&watch));
    (
        status,
        json!({"status": word, "lanes": lanes, "watch": watch}),
    )
}

/// What the watch does, and what it waits for.
fn watch_brief(watch: &WatchStatus) -> Value {
    let waits_for = match watch.phase {
        _ if !watch.joined => Some("the group: nobody is elected yet"),
        "waiting" if watch.elected => Some("its claim"),
        "claiming" => Some("the commit of its claim"),
        "restoring" => Some("its state, up to its own claim"),
        "catching up" => Some("the pulses that were judged before"),
        "running" if watch.second.is_none() => Some("the first pulses of every partition"),
        _ if watch.is_failed() => Some("a person: the log says why it ended"),
        _ => None,
    };
    let second = watch.second.map(|second| second.saturating_mul(1000));
    json!({
        "phase": if watch.elected { watch.phase } else { "standing by" },
        "ready": watch.is_ready(),
        "active": watch.active,
        "waits_for": waits_for,
        "judged_until": second.map(|at| time(Timestamp::from_millis(at + 1000))),
        "behind_ms": watch.behind_ms(),
        "blind_partitions": watch.blind,
        "restored_bytes": watch.restored_bytes,
    })
}

fn lane_brief(name: &str, lane: &LaneStatus) -> Value {
    json!({
        "lane": name,
        "phase": lane.phase,
        "ready": lane.is_ready(),
        "joined": lane.joined,
        "partitions": lane.numbers,
        "restore": {
            "partitions": lane.restore.assigned,
            "restored": lane.restore.restored,
            "records": lane.restore.records,
            "bytes": lane.restore.bytes,
            "ratio": lane.restore.ratio(),
        },
    })
}

/// Everything there is to say.
pub(crate) fn status(metrics: &Metrics) -> Value {
    let lanes = metrics.lanes();
    let statuses: Vec<LaneStatus> = lanes.iter().map(|(_, _, lane)| lane.clone()).collect();
    let now = broker_now(&statuses);
    let spec = &metrics.0.spec;
    let channels = metrics.channels();
    json!({
        "schema": "settlewatch.status/1",
        "version": spec.version,
        "revision": Some(&spec.revision).filter(|revision| !revision.is_empty()),
        "uptime_seconds": metrics.0.started.elapsed().as_secs(),
        "broker_time": now.map(time),
        "alive": metrics.stuck().is_empty(),
        "ready": metrics.is_ready(),
        "rules": {
            "version": metrics.0.rules_version(),
            "stale": statuses.iter().any(|lane| lane.stale),
        },
        "lanes": lanes
            .iter()
            .map(|(name, silent, lane)| {
                let silent_ms = u64::try_from(silent.as_millis()).unwrap_or(u64::MAX);
                lane_full(metrics, name, silent_ms, lane)
            })
            .collect::<Vec<_>>(),
        "watch": metrics.watch_status().map(|(_, watch)| watch_brief(&watch)),
        "accounts": accounts(&merge(statuses.iter().flat_map(|lane| &lane.books))),
        "channels": channels.iter().map(|figures| channel(figures, now)).collect::<Vec<_>>(),
    })
}

fn lane_full(metrics: &Metrics, name: &str, silent_ms: u64, lane: &LaneStatus) -> Value {
    let mut value = lane_brief(name, lane);
    value["silent_ms"] = silent_ms.into();
    value["waiting_records"] = lane.waiting_records.into();
    let known = lane.known.iter().map(|&(source, number, known)| {
        json!({
            "stream": metrics.0.stream(source),
            "partition": number,
            "known_until": time(known),
        })
    });
    value["known"] = known.collect();
    value
}

/// Payments = credited + explained + written off + pending, in every currency.
fn accounts(books: &[(Currency, Book)]) -> Value {
    let tally = |tally: Tally| json!({"count": tally.count, "amount_minor": tally.amount_minor.to_string()});
    let accounts = books.iter().map(|(currency, book)| {
        let account = json!({
            "payments": tally(book.payments),
            "credited": tally(book.credited),
            "explained": tally(book.explained),
            "written_off": tally(book.written_off),
            "pending": tally(book.pending),
            "overdue": tally(book.overdue),
        });
        (currency.as_str().to_owned(), account)
    });
    Value::Object(accounts.collect())
}

fn channel(figures: &Figures, now: Option<Timestamp>) -> Value {
    let money = |amounts: &[(Currency, i128)]| {
        let amounts = amounts.iter().map(|&(currency, amount)| {
            let amount = Value::from(amount.to_string());
            (currency.as_str().to_owned(), amount)
        });
        Value::Object(amounts.collect())
    };
    let [p50, p95, p99] = figures.lag_ms;
    json!({
        "channel": &*figures.channel,
        "pending": figures.pending,
        "overdue": figures.overdue,
        "payments": figures.payments,
        "amount_minor": money(&figures.amounts),
        "at_risk_minor": money(&figures.at_risk),
        "oldest_pending_ms": figures.age_ms(now),
        "lag_p50_ms": p50,
        "lag_p95_ms": p95,
        "lag_p99_ms": p99,
    })
}

fn time(at: Timestamp) -> String {
    format_time(at).to_string()
}
