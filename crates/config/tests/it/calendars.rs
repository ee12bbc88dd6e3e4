//! Business days: when a batch is due.

use std::fs;

use settlewatch_config::{Config, Env, Purpose, load};
use settlewatch_join::Timestamp;

use crate::{good, replay};

fn with_calendar(keys: &str, days: u32) -> String {
    format!(
        "version: 1\nstreams: {{payments: {{topic: p}}}}\ncalendars:\n  c: {keys}\nrules:\n  - {{name: all, due: {{calendar: c, business_days: {days}}}, tiers: {{breach: 0s}}}}\n"
    )
}

fn at(text: &str) -> Timestamp {
    let at: jiff::Timestamp = text.parse().expect("a time");
    Timestamp::from_millis(at.as_millisecond())
}

#[track_caller]
fn due(config: &Config, paid: &str, expected: &str) {
    let due = config.settings.rules[0].due.as_ref().expect("a batch");
    let found = due.calendar.due(at(paid), due.business_days);
    let shown = jiff::Timestamp::from_millisecond(found.millis()).expect("within range");
    assert_eq!(
        found,
        at(expected),
        "paid {paid}: due {shown}, expected {expected}"
    );
}

/// Golden week 2026 with a Saturday that makes up for it.
const CN: &str = "{time_zone: Asia/Shanghai, holidays: [2026-10-01, 2026-10-02, 2026-10-05, 2026-10-06, 2026-10-07], workdays: [2026-10-10], cut_off: \"23:00\", credit_by: \"18:00\"}";

#[test]
fn the_next_business_day_is_due_in_the_evening() {
    let config = good(&with_calendar(CN, 1));
    due(
        &config,
        "2026-09-29T12:00:00+08:00",
        "2026-09-30T18:00:00+08:00",
    );
}

#[test]
fn the_cut_off_itself_belongs_to_the_day_and_a_millisecond_later_to_the_next() {
    let config = good(&with_calendar(CN, 1));
    due(
        &config,
        "2026-09-28T23:00:00.000+08:00",
        "2026-09-29T18:00:00+08:00",
    );
    due(
        &config,
        "2026-09-28T23:00:00.001+08:00",
        "2026-09-30T18:00:00+08:00",
    );
}

#[test]
fn holidays_are_skipped_and_a_make_up_saturday_is_worked() {
    let config = good(&with_calendar(CN, 1));
    due(
        &config,
        "2026-09-30T10:00:00+08:00",
        "2026-10-08T18:00:00+08:00",
    );
    due(
        &config,
        "2026-10-02T10:00:00+08:00",
        "2026-10-09T18:00:00+08:00",
    );
    due(
        &config,
        "2026-10-09T10:00:00+08:00",
        "2026-10-10T18:00:00+08:00",
    );
    due(
        &config,
        "2026-10-10T10:00:00+08:00",
        "2026-10-12T18:00:00+08:00",
    );
    due(
        &config,
        "2026-10-11T10:00:00+08:00",
        "2026-10-13T18:00:00+08:00",
    );
}

#[test]
fn no_business_days_is_the_same_day() {
    let config = good(&with_calendar(CN, 0));
    due(
        &config,
        "2026-09-29T12:00:00+08:00",
        "2026-09-29T18:00:00+08:00",
    );
    due(
        &config,
        "2026-10-01T12:00:00+08:00",
        "2026-10-08T18:00:00+08:00",
    );
}

#[test]
fn daylight_saving_moves_the_instant_not_the_hour() {
    let config = good(&with_calendar(
        "{time_zone: America/New_York, cut_off: \"17:00\", credit_by: \"09:30\"}",
        1,
    ));
    due(
        &config,
        "2026-03-06T17:00:00-05:00",
        "2026-03-09T09:30:00-04:00",
    );
    due(
        &config,
        "2026-10-30T12:00:00-04:00",
        "2026-11-02T09:30:00-05:00",
    );
}

#[test]
fn an_hour_that_is_skipped_or_comes_twice_still_has_one_instant() {
    let zone =
        "{time_zone: America/New_York, weekend: [], cut_off: \"23:00\", credit_by: \"02:30\"}";
    let config = good(&with_calendar(zone, 1));
    due(
        &config,
        "2026-03-07T12:00:00-05:00",
        "2026-03-08T03:30:00-04:00",
    );
    let zone =
        "{time_zone: America/New_York, weekend: [], cut_off: \"23:00\", credit_by: \"01:30\"}";
    let config = good(&with_calendar(zone, 1));
    due(
        &config,
        "2026-10-31T12:00:00-04:00",
        "2026-11-01T01:30:00-04:00",
    );
}

#[test]
fn midnight_can_be_written_as_the_end_of_the_day() {
    let config = good(&with_calendar(
        "{time_zone: UTC, cut_off: \"24:00\", credit_by: \"24:00\"}",
        1,
    ));
    due(&config, "2026-04-01T23:59:59Z", "2026-04-03T00:00:00Z");
    due(&config, "2026-04-02T00:00:00Z", "2026-04-03T00:00:00Z");
    due(&config, "2026-04-02T00:00:00.001Z", "2026-04-04T00:00:00Z");
}

