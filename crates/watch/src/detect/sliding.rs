//! Sums over the last seconds, by value: added as they come, taken away as they leave.

use std::collections::VecDeque;

use super::values::ValueId;
use crate::keep::{Keep, Reader, Unreadable, Writer, keep};

/// Sums of one value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sum {
    /// Payments whose fate is known.
    pub(crate) total: f64,
    /// Of them: longer than many.
    pub(crate) long: f64,
    /// Of them: slow.
    pub(crate) slow: f64,
    /// How many slow ones would be usual.
    pub(crate) slow_expected: f64,
    /// Payments that take longer than nearly all.
    pub(crate) lost: f64,
    /// How many would be usual.
    pub(crate) lost_expected: f64,
}

impl Sum {
    /// A payment that was counted is lost now.
    pub(crate) const LOST: Self = Self {
        total: 0.0,
        long: 0.0,
        slow: 0.0,
        slow_expected: 0.0,
        lost: 1.0,
        lost_expected: 0.0,
    };

    pub(crate) fn add(&mut self, other: &Self, sign: f64) {
        self.total += sign * other.total;
        self.long += sign * other.long;
        self.slow += sign * other.slow;
        self.slow_expected += sign * other.slow_expected;
        self.lost += sign * other.lost;
        self.lost_expected += sign * other.lost_expected;
    }
}

/// Sums over a window of seconds.
#[derive(Debug)]
pub(crate) struct Sliding {
    span_s: i64,
    sums: Vec<Sum>,
    /// Everything.
    pub(crate) all: Sum,
    entries: VecDeque<(i64, Vec<ValueId>, Sum)>,
}

impl Sliding {
    pub(crate) fn new(span_s: i64) -> Self {
        Self {
            span_s,
            sums: Vec::new(),
            all: Sum::default(),
            entries: VecDeque::new(),
        }
    }

    pub(crate) fn add(&mut self, second: i64, values: &[ValueId], sum: Sum) {
        self.apply(values, &sum, 1.0);
        self.entries.push_back((second, values.to_vec(), sum));
    }

    fn apply(&mut self, values: &[ValueId], sum: &Sum, sign: f64) {
        self.all.add(sum, sign);
        for value in values {
            if *value == ValueId::NONE {
                continue;
            }
            if self.sums.len() <= value.index() {
                self.sums.resize(value.index() + 1, Sum::default());
            }
            self.sums[value.index()].add(sum, sign);
        }
    }

    /// Time reaches `now_s`: what is older than the window leaves.
    pub(crate) fn advance(&mut self, now_s: i64) {
        while let Some((second, ..)) = self.entries.front()
            && *second <= now_s - self.span_s
        {
            let (_, values, sum) = self.entries.pop_front().expect("it was just seen");
            self.apply(&values, &sum, -1.0);
        }
        if self.entries.is_empty() {
            // What rounding left behind.
            self.sums.iter_mut().for_each(|sum| *sum = Sum::default());
            self.all = Sum::default();
        }
    }

    /// Values with anything that takes long.
    pub(crate) fn suspects(&self) -> impl Iterator<Item = (ValueId, Sum)> + '_ {
        self.sums.iter().enumerate().filter_map(|(at, sum)| {
            (sum.long > 0.5 || sum.lost > 0.5).then_some((ValueId(at as u32), *sum))
        })
    }
}

keep!(Sum {
    total,
    long,
    slow,
    slow_expected,
    lost,
    lost_expected,
});

impl Keep for Sliding {
    fn write(&self, to: &mut Writer) {
        let Self {
            span_s,
            sums,
            all,
            entries,
        } = self;
        span_s.write(to);
        all.write(to);
        entries.write(to);
        // What rounding left behind of a value is no reference to it, but goes with it.
        let sums = (0..).map(ValueId).zip(sums);
        let sums = sums.filter(|(_, sum)| **sum != Sum::default());
        let kept: Vec<(u32, Sum)> = sums
            .filter_map(|(value, sum)| Some((to.value_if_kept(value)?.0, *sum)))
            .collect();
        kept.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        let (span_s, all) = (Keep::read(from)?, Keep::read(from)?);
        let len = from.len()?;
        let entries = (0..len)
            .map(|_| Ok((i64::read(from)?, from.wide_values()?, Sum::read(from)?)))
            .collect::<Result<_, _>>()?;
        let kept: Vec<(ValueId, Sum)> = Keep::read(from)?;
        let mut sums = Vec::new();
        for (value, sum) in kept {
            if sums.len() <= value.index() {
                sums.resize(value.index() + 1, Sum::default());
            }
            sums[value.index()] = sum;
        }
        Ok(Self {
            span_s,
            sums,
            all,
            entries,
        })
    }
}
