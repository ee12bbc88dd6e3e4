//! The payment channels of the simulated processor, each with its own manner.

use crate::draw::Family;

/// How a channel writes payment ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IdStyle {
    /// The date and twenty digits.
    Digits,
    /// A UUID.
    Uuid,
    /// Letters, the date and twelve capitals or digits.
    Reference,
}

/// What a channel's credits say besides the payment id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Nothing: the id must do.
    Bare,
    /// Amount and currency.
    Amount,
    /// Amount, currency, terminal and merchant.
    Full,
}

/// One way of a payment to its channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    /// The gateway.
    pub(crate) gateway: &'static str,
    /// The connector behind it; it belongs to one gateway.
    pub(crate) connector: &'static str,
}

const fn route(gateway: &'static str, connector: &'static str) -> Route {
    Route { gateway, connector }
}

/// One channel.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Channel {
    /// Its name on the wire.
    pub(crate) name: &'static str,
    /// Its share of the traffic, relative to the others.
    pub(crate) weight: u64,
    /// Shape of its lag.
    pub(crate) family: Family,
    /// Median lag from payment to credit, milliseconds.
    pub(crate) median_ms: u64,
    /// The ways its payments go.
    pub(crate) routes: &'static [Route],
    /// Its acquirers.
    pub(crate) acquirers: &'static [&'static str],
    /// How payers pay.
    pub(crate) methods: &'static [&'static str],
    /// Its currencies; the first is the usual one.
    pub(crate) currencies: &'static [&'static str],
    /// Its fee, millionths of the amount; 0 where the payment names none.
    pub(crate) fee_ppm: u64,
    /// Whether credits are net of the fee.
    pub(crate) net: bool,
    /// Its ids.
    pub(crate) ids: IdStyle,
    /// What its credits say.
    pub(crate) detail: Detail,
}

/// Every channel, the busiest first.
pub(crate) static CHANNELS: &[Channel] = &[
    Channel {
        name: "wechat_pay",
        weight: 34,
        family: Family::LogNormal,
        median_ms: 1600,
        routes: &[
            route("gw-a", "conn-a1"),
            route("gw-a", "conn-a1"),
            route("gw-b", "conn-b1"),
        ],
        acquirers: &["acq-north", "acq-east"],
        methods: &["qr_static", "qr_dynamic", "face"],
        currencies: &["CNY"],
        fee_ppm: 6000,
        net: false,
        ids: IdStyle::Digits,
        detail: Detail::Full,
    },
    Channel {
        name: "alipay",
        weight: 28,
        family: Family::Gamma,
        median_ms: 1900,
        routes: &[
            route("gw-a", "conn-a2"),
            route("gw-a", "conn-a2"),
            route("gw-b", "conn-b1"),
        ],
        acquirers: &["acq-east", "acq-north"],
        methods: &["qr_dynamic", "qr_static"],
        currencies: &["CNY"],
        fee_ppm: 5500,
        net: true,
        ids: IdStyle::Digits,
        detail: Detail::Full,
    },
    Channel {
        name: "unionpay_qr",
        weight: 18,
        family: Family::LogNormal,
        median_ms: 2400,
        routes: &[
            route("gw-b", "conn-b2"),
            route("gw-b", "conn-b2"),
            route("gw-c", "conn-c1"),
        ],
        acquirers: &["acq-east", "acq-south"],
        methods: &["qr_dynamic"],
        currencies: &["CNY"],
        fee_ppm: 3000,
        net: false,
        ids: IdStyle::Reference,
        detail: Detail::Full,
    },
    Channel {
        name: "unionpay_card",
        weight: 9,
        family: Family::Weibull,
        median_ms: 3200,
        routes: &[route("gw-c", "conn-c1"), route("gw-a", "conn-a2")],
        acquirers: &["acq-north", "acq-south"],
        methods: &["chip", "tap", "swipe"],
        currencies: &["CNY"],
        fee_ppm: 5500,
        net: true,
        ids: IdStyle::Reference,
        detail: Detail::Amount,
    },
    Channel {
        name: "bank_app",
        weight: 5,
        family: Family::Weibull,
        median_ms: 9000,
        routes: &[route("gw-c", "conn-c2"), route("gw-b", "conn-b2")],
        acquirers: &["acq-south", "acq-east"],
        methods: &["qr_dynamic"],
        currencies: &["CNY"],
        fee_ppm: 0,
        net: false,
        ids: IdStyle::Uuid,
        detail: Detail::Bare,
    },
    Channel {
        name: "fps_hk",
        weight: 3,
        family: Family::Gamma,
        median_ms: 2800,
        routes: &[route("gw-hk", "conn-h1"), route("gw-c", "conn-c2")],
        acquirers: &["acq-hk"],
        methods: &["qr_dynamic"],
        currencies: &["HKD", "CNY"],
        fee_ppm: 0,
        net: false,
        ids: IdStyle::Uuid,
        detail: Detail::Full,
    },
    Channel {
        name: "visa",
        weight: 3,
        family: Family::LogNormal,
        median_ms: 4500,
        routes: &[route("gw-hk", "conn-h2"), route("gw-c", "conn-c1")],
        acquirers: &["acq-hk", "acq-north"],
        methods: &["chip", "tap"],
        currencies: &["USD", "HKD", "CNY"],
        fee_ppm: 18_000,
        net: false,
        ids: IdStyle::Uuid,
        detail: Detail::Amount,
    },
];

/// The channel called `name`.
pub(crate) fn find(name: &str) -> Option<&'static Channel> {
    CHANNELS.iter().find(|channel| channel.name == name)
}
