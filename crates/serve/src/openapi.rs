//! The description of what can be asked, by OpenAPI 3.1.

use serde_json::{Value, json};

/// The description, for the version `version` of the program.
pub fn openapi(version: &str) -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "settlewatch",
            "version": version,
            "description": "Which payments succeeded but were never credited: the state of one process.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths(),
        "components": {"schemas": schemas()},
    })
}

fn json_answer(description: &str, schema: &str) -> Value {
    let schema = format!("#/components/schemas/{schema}");
    json!({"description": description, "content": {"application/json": {"schema": {"$ref": schema}}}})
}

fn get(id: &str, summary: &str, responses: &Value) -> Value {
    json!({"get": {"operationId": id, "summary": summary, "responses": responses}})
}

fn paths() -> Value {
    let text = json!({"description": "The text format of Prometheus", "content": {"text/plain": {"schema": {"type": "string"}}}});
    let document = json!({"description": "OpenAPI 3.1", "content": {"application/json": {"schema": {"type": "object"}}}});
    json!({
        "/metrics": get("metrics", "Metrics for Prometheus", &json!({"200": text})),
        "/livez": get("livez", "Whether this process makes progress, whatever Kafka does", &json!({
            "200": json_answer("It does", "Alive"),
            "503": json_answer("A lane hangs: restart the process", "Alive"),
        })),
        "/readyz": get("readyz", "Whether everything assigned is restored", &json!({
            "200": json_answer("It is, or nothing is assigned", "Ready"),
            "503": json_answer("It is not yet", "Ready"),
        })),
        "/api/v1/status": get("status", "Lanes and channels of this process", &json!({
            "200": json_answer("How they stand", "Status"),
        })),
        "/api/v1/openapi.json": get("openapi", "This document", &json!({"200": document})),
    })
}

/// An object all of whose properties are always there.
fn object(properties: Value) -> Value {
    let required: Vec<&String> = properties
        .as_object()
        .into_iter()
        .flat_map(|all| all.keys())
        .collect();
    json!({"type": "object", "required": required, "properties": properties})
}

fn list(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

fn count() -> Value {
    json!({"type": "integer", "minimum": 0})
}

fn optional_count() -> Value {
    json!({"type": ["integer", "null"], "minimum": 0})
}

fn schemas() -> Value {
    let stuck = object(json!({"lane": {"type": "string"}, "silent_seconds": count()}));
    json!({
        "Alive": {
            "type": "object",
            "required": ["status"],
            "properties": {
                "status": {"enum": ["alive", "stuck"]},
                "reason": {"type": "string"},
                "lanes": list(stuck),
            },
        },
        "Ready": object(json!({
            "status": {"enum": ["ready", "not ready"]},
            "lanes": list(object(lane())),
            "watch": watch(),
        })),
        "Status": object(status()),
    })
}

fn account() -> Value {
    let tally = object(json!({
        "count": count(),
        "amount_minor": {"type": "string", "pattern": "^-?[0-9]+$"},
    }));
    let names = [
        "payments",
        "credited",
        "explained",
        "written_off",
        "pending",
        "overdue",
    ];
    let tallies = names.map(|name| (name.to_owned(), tally.clone()));
    object(Value::Object(tallies.into_iter().collect()))
}

fn lane() -> Value {
    json!({
        "lane": {"type": "string"},
        "phase": {"type": "string", "description": "What it does now"},
        "ready": {"type": "boolean"},
        "joined": {"type": "boolean", "description": "Whether the group has answered"},
        "partitions": list(json!({"type": "integer"})),
        "restore": object(json!({
            "partitions": count(),
            "restored": count(),
            "records": count(),
            "bytes": count(),
            "ratio": {"type": "number", "minimum": 0, "maximum": 1},
        })),
    })
}

/// The watch, where this process has one.
fn watch() -> Value {
    let mut watch = object(json!({
        "phase": {"type": "string", "description": "What it does now, or that another process has the active one"},
        "ready": {"type": "boolean"},
        "active": {"type": "boolean", "description": "Whether it judges"},
        "waits_for": {"type": ["string", "null"]},
        "judged_until": {"type": ["string", "null"], "format": "date-time"},
        "behind_ms": optional_count(),
        "blind_partitions": count(),
        "restored_bytes": count(),
    }));
    watch["type"] = json!(["object", "null"]);
    watch
}

fn status() -> Value {
    let mut lane = lane();
    lane["silent_ms"] = count();
    lane["waiting_records"] = count();
    lane["known"] = list(object(json!({
        "stream": {"type": "string"},
        "partition": {"type": "integer"},
        "known_until": {"type": "string", "format": "date-time", "description": "Up to when its records have been read"},
    })));
    json!({
        "schema": {"const": "settlewatch.status/1"},
        "version": {"type": "string"},
        "revision": {"type": ["string", "null"]},
        "uptime_seconds": count(),
        "broker_time": {"type": ["string", "null"], "format": "date-time"},
        "alive": {"type": "boolean"},
        "ready": {"type": "boolean"},
        "rules": object(json!({"version": count(), "stale": {"type": "boolean"}})),
        "lanes": list(object(lane)),
        "watch": watch(),
        "accounts": {
            "type": "object",
            "description": "Since the state began, by currency: payments = credited + explained + written_off + pending",
            "additionalProperties": account(),
        },
        "channels": list(object(json!({
            "channel": {"type": "string"},
            "pending": count(),
            "overdue": count(),
            "payments": count(),
            "amount_minor": money("Money that waits, in minor units by currency"),
            "at_risk_minor": money("Of it: past its first deadline"),
            "oldest_pending_ms": optional_count(),
            "lag_p50_ms": optional_count(),
            "lag_p95_ms": optional_count(),
            "lag_p99_ms": optional_count(),
        }))),
    })
}

fn money(description: &str) -> Value {
    json!({
        "type": "object",
        "description": description,
        "additionalProperties": {"type": "string", "pattern": "^-?[0-9]+$"},
    })
}
