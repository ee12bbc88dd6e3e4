//! How long payments take through their gateways, by the stages that are reported.

use std::collections::{BTreeMap, VecDeque};

use crate::detect::values::ValueId;
use crate::keep::{Keep, Reader, Unreadable, Writer};

/// Steps that are remembered of a gateway.
const KEPT: usize = 4000;

/// Now is the last so many seconds.
const NOW_S: i64 = 30;

/// Steps of one gateway: when, and how long it took in milliseconds.
#[derive(Default)]
pub(crate) struct Gateways(BTreeMap<ValueId, VecDeque<(i64, i64)>>);

impl Gateways {
    pub(crate) fn passed(&mut self, gateway: ValueId, second: i64, took_ms: i64) {
        let steps = self.0.entry(gateway).or_default();
        steps.push_back((second, took_ms));
        if steps.len() > KEPT {
            steps.pop_front();
        }
    }

    /// Usual and present duration, where the present one is much longer; the fault began at `onset_s`.
    pub(crate) fn grown(&self, gateway: ValueId, onset_s: i64, now_s: i64) -> Option<(i64, i64)> {
        let steps = self.0.get(&gateway)?;
        let before = median(steps.iter().filter(|(second, _)| *second < onset_s - 5));
        let from = onset_s.max(now_s - NOW_S);
        let after = median(steps.iter().filter(|(second, _)| *second >= from));
        let (before, after) = (before?, after?);
        (after >= 2 * before && after - before >= 300).then_some((before, after))
    }

    /// Whether any of its steps was seen.
    pub(crate) fn is_known(&self, gateway: ValueId) -> bool {
        self.0.contains_key(&gateway)
    }
}

fn median<'a>(steps: impl Iterator<Item = &'a (i64, i64)>) -> Option<i64> {
    let mut took: Vec<i64> = steps.map(|(_, took)| *took).collect();
    if took.len() < 5 {
        return None;
    }
    took.sort_unstable();
    Some(took[took.len() / 2])
}

impl Keep for Gateways {
    fn write(&self, to: &mut Writer) {
        self.0.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        Keep::read(from).map(Self)
    }
}
