//! Incidents whose cause is known: tables of every shape, correlated attributes, uneven shares and backgrounds.

use std::collections::BTreeMap;

use settlewatch_watch::scan::{Finding, Table};

use crate::draw::Draw;

/// Dimension and value.
pub(crate) type Place = Vec<(usize, u32)>;

/// A table with the places of its faults.
pub(crate) struct Case {
    pub(crate) table: Table,
    pub(crate) labels: Vec<Place>,
    rows: Vec<Vec<u32>>,
}

impl Case {
    /// Whether a finding covers exactly the rows of a place.
    pub(crate) fn covers_same(&self, found: &Finding, place: &Place) -> bool {
        self.rows.iter().all(|values| {
            let mut conditions = found.conditions.iter();
            conditions.all(|(dim, any)| any.contains(&values[*dim])) == holds(place, values)
        })
    }
}

/// How the values of a dimension come about.
enum Kind {
    /// Chosen by themselves, with these cumulative weights.
    Free(Vec<f64>),
    /// A coarser view of another dimension: a region of its stores.
    Above { finer: usize, groups: u32 },
    /// Mostly what another dimension says, else by itself.
    Like {
        other: usize,
        often: f64,
        own: Vec<f64>,
    },
}

struct Shape {
    kinds: Vec<Kind>,
    /// For each dimension, what a value adds to the log odds of being bad.
    leaning: Vec<f64>,
    base: f64,
    /// Deviation between rows in log odds.
    rough: f64,
    rows: usize,
    size: (f64, f64),
    salt: u64,
}

fn shares(draw: &mut Draw, values: usize) -> Vec<f64> {
    let slope = draw.between(0.0, 1.6);
    let mut sum = 0.0;
    let mut weights: Vec<f64> = (1..=values)
        .map(|rank| {
            sum += (rank as f64).powf(-slope);
            sum
        })
        .collect();
    weights.iter_mut().for_each(|weight| *weight /= sum);
    weights
}

fn pick(draw: &mut Draw, shares: &[f64]) -> u32 {
    let point = draw.unit();
    1 + shares
        .partition_point(|&sum| sum < point)
        .min(shares.len() - 1) as u32
}

fn shape(draw: &mut Draw, uneven: bool) -> Shape {
    let dims = 4 + draw.below(7);
    let mut kinds: Vec<Kind> = Vec::new();
    for dim in 0..dims {
        let values = draw.log_between(2.0, 500.0) as usize;
        let other = draw.below(dim);
        kinds.push(match draw.below(10) {
            0..3 if dim > 0 => Kind::Above {
                finer: other,
                groups: 2 + draw.below(12) as u32,
            },
            3..5 if dim > 0 => Kind::Like {
                other,
                often: draw.between(0.5, 0.98),
                own: shares(draw, values),
            },
            _ => Kind::Free(shares(draw, values)),
        });
    }
    let heavy = if uneven { (0.6, 1.2) } else { (0.3, 0.8) };
    let leans = |draw: &mut Draw| {
        if draw.chance(heavy.0) {
            draw.between(0.1, heavy.1)
        } else {
            0.0
        }
    };
    Shape {
        leaning: (0..dims).map(|_| leans(draw)).collect(),
        kinds,
        base: draw.log_between(0.0005, 0.15),
        rough: if draw.chance(0.5) {
            draw.between(0.0, 0.7)
        } else {
            0.0
        },
        rows: draw.log_between(300.0, 12_000.0) as usize,
        size: (draw.between(0.0, 7.0), draw.between(0.0, 1.8)),
        salt: draw.next(),
    }
}

impl Shape {
    fn tuple(&self, draw: &mut Draw) -> Vec<u32> {
        let mut values: Vec<u32> = Vec::with_capacity(self.kinds.len());
        for kind in &self.kinds {
            values.push(match kind {
                Kind::Free(shares) => pick(draw, shares),
                Kind::Above { finer, groups } => 1 + mix(self.salt, values[*finer]) as u32 % groups,
                Kind::Like { other, often, own } if draw.chance(*often) => {
                    1 + mix(self.salt ^ 1, values[*other]) as u32 % own.len() as u32
                }
                Kind::Like { own, .. } => pick(draw, own),
            });
        }
        values
    }

    /// Background rate of a row.
    fn background(&self, draw: &mut Draw, values: &[u32]) -> f64 {
        let mut odds = (self.base / (1.0 - self.base)).ln() + self.rough * draw.normal();
        for (dim, (&value, lean)) in values.iter().zip(&self.leaning).enumerate() {
            let mut own = Draw(mix(self.salt ^ (dim as u64) << 32, value));
            odds += lean * own.normal();
        }
        1.0 / (1.0 + (-odds).exp())
    }
}

