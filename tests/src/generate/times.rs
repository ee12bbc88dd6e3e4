//! Times at which it matters whether a record is there.

use super::events::{About, Teller};
use crate::render::Draft;

impl Teller<'_> {
    /// A time at which it matters whether a record is there.
    pub(super) fn time(&mut self, about: &About) -> i64 {
        if about.batch && self.rng.chance(30) {
            return self.batch_time(about);
        }
        let config = self.config;
        let mut spans = vec![0, config.orphan_after_ms, config.hold_limit_ms];
        spans.extend(
            config
                .rules
                .iter()
                .flat_map(|rule| rule.tiers.iter().map(|tier| tier.after_ms)),
        );
        let written_off = config
            .rules
            .iter()
            .filter_map(|rule| Some(rule.tiers.last()?.after_ms + config.give_up_ms));
        spans.extend(written_off.filter(|after| *after < 10_000));
        match self.rng.between(0, 9) {
            0..=3 => about.at + self.rng.pick(&spans) + self.rng.pick(&[-1, 0, 0, 1]),
            4 => about.at - self.rng.pick(&[1, 50, 100, 300]),
            5 => about.at - config.orphan_after_ms + self.rng.pick(&[-1, 0, 1]),
            6 => self.latest_of(about) + self.rng.pick(&spans) + self.rng.pick(&[-1, 0, 1]),
            _ => about.at + self.rng.between(0, 1_500),
        }
    }

    /// The append time of the latest draft about this payment.
    fn latest_of(&self, about: &About) -> i64 {
        let same = |draft: &&Draft| draft.value["payment_id"] == about.id.as_str();
        let latest = self.drafts.iter().rfind(same);
        latest.map_or(about.at, |draft| draft.at_ms)
    }

    /// About when a batch is due.
    pub(super) fn batch_time(&mut self, about: &About) -> i64 {
        let days = super::calendar()
            .days
            .into_iter()
            .map(|day| day.credit_by_ms);
        let by_calendar: Vec<i64> = days.filter(|due| *due > about.at).take(4).collect();
        let due = about.expected.unwrap_or(self.rng.pick(&by_calendar));
        due + self.rng.pick(&[-1, 0, 1, 100, 101])
    }
}
