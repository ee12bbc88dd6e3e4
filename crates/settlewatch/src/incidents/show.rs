//! `incidents show`: everything that is known of one incident, how it came to be known, and the payments that it covers.

use std::fmt::Write as _;

use serde_json::Value;
use settlewatch_wire::parse_time;

use super::covers::covers;
use super::read::{Source, json_line};
use super::told::Told;
use super::words::Language;
use crate::cli::{IncidentsShowArgs, IncidentsSource};
use crate::exit::Failed;
use crate::text::money;

pub(super) fn text(told: &IncidentsSource, args: &IncidentsShowArgs) -> anyhow::Result<String> {
    let source = Source::of(told)?;
    let incidents = source.incidents()?;
    let Some(revisions) = incidents.get(&args.incident_id) else {
        let (id, place) = (&args.incident_id, source.place());
        return Err(Failed(format!(
            "no incident `{id}` in {place}: `settlewatch incidents list {}` names those that are there ({})",
            source.option(),
            incidents.len(),
        ))
        .into());
    };
    let last = revisions.last().expect("an incident has a revision");
    let payments = args.payments.then(|| covered(&source, last)).transpose()?;
    if told.json {
        let revisions = revisions.iter().map(|told| &told.json);
        let alerts = payments.iter().flatten();
        return Ok(revisions.chain(alerts).map(json_line).collect());
    }
    let language = told.language();
    let mut text = whole(last, language);
    text += &history(revisions, language);
    if let Some(alerts) = &payments {
        text += &list(alerts, language);
    }
    Ok(text)
}

/// Alerts of the payments that it covers.
fn covered(source: &Source, told: &Told) -> anyhow::Result<Vec<Value>> {
    let since = parse_time(told.text("started_at"));
    source.alerts(since, &|alert| covers(told, alert))
}

fn whole(told: &Told, language: Language) -> String {
    let evidence = &told.json["evidence"];
    let mut text = format!(
        "{}  {}  {}\n{} ({}, {}): {}\n",
        told.text("incident_id"),
        language.severity(told.text("severity")),
        language.state(told.text("state")),
        told.text("verdict"),
        language.basis(told.text("basis")),
        told.json["confidence"],
        language.action(told),
    );
    let other = match language {
        Language::En => Language::Zh,
        Language::Zh => Language::En,
    };
    line(&mut text, "", other.action(told));
    line(
        &mut text,
        language.of("where", "范围"),
        &language.place(told),
    );
    line(
        &mut text,
        language.of("since", "始于"),
        told.text("started_at"),
    );
    line(
        &mut text,
        language.of("opened", "发现于"),
        told.text("opened_at"),
    );
    line(
        &mut text,
        language.of("resolved", "恢复于"),
        told.text("resolved_at"),
    );
    line(
        &mut text,
        language.of("as of", "截至"),
        told.text("updated_at"),
    );
    weight(&mut text, told, language);
    more(&mut text, evidence, language);
    for reason in evidence["ruled_out"].as_array().into_iter().flatten() {
        let reason = reason.as_str().unwrap_or_default();
        line(&mut text, language.of("ruled out", "已排除"), reason);
    }
    let samples: Vec<_> = told.samples().collect();
    line(
        &mut text,
        language.of("for example", "例如"),
        &samples.join(" "),
    );
    text
}

/// Payments, money and shares.
fn weight(text: &mut String, told: &Told, language: Language) {
    let evidence = &told.json["evidence"];
    line(
        text,
        language.of("missing", "缺失"),
        &language.missing(told),
    );
    let touched = format!(
        "{} ({} {})",
        language.touched(told),
        language.of("of them credited late:", "其中迟到入账"),
        told.count("credited_late")
    );
    line(text, language.of("touched", "受影响"), &touched);
    let places = format!(
        "{} {}, {} {}",
        told.count("merchants"),
        language.of("merchants", "商户"),
        told.count("terminals"),
        language.of("terminals", "终端"),
    );
    line(text, "", &places);
    let percent = |field: &str| format!("{:.2} %", evidence[field].as_f64().unwrap_or(0.0) * 100.0);
    let shares = format!(
        "{} {}, {} {}, {} {}",
        percent("rate_inside"),
        language.of("here", "范围内"),
        percent("rate_outside"),
        language.of("elsewhere", "范围外"),
        language.of("of all bad ones explains", "可解释全部异常的"),
        percent("explains"),
    );
    line(text, language.of("bad", "异常比例"), &shares);
}

