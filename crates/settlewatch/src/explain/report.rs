//! The explanation, written down.

use std::fmt::{Result, Write};

use settlewatch_config::Config;
use settlewatch_join::{Alert, Inspection, Outcome, PaymentState, Timestamp};
use settlewatch_wire::{AlertLine, format_time};

use super::{Accepted, Applied, Findings, Mention, What, is_closed, why};
use crate::incidents;
use crate::text;

/// Everything found, for people.
///
/// # Errors
/// Never: writing to a string does not fail.
pub(crate) fn report(
    found: &Findings,
    config: &Config,
) -> std::result::Result<String, std::fmt::Error> {
    let mut out = String::new();
    heading(found, &mut out)?;
    records(found, config, &mut out)?;
    rule(found, config, &mut out)?;
    deadlines(found, &mut out)?;
    alerts(found, &mut out)?;
    covered(found, &mut out)?;
    related(found, &mut out)?;
    writeln!(out, "\n{}", why::sentence(found, config))?;
    Ok(out)
}

fn heading(found: &Findings, out: &mut String) -> Result {
    let subject = &found.subject;
    write!(out, "payment {}", subject.payment_id)?;
    if let Some(tenant) = &subject.tenant {
        write!(out, " of tenant {tenant}")?;
    }
    match &found.accepted {
        Some(accepted) => {
            let paid = format_time(accepted.occurred_at);
            writeln!(out, "\n  {}, paid {paid}", accepted.summary)
        }
        None => writeln!(out, "\n  no payment.succeeded was accepted"),
    }
}

fn records(found: &Findings, config: &Config, out: &mut String) -> Result {
    writeln!(out, "\nrecords, in the order in which they were appended")?;
    let topics = &config.streams;
    let places: Vec<String> = found
        .mentions
        .iter()
        .map(|mention| {
            let place = mention.place;
            let topic = &topics[usize::from(place.stream)].topic;
            format!("{topic}[{}]@{}", place.partition, place.offset)
        })
        .collect();
    let width = places.iter().map(String::len).max().unwrap_or(0);
    let mut before = None;
    for (mention, place) in found.mentions.iter().zip(&places) {
        let at = format_time(mention.place.at);
        write!(out, "  {at}  {place:<width$}  ")?;
        match &mention.what {
            What::Rejected { reason, detail } => {
                writeln!(out, "{:<18} rejected: {reason}: {detail}", "")?;
            }
            What::Applied(applied) => {
                record(found, mention, applied, out)?;
                changes(before, applied.standing.as_ref(), out)?;
                before = applied.standing.as_ref().or(before);
            }
        }
        if let Some(ts) = mention.disbelieved_ts {
            writeln!(
                out,
                "      its own timestamp, {ts}, is implausible: it counts with its neighbours"
            )?;
        }
    }
    Ok(())
}

fn record(found: &Findings, mention: &Mention, applied: &Applied, out: &mut String) -> Result {
    writeln!(
        out,
        "{:<18} {}",
        applied.kind,
        counted(found, mention, applied)
    )?;
    write!(
        out,
        "      occurred {}, event {}",
        format_time(applied.occurred_at),
        applied.event_id
    )?;
    if applied.says.is_empty() {
        writeln!(out)
    } else {
        writeln!(out, ": {}", applied.says)
    }
}

/// What the record counted as.
fn counted(found: &Findings, mention: &Mention, applied: &Applied) -> String {
    match applied.outcome {
        Some(Outcome::Used) => "used".into(),
        Some(Outcome::Duplicate) => "duplicate: the same again".into(),
        Some(Outcome::Late) => "late: the payment is closed, nothing changes".into(),
        Some(outcome) => outcome.as_str().into(),
        None => match &found.accepted {
            Some(accepted) if accepted.at >= mention.place.at => "used when its payment came".into(),
            _ => "before_horizon, unless its payment comes within the grace: it speaks of what was before the recording"
                .into(),
        },
    }
}

/// What the record changed.
fn changes(before: Option<&Inspection>, after: Option<&Inspection>, out: &mut String) -> Result {
    let Some(after) = after else { return Ok(()) };
    if before.map(|before| before.state) != Some(after.state) {
        write!(out, "      → {}", state(after.state))?;
        if let (PaymentState::Held, Some(until)) = (after.state, after.held_until) {
            write!(out, ", its clock stopped, until {}", format_time(until))?;
        }
        writeln!(out)?;
    }
    let moved = before
        .is_some_and(|before| !before.deadlines.is_empty() && before.deadlines != after.deadlines);
    match after.deadlines.first() {
        Some((tier, at)) if moved && !is_closed(after.state) => {
            writeln!(out, "      → deadlines anew: {tier} {}", format_time(*at))
        }
        _ => Ok(()),
    }
}

fn state(state: PaymentState) -> &'static str {
    match state {
        PaymentState::Unknown => "waits for its payment",
        PaymentState::Waiting => "waits for its credit",
        PaymentState::Held => "held",
        PaymentState::Credited => "credited",
        PaymentState::Refunded => "refunded in full",
        PaymentState::Reversed => "reversed",
        PaymentState::Declined => "declined",
        PaymentState::WrittenOff => "written off",
    }
}

