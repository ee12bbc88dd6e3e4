//! What a verdict may look at besides the rows: feeds, stages, burn rates and what is configured.

use settlewatch_join::event::Currency;

use crate::burn::{Burn, Burns};
use crate::detect::values::{ValueId, Values};
use crate::feeds::Feeds;
use crate::gateways::Gateways;
use crate::terminals::{Heartbeat, Terminals};

/// What a verdict needs besides the rows.
pub(crate) struct Around<'a> {
    pub(crate) terminals: &'a Terminals,
    pub(crate) feeds: &'a Feeds,
    pub(crate) gateways: &'a Gateways,
    /// How often a terminal reports; `None` where no feed is configured.
    pub(crate) heartbeat: Option<Heartbeat>,
    pub(crate) account_feed: bool,
    pub(crate) marker_feed: bool,
    /// Since when a whole stream says nothing, in milliseconds.
    pub(crate) silent_since_ms: Option<i64>,
    /// When whole streams said nothing, since and until in milliseconds.
    pub(crate) silences_ms: Vec<(i64, i64)>,
    pub(crate) critical_minor: &'a [(Currency, u64)],
    pub(crate) burns: &'a Burns,
    pub(crate) objective_ppm: u32,
}

impl Around<'_> {
    /// How fast that one of `channels` spends its error budget that does so fastest.
    pub(crate) fn worst_burn(
        &self,
        channels: &[ValueId],
        second: i64,
        values: &Values,
    ) -> Option<Burn> {
        let burns = channels.iter().map(|channel| {
            let name = values.text(*channel).1;
            self.burns.named(*channel, name, second, self.objective_ppm)
        });
        burns.max_by(|a, b| {
            let times = |burn: &Burn| burn.fast.times.unwrap_or(-1.0);
            let by_name = b.channel.cmp(&a.channel);
            times(a).total_cmp(&times(b)).then(by_name)
        })
    }
}
