//! Who pays where: merchants and terminals whose attributes hang together.

use crate::channels::Channel;
use crate::draw::{Family, Zipf};
use crate::fault::SettledFault;
use crate::policy;
use crate::rng::Rng;
use crate::scenario::Scenario;
use crate::scope::Field;

/// Purpose of the random stream that makes the world.
const WORLD: u64 = 1;

const REGIONS: &[&str] = &["east", "north", "south", "southwest", "northwest"];
const MCCS: &[&str] = &[
    "5411", "5812", "5814", "5541", "5999", "7011", "4111", "8062",
];
/// Model, vendor and the versions in use, newest first.
const MODELS: &[(&str, &str, &[&str])] = &[
    ("AX-20", "axon", &["3.2.1", "3.2.0", "3.1.4"]),
    ("AX-50", "axon", &["3.2.1", "3.1.4"]),
    ("Lumo-7", "lumo", &["7.0.3", "6.9.8"]),
    ("Lumo-9", "lumo", &["7.0.3"]),
    ("K200", "kestrel", &["2.14.0", "2.13.2", "2.11.0"]),
];
/// What no shop should run any more.
const OLD_VERSION: &str = "1.0.4";
const CARRIERS: &[&str] = &["cmcc", "ctcc", "cucc", "cbn"];

/// A merchant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Merchant {
    pub(crate) id: String,
    pub(crate) mcc: &'static str,
    /// Whether its system acknowledges credits.
    pub(crate) acknowledges: bool,
}

/// A terminal and what follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Terminal {
    pub(crate) id: String,
    /// Index of its merchant.
    pub(crate) merchant: usize,
    pub(crate) store: String,
    pub(crate) region: &'static str,
    pub(crate) carrier: &'static str,
    pub(crate) model: &'static str,
    pub(crate) vendor: &'static str,
    pub(crate) app_version: &'static str,
    /// Whether it is never off nor started anew but for a fault.
    pub(crate) steady: bool,
    /// Whether it is wired; otherwise it has a radio.
    pub(crate) wired: bool,
    /// The checkout lane it stands at.
    pub(crate) lane: u64,
}

/// All of them.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) merchants: Vec<Merchant>,
    pub(crate) terminals: Vec<Terminal>,
    pub(crate) channels: Vec<&'static Channel>,
    /// The lag of each of them: its shape and its median in milliseconds.
    lags: Vec<(Family, u64)>,
    by_rank: Zipf,
    /// Steps from one rank to the next.
    stride: usize,
    /// Whether few regions, carriers, models and merchants have much of the traffic, rather than all the same.
    varied: bool,
}

