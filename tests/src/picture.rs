//! A replay as one picture: a band for each channel, the sums above.

mod data;
mod head;
mod panels;
mod scale;
mod svg;

use scale::{Scale, round_up};
use svg::{Area, Svg};

pub use data::Replayed;

const WIDTH: i64 = 9_200;
/// Height of a panel.
const PANEL: i64 = 620;
/// From one band to the next: the panel, its two lanes of marks, and air.
const BAND: i64 = PANEL + 2 * panels::LANE + 120;
/// From the head to the first band: what the columns show.
const COLUMN_HEAD: i64 = 420;
/// From the last band to the end: the time axis and what the marks mean.
const FOOT: i64 = 470;

/// Left edge, width, and what a column shows.
const COLUMNS: [(i64, i64, &str); 3] = [
    (1_700, 1_900, "Came in, per minute"),
    (4_000, 2_760, "Payments that wait"),
    (7_160, 1_840, "Lag to the credit, s"),
];

/// Draws what a replay wrote.
pub fn draw(replayed: &Replayed) -> String {
    let mut svg = Svg::default();
    head::draw(&mut svg, replayed, WIDTH - 200);
    let top = head::bottom(replayed) + COLUMN_HEAD;
    column_heads(&mut svg, top);
    let mut y = top;
    for channel in replayed.channels() {
        band(&mut svg, replayed, channel, y);
        y += BAND;
    }
    foot(&mut svg, replayed, y);
    svg.finish(WIDTH, y + FOOT, &head::title(replayed))
}

/// The panels of a band whose top is `y`; every band has the same scales.
fn scales(replayed: &Replayed, y: i64) -> [Scale; 3] {
    let most = |of: fn(&data::Row) -> i64| {
        let numbers = replayed.rows.iter().map(of);
        round_up(numbers.max().unwrap_or_default())
    };
    let max = [
        most(|row| row.payments.max(row.credits)),
        most(|row| row.pending),
        most(|row| row.lag_p50_ms.max(row.lag_p95_ms).unwrap_or_default()).max(1_000),
    ];
    [0, 1, 2].map(|i| Scale {
        area: Area {
            x: COLUMNS[i].0,
            y,
            width: COLUMNS[i].1,
            height: PANEL,
        },
        from_ms: replayed.summary.from_ms,
        to_ms: replayed.summary.to_ms,
        max: max[i],
    })
}

fn column_heads(svg: &mut Svg, top: i64) {
    let y = top - 210;
    for (x, _, name) in COLUMNS {
        svg.text("h", (x, y), name);
    }
    let key = y + 120;
    let [came, waits, takes] = COLUMNS.map(|(x, _, _)| x);
    let swatch = |x| Area {
        x,
        y: key - 75,
        width: 80,
        height: 80,
    };
    svg.rect("pay", swatch(came));
    svg.text("t", (came + 120, key), "payments");
    svg.rect("credit", swatch(came + 700));
    svg.text("t", (came + 820, key), "credits");
    svg.rect("wait", swatch(waits));
    svg.text("t", (waits + 120, key), "waiting (at minute ends)");
    svg.rect("late", swatch(waits + 1_350));
    svg.text("t", (waits + 1_470, key), "overdue (to the ms)");
    svg.line("p50", (takes, key - 35), (takes + 100, key - 35));
    svg.text("t", (takes + 130, key), "p50");
    svg.line("p95", (takes + 400, key - 35), (takes + 500, key - 35));
    svg.text("t", (takes + 530, key), "p95, the waiting counted");
}

fn band(svg: &mut Svg, replayed: &Replayed, channel: &str, y: i64) {
    svg.text("c", (200, y + 190), channel);
    if let Some(chinese) = chinese(channel) {
        svg.text("s", (200, y + 350), chinese);
    }
    let payments: i64 = replayed.rows_of(channel).map(|row| row.payments).sum();
    svg.text("t", (200, y + 510), &format!("{payments} payments"));
    let scales = scales(replayed, y);
    for (scale, unit) in scales.iter().zip([1, 1, 1_000]) {
        svg.rect("panel", scale.area);
        for x in scale.ticks().into_iter().map(|at_ms| scale.x(at_ms)) {
            svg.line("grid", (x, y), (x, scale.area.bottom()));
        }
        for number in [scale.max, scale.max / 2, 0] {
            let y = scale.y(number);
            svg.line("grid", (scale.area.x, y), (scale.area.right(), y));
            let label = (number / unit).to_string();
            svg.text("t e", (scale.area.x - 50, y + 33), &label);
        }
    }
    let [came, waits, takes] = &scales;
    panels::came(svg, replayed, channel, came);
    panels::waits(svg, replayed, channel, waits);
    panels::takes(svg, replayed, channel, takes);
    for Scale { area, .. } in scales {
        svg.line(
            "axis",
            (area.x, area.bottom()),
            (area.right(), area.bottom()),
        );
    }
}

/// The time axis, and what the marks mean.
fn foot(svg: &mut Svg, replayed: &Replayed, y: i64) {
    for scale in scales(replayed, y) {
        for at_ms in scale.ticks() {
            let x = scale.x(at_ms);
            svg.text("t m", (x, y + 40), &head::clock(at_ms));
        }
    }
    svg.text("t", (200, y + 40), "time of day, UTC");
    let y = y + 320;
    svg.text("t", (200, y), "Alert marks:");
    for (class, x, text) in [
        ("warn", 960, "deadline passed: opened (warn)"),
        ("breach", 2_860, "a later tier passed"),
        ("done", 4_210, "resolved"),
    ] {
        svg.line(class, (x, y - 75), (x, y + 5));
        svg.text("t", (x + 60, y), text);
    }
    svg.diamond("other", (4_990, y - 35));
    svg.text("t", (5_070, y), "of another kind");
    svg.unknown(Area {
        x: 7_160,
        y: y - 75,
        width: 160,
        height: 80,
    });
    svg.text("t", (7_360, y), "null: too many still wait");
}

fn chinese(channel: &str) -> Option<&'static str> {
    match channel {
        "alipay" => Some("支付宝"),
        "unionpay_qr" => Some("银联二维码"),
        "wechat_pay" => Some("微信支付"),
        _ => None,
    }
}