fn rule(found: &Findings, config: &Config, out: &mut String) -> Result {
    let (Some(accepted), Some(dated)) = (&found.accepted, found.dated()) else {
        return Ok(());
    };
    let Some(name) = &dated.rule else {
        return Ok(());
    };
    writeln!(
        out,
        "\nrule `{name}`, version {:012x} of the rules",
        dated.version
    )?;
    for (other, condition) in &accepted.passed_over {
        writeln!(out, "  not `{other}`: {condition}")?;
    }
    due(accepted, config, name, out)
}

/// Where the tiers of a batch payment count from.
fn due(accepted: &Accepted, config: &Config, name: &str, out: &mut String) -> Result {
    let rule = config.settings.rules.iter().find(|rule| rule.name == name);
    let Some(due) = rule.and_then(|rule| rule.due.as_ref()) else {
        return Ok(());
    };
    let calendar = config
        .calendars
        .iter()
        .find(|named| named.calendar == due.calendar)
        .map_or("", |named| named.name.as_str());
    let by_calendar = due.calendar.due(accepted.at, due.business_days);
    match accepted.expected_credit_by {
        Some(by) => writeln!(
            out,
            "  due {}: the payment itself says so (calendar `{calendar}` would say {})",
            format_time(by.max(accepted.at)),
            moment(by_calendar)
        ),
        None => writeln!(
            out,
            "  due {}: calendar `{calendar}`, {} business day{} after its date",
            moment(by_calendar.max(accepted.at)),
            due.business_days,
            if due.business_days == 1 { "" } else { "s" }
        ),
    }
}

/// A time that may be never.
fn moment(at: Timestamp) -> String {
    if at == Timestamp::MAX {
        "never (the calendar ends before)".into()
    } else {
        format_time(at).to_string()
    }
}

fn deadlines(found: &Findings, out: &mut String) -> Result {
    let Some(dated) = found.dated() else {
        return Ok(());
    };
    writeln!(out, "\ndeadlines")?;
    let width = dated
        .deadlines
        .iter()
        .map(|(tier, _)| tier.len())
        .max()
        .unwrap_or(0);
    for (tier, at) in &dated.deadlines {
        let fate = fate(found, tier, *at);
        writeln!(out, "  {tier:<width$}  {}  {fate}", moment(*at))?;
    }
    Ok(())
}

/// What became of a deadline.
fn fate(found: &Findings, tier: &str, at: Timestamp) -> String {
    let passed = found.alerts.iter().any(|alert| {
        alert.kind == settlewatch_join::AlertKind::CreditMissing
            && alert.tier == tier
            && alert.deadline == Some(at)
    });
    if passed {
        return "passed".into();
    }
    if let Some((place, applied)) = found.closing()
        && place.at <= at
    {
        return match applied.kind {
            "payment.succeeded" => "met: what closed it had come before it".into(),
            kind => format!("met: {kind} {}", format_time(place.at)),
        };
    }
    match found.standing().map(|standing| standing.state) {
        Some(PaymentState::Held) => "stopped by the hold".into(),
        _ if found.to.is_none_or(|to| to <= at) => "not reached".into(),
        _ => "did not pass".into(),
    }
}

fn alerts(found: &Findings, out: &mut String) -> Result {
    if found.alerts.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nalerts, one line a revision")?;
    for alert in &found.alerts {
        writeln!(out, "  {}", revision(alert))?;
    }
    Ok(())
}

/// The incidents that cover it.
fn covered(found: &Findings, out: &mut String) -> Result {
    let alerts: Vec<_> = found.alerts.iter().map(alert_json).collect();
    out.write_str(&incidents::covering_text(&found.incidents, &alerts))
}

fn alert_json(alert: &Alert) -> serde_json::Value {
    serde_json::to_value(AlertLine(alert)).expect("an alert is JSON")
}

fn revision(alert: &Alert) -> String {
    let state = match alert.resolution {
        Some(resolution) => format!("resolved {resolution}"),
        None => format!("open {}", alert.tier),
    };
    let mut line = format!(
        "{}  {} revision {}: {state}",
        format_time(alert.decided_at),
        alert.kind,
        alert.revision
    );
    if let (None, Some(deadline)) = (alert.resolution, alert.deadline) {
        line += &format!(", deadline {}", format_time(deadline));
    }
    if let (Some(amount), Some(currency)) = (alert.amount_minor, alert.currency) {
        let amount = i128::try_from(amount).unwrap_or(i128::MAX);
        line += &format!(", {}", text::money(amount, currency.as_str()));
    }
    if let Some(verdict) = alert.verdict {
        line += &format!(", {verdict}");
    }
    if let Some(other) = &alert.related_payment_id {
        line += &format!(", with payment {other}");
    }
    line + &format!(", alert_id {}", alert.alert_id)
}

fn related(found: &Findings, out: &mut String) -> Result {
    let mut lines: Vec<String> = Vec::new();
    let own = found.alerts.iter().filter_map(|alert| {
        Some(format!(
            "{}: {}",
            alert.related_payment_id.as_ref()?,
            alert.kind
        ))
    });
    let others = found.named_by.iter().map(|alert| {
        format!(
            "{}: its {} names this payment",
            alert.payment_id, alert.kind
        )
    });
    for line in own.chain(others) {
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    if !lines.is_empty() {
        writeln!(out, "\nrelated payments")?;
    }
    lines.iter().try_for_each(|line| writeln!(out, "  {line}"))
}
