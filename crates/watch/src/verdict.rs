//! From a place and what its payments show to a cause: the rules of the table of causes, in one order.

mod terminals;

use settlewatch_join::Timestamp;
use settlewatch_join::event::{MarkerKind, RefusalClass};

use crate::around::Around;
use crate::detect::Detector;
use crate::detect::scope::Scope;
use crate::detect::values::ValueId;
use crate::evidence::Tally;
use crate::incident::cause::Cause;
use crate::incident::{Basis, Finding};
use crate::pulse::{
    APP, CARRIER, CHANNEL, CONNECTOR, GATEWAY, MERCHANT, MODEL, REGION, STORE, TERMINAL, VENDOR,
};
use crate::terminals::Hearts;

/// A channel is at a peak from so many times its usual payments on.
const PEAK: f64 = 1.5;

/// Where fewer than this share of all payments suffer, not all of them do.
const PARTIAL: f64 = 0.15;

/// So many that suffer tell how many do.
const TELLING: u64 = 20;

/// Hardware that fails shows it so long before.
const HARDWARE_MS: i64 = 10 * 60 * 1000;

/// Everything that a verdict may look at.
pub(crate) struct Scene<'a> {
    pub(crate) detector: &'a Detector,
    pub(crate) around: &'a Around<'a>,
    pub(crate) scope: &'a Scope,
    pub(crate) named: &'a [(String, Vec<String>)],
    pub(crate) onset_ms: i64,
    pub(crate) now: Timestamp,
    pub(crate) tally: &'a Tally,
    /// Whether credits stopped altogether.
    pub(crate) was_down: bool,
}

/// A verdict in the making.
struct Draft {
    cause: Cause,
    basis: Basis,
    ruled_out: Vec<String>,
}

impl Draft {
    fn new(cause: Cause, basis: Basis) -> Self {
        Self {
            cause,
            basis,
            ruled_out: Vec::new(),
        }
    }

    fn but(mut self, text: &str) -> Self {
        self.ruled_out.push(text.into());
        self
    }
}