impl World {
    /// The world of `seed` with `terminals` terminals, at least one, and `channels`.
    pub(crate) fn new(
        seed: u64,
        terminals: u32,
        channels: &[&'static Channel],
        varied: bool,
    ) -> Self {
        let mut rng = Rng::stream(seed, WORLD, 0);
        let mut manners = Rng::stream(seed, WORLD, 1);
        let len = terminals.max(1) as usize;
        let from = (len * 5 / 8).max(1);
        let flatness = if varied { 4 + manners.below(24) } else { 0 };
        let lags = channels.iter().map(|channel| {
            if varied {
                let scale = 500 + manners.below(1500);
                let family = manners.pick(&Family::LAGS);
                // Whoever sets service levels sets them beyond what a channel ordinarily takes.
                let most_ms = policy::first_tier_ms(channel) * 800 / family.p99_permille();
                (family, (channel.median_ms * scale / 1000).min(most_ms))
            } else {
                (channel.family, channel.median_ms)
            }
        });
        let mut world = Self {
            merchants: Vec::new(),
            terminals: Vec::new(),
            lags: lags.collect(),
            channels: channels.to_vec(),
            by_rank: Zipf::new(len, flatness),
            stride: (from..=len)
                .find(|stride| coprime(*stride, len))
                .unwrap_or(1),
            varied,
        };
        while world.terminals.len() < len {
            world.open_merchant(len, &mut rng);
        }
        world
    }

    /// Makes of it what `faults` need: a merchant that acknowledges late acknowledges, old software is installed, and
    /// terminals, stores and merchants with a fault have no other trouble.
    pub(crate) fn suit(&mut self, faults: &[SettledFault]) {
        for fault in faults {
            let acknowledges = fault.scenario == Scenario::MerchantBackendSlow;
            let is_narrow = [Field::Terminal, Field::Store, Field::Merchant]
                .iter()
                .any(|field| fault.scope.get(*field).is_some());
            let is_old = fault.scenario == Scenario::MerchantOperation && fault.variant == 1;
            for index in 0..self.terminals.len() {
                if !fault.scope.holds_terminal(&self.terminals[index], self) {
                    continue;
                }
                let terminal = &mut self.terminals[index];
                terminal.steady |= is_narrow;
                self.merchants[terminal.merchant].acknowledges |= acknowledges;
                if is_old {
                    terminal.app_version = OLD_VERSION;
                }
            }
        }
    }

    /// One of `items`: the first are more frequent where the world is varied.
    fn uneven<T: Copy>(&self, items: &[T], rng: &mut Rng) -> T {
        if self.varied {
            items[Zipf::new(items.len(), 1).draw(rng)]
        } else {
            rng.pick(items)
        }
    }

    /// Adds a merchant with one to three stores of one to four terminals, while there are terminals left.
    fn open_merchant(&mut self, limit: usize, rng: &mut Rng) {
        let merchant = self.merchants.len();
        self.merchants.push(Merchant {
            id: format!("M{:06}", 100_000 + merchant * 7),
            mcc: self.uneven(MCCS, rng),
            acknowledges: !self.varied || rng.permille(400),
        });
        let region = self.uneven(REGIONS, rng);
        for store in 0..=rng.below(3) {
            let carrier = self.uneven(CARRIERS, rng);
            for lane in 0..=rng.below(4) {
                if self.terminals.len() == limit {
                    return;
                }
                let (model, vendor, versions) = self.uneven(MODELS, rng);
                let app_version = self.uneven(versions, rng);
                self.terminals.push(Terminal {
                    id: format!("T{:07}", 1_000_003 + self.terminals.len() * 13),
                    merchant,
                    store: format!("S{merchant:05}-{store}"),
                    region,
                    carrier,
                    model,
                    vendor,
                    app_version,
                    steady: !self.varied,
                    wired: rng.permille(300),
                    lane: lane + 1,
                });
            }
        }
    }

    /// The lag of a payment on `channel`, milliseconds.
    pub(crate) fn draw_lag(&self, channel: &Channel, rng: &mut Rng) -> u64 {
        let place = self
            .channels
            .iter()
            .position(|own| own.name == channel.name);
        let (family, median_ms) = self.lags[place.unwrap_or(0)];
        family.draw(median_ms, rng)
    }

    /// A terminal by its rank in the traffic. Ranks are spread over the merchants, so that the busiest
    /// terminals are not all of the first.
    pub(crate) fn draw_terminal(&self, rng: &mut Rng) -> usize {
        self.by_rank.draw(rng) * self.stride % self.terminals.len()
    }

    /// A channel by its share of the traffic.
    pub(crate) fn draw_channel(&self, rng: &mut Rng) -> &'static Channel {
        let total: u64 = self.channels.iter().map(|channel| channel.weight).sum();
        let mut point = rng.below(total);
        for channel in &self.channels {
            if point < channel.weight {
                return channel;
            }
            point -= channel.weight;
        }
        self.channels[0]
    }
}

fn coprime(a: usize, b: usize) -> bool {
    let (mut a, mut b) = (a, b);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a == 1
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::channels::CHANNELS;

    #[test]
    fn every_terminal_can_be_drawn() {
        let channels: Vec<_> = CHANNELS.iter().collect();
        let world = World::new(1, 40, &channels, false);
        let mut rng = Rng::new(2);
        let seen: BTreeSet<_> = (0..5000).map(|_| world.draw_terminal(&mut rng)).collect();
        assert_eq!(seen.len(), 40);
    }

    #[test]
    fn a_store_has_one_carrier_and_a_merchant_one_region() {
        let channels: Vec<_> = CHANNELS.iter().collect();
        let world = World::new(1, 200, &channels, false);
        for pair in world.terminals.windows(2) {
            assert!(pair[0].store != pair[1].store || pair[0].carrier == pair[1].carrier);
            assert!(pair[0].merchant != pair[1].merchant || pair[0].region == pair[1].region);
        }
    }
}
