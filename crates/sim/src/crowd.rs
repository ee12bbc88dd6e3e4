//! How many payers come, and where the additional ones of a peak go.
//!
//! Arrivals are drawn at the greatest rate that the plan ever has; each comes with the probability that the load of
//! its moment leaves (thinning, after Lewis and Shedler 1979). A plan that always has the same load draws nothing.

use crate::channels::Channel;
use crate::fault::SettledFault;
use crate::load::{Load, MOST_PERMILLE};
use crate::plan::Plan;
use crate::rng::Rng;
use crate::scenario::Scenario;
use crate::scope::Field;

/// Who comes when.
#[derive(Debug)]
pub(crate) struct Crowd {
    load: Load,
    start: i64,
    end: i64,
    peaks: Vec<Peak>,
    /// The greatest load, in thousandths of the plan's rate.
    most: i64,
}

#[derive(Debug)]
struct Peak {
    fault: SettledFault,
    channel: Option<&'static Channel>,
    /// Additional payments at its height, in thousandths of the plan's rate.
    more: i64,
}

impl Crowd {
    /// The payers of `plan`.
    pub(crate) fn new(plan: &Plan) -> Self {
        let total: u64 = plan.channels.iter().map(|channel| channel.weight).sum();
        let peaks = plan.faults.iter().filter(|fault| is_peak(fault.scenario));
        let peaks: Vec<_> = peaks
            .map(|fault| {
                let name = fault.scope.get(Field::Channel);
                let mut channels = plan.channels.iter();
                let channel = channels.find(|channel| Some(channel.name) == name).copied();
                let weight = channel.map_or(total, |channel| channel.weight);
                let times = i64::from(fault.times_permille).max(1000) - 1000;
                let share = i64::try_from(weight * 1000 / total.max(1)).unwrap_or(1000);
                Peak {
                    fault: fault.clone(),
                    channel,
                    more: times * share / 1000,
                }
            })
            .collect();
        let base = if plan.load == Load::Constant {
            1000
        } else {
            MOST_PERMILLE
        };
        Self {
            load: plan.load,
            start: plan.start,
            end: plan.end,
            most: base + peaks.iter().map(|peak| peak.more).sum::<i64>(),
            peaks,
        }
    }

    /// The mean gap between arrivals that may come, nanoseconds.
    pub(crate) fn mean_gap_ns(&self, plan: &Plan) -> u64 {
        plan.rate.mean_gap_ns() * 1000 / self.most.cast_unsigned()
    }

    /// Whether an arrival at `at` comes: on the channel of a peak, or as usual.
    pub(crate) fn comes(&self, at: i64, rng: &mut Rng) -> Option<Option<&'static Channel>> {
        if self.most == 1000 {
            return Some(None);
        }
        let mut point = rng.between(0, self.most - 1);
        point -= self.load.permille(at, self.start, self.end);
        if point < 0 {
            return Some(None);
        }
        for peak in &self.peaks {
            point -= peak.more * peak.fault.strength_permille(at) / 1000;
            if point < 0 {
                return Some(peak.channel);
            }
        }
        None
    }
}

const fn is_peak(scenario: Scenario) -> bool {
    matches!(
        scenario,
        Scenario::ChannelPeak | Scenario::Peak | Scenario::Campaign
    )
}
