//! The three panels of a channel: what came, what waits, and how long it takes.

use super::data::{Alert, Replayed, Row, TimeMs};
use super::scale::Scale;
use super::svg::{Area, Svg};

/// Height of a lane of marks.
pub(crate) const LANE: i64 = 90;
/// Heights at which names of marks stand.
const LEVELS: i64 = 3;

/// Bars of payments and credits, minute by minute; minutes in which none of the paid was credited are shaded.
pub(crate) fn came(svg: &mut Svg, replayed: &Replayed, channel: &str, scale: &Scale) {
    let is_quiet = |row: &&Row| row.payments > 0 && row.credits == 0;
    let quiet: Vec<_> = replayed.rows_of(channel).filter(is_quiet).collect();
    for row in &quiet {
        svg.rect("quiet", scale.between(row.minute_ms, replayed.end_ms(row)));
    }
    for row in replayed.rows_of(channel) {
        let minute = scale.between(row.minute_ms, replayed.end_ms(row));
        let width = minute.width * 36 / 100;
        let left = minute.x + minute.width * 12 / 100;
        for (class, number, x) in [
            ("pay", row.payments, left),
            ("credit", row.credits, left + width),
        ] {
            let y = scale.y(number);
            let height = scale.area.bottom() - y;
            svg.rect(
                class,
                Area {
                    x,
                    y,
                    width,
                    height,
                },
            );
        }
    }
    if let (Some(first), Some(last)) = (quiet.first(), quiet.last()) {
        let shaded = scale.between(first.minute_ms, replayed.end_ms(last));
        let middle = shaded.x + shaded.width / 2;
        svg.text("t m bad", (middle, scale.area.y + 110), "no credits");
    }
}

/// What waits at each minute's end, what is overdue at each moment, and the marks of its alerts.
pub(crate) fn waits(svg: &mut Svg, replayed: &Replayed, channel: &str, scale: &Scale) {
    let bottom = scale.area.bottom();
    let known = replayed.rows_of(channel);
    let mut waiting: Vec<(i64, i64)> = known
        .map(|row| (scale.x(replayed.end_ms(row)), scale.y(row.pending)))
        .collect();
    // A minute that the clock's end leaves no time says the same again.
    waiting.dedup_by_key(|(x, _)| *x);
    let line = [&[(scale.area.x, bottom)], waiting.as_slice()].concat();
    let closed = [line.as_slice(), &[(scale.area.right(), bottom)]].concat();
    svg.path("wait", &closed);
    svg.path("late", &steps(&replayed.overdue(channel), scale));
    svg.path("waitline", &line);
    for place in waiting {
        svg.dot("dot", place);
    }
    most(svg, replayed, channel, scale);
    marks(svg, replayed, channel, scale);
}

/// A staircase, closed at the bottom.
fn steps(counts: &[(TimeMs, i64)], scale: &Scale) -> Vec<(i64, i64)> {
    let bottom = scale.area.bottom();
    let mut points = vec![(scale.area.x, bottom)];
    for (at_ms, count) in counts {
        let before = points.last().map_or(bottom, |(_, y)| *y);
        points.push((scale.x(*at_ms), before));
        points.push((scale.x(*at_ms), scale.y(*count)));
    }
    let last = points.last().map_or(bottom, |(_, y)| *y);
    points.extend([(scale.area.right(), last), (scale.area.right(), bottom)]);
    points
}

/// Says how many were overdue at the worst, and at the end.
fn most(svg: &mut Svg, replayed: &Replayed, channel: &str, scale: &Scale) {
    let counts = replayed.overdue(channel);
    let (mut at_ms, mut most) = (0, 0);
    for &(time_ms, count) in &counts {
        if count > most {
            (at_ms, most) = (time_ms, count);
        }
    }
    // A single one is named by its mark.
    if most < 2 {
        return;
    }
    let (x, y) = (scale.x(at_ms), scale.y(most));
    svg.text(
        "t bad halo",
        (x + 130, y + 60),
        &format!("at most {most} overdue"),
    );
    let last = counts.last().map_or(0, |(_, count)| *count);
    if last > 0 {
        let place = (scale.area.right() - 30, scale.y(last) - 60);
        svg.text("t e bad halo", place, &format!("{last} still overdue"));
    }
}

/// Openings on the first lane below, resolutions on the second. What is not the common course has a name.
fn marks(svg: &mut Svg, replayed: &Replayed, channel: &str, scale: &Scale) {
    let lane = |alert: &Alert| {
        let opened = scale.area.bottom() + 20;
        let lanes = if alert.is_open() { 0 } else { 1 };
        opened + lanes * LANE
    };
    let names = replayed.alerts_of(channel);
    let names: Vec<_> = names
        .filter_map(|alert| Some((alert, name(alert)?)))
        .collect();
    for ((alert, name), level) in names.iter().rev().zip((0..LEVELS).cycle()) {
        let place = (
            scale.x(alert.decided_ms),
            scale.area.bottom() - 130 - 150 * level,
        );
        label(svg, scale, place, lane(alert) + LANE / 2, name);
    }
    for alert in replayed.alerts_of(channel) {
        let (x, y) = (scale.x(alert.decided_ms), lane(alert));
        if alert.is_missing() {
            let class = match (alert.is_open(), alert.tier.as_str()) {
                (false, _) => "done",
                (true, "warn") => "warn",
                (true, _) => "breach",
            };
            svg.line(class, (x, y), (x, y + LANE - 10));
        } else {
            svg.diamond("other", (x, y + LANE / 2));
        }
    }
}

