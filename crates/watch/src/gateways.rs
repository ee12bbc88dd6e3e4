//! How long payments take through their gateways, by the stages that are reported.

use std::collections::{BTreeMap, VecDeque};

use settlewatch_join::Timestamp;

use crate::detect::values::{ValueId, Values};
use crate::keep::{Keep, Reader, Unreadable, Writer, keep};
use crate::pulse::Leg;
use crate::survival::{QUANTILES, Survival};

/// Steps that are remembered of a gateway.
const KEPT: usize = 4000;

/// Now is the last so many seconds.
const NOW_S: i64 = 30;

/// Quantiles look at who entered in the last so many seconds.
const WINDOW_S: i64 = 300;

const MINUTE_S: i64 = 60;

/// What a minute was like for a gateway, by the stages that are reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayRow {
    /// When the minute began.
    pub minute: Timestamp,
    /// The gateway.
    pub gateway: String,
    /// Payments that left it in this minute.
    pub left: u64,
    /// Payments that entered it in the last five minutes and have not left.
    pub inside: u64,
    /// Quantiles of the time inside in milliseconds, of those that entered in the last five minutes, those inside
    /// counted; `None` where one cannot be known yet: 50 %, 95 %, 99 %.
    pub leg_ms: [Option<u64>; 3],
}

/// Payments of one gateway.
#[derive(Default)]
struct Way {
    /// When one left, when it had entered, both in seconds, and how long it took in milliseconds.
    steps: VecDeque<(i64, i64, i64)>,
    /// Payments inside, by the second in which they entered.
    inside: BTreeMap<i64, u64>,
}

/// All gateways.
#[derive(Default)]
pub(crate) struct Gateways(BTreeMap<ValueId, Way>);

impl Gateways {
    pub(crate) fn heard(&mut self, gateway: ValueId, second: i64, leg: &Leg) {
        let way = self.0.entry(gateway).or_default();
        let Some(took_ms) = leg.gateway_ms else {
            *way.inside.entry(leg.entered_s).or_default() += 1;
            return;
        };
        if let Some(inside) = way.inside.get_mut(&leg.entered_s) {
            *inside -= 1;
            if *inside == 0 {
                way.inside.remove(&leg.entered_s);
            }
        }
        way.steps.push_back((second, leg.entered_s, took_ms));
        if way.steps.len() > KEPT {
            way.steps.pop_front();
        }
    }

    /// The rows of the minute that ends with `second`, if one does.
    pub(crate) fn end_second(&mut self, second: i64, values: &Values) -> Vec<GatewayRow> {
        if (second + 1).rem_euclid(MINUTE_S) != 0 {
            return Vec::new();
        }
        let end_s = second + 1;
        for way in self.0.values_mut() {
            way.inside = way.inside.split_off(&(end_s - WINDOW_S));
        }
        let known = self
            .0
            .iter()
            .filter(|(gateway, _)| **gateway != ValueId::NONE);
        known
            .map(|(gateway, way)| way.row(end_s, values.text(*gateway).1))
            .collect()
    }

    /// Usual and present duration, where the present one is much longer; the fault began at `onset_s`.
    pub(crate) fn grown(&self, gateway: ValueId, onset_s: i64, now_s: i64) -> Option<(i64, i64)> {
        let steps = &self.0.get(&gateway)?.steps;
        let before = median(steps.iter().filter(|(second, ..)| *second < onset_s - 5));
        let from = onset_s.max(now_s - NOW_S);
        let after = median(steps.iter().filter(|(second, ..)| *second >= from));
        let (before, after) = (before?, after?);
        (after >= 2 * before && after - before >= 300).then_some((before, after))
    }

    /// Whether any of its steps was seen.
    pub(crate) fn is_known(&self, gateway: ValueId) -> bool {
        let way = self.0.get(&gateway);
        way.is_some_and(|way| !way.steps.is_empty())
    }
}

impl Way {
    fn row(&self, end_s: i64, gateway: &str) -> GatewayRow {
        let mut survival = Survival::new();
        let from_s = end_s - WINDOW_S;
        for (_, entered_s, took_ms) in &self.steps {
            if *entered_s >= from_s {
                survival.event((*took_ms).max(0).unsigned_abs(), 1);
            }
        }
        for (entered_s, count) in &self.inside {
            let age_ms = (end_s - entered_s).max(0).unsigned_abs() * 1000;
            survival.censored(age_ms, *count);
        }
        let minute_s = end_s - MINUTE_S;
        let left = self.steps.iter().filter(|(second, ..)| *second >= minute_s);
        GatewayRow {
            minute: Timestamp::from_millis(minute_s * 1000),
            gateway: gateway.to_owned(),
            left: left.count() as u64,
            inside: self.inside.values().sum(),
            leg_ms: QUANTILES.map(|q| survival.quantile(q)),
        }
    }
}

fn median<'a>(steps: impl Iterator<Item = &'a (i64, i64, i64)>) -> Option<i64> {
    let mut took: Vec<i64> = steps.map(|(.., took)| *took).collect();
    if took.len() < 5 {
        return None;
    }
    took.sort_unstable();
    Some(took[took.len() / 2])
}

keep!(Way { steps, inside });

impl Keep for Gateways {
    fn write(&self, to: &mut Writer) {
        self.0.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Unreadable> {
        Keep::read(from).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pulse::{Dims, Tuple};
    use std::sync::Arc;

    fn leg(entered_s: i64, gateway_ms: Option<i64>) -> Leg {
        Leg {
            tuple: Arc::new(Tuple {
                hash: 0,
                values: Box::default(),
            }),
            entered_s,
            gateway_ms,
        }
    }

    #[test]
    fn who_is_inside_counts_as_having_taken_at_least_so_long() {
        let dims = Dims::new(&[]);
        let mut values = Values::new(&dims);
        let gateway = values.named(crate::pulse::GATEWAY, &"gw".into());
        let mut gateways = Gateways::default();
        for second in 0..60 {
            gateways.heard(gateway, second, &leg(second, None));
            // From the thirtieth second on nobody leaves.
            if second < 30 {
                gateways.heard(gateway, second, &leg(second, Some(200)));
            }
        }
        let rows = gateways.end_second(59, &values);
        assert_eq!((rows[0].left, rows[0].inside), (30, 30));
        assert_eq!(rows[0].leg_ms, [Some(200), None, None]);
    }
}
