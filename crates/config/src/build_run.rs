//! What only the service needs: Kafka, outputs, roles, delivery.

use std::path::PathBuf;

use crate::item::{Item, Kind};
use crate::model::Stream;
use crate::report::Report;
use crate::run_model::{
    Http, Kafka, Language, Log, LogFormat, Notify, Output, Role, Route, Run, Sink, SinkKind,
};
use crate::secret::Secret;
use crate::security;

/// The parts that `run` needs; `None` when one is wrong, which has been reported.
pub(crate) fn compile(root: &Item, streams: &[Stream], report: &mut Report) -> Option<Run> {
    security::check(root.at("kafka"), report);
    let output = output(root.at("output"), streams, report);
    let notify = Notify {
        sinks: sinks(root.at("notify").at("sinks"), report),
    };
    Some(Run {
        kafka: kafka(root.at("kafka"))?,
        http: Http {
            listen: root.at("http").at("listen").listen()?,
            channels: root.at("http").at("channels").size()?,
        },
        log: log(root.at("log"))?,
        roles: roles(root.at("roles")),
        output: output?,
        notify,
        shutdown_within: root.at("shutdown_within").duration()?,
    })
}

fn log(log: &Item) -> Option<Log> {
    Some(Log {
        format: match log.at("format").text()?.as_str() {
            "text" => LogFormat::Text,
            "json" => LogFormat::Json,
            _ => LogFormat::Auto,
        },
        level: log.at("level").text()?,
    })
}

fn kafka(kafka: &Item) -> Option<Kafka> {
    let property = |named: &crate::item::Named| Some((named.name.clone(), named.item.secret()?));
    Some(Kafka {
        bootstrap_servers: kafka.at("bootstrap_servers").text()?,
        group_id: kafka.at("group_id").text()?,
        start_at: kafka.at("start_at").start_at()?,
        instance_id: Some(kafka.at("instance_id").text()?).filter(|name| !name.is_empty()),
        session_timeout: kafka.at("session_timeout").duration()?,
        transaction_timeout: kafka.at("transaction_timeout").duration()?,
        lanes: kafka.at("lanes").size()?,
        allow_plaintext: kafka.at("allow_plaintext").flag()?,
        oauth_token_file: kafka.at("oauth_token_file").text().map(PathBuf::from),
        properties: kafka
            .at("properties")
            .map()
            .iter()
            .filter_map(property)
            .collect(),
    })
}

fn roles(roles: &Item) -> Vec<Role> {
    let role = |word: &String| match word.as_str() {
        "join" => Some(Role::Join),
        "watch" => Some(Role::Watch),
        "notify" => Some(Role::Notify),
        _ => None,
    };
    let mut roles: Vec<Role> = roles.texts().iter().filter_map(role).collect();
    roles.sort_unstable();
    roles.dedup();
    roles
}

fn output(output: &Item, streams: &[Stream], report: &mut Report) -> Option<Output> {
    const NAMES: [&str; 7] = [
        "alerts",
        "incidents",
        "dead_letters",
        "state",
        "pairs",
        "pulse",
        "watch_state",
    ];
    for (at, name) in NAMES.iter().enumerate() {
        let Some(topic) = output.at(name).text() else {
            continue;
        };
        let read = streams
            .iter()
            .find(|stream| stream.topic == topic)
            .map(|stream| format!("the stream `{}`", stream.name));
        let written = NAMES[..at]
            .iter()
            .find(|other| output.at(other).text().as_ref() == Some(&topic));
        if let Some(other) = read.or(written.map(|other| format!("`output.{other}`"))) {
            let message =
                format!("the topic `{topic}` of `output.{name}` is already used by {other}");
            report.error(
                output.at(name).mark,
                message,
                "give every output a topic of its own",
            );
        }
    }
    let topic = |name: &str| output.at(name).text();
    Some(Output {
        alerts: topic("alerts")?,
        incidents: topic("incidents")?,
        dead_letters: topic("dead_letters")?,
        state: topic("state")?,
        pairs: topic("pairs")?,
        pulse: topic("pulse")?,
        watch_state: topic("watch_state")?,
    })
}

fn sinks(sinks: &Item, report: &mut Report) -> Vec<Sink> {
    for (at, sink) in sinks.list().iter().enumerate() {
        let Some(name) = sink.at("name").text() else {
            continue;
        };
        if sinks.list()[..at]
            .iter()
            .any(|other| other.at("name").text().as_ref() == Some(&name))
        {
            report.error(
                sink.at("name").mark,
                format!("two sinks are called `{name}`"),
                "give each a name of its own",
            );
        }
    }
    sinks
        .list()
        .iter()
        .filter_map(|sink| one_sink(sink, report))
        .collect()
}

fn one_sink(sink: &Item, report: &mut Report) -> Option<Sink> {
    let url = secret(sink, "url", "url_file", report);
    let signing = secret(sink, "secret", "secret_file", report);
    let (url, signing) = (url?, signing?);
    let kind = sink_kind(&sink.at("kind").text()?)?;
    check_url(sink, url.as_ref(), report);
    match kind {
        SinkKind::PagerDuty if signing.is_none() => {
            report.error(
                sink.at("kind").mark,
                "PagerDuty needs a routing key",
                "add `secret_file: /path/to/routing-key`",
            );
        }
        SinkKind::PagerDuty => {}
        _ if url.is_none() => {
            report.error(
                sink.at("kind").mark,
                "this sink needs an address",
                "add `url: https://…` or `url_file: /path`",
            );
        }
        _ => {}
    }
    Some(Sink {
        name: sink.at("name").text()?,
        kind,
        url,
        secret: signing,
        route: route(&sink.at("route").text()?)?,
        language: if sink.at("language").text()? == "zh" {
            Language::Zh
        } else {
            Language::En
        },
        timeout: sink.at("timeout").duration()?,
    })
}

fn check_url(sink: &Item, url: Option<&Secret>, report: &mut Report) {
    let Some(url) = url else { return };
    if !["http://", "https://"]
        .iter()
        .any(|scheme| url.expose().len() > scheme.len() && url.expose().starts_with(scheme))
    {
        let key = if sink.at("url").is_absent() {
            "url_file"
        } else {
            "url"
        };
        report.error(
            sink.at(key).mark,
            "the address of this sink is no URL",
            "begin it with `https://` or `http://`",
        );
    }
}

/// A secret that is written or in a file. `Some(None)`: neither. `None`: wrong, reported.
fn secret(sink: &Item, key: &str, file_key: &str, report: &mut Report) -> Option<Option<Secret>> {
    let (written, file) = (sink.at(key), sink.at(file_key));
    if matches!(written.kind, Kind::Bad) || matches!(file.kind, Kind::Bad) {
        return None;
    }
    if !written.is_absent() && !file.is_absent() {
        report.error(
            file.mark,
            format!("both `{key}` and `{file_key}` are given"),
            "keep one of the two",
        );
        return None;
    }
    Some(written.secret().or(file.secret()))
}

fn sink_kind(word: &str) -> Option<SinkKind> {
    Some(match word {
        "alertmanager" => SinkKind::Alertmanager,
        "pagerduty" => SinkKind::PagerDuty,
        "webhook" => SinkKind::Webhook,
        "dingtalk" => SinkKind::DingTalk,
        "feishu" => SinkKind::Feishu,
        "wecom" => SinkKind::WeCom,
        _ => return None,
    })
}

fn route(word: &str) -> Option<Route> {
    Some(match word {
        "oncall" => Route::OnCall,
        "finance" => Route::Finance,
        "all" => Route::All,
        _ => return None,
    })
}