impl Scene<'_> {
    /// The verdict, its basis and what was ruled out.
    pub(crate) fn verdict(&self, confidence: f64) -> Finding {
        let draft = self
            .by_names()
            .or_else(|| self.by_delay())
            .or_else(|| self.by_rejections())
            .or_else(|| self.by_amount())
            .unwrap_or_else(|| self.by_place());
        let confidence = match draft.basis {
            Basis::Confirmed => confidence,
            Basis::Inferred => confidence * 0.95,
            Basis::Guess => confidence * 0.6,
        };
        Finding {
            cause: draft.cause,
            basis: draft.basis,
            confidence: (confidence * 100.0).round() / 100.0,
            ruled_out: draft.ruled_out,
        }
    }

    /// Credited, but under other ids than those that were paid.
    fn by_names(&self) -> Option<Draft> {
        self.tally.is_misnamed().then(|| {
            Draft::new(Cause::IdCorrupted, Basis::Inferred)
                .but("not lost: credits of nearly the same ids came without a payment")
        })
    }

    /// Credited in time by business time, appended late: the records were under way.
    fn by_delay(&self) -> Option<Draft> {
        let source = self.scope.is_everything()
            || self.scope.has(GATEWAY)
            || self.scope.has(CONNECTOR)
            || self.scope.has(CHANNEL);
        (source && self.tally.is_under_way()).then(|| {
            Draft::new(Cause::SyncDelay, Basis::Inferred)
                .but("no congestion: by business time the credits were in time")
        })
    }

    fn by_rejections(&self) -> Option<Draft> {
        let class = self.tally.main_class()?;
        let cause = match class {
            RefusalClass::Limit | RefusalClass::Frequency => Cause::LimitExceeded,
            RefusalClass::Insufficient => Cause::BalanceInsufficient,
            RefusalClass::Frozen => return Some(self.frozen()),
            RefusalClass::Format => return Some(self.interface()),
            RefusalClass::Duplicate => Cause::DuplicatePayment,
            _ if self.scope.is_everything() => Cause::PlatformBackend,
            _ => return None,
        };
        Some(Draft::new(cause, Basis::Confirmed))
    }

    fn by_amount(&self) -> Option<Draft> {
        self.tally.amount_above()?;
        Some(
            Draft::new(Cause::LimitExceeded, Basis::Inferred)
                .but("not the place alone: smaller amounts are credited"),
        )
    }

    fn by_place(&self) -> Draft {
        let scope = self.scope;
        if scope.is_everything() {
            return self.everything();
        }
        if scope.has(TERMINAL) {
            return self.terminal();
        }
        if scope.has(MERCHANT) {
            return self.merchant();
        }
        let path = scope.has(GATEWAY) || scope.has(CONNECTOR);
        if scope.has(CHANNEL) && path && !self.is_changed() {
            return self.channel();
        }
        if scope.has(CONNECTOR)
            && (self.is_gateway_slow(self.only_gateway()) || self.is_gateway_late())
        {
            return self.gateway();
        }
        if scope.has(CONNECTOR) && self.is_channel_slow() {
            return self.channel();
        }
        if scope.has(CONNECTOR) || scope.has(VENDOR) && !scope.has(APP) {
            return self.interface();
        }
        if scope.has(APP) || scope.has(MODEL) {
            return self.release();
        }
        if scope.has(STORE) || scope.has(REGION) || scope.has(CARRIER) {
            return self.network();
        }
        if scope.has(GATEWAY) {
            return self.gateway();
        }
        if scope.has(CHANNEL) {
            return self.channel();
        }
        let config = self.marker(MarkerKind::Config);
        if config {
            return Draft::new(Cause::IntegrationConfig, Basis::Confirmed);
        }
        Draft::new(Cause::Unexplained, Basis::Guess)
    }

    /// Nothing stands out. What a few payments of every place suffer from is not what is behind all of them.
    fn everything(&self) -> Draft {
        let partial =
            !self.was_down && self.tally.slow >= TELLING && self.tally.rate_during() < PARTIAL;
        let draft = if partial {
            Draft::new(Cause::Unexplained, Basis::Guess)
                .but("not the platform as a whole: most payments are credited as ever")
        } else {
            Draft::new(Cause::PlatformBackend, Basis::Inferred)
        };
        draft.but("no channel, gateway or region stands out")
    }

    fn marker(&self, kind: MarkerKind) -> bool {
        self.around
            .feeds
            .blamed(kind, self.named, self.onset_ms)
            .is_some()
    }

    /// Whether somebody changed something just before.
    fn is_changed(&self) -> bool {
        self.marker(MarkerKind::Config) || self.marker(MarkerKind::Deploy)
    }

    fn interface(&self) -> Draft {
        let draft = if self.marker(MarkerKind::Config) {
            Draft::new(Cause::IntegrationConfig, Basis::Confirmed)
        } else if self.marker(MarkerKind::Deploy) {
            Draft::new(Cause::InterfaceFault, Basis::Confirmed)
        } else {
            Draft::new(Cause::InterfaceFault, Basis::Inferred)
        };
        if self.around.marker_feed {
            draft
        } else {
            draft.but("no marker feed configured: cannot tell whether a change was made")
        }
    }

    fn frozen(&self) -> Draft {
        Draft::new(Cause::AccountFrozen, Basis::Confirmed)
    }

    fn merchant(&self) -> Draft {
        if self.is_frozen(self.scope.only(MERCHANT)) {
            return self.frozen();
        }
        if self.is_ill_operated() {
            return Draft::new(Cause::MerchantOperation, Basis::Confirmed);
        }
        match self.hearts() {
            Hearts::Stopped => {
                return Draft::new(Cause::NetworkRegion, Basis::Confirmed)
                    .but("not the account: the terminals' heartbeats stopped");
            }
            Hearts::NoFeed => {}
            Hearts::Unknown | Hearts::Alive => {
                if let Some(outdated) = self.outdated() {
                    return outdated;
                }
                if self.tally.rate_during() < 0.6 {
                    return Draft::new(Cause::Unexplained, Basis::Guess)
                        .but("not the account: some payments are credited");
                }
            }
        }
        let draft = Draft::new(Cause::AccountSuspect, Basis::Inferred);
        if self.around.account_feed {
            draft.but("the account feed says nothing of this merchant")
        } else {
            draft.but("no account feed configured: cannot tell whether the account is frozen")
        }
    }

    /// The merchant that all bad payments have in common.
    fn only_merchant(&self) -> Option<ValueId> {
        match self.tally.merchants.as_slice() {
            [merchant] => Some(*merchant),
            _ => None,
        }
    }

    /// The gateway that the scope names, or that all of its bad payments went through.
    fn only_gateway(&self) -> Option<ValueId> {
        let named = self.scope.only(GATEWAY);
        named.or_else(|| match self.tally.gateways.as_slice() {
            [gateway] if *gateway != ValueId::NONE => Some(*gateway),
            _ => None,
        })
    }

    /// Whether all bad payments of a connector are of one channel and come late rather than never, though nobody changed
    /// anything: connector and channel are the same payments then, and a slow channel is congested.
    fn is_channel_slow(&self) -> bool {
        self.tally.channels.len() == 1 && self.is_late()
    }

    /// The same of several channels and the only connector of a gateway of which no stages are reported: a gateway delays
    /// what an interface loses.
    fn is_gateway_late(&self) -> bool {
        let Some(gateway) = self.only_gateway() else {
            return false;
        };
        let whole = Scope::one(GATEWAY, gateway);
        self.tally.channels.len() > 1
            && self.is_late()
            && !self.around.gateways.is_known(gateway)
            && self
                .detector
                .are_same(self.scope, &whole, self.onset_ms.div_euclid(1000))
    }

    /// Whether its payments come late rather than never, though nobody changed anything.
    fn is_late(&self) -> bool {
        let late = self.tally.slow >= 6 && self.tally.slow_credited * 2 >= self.tally.slow;
        late && !self.is_changed()
    }

    /// Whether the stages say that a gateway itself takes longer since the fault began.
    fn is_gateway_slow(&self, gateway: Option<ValueId>) -> bool {
        let second = |ms: i64| ms.div_euclid(1000);
        gateway.is_some_and(|gateway| {
            let (onset_s, now_s) = (second(self.onset_ms), second(self.now.millis()));
            self.around
                .gateways
                .grown(gateway, onset_s, now_s)
                .is_some()
        })
    }

    /// Whether the status of a merchant's account says that it was frozen while payments were bad.
    fn is_frozen(&self, merchant: Option<ValueId>) -> bool {
        merchant.is_some_and(|merchant| {
            let id = self.detector.values.text(merchant).1;
            self.around
                .feeds
                .was_frozen(id, self.onset_ms, self.until().millis())
        })
    }

    fn network(&self) -> Draft {
        if self.is_frozen(self.only_merchant()) {
            return self.frozen();
        }
        if self.is_ill_operated() {
            return Draft::new(Cause::MerchantOperation, Basis::Confirmed);
        }
        match self.hearts() {
            Hearts::Stopped => Draft::new(Cause::NetworkRegion, Basis::Confirmed),
            // A network that fails does not choose a channel.
            _ if self.scope.has(CHANNEL) => self.channel(),
            Hearts::Alive => Draft::new(Cause::NetworkRegion, Basis::Guess)
                .but("the terminals' heartbeats come: the network may be up"),
            Hearts::Unknown => Draft::new(Cause::NetworkRegion, Basis::Guess)
                .but("too few heartbeats are due to tell whether the terminals are up"),
            Hearts::NoFeed => {
                Draft::new(Cause::NetworkRegion, Basis::Guess).but(&self.without_hearts("hardware"))
            }
        }
    }

    fn gateway(&self) -> Draft {
        let gateway = self.only_gateway();
        if self.is_gateway_slow(gateway) {
            return Draft::new(Cause::GatewayDelay, Basis::Confirmed);
        }
        let known = gateway.is_some_and(|gateway| self.around.gateways.is_known(gateway));
        let draft = Draft::new(
            Cause::GatewayDelay,
            if known { Basis::Inferred } else { Basis::Guess },
        );
        if known {
            draft.but("its own leg is not longer, as far as stages are reported")
        } else {
            draft.but("no stages are reported: cannot tell its leg from what follows")
        }
    }

    fn channel(&self) -> Draft {
        if self.was_down {
            return Draft::new(Cause::ChannelDown, Basis::Inferred);
        }
        if self.peak().is_some_and(|peak| peak >= PEAK) {
            return Draft::new(Cause::ChannelPeakCongested, Basis::Inferred);
        }
        Draft::new(Cause::ChannelCongested, Basis::Inferred)
            .but("no peak: payments come at their usual rate")
    }

    /// Payments a second now, against what was usual before the fault; less where payments elsewhere rise as well: a
    /// load that grows for all is no peak of a channel.
    fn peak(&self) -> Option<f64> {
        let inside = self.rise(true)?;
        let outside = self.rise(false).unwrap_or(1.0);
        Some(inside / outside.max(1.0))
    }

    /// The same of the scope, or of everything else.
    fn rise(&self, inside: bool) -> Option<f64> {
        const BUCKET_MS: i64 = 20_000;
        let until = self.now.millis() - 15_000;
        let mut buckets = std::collections::BTreeMap::<i64, u32>::new();
        for row in self.detector.rows.all() {
            if self.scope.holds(self.detector.values.of(row.tuple)) == inside {
                *buckets
                    .entry(row.accepted_ms.div_euclid(BUCKET_MS))
                    .or_default() += 1;
            }
        }
        // The first may be cut, and the last is not complete.
        buckets.pop_first();
        let onset = self.onset_ms.div_euclid(BUCKET_MS);
        let mut usual: Vec<u32> = buckets.range(..onset).map(|(_, count)| *count).collect();
        let now: Vec<u32> = buckets
            .range(onset..until.div_euclid(BUCKET_MS).max(onset))
            .map(|(_, count)| *count)
            .collect();
        if usual.len() < 2 || now.is_empty() {
            return None;
        }
        usual.sort_unstable();
        let usual = f64::from(usual[usual.len() / 3]).max(1.0);
        let now = f64::from(now.iter().sum::<u32>()) / now.len() as f64;
        Some(now / usual)
    }

    /// When the last payment came that the fault spoiled, as far as is known.
    fn until(&self) -> Timestamp {
        Timestamp::from_millis(self.tally.last_bad_ms.max(self.onset_ms))
    }
}