#[test]
fn a_zone_that_skipped_a_day_still_has_a_calendar() {
    let config = good(&with_calendar("{time_zone: Pacific/Apia, weekend: []}", 1));
    due(
        &config,
        "2011-12-29T12:00:00-10:00",
        "2011-12-31T18:00:00+14:00",
    );
}

#[test]
fn a_calendar_without_business_days_is_refused() {
    let errors = replay(&with_calendar(
        "{time_zone: UTC, weekend: [mon, tue, wed, thu, fri, sat, sun]}",
        1,
    ));
    assert_eq!(
        errors.expect_err("nothing is ever due").list()[0].message,
        "the calendar `c` has no business day"
    );
}

#[test]
fn contradictory_days_are_errors_and_idle_ones_warnings() {
    let errors = replay(&with_calendar(
        "{time_zone: UTC, holidays: [2026-10-10], workdays: [2026-10-10]}",
        1,
    ));
    assert_eq!(
        errors.expect_err("which one?").list()[0].message,
        "2026-10-10 is both a holiday and a workday in `c`"
    );
    let loaded = replay(&with_calendar(
        "{time_zone: UTC, workdays: [2026-10-12]}",
        1,
    ))
    .expect("it can be used");
    assert_eq!(
        loaded.warnings[0].message,
        "2026-10-12 is a working day anyway in `c`"
    );
}

#[test]
fn records_beyond_the_listed_years_are_warned_about() {
    let config = good(&with_calendar(CN, 1));
    assert_eq!(
        config.calendars[0]
            .coverage
            .covered_until()
            .map(|day| day.to_string())
            .as_deref(),
        Some("2026-12-31")
    );
    let warnings = |from: &str, to: &str| config.calendar_warnings(at(from), at(to));
    assert!(warnings("2026-03-01T00:00:00Z", "2026-12-01T00:00:00Z").is_empty());
    let told = warnings("2026-12-01T00:00:00Z", "2028-01-05T00:00:00Z");
    assert_eq!(
        told,
        [
            "calendar `c` lists no holidays or workdays for 2027 to 2028; its entries end with 2026-12-31: due times then follow weekends alone"
        ]
    );
    // The last payment of the year is due in the next one.
    assert_eq!(
        warnings("2026-12-31T00:00:00Z", "2026-12-31T05:00:00Z").len(),
        1
    );
    let weekends_only = good(&with_calendar("{time_zone: UTC}", 1));
    assert!(
        weekends_only
            .calendar_warnings(at("2026-01-01T00:00:00Z"), at("2030-01-01T00:00:00Z"))
            .is_empty()
    );
    assert!(
        config.calendar_warnings(Timestamp::MIN, Timestamp::MAX)[0].contains("lists no holidays")
    );
}

#[test]
fn calendars_come_from_files_beside_the_configuration() {
    let dir = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).expect("writable");
    write(
        "cn-2026.yaml",
        "time_zone: Asia/Shanghai\nholidays: [2026-10-01]\ncut_off: \"20:00\"\n",
    );
    write("cn-2027.yaml", "holidays: [2027-01-01]\n");
    write(
        "s.yaml",
        &with_calendar(
            "{file: [cn-2026.yaml, cn-2027.yaml], holidays: [2026-10-02], cut_off: \"21:00\"}",
            1,
        ),
    );
    let loaded = load(&dir.path().join("s.yaml"), Purpose::Replay, &Env::empty())
        .unwrap_or_else(|told| panic!("{told}"));
    due(
        &loaded.config,
        "2026-09-30T21:00:00+08:00",
        "2026-10-05T18:00:00+08:00",
    );
    due(
        &loaded.config,
        "2026-12-31T21:00:00+08:00",
        "2027-01-04T18:00:00+08:00",
    );
}

#[test]
fn what_is_wrong_in_a_calendar_file_is_shown_there() {
    let dir = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).expect("writable");
    write("days.yaml", "time_zone: UTC\nholiday: [2026-10-01]\n");
    write("s.yaml", &with_calendar("{file: days.yaml}", 1));
    let errors = load(&dir.path().join("s.yaml"), Purpose::Replay, &Env::empty())
        .expect_err("a key is unknown");
    assert_eq!(errors.list().len(), 1);
    assert!(errors.list()[0].file.ends_with("days.yaml"));
    assert_eq!((errors.list()[0].line, errors.list()[0].column), (2, 1));
    write(
        "s.yaml",
        &with_calendar("{file: nowhere.yaml, time_zone: UTC}", 1),
    );
    let errors = load(&dir.path().join("s.yaml"), Purpose::Replay, &Env::empty())
        .expect_err("there is no such file");
    assert!(
        errors.list()[0]
            .message
            .starts_with("cannot read the calendar"),
        "{errors}"
    );
}

#[test]
fn a_century_of_days_compiles_quickly() {
    let start = std::time::Instant::now();
    good(&with_calendar(CN, 1));
    // The budget is 50 ms; a shared machine gets leave.
    assert!(start.elapsed().as_millis() < 500, "{:?}", start.elapsed());
}