/// What only some have.
fn more(text: &mut String, evidence: &Value, language: Language) {
    if let Some(ms) = evidence["lag_p95_ms"].as_u64() {
        let lag = format!("{}.{:03} s", ms / 1000, ms % 1000);
        line(text, language.of("lag p95", "延迟 p95"), &lag);
    }
    if let Some(amount) = evidence["amount_above_minor"].as_u64() {
        line(
            text,
            language.of("only above", "仅高于"),
            &amount.to_string(),
        );
    }
    line(
        text,
        language.of("in common", "共同特征"),
        evidence["signature"].as_str().unwrap_or_default(),
    );
    let expected = &evidence["expected_missing"];
    if expected.is_object() {
        let told = format!(
            "{} ({} - {}) / {}",
            expected["count"], expected["low"], expected["high"], expected["of"]
        );
        line(text, language.of("will miss", "预计超时"), &told);
    }
    let burn = &evidence["burn"];
    if let (Some(channel), Some(times)) = (burn["channel"].as_str(), burn["fast"]["times"].as_f64())
    {
        let told = format!("{channel} x{times}");
        line(text, language.of("error budget", "错误预算"), &told);
    }
}

/// A line with a head; nothing where there is nothing to say.
fn line(text: &mut String, head: &str, told: &str) {
    if told.is_empty() {
        return;
    }
    // A Chinese letter is two columns wide.
    let wide = head.chars().filter(|letter| !letter.is_ascii()).count();
    let pad = 14_usize.saturating_sub(head.chars().count() + wide);
    // Writing to a string cannot fail.
    let _ = writeln!(text, "  {head}{:pad$} {told}", "");
}

/// The revisions, a line each.
fn history(revisions: &[Told], language: Language) -> String {
    let mut text = format!("{}\n", language.of("history", "经过"));
    let first = revisions.first().map_or(1, Told::revision);
    if first > 1 {
        let _ = writeln!(
            text,
            "  {} 1 - {}: {}",
            language.of("revisions", "版本"),
            first - 1,
            language.of("compaction has taken them", "已被压缩清除")
        );
    }
    for told in revisions {
        let _ = writeln!(
            text,
            "  {:>3}  {}  {:<8} {:<8} {:<22} {}  {}",
            told.revision(),
            told.text("updated_at"),
            language.severity(told.text("severity")),
            language.state(told.text("state")),
            told.text("verdict"),
            language.place(told),
            language.missing(told),
        );
    }
    text
}

/// The payments by their alerts, a line each.
fn list(alerts: &[Value], language: Language) -> String {
    let mut text = format!(
        "{} ({})\n",
        language.of("payments with alerts", "相关支付告警"),
        alerts.len()
    );
    for alert in alerts {
        let of = |field: &str| alert[field].as_str().unwrap_or("-");
        let sum = alert["amount_minor"]
            .as_i64()
            .zip(alert["currency"].as_str());
        let sum = sum.map_or_else(String::new, |(minor, currency)| {
            money(minor.into(), currency)
        });
        let state = alert["resolution"].as_str().unwrap_or(of("tier"));
        let _ = writeln!(
            text,
            "  {}  {} {} {state}  {sum}  {}",
            of("payment_id"),
            of("kind"),
            language.state(of("state")),
            of("decided_at"),
        );
    }
    text
}
