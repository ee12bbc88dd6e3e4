//! The view as lines of text, for a terminal of any size from 80 × 24 on.

use std::time::Duration;

use settlewatch_join::event::Currency;

use crate::text::{grouped, money};

use super::view::{Line, Row, View};
use super::words::Words;
use crate::incidents::{Language, Told};

/// Widths of the columns but the last, which takes what is left.
const WIDTHS: [usize; 8] = [13, 6, 8, 8, 7, 7, 7, 9];

/// Lines above and below the rows and the alerts.
const FRAME: usize = 8;

/// Open incidents that are shown.
const INCIDENTS: usize = 2;

/// Bars of a sparkline, the lowest first.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// How a picture is drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub(super) language: Language,
    pub(super) colour: bool,
    pub(super) columns: usize,
    pub(super) lines: usize,
}

/// Colours by what they mean.
#[derive(Clone, Copy)]
enum Tone {
    Plain,
    Dim,
    Head,
    Good,
    Bad,
}

impl Style {
    fn paint(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            _ if !self.colour || text.is_empty() => return text.into(),
            Tone::Plain => return text.into(),
            Tone::Dim => "2",
            Tone::Head => "1;36",
            Tone::Good => "32",
            Tone::Bad => "1;31",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// Columns that a text takes: characters of Chinese, and what goes with them, take two.
pub(super) fn width(text: &str) -> usize {
    let wide = |c: char| matches!(u32::from(c), 0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6);
    text.chars().map(|c| 1 + usize::from(wide(c))).sum()
}

/// A text cut to `columns`.
fn cut(text: &str, columns: usize) -> String {
    let mut left = columns;
    let mut cut = String::new();
    for c in text.chars() {
        let takes = width(c.encode_utf8(&mut [0; 4]));
        if takes > left {
            break;
        }
        left -= takes;
        cut.push(c);
    }
    cut
}

fn left(text: &str, columns: usize) -> String {
    let text = cut(text, columns);
    let pad = columns - width(&text);
    format!("{text}{:pad$}", "")
}

fn right(text: &str, columns: usize) -> String {
    let text = cut(text, columns);
    let pad = columns - width(&text);
    format!("{:pad$}{text}", "")
}

/// Milliseconds for people; `—` where a quantile cannot be known yet.
fn lag(ms: Option<u64>) -> String {
    match ms {
        None => "—".into(),
        Some(ms) if ms < 1000 => format!("{ms} ms"),
        Some(ms) if ms < 60_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        Some(ms) => format!("{} m", ms / 60_000),
    }
}

/// A point a second, on a scale of powers of two; what is not known is a gap, and the worst of all.
fn sparkline(points: &[Option<u64>], columns: usize) -> String {
    let from = points.len().saturating_sub(columns);
    let least = points.iter().flatten().min().copied().unwrap_or(1).max(1);
    let bar = |point: &Option<u64>| match point {
        None => '·',
        Some(ms) => {
            let doublings = (ms / least).max(1).ilog2() as usize;
            BARS[doublings.min(BARS.len() - 1)]
        }
    };
    points[from..].iter().map(bar).collect()
}

fn amounts(amounts: &[(Currency, i128)]) -> String {
    let shown: Vec<String> = amounts
        .iter()
        .filter(|(_, amount)| *amount != 0)
        .map(|&(currency, amount)| money(amount, currency.as_str()))
        .collect();
    if shown.is_empty() {
        "-".into()
    } else {
        shown.join(" ")
    }
}

fn clock(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    format!("{:02}:{:02}", seconds / 60, seconds % 60)
}

/// How far behind we are, for people.
pub(super) fn behind(view: &View, words: &Words) -> String {
    match view.behind {
        None => words.unknown.into(),
        Some(behind) => {
            let ms = behind.as_millis();
            format!("{}.{} s {}", ms / 1000, ms % 1000 / 100, words.behind)
        }
    }
}

/// The view on one line.
pub(super) fn line(view: &View, words: &Words) -> String {
    let sum = |of: fn(&Row) -> u64| grouped(view.rows.iter().map(of).sum::<u64>());
    let [_, paid, waiting, overdue, ..] = words.columns;
    format!(
        "{}  {paid} {:>6}  {waiting} {:>4}  {overdue} {:>4}",
        clock(view.elapsed),
        sum(|row| row.figures.payments),
        sum(|row| row.figures.pending),
        sum(|row| row.figures.overdue),
    )
}

/// Draws the view. `title` says what is played, `address` where the figures are served.
pub(super) fn draw(view: &View, (title, address): (&str, &str), style: Style) -> Vec<String> {
    let words = style.language.words();
    let mut picture = vec![
        heading(view, title, words, style),
        view.scene
            .map(|scene| cut(&style.language.scene(scene), style.columns))
            .unwrap_or_default(),
        style.paint(Tone::Dim, &cut(address, style.columns)),
        columns(words, style),
    ];
    picture.extend(view.rows.iter().map(|row| channel(row, style)));
    picture.push(total(view, words, style));
    let incidents = incidents(view, style);
    let room = style
        .lines
        .saturating_sub(view.rows.len() + FRAME + incidents.len());
    picture.extend(incidents);
    picture.push(String::new());
    picture.push(style.paint(Tone::Head, words.alerts));
    if view.alerts.is_empty() {
        picture.push(style.paint(Tone::Dim, &format!("  {}", words.no_alerts)));
    }
    picture.extend(view.alerts.iter().take(room).map(|line| alert(line, style)));
    picture
}

fn heading(view: &View, title: &str, words: &Words, style: Style) -> String {
    let title = format!("settlewatch demo  {title}");
    let facts = format!(
        "{}  {}  {}",
        clock(view.elapsed),
        behind(view, words),
        words.quit
    );
    let room = style.columns.saturating_sub(width(&facts) + 1);
    let title = left(&title, room);
    format!("{} {facts}", style.paint(Tone::Head, &title))
}

fn columns(words: &Words, style: Style) -> String {
    let [first, rest @ .., last] = words.columns;
    let mut text = left(first, WIDTHS[0]);
    for (name, width) in rest.iter().zip(&WIDTHS[1..]) {
        text += &if *name == words.columns[7] {
            format!(" {}", left(name, width - 1))
        } else {
            right(name, *width)
        };
    }
    text += &right(last, last_width(style));
    style.paint(Tone::Dim, text.trim_end())
}

fn last_width(style: Style) -> usize {
    style.columns.saturating_sub(WIDTHS.iter().sum()).max(12)
}

fn channel(row: &Row, style: Style) -> String {
    let figures = &row.figures;
    let [p50, p95, p99] = figures.lag_ms;
    let overdue = if figures.overdue > 0 {
        Tone::Bad
    } else {
        Tone::Plain
    };
    let unknown = |ms: Option<u64>| if ms.is_none() { Tone::Bad } else { Tone::Plain };
    let cells = [
        (Tone::Plain, left(&figures.channel, WIDTHS[0])),
        (Tone::Plain, right(&grouped(figures.payments), WIDTHS[1])),
        (Tone::Plain, right(&grouped(figures.pending), WIDTHS[2])),
        (overdue, right(&grouped(figures.overdue), WIDTHS[3])),
        (unknown(p50), right(&lag(p50), WIDTHS[4])),
        (unknown(p95), right(&lag(p95), WIDTHS[5])),
        (unknown(p99), right(&lag(p99), WIDTHS[6])),
        (
            Tone::Good,
            format!(
                " {}",
                left(&sparkline(&row.p95, WIDTHS[7] - 1), WIDTHS[7] - 1)
            ),
        ),
        (
            overdue,
            right(&amounts(&figures.at_risk), last_width(style)),
        ),
    ];
    cells
        .iter()
        .map(|(tone, text)| style.paint(*tone, text))
        .collect()
}

fn total(view: &View, words: &Words, style: Style) -> String {
    let sum = |of: fn(&Row) -> u64| grouped(view.rows.iter().map(of).sum::<u64>());
    let mut at_risk: Vec<(Currency, i128)> = Vec::new();
    for &(currency, amount) in view.rows.iter().flat_map(|row| &row.figures.at_risk) {
        match at_risk.iter_mut().find(|(code, _)| *code == currency) {
            Some((_, sum)) => *sum += amount,
            None => at_risk.push((currency, amount)),
        }
    }
    let text = [
        left(words.total, WIDTHS[0]),
        right(&sum(|row| row.figures.payments), WIDTHS[1]),
        right(&sum(|row| row.figures.pending), WIDTHS[2]),
        right(&sum(|row| row.figures.overdue), WIDTHS[3]),
        right(
            &amounts(&at_risk),
            WIDTHS[4..].iter().sum::<usize>() + last_width(style),
        ),
    ];
    style.paint(Tone::Dim, &text.concat())
}

/// Incidents that are open, two lines each: what is wrong and where, and what to do.
fn incidents(view: &View, style: Style) -> Vec<String> {
    let mut open: Vec<&Told> = view.incidents.values().filter(|it| it.is_open()).collect();
    open.sort_by_key(|told| std::cmp::Reverse(told.text("opened_at")));
    let lines = open.into_iter().take(INCIDENTS).flat_map(|told| {
        let language = style.language;
        let wrong = format!(
            "{} {} {}  {}",
            language.severity(told.text("severity")),
            told.text("verdict"),
            language.place(told),
            language.missing(told)
        );
        let action = format!("  → {}", language.action(told));
        [
            style.paint(Tone::Bad, &cut(&wrong, style.columns)),
            cut(&action, style.columns),
        ]
    });
    lines.collect()
}

fn alert(line: &Line, style: Style) -> String {
    let tone = if line.resolved { Tone::Good } else { Tone::Bad };
    let time = settlewatch_wire::format_time(line.decided_at).to_string();
    // Hours, minutes, seconds: nobody watches a demo for a day.
    let time = time.get(11..19).unwrap_or_default();
    let amount = line
        .amount
        .as_ref()
        .map_or_else(String::new, |(amount, currency)| money(*amount, currency));
    let start = format!("  {time}  {} ", left(&line.kind, 19));
    let state = left(&line.state, 14);
    let end = format!(
        "{}{}  {}",
        left(&line.channel, 14),
        right(&amount, 14),
        line.payment_id
    );
    let room = style.columns.saturating_sub(width(&start) + width(&state));
    format!("{start}{}{}", style.paint(tone, &state), cut(&end, room))
}

#[cfg(test)]
mod tests {
    use settlewatch_join::Timestamp;
    use settlewatch_serve::Figures;

    use super::super::story::Scene;
    use super::*;

    fn view() -> View {
        let cny = Currency::new(*b"CNY").expect("three capitals");
        let row = |channel: &str, overdue: u64, lag_ms| Row {
            figures: Figures {
                channel: channel.into(),
                pending: 40 + overdue,
                overdue,
                payments: 12_345,
                amounts: vec![(cny, 1_000_000)],
                at_risk: vec![(cny, i128::from(overdue) * 12_800)],
                oldest_s: Some(0),
                lag_ms,
            },
            p95: [Some(500), Some(600), Some(1200), Some(9000), None].into(),
        };
        let alert = |resolved| Line {
            decided_at: Timestamp::from_millis(1_773_108_000_000),
            kind: "credit_missing".into(),
            state: if resolved { "credited_late" } else { "warn" }.into(),
            resolved,
            first: !resolved,
            channel: "unionpay_qr".into(),
            amount: Some((12_800, "CNY".into())),
            payment_id: "UP260310ABCDEF123456".into(),
        };
        View {
            rows: (0..7)
                .map(|i| match i {
                    3 => row("unionpay_qr", 87, [None; 3]),
                    _ => row(
                        &format!("channel_{i}"),
                        0,
                        [Some(520), Some(1840), Some(61_000)],
                    ),
                })
                .collect(),
            alerts: (0..50).map(|i| alert(i % 2 == 0)).collect(),
            behind: Some(Duration::from_millis(230)),
            elapsed: Duration::from_secs(75),
            scene: Some(Scene::Stopped("unionpay_qr")),
            ..View::default()
        }
    }

    fn style(language: Language, columns: usize, lines: usize) -> Style {
        Style {
            language,
            colour: false,
            columns,
            lines,
        }
    }

    #[test]
    fn it_fits_whatever_the_language_and_the_size() {
        for language in [Language::En, Language::Zh] {
            for (columns, lines) in [(80, 24), (100, 30), (200, 60)] {
                let picture = draw(
                    &view(),
                    ("seed 7", "http://127.0.0.1:9464/metrics"),
                    style(language, columns, lines),
                );
                assert!(picture.len() <= lines, "{} lines", picture.len());
                for line in &picture {
                    assert!(width(line) <= columns, "{} columns: {line}", width(line));
                }
            }
        }
    }

    #[test]
    fn what_waits_shows_where_quantiles_cannot_be_known() {
        let picture = draw(
            &view(),
            ("seed 7", "http://127.0.0.1:9464/metrics"),
            style(Language::En, 80, 24),
        )
        .join("\n");
        let stopped = picture
            .lines()
            .find(|line| line.starts_with("unionpay_qr  "));
        let stopped = stopped.expect("the channel has a row");
        assert!(stopped.contains("87") && stopped.contains('—'), "{stopped}");
        assert!(stopped.ends_with("11,136.00 CNY"), "{stopped}");
        assert!(stopped.contains("▁▁▂▅·"), "{stopped}");
        assert!(!picture.contains('\x1b'));
    }

    #[test]
    fn chinese_takes_two_columns_a_character() {
        assert_eq!(width("待入账 p50"), 10);
        assert_eq!(cut("待入账", 5), "待入");
        assert_eq!(right("逾期", 6), "  逾期");
    }
}
