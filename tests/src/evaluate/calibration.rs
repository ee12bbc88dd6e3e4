//! Whether as many payments miss their deadline as was expected of them: a reliability table.
//!
//! At the end of each minute a replay says of every channel how many of the payments that wait will miss their first
//! deadline. The alerts say how many did. No estimate knows that a fault begins or ends a moment later: how often the
//! interval holds what came is told apart for moments near such a turn, within a fault, and far from any.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;
use settlewatch_wire::parse_time;

use super::bars;

const MINUTE_MS: i64 = 60_000;

/// Shares that were expected are told apart in tenths.
const TENTHS: usize = 10;

/// Payments with which a line says something.
const FILLED: f64 = 500.0;

/// A turn shows in the estimate for so long: the longest period that most estimates look back to.
const AFTER_MS: i64 = MINUTE_MS;

/// Payments that wait pass their first deadlines within so long.
const BEFORE_MS: i64 = 2 * MINUTE_MS;

/// Moments, the payments that waited at them, and what came.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    moments: u64,
    /// Of them: the interval held what came.
    covered: u64,
    of: f64,
    expected: f64,
    missed: f64,
}

impl Sums {
    fn coverage(self) -> Option<f64> {
        (self.moments > 0).then(|| self.covered as f64 / self.moments as f64)
    }

    fn text(self) -> String {
        let percent = |share: f64| format!("{:.1} %", share * 100.0);
        let Some(coverage) = self.coverage() else {
            return format!("{:>30}", "-");
        };
        format!(
            " {:>7} {:>7} {:>7} of {:<4}",
            percent(self.expected / self.of),
            percent(self.missed / self.of),
            percent(coverage),
            self.moments,
        )
    }

    fn merge(&mut self, more: Self) {
        self.moments += more.moments;
        self.covered += more.covered;
        self.of += more.of;
        self.expected += more.expected;
        self.missed += more.missed;
    }
}

/// Where a moment lies among the faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    /// Nothing is wrong, nor will be before the deadlines.
    Clean,
    /// Something is wrong as it was a minute ago, and will be.
    Steady,
    /// Something begins, grows or ends.
    Turning,
}

/// Faults: when each begins and ends, and whether it grows.
#[derive(Clone, Debug, Default)]
pub struct Turns(pub Vec<(i64, i64, bool)>);

impl Turns {
    fn when(&self, at_ms: i64) -> When {
        let near = |turn_ms: i64| (turn_ms - BEFORE_MS..=turn_ms + AFTER_MS).contains(&at_ms);
        let turning = |&(from_ms, to_ms, grows): &(i64, i64, bool)| {
            near(from_ms) || near(to_ms) || grows && (from_ms..=to_ms).contains(&at_ms)
        };
        if self.0.iter().any(turning) {
            return When::Turning;
        }
        let lasts = |&(from_ms, to_ms, _): &(i64, i64, bool)| (from_ms..=to_ms).contains(&at_ms);
        if self.0.iter().any(lasts) {
            When::Steady
        } else {
            When::Clean
        }
    }
}

/// Clean, steady, turning.
type Line = [Sums; 3];

/// The lines, by the share that was expected to miss.
#[derive(Clone, Debug, Default)]
pub struct Calibration([Line; TENTHS]);

#[derive(Deserialize)]
struct Row {
    minute: String,
    channel: String,
    expected_missing: Expected,
}

#[derive(Deserialize)]
struct Expected {
    of: u64,
    count: f64,
    low: f64,
    high: f64,
}

#[derive(Deserialize)]
struct Alert {
    kind: String,
    revision: u32,
    payment_id: String,
    channel: Option<String>,
    deadline: Option<String>,
}

impl Calibration {
    /// What `channels` expected of payments, and what `alerts` say, both as a replay writes them; `accepted_ms` knows
    /// append times by payment, nothing is known after `until_ms`, and `turns` are the faults.
    ///
    /// # Errors
    /// A line that cannot be read.
    pub fn of(
        channels: &str,
        alerts: &str,
        accepted_ms: &BTreeMap<String, i64>,
        until_ms: i64,
        turns: &Turns,
    ) -> Result<Self, String> {
        let missed = missed(alerts, accepted_ms)?;
        let mut all = Self::default();
        for line in channels.lines() {
            let row: Row = serde_json::from_str(line).map_err(|error| error.to_string())?;
            let end_ms = millis(&row.minute)? + MINUTE_MS;
            if row.expected_missing.of == 0 || end_ms + 3 * MINUTE_MS > until_ms {
                continue;
            }
            let missed = missed.get(&(end_ms, row.channel)).copied().unwrap_or(0);
            all.add(&row.expected_missing, missed as f64, turns.when(end_ms));
        }
        Ok(all)
    }

