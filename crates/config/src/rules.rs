//! Rules: service levels in order, the last of which matches everything.

use std::sync::Arc;

use settlewatch_join::Span;
use settlewatch_join::settings::{Due, Matcher, Rule, Tier};

use crate::durations::show;
use crate::item::{Item, Named};
use crate::matchers;
use crate::model::NamedCalendar;
use crate::report::Report;
use crate::source::Mark;
use crate::suggest;

/// Rules are tried in order for each payment.
const MAX_RULES: usize = 1_000;
/// Each tier is a revision of an alert.
const MAX_TIERS: usize = 16;

/// What rules refer to.
pub(crate) struct Context<'a> {
    /// Every calendar that is written, good or bad.
    pub(crate) written: &'a [Named],
    /// Those that are good.
    pub(crate) calendars: &'a mut [NamedCalendar],
    /// What a rule has that names none.
    pub(crate) give_up: Option<Span>,
}

/// Compiles the rules that are good and reports what is wrong with the others.
pub(crate) fn compile(rules: &Item, context: &mut Context<'_>, report: &mut Report) -> Vec<Rule> {
    let written = rules.list();
    if let Some(beyond) = written.get(MAX_RULES) {
        report.error(
            beyond.mark,
            format!("more than {MAX_RULES} rules"),
            "merge some: a match takes lists",
        );
    }
    check_names(written, report);
    let matchers: Vec<Option<Matcher>> = written.iter().map(|rule| matcher(rule, report)).collect();
    check_last(written, &matchers, report);
    check_reach(written, &matchers, report);
    let mut compiled = Vec::with_capacity(written.len());
    for (rule, matcher) in written.iter().zip(matchers) {
        compiled.extend(one(rule, matcher, context, report));
    }
    compiled
}

fn name(rule: &Item) -> String {
    rule.at("name").text().unwrap_or_else(|| "?".into())
}

fn matcher(rule: &Item, report: &mut Report) -> Option<Matcher> {
    matchers::compile(rule.at("match"), &name(rule), report)
}

fn one(
    rule: &Item,
    matcher: Option<Matcher>,
    context: &mut Context<'_>,
    report: &mut Report,
) -> Option<Rule> {
    let tiers = tiers(rule, report);
    let due = due(rule, context, report);
    let give_up = if rule.at("give_up").is_absent() {
        context.give_up
    } else {
        rule.at("give_up").duration()
    };
    Some(Rule {
        name: rule.at("name").text()?,
        matcher: matcher?,
        due: due?,
        tiers: tiers?,
        give_up: give_up?,
    })
}

/// Tiers whose names say in which order they come.
const ESCALATING: [&str; 3] = ["warn", "breach", "escalate"];

/// The tiers in order of time: a map has no order, and what is generated is often sorted by name.
fn tiers(rule: &Item, report: &mut Report) -> Option<Vec<Tier>> {
    let mut timed = Vec::new();
    for named in rule.at("tiers").map() {
        timed.push((named.item.duration()?, named));
    }
    timed.sort_by_key(|&(after, _)| after);
    for pair in timed.windows(2) {
        let [(earlier, first), (later, second)] = pair else {
            continue;
        };
        let rank = |name: &str| ESCALATING.iter().position(|known| *known == name);
        let swapped = rank(&first.name)
            .zip(rank(&second.name))
            .is_some_and(|(a, b)| a > b);
        if swapped || earlier == later {
            // The one that ought to be later is where to look.
            let (late, early, at) = if swapped {
                (first, second, *later)
            } else {
                (second, first, *earlier)
            };
            let message = format!(
                "the tier `{}` of the rule `{}` must come after `{}` ({})",
                late.name,
                name(rule),
                early.name,
                show(at.millis())
            );
            let remedy =
                "give each tier a time of its own, `warn` before `breach` before `escalate`";
            report.error(late.item.mark, message, remedy);
            return None;
        }
    }
    let tiers = timed.iter().map(|&(after, named)| Tier {
        name: named.name.as_str().into(),
        after,
    });
    let tiers: Vec<Tier> = tiers.collect();
    if let Some(beyond) = rule.at("tiers").map().get(MAX_TIERS) {
        report.error(
            beyond.mark,
            format!("more than {MAX_TIERS} tiers"),
            "keep those that change what people do",
        );
    }
    (!tiers.is_empty()).then_some(tiers)
}

/// `Some(None)`: no batch. `None`: wrong, reported.
fn due(rule: &Item, context: &mut Context<'_>, report: &mut Report) -> Option<Option<Due>> {
    let due = rule.at("due");
    if due.is_absent() {
        return Some(None);
    }
    let wanted = due.at("calendar").text()?;
    let business_days = due
        .at("business_days")
        .count()
        .and_then(|days| u32::try_from(days).ok())?;
    if let Some(named) = context
        .calendars
        .iter_mut()
        .find(|named| named.name == wanted)
    {
        named.business_days = named.business_days.max(Some(business_days));
        return Some(Some(Due {
            calendar: Arc::clone(&named.calendar),
            business_days,
        }));
    }
    // A calendar that is written but wrong has been reported.
    if !context.written.iter().any(|named| named.name == wanted) {
        let names: Vec<&str> = context
            .written
            .iter()
            .map(|named| named.name.as_str())
            .collect();
        let message = format!(
            "the rule `{}` needs the calendar `{wanted}`, which does not exist",
            name(rule)
        );
        report.error(
            due.at("calendar").mark,
            message,
            suggest::remedy(&wanted, &names, "calendars"),
        );
    }
    None
}

fn check_names(rules: &[Item], report: &mut Report) {
    for (at, rule) in rules.iter().enumerate() {
        let Some(name) = rule.at("name").text() else {
            continue;
        };
        if rules[..at]
            .iter()
            .any(|other| other.at("name").text().as_ref() == Some(&name))
        {
            let message = format!("two rules are called `{name}`");
            report.error(
                rule.at("name").mark,
                message,
                "give each rule a name of its own: alerts and reports use it",
            );
        }
    }
}

fn check_last(rules: &[Item], matchers: &[Option<Matcher>], report: &mut Report) {
    if let (Some(rule), Some(Some(last))) = (rules.last(), matchers.last())
        && !matchers::matches_everything(last)
    {
        let mark = Mark {
            width: 1,
            ..rule.at("match").mark
        };
        let message = format!("the last rule, `{}`, does not match everything", name(rule));
        report.error(mark, message, "add a rule without `match` after it, such as `- {name: default, tiers: {breach: 120s}}`");
    }
}

/// Rules that no payment ever reaches.
fn check_reach(rules: &[Item], matchers: &[Option<Matcher>], report: &mut Report) {
    for (at, rule) in rules.iter().enumerate() {
        let Some(Some(narrow)) = matchers.get(at) else {
            continue;
        };
        let before = matchers[..at].iter().position(|wide| {
            wide.as_ref()
                .is_some_and(|wide| matchers::covers(wide, narrow))
        });
        if let Some(before) = before {
            let message = format!(
                "the rule `{}` is never used: `{}` before it matches all its payments",
                name(rule),
                name(&rules[before])
            );
            report.warning(
                rule.at("name").mark,
                message,
                "put the narrower rule first, or remove one",
            );
        }
    }
}