fn mix(salt: u64, value: u32) -> u64 {
    Draw(salt ^ u64::from(value).wrapping_mul(0x9e37_79b9)).next() >> 16
}

struct Row {
    total: f64,
    background: f64,
}

type Rows = BTreeMap<Vec<u32>, Row>;

fn rows(draw: &mut Draw, shape: &Shape) -> Rows {
    let mut rows = Rows::new();
    for _ in 0..shape.rows {
        let values = shape.tuple(draw);
        let total = (shape.size.0 + shape.size.1 * draw.normal()).exp();
        let total = total.round().clamp(1.0, 1e5);
        let background = shape.background(draw, &values);
        let row = rows.entry(values).or_insert(Row {
            total: 0.0,
            background,
        });
        row.total += total;
    }
    rows
}

fn holds(place: &Place, values: &[u32]) -> bool {
    place.iter().all(|&(dim, value)| values[dim] == value)
}

fn support(rows: &Rows, place: &Place) -> f64 {
    let inside = rows.iter().filter(|(values, _)| holds(place, values));
    inside.map(|(_, row)| row.total).sum()
}

/// A place that no shorter name has, neither tiny nor nearly everything.
fn place(draw: &mut Draw, rows: &Rows) -> Option<Place> {
    let conditions = [1, 1, 1, 2, 2, 2, 3, 3, 3, 3][draw.below(10)];
    let (values, _) = rows.iter().nth(draw.below(rows.len()))?;
    let mut dims: Vec<usize> = (0..values.len()).collect();
    (0..conditions).for_each(|at| {
        let other = at + draw.below(dims.len() - at);
        dims.swap(at, other);
    });
    dims.truncate(conditions);
    dims.sort_unstable();
    let place: Place = dims.iter().map(|&dim| (dim, values[dim])).collect();
    let all = support(rows, &Vec::new());
    let own = support(rows, &place);
    let few = rows.keys().filter(|values| holds(&place, values)).count() < 2;
    if few || own < 0.002 * all || own > 0.4 * all {
        return None;
    }
    let needed = (0..place.len()).all(|without| {
        let mut wider = place.clone();
        wider.remove(without);
        wider.is_empty() || support(rows, &wider) > 1.15 * own
    });
    needed.then_some(place)
}

/// One case; every seed gives one. With `uneven`, most dimensions lean, some far, so that the background alone has
/// places that are several times as bad as others.
pub(crate) fn case(seed: u64, uneven: bool) -> Case {
    let mut draw = Draw(seed.wrapping_mul(0x5851_f42d_4c95_7f2d));
    loop {
        let shape = shape(&mut draw, uneven);
        let rows = rows(&mut draw, &shape);
        let wanted = if draw.chance(0.2) { 2 } else { 1 };
        let labels: Vec<Place> = (0..20 * wanted)
            .filter_map(|_| place(&mut draw, &rows))
            .take(wanted)
            .collect();
        if labels.len() == wanted
            && let Some(table) = strike(&mut draw, &rows, &labels, shape.kinds.len())
        {
            let rows = rows.into_keys().collect();
            return Case {
                table,
                labels,
                rows,
            };
        }
    }
}

/// Lets the faults happen; nothing where they do not show.
fn strike(draw: &mut Draw, rows: &Rows, labels: &[Place], dims: usize) -> Option<Table> {
    let effects: Vec<(f64, f64)> = labels
        .iter()
        .map(|_| (draw.log_between(0.1, 1.0), draw.between(0.0, 0.4)))
        .collect();
    let mut table = Table::new(dims);
    let mut inside = vec![(0.0, 0.0); labels.len()];
    let mut all = (0.0, 0.0);
    for (values, row) in rows {
        let mut healthy = 1.0 - row.background;
        let within = labels
            .iter()
            .zip(&effects)
            .map(|(label, effect)| (holds(label, values), effect));
        for (is_inside, (effect, spread)) in within {
            if is_inside {
                healthy *= 1.0 - (effect * (1.0 + spread * draw.normal())).clamp(0.0, 1.0);
            }
        }
        let bad = draw.binomial(row.total, 1.0 - healthy);
        table.push(values, row.total, bad);
        all = (all.0 + row.total, all.1 + bad);
        for (label, sum) in labels.iter().zip(&mut inside) {
            if holds(label, values) {
                *sum = (sum.0 + row.total, sum.1 + bad);
            }
        }
    }
    let shows = |&(total, bad): &(f64, f64)| {
        let outside = (all.1 - bad) / (all.0 - total);
        bad >= 8.0 && bad / total > 2.0 * outside
    };
    inside.iter().all(shows).then_some(table)
}