    fn add(&mut self, expected: &Expected, missed: f64, when: When) {
        let of = expected.of as f64;
        let tenth = (expected.count / of * TENTHS as f64) as usize;
        let covered = (expected.low.floor()..=expected.high.ceil()).contains(&missed);
        self.0[tenth.min(TENTHS - 1)][when as usize].merge(Sums {
            moments: 1,
            covered: u64::from(covered),
            of,
            expected: expected.count,
            missed,
        });
    }

    /// Adds what another one counted.
    pub fn merge(&mut self, other: &Self) {
        let more = other.0.iter().flatten();
        for (sums, more) in self.0.iter_mut().flatten().zip(more) {
            sums.merge(*more);
        }
    }

    /// The table; empty where nothing was expected.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let filled = self.0.iter().enumerate();
        for (tenth, line) in filled.filter(|(_, line)| line.iter().any(|sums| sums.moments > 0)) {
            if text.is_empty() {
                text += "of those that wait, expected to miss and missed, and intervals that held what came of all\n";
                text += "expected            nothing wrong                 within a fault                at a turn of one\n";
            }
            let _ = write!(text, "{:>3} - {:>3} %", tenth * 10, tenth * 10 + 10);
            for sums in line {
                text += &sums.text();
            }
            text.truncate(text.trim_end().len());
            text.push('\n');
        }
        text
    }

    /// The greatest difference of expected and missed shares of a line with enough payments, in points of a hundred; at
    /// the turns of faults nothing is claimed.
    pub fn worst_points(&self) -> Option<f64> {
        let lines = self.0.iter().map(|line| {
            let mut sums = line[When::Clean as usize];
            sums.merge(line[When::Steady as usize]);
            sums
        });
        let filled = lines.filter(|sums| sums.of >= FILLED);
        let apart = filled.map(|sums| (sums.expected - sums.missed).abs() / sums.of * 100.0);
        apart.max_by(f64::total_cmp)
    }

    /// How often the interval holds what came, far from any fault, and in the midst of one where at least a tenth was
    /// expected to miss.
    pub fn coverage(&self) -> [Option<f64>; 2] {
        let mut all = [Sums::default(); 2];
        for (tenth, line) in self.0.iter().enumerate() {
            all[0].merge(line[When::Clean as usize]);
            if tenth > 0 {
                all[1].merge(line[When::Steady as usize]);
            }
        }
        let enough = |sums: &Sums| sums.moments >= bars::LEAST_MOMENTS;
        all.map(|sums| Some(sums).filter(enough).and_then(Sums::coverage))
    }
}

/// Payments that waited at the end of a minute, and missed their first deadline after it, by minute and channel.
fn missed(
    alerts: &str,
    accepted_ms: &BTreeMap<String, i64>,
) -> Result<BTreeMap<(i64, String), u64>, String> {
    let mut missed = BTreeMap::new();
    for line in alerts.lines() {
        let alert: Alert = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let (Some(channel), Some(deadline)) = (alert.channel, alert.deadline) else {
            continue;
        };
        let Some(accepted_ms) = accepted_ms.get(&alert.payment_id) else {
            continue;
        };
        if alert.kind != "credit_missing" || alert.revision != 1 {
            continue;
        }
        let deadline_ms = millis(&deadline)?;
        let mut end_ms = (accepted_ms + MINUTE_MS - 1).div_euclid(MINUTE_MS) * MINUTE_MS;
        while end_ms < deadline_ms {
            *missed.entry((end_ms, channel.clone())).or_default() += 1;
            end_ms += MINUTE_MS;
        }
    }
    Ok(missed)
}

fn millis(time: &str) -> Result<i64, String> {
    let time = parse_time(time).ok_or(format!("{time} is no time"))?;
    Ok(time.millis())
}
