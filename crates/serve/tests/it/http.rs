//! Over a socket.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;
use settlewatch_serve::{CanaryMetrics, CheckOutcome, Server, openapi};

use crate::{Bench, NOON, PRIVATE, at, metrics};

fn serve(metrics: &settlewatch_serve::Metrics) -> Server {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    Server::start(listen, metrics.clone()).expect("a free port")
}

/// Status and body of an answer.
fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    .expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head
        .split(' ')
        .nth(1)
        .expect("a status")
        .parse()
        .expect("a number");
    (status, body.to_owned())
}

fn get_json(address: SocketAddr, path: &str) -> (u16, Value) {
    let (status, body) = get(address, path);
    (
        status,
        serde_json::from_str(&body).unwrap_or_else(|_| panic!("{path}: {body}")),
    )
}

#[test]
fn every_path_of_the_description_answers_with_what_it_describes() {
    let with_watch = metrics(100);
    let watch = with_watch.watch();
    watch.elected(true);
    watch.look("running", (true, Some(NOON / 1000), 1), Some(at(5_000)));
    for metrics in [metrics(100), with_watch] {
        every_path_answers(&metrics);
    }
}

fn every_path_answers(metrics: &settlewatch_serve::Metrics) {
    let mut bench = Bench::new(metrics);
    bench.pay("pay-0001", "wechat", 1_000);
    bench.publish();
    let server = serve(metrics);
    let (status, document) = get_json(server.address(), "/api/v1/openapi.json");
    assert_eq!((status, &document), (200, &openapi("1.2.3")));
    for (path, methods) in document["paths"].as_object().expect("paths") {
        let (status, body) = get(server.address(), path);
        let answer = &methods["get"]["responses"][status.to_string()];
        assert!(answer.is_object(), "{path}: {status}");
        let schema = &answer["content"]["application/json"]["schema"]["$ref"];
        if let Some(name) = schema.as_str().and_then(|name| name.rsplit('/').next()) {
            let value = serde_json::from_str(&body).expect("JSON");
            fits(&value, &document["components"]["schemas"][name], path);
        }
        for private in PRIVATE {
            assert!(!body.contains(private), "{path} shows {private}");
        }
    }
    server.stop();
}

/// A small part of JSON Schema: what the description uses of it.
fn fits(value: &Value, schema: &Value, place: &str) {
    if let Some(words) = schema["enum"].as_array() {
        assert!(words.contains(value), "{place}: {value}");
    }
    if let Some(types) = schema.get("type") {
        let is = |name: &Value| match name.as_str() {
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            Some("string") => value.is_string(),
            Some("integer") => value.is_u64() || value.is_i64(),
            Some("number") => value.is_number(),
            Some("boolean") => value.is_boolean(),
            Some("null") => value.is_null(),
            _ => false,
        };
        let fits = types
            .as_array()
            .map_or_else(|| is(types), |types| types.iter().any(is));
        assert!(fits, "{place}: {value} is no {types}");
    }
    let required = schema["required"].as_array();
    // What is no object lacks nothing.
    for name in required.filter(|_| value.is_object()).into_iter().flatten() {
        let name = name.as_str().expect("a name");
        assert!(value.get(name).is_some(), "{place}: {name} is missing");
    }
    for (name, value) in value.as_object().into_iter().flatten() {
        let properties = &schema["properties"];
        let schema = properties
            .get(name)
            .unwrap_or(&schema["additionalProperties"]);
        assert!(schema.is_object(), "{place}: {name} is not described");
        fits(value, schema, &format!("{place}.{name}"));
    }
    for value in value.as_array().into_iter().flatten() {
        fits(value, &schema["items"], place);
    }
}

#[test]
fn probes_answer_by_status() {
    let metrics = metrics(100);
    let server = serve(&metrics);
    let lane = metrics.lane("lane-0");
    let (status, body) = get_json(server.address(), "/readyz");
    assert_eq!(
        (status, &body["lanes"][0]["phase"]),
        (503, &"starting".into())
    );
    lane.rebalanced(&[]);
    assert_eq!(get(server.address(), "/readyz").0, 200);
    assert_eq!(get(server.address(), "/livez").0, 200);
    std::thread::sleep(Duration::from_millis(250));
    let (status, body) = get_json(server.address(), "/livez");
    assert_eq!((status, &body["lanes"][0]["lane"]), (503, &"lane-0".into()));
    assert_eq!(get(server.address(), "/nowhere").0, 404);
    let (status, text) = get(server.address(), "/metrics");
    assert_eq!(status, 200);
    assert!(text.contains("settlewatch_build_info"), "{text}");
}

#[test]
fn a_connection_that_says_nothing_does_not_keep_it_from_stopping() {
    let metrics = metrics(100);
    let server = serve(&metrics);
    let address = server.address();
    let mut silent = TcpStream::connect(address).expect("it listens");
    write!(silent, "GET /metr").expect("it reads");
    assert_eq!(get(address, "/livez").0, 200);
    let began = Instant::now();
    server.stop();
    assert!(began.elapsed() < Duration::from_secs(10));
    assert!(TcpStream::connect(address).is_err(), "it listens no more");
}

#[test]
fn an_address_that_is_taken_is_named() {
    let metrics = metrics(100);
    let server = serve(&metrics);
    let error = Server::start(server.address(), metrics.clone()).expect_err("it is taken");
    assert!(
        error.to_string().contains(&server.address().to_string()),
        "{error}"
    );
}

#[test]
fn a_canary_serves_its_own_metrics_and_says_that_it_lives() {
    let metrics = CanaryMetrics::new().expect("the table is consistent");
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = Server::start_canary(listen, metrics.clone()).expect("a free port");
    metrics.checked(CheckOutcome::LateAlert, Some(Duration::from_secs(20)));
    let (status, text) = get(server.address(), "/metrics");
    assert_eq!(status, 200);
    let line = "settlewatch_canary_checks_total{outcome=\"late_alert\"} 1";
    assert!(text.lines().any(|it| it == line), "{text}");
    assert_eq!(get(server.address(), "/livez").0, 200);
    assert_eq!(get(server.address(), "/readyz").0, 404);
}