/// A name above its mark, tied to it. The later stand lower: no tie crosses an earlier name.
fn label(svg: &mut Svg, scale: &Scale, (x, y): (i64, i64), mark_y: i64, name: &str) {
    svg.line("lead", (x, y + 25), (x, mark_y));
    if x > scale.area.x + scale.area.width * 60 / 100 {
        svg.text("t e halo", (scale.area.right() - 30, y), name);
    } else {
        svg.text("t halo", (x - 20, y), name);
    }
}

fn name(alert: &Alert) -> Option<String> {
    let name = match alert.resolution.as_deref() {
        None | Some("credited_late") if alert.is_missing() => return None,
        None => &alert.kind,
        Some(resolution) => resolution,
    };
    let chinese = match name {
        "duplicate_credit" => " 重复入账",
        "duplicate_payment" => " 重复支付",
        "orphan_credit" => " 无主入账",
        "refunded" => " 已退款",
        _ => "",
    };
    Some(format!("{name}{chinese}"))
}

/// Quantiles of the lag, each minute's over its minute; hatched where the waiting leave the upper one open.
pub(crate) fn takes(svg: &mut Svg, replayed: &Replayed, channel: &str, scale: &Scale) {
    let unknown = unknown(replayed, channel);
    for &(from, to) in &unknown {
        svg.unknown(scale.between(from, to));
    }
    for run in runs(replayed, channel, |row| row.lag_p50_ms) {
        svg.path("p50", &staircase(&run, scale));
        let highest = run.iter().max_by_key(|step| step.lag_ms);
        if let Some(step) = highest.filter(|step| step.lag_ms > scale.max / 4) {
            let place = (scale.x(step.to_ms) + 40, scale.y(step.lag_ms) + 80);
            svg.text("t halo", place, &format!("p50 {}", seconds(step.lag_ms)));
        }
    }
    for run in runs(replayed, channel, |row| row.lag_p95_ms) {
        svg.path("p95", &staircase(&run, scale));
        if let Some(last) = run.last() {
            let place = (scale.x(last.to_ms) - 30, scale.y(last.lag_ms) - 50);
            svg.text("t e", place, &seconds(last.lag_ms));
        }
    }
    for (from, to) in unknown {
        let hatched = scale.between(from, to);
        if hatched.width > 1_200 {
            let place = (hatched.x + hatched.width / 2, scale.area.y + 130);
            svg.text("t m halo", place, "p95 cannot be known yet");
        }
    }
}

/// Spans of minutes whose p95 is null.
fn unknown(replayed: &Replayed, channel: &str) -> Vec<(TimeMs, TimeMs)> {
    let mut spans: Vec<(TimeMs, TimeMs)> = Vec::new();
    let rows = replayed.rows_of(channel);
    for row in rows.filter(|row| row.lag_p95_ms.is_none()) {
        match spans.last_mut() {
            Some((_, to)) if *to == row.minute_ms => *to = replayed.end_ms(row),
            _ => spans.push((row.minute_ms, replayed.end_ms(row))),
        }
    }
    spans
}

/// What a quantile was in a minute.
struct Step {
    from_ms: TimeMs,
    to_ms: TimeMs,
    lag_ms: i64,
}

/// Minutes on end in which a quantile is known.
fn runs(replayed: &Replayed, channel: &str, of: fn(&Row) -> Option<i64>) -> Vec<Vec<Step>> {
    let mut runs = vec![Vec::new()];
    for row in replayed.rows_of(channel) {
        match (of(row), runs.last_mut()) {
            (Some(lag_ms), Some(run)) => run.push(Step {
                from_ms: row.minute_ms,
                to_ms: replayed.end_ms(row),
                lag_ms,
            }),
            _ => runs.push(Vec::new()),
        }
    }
    runs
}

fn staircase(run: &[Step], scale: &Scale) -> Vec<(i64, i64)> {
    let ends = run.iter().map(|step| {
        let y = scale.y(step.lag_ms);
        [(scale.x(step.from_ms), y), (scale.x(step.to_ms), y)]
    });
    ends.flatten().collect()
}

/// Seconds with one digit behind the point, rounded.
fn seconds(lag_ms: i64) -> String {
    let tenths = (lag_ms + 50) / 100;
    format!("{}.{} s", tenths / 10, tenths % 10)
}
