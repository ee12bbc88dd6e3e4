//! Calendars: time zone, weekend, holidays and make-up days to a table of instants.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::{self, Date, DateTime, Weekday};
use jiff::tz::TimeZone;
use settlewatch_join::{Calendar, Day, Timestamp};

use crate::coverage::Coverage;
use crate::item::{Item, Named};
use crate::model::{NamedCalendar, TimeOfDay};
use crate::report::Report;
use crate::source::Mark;

/// First and last day of every table.
const FIRST: Date = civil::date(1990, 1, 1);
const LAST: Date = civil::date(2100, 12, 31);

/// Compiles every calendar that is good.
pub(crate) fn compile(calendars: &Item, report: &mut Report) -> Vec<NamedCalendar> {
    calendars
        .map()
        .iter()
        .filter_map(|named| one(named, report))
        .collect()
}

/// What a calendar says, before it is a table.
struct Plan {
    zone: TimeZone,
    weekend: Vec<Weekday>,
    holidays: BTreeSet<Date>,
    workdays: BTreeSet<Date>,
    cut_off: TimeOfDay,
    credit_by: TimeOfDay,
}

fn one(named: &Named, report: &mut Report) -> Option<NamedCalendar> {
    let fields = &named.item;
    let holidays = dated(fields.at("holidays"));
    let workdays = dated(fields.at("workdays"));
    let weekend: Vec<Weekday> = fields
        .at("weekend")
        .texts()
        .iter()
        .filter_map(|word| weekday(word))
        .collect();
    check_dates(named, &holidays, &workdays, &weekend, report);
    let plan = Plan {
        zone: fields.at("time_zone").zone()?,
        weekend,
        holidays: holidays.iter().map(|(date, _)| *date).collect(),
        workdays: workdays.iter().map(|(date, _)| *date).collect(),
        cut_off: fields.at("cut_off").time()?,
        credit_by: fields.at("credit_by").time()?,
    };
    let coverage = Coverage::new(
        plan.holidays.iter().chain(&plan.workdays).copied(),
        plan.zone.clone(),
    );
    match Calendar::new(days(&plan)) {
        Some(calendar) => {
            let calendar = Arc::new(calendar);
            Some(NamedCalendar {
                name: named.name.clone(),
                calendar,
                coverage,
                business_days: None,
            })
        }
        None => {
            let message = format!("the calendar `{}` has no business day", named.name);
            report.error(
                named.mark,
                message,
                "leave a day of the week out of `weekend`",
            );
            None
        }
    }
}

fn dated(list: &Item) -> Vec<(Date, Mark)> {
    list.list()
        .iter()
        .filter_map(|item| Some((item.date()?, item.mark)))
        .collect()
}

/// Entries that contradict each other, or say nothing.
fn check_dates(
    named: &Named,
    holidays: &[(Date, Mark)],
    workdays: &[(Date, Mark)],
    weekend: &[Weekday],
    report: &mut Report,
) {
    let free: BTreeSet<Date> = holidays.iter().map(|(date, _)| *date).collect();
    for (date, mark) in workdays {
        if free.contains(date) {
            let message = format!("{date} is both a holiday and a workday in `{}`", named.name);
            report.error(*mark, message, "remove it from one of the two lists");
        } else if !weekend.contains(&date.weekday()) {
            let message = format!("{date} is a working day anyway in `{}`", named.name);
            report.warning(
                *mark,
                message,
                "`workdays` lists weekend days that are worked: check the date, or remove it",
            );
        }
    }
    for (date, mark) in holidays.iter().chain(workdays) {
        if !(FIRST..=LAST).contains(date) {
            let message = format!("{date} lies outside every calendar");
            report.error(
                *mark,
                message,
                format!("calendars reach from {FIRST} to {LAST}: check the year"),
            );
        }
    }
}

fn weekday(word: &str) -> Option<Weekday> {
    Some(match word {
        "mon" => Weekday::Monday,
        "tue" => Weekday::Tuesday,
        "wed" => Weekday::Wednesday,
        "thu" => Weekday::Thursday,
        "fri" => Weekday::Friday,
        "sat" => Weekday::Saturday,
        "sun" => Weekday::Sunday,
        _ => return None,
    })
}

/// The table. A day that a zone skipped (Samoa, 2011-12-30) is left out.
fn days(plan: &Plan) -> Vec<Day> {
    let mut days: Vec<Day> = Vec::with_capacity(41_000);
    for date in FIRST
        .series(jiff::Span::new().days(1))
        .take_while(|date| *date <= LAST)
    {
        let cut_off = instant(plan, date, plan.cut_off);
        if days.last().is_none_or(|before| before.cut_off < cut_off) {
            days.push(Day {
                cut_off,
                credit_by: instant(plan, date, plan.credit_by),
                business: plan.is_business(date),
            });
        }
    }
    days
}

impl Plan {
    fn is_business(&self, date: Date) -> bool {
        if self.weekend.contains(&date.weekday()) {
            self.workdays.contains(&date)
        } else {
            !self.holidays.contains(&date)
        }
    }
}

/// The instant of a local time. A time that daylight saving skips is taken as if the clock had not been put
/// forward; of a time that comes twice, the first counts.
fn instant(plan: &Plan, date: Date, time: TimeOfDay) -> Timestamp {
    let secs = time.secs();
    let (date, secs) = if secs == 86_400 {
        (date.tomorrow().unwrap_or(date), 0)
    } else {
        (date, secs)
    };
    let part = |value: u32| i8::try_from(value).expect("parts of a time of day are small");
    let local: DateTime = date.at(part(secs / 3600), part(secs / 60 % 60), part(secs % 60), 0);
    let at = plan
        .zone
        .to_ambiguous_timestamp(local)
        .compatible()
        .expect("years up to 2101 are within range");
    Timestamp::from_millis(at.as_millisecond())
}
