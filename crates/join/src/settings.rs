//! What the decision depends on, compiled from the configuration.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::calendar::Calendar;
use crate::event::{Currency, SettleMode};
use crate::time::{Span, Timestamp};

/// Everything the decision depends on besides the records and known time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Names the rules: 48 bits of a hash of their text. Shown, never compared.
    pub version: u64,
    /// Names of the streams, indexed by [`Place::stream`](crate::event::Place).
    pub streams: Vec<String>,
    /// Rules in order: the first that matches a payment applies. The last matches everything.
    pub rules: Vec<Rule>,
    /// How long a payment may be seen again and count as redelivered.
    pub redelivery_horizon: Span,
    /// How long a credit may wait for its payment before it is an orphan.
    pub orphan_after: Span,
    /// How far apart two payments of one payer may be and count as duplicates.
    pub duplicate_window: Span,
    /// How long a hold may last that names no release time.
    pub hold_limit: Span,
    /// How long after the start of knowledge an unmatched record may refer to what came before it.
    pub beginning: Span,
    /// How long a credited payment keeps its details after it closed.
    pub closed_keep: Span,
    /// The attributes that an alert shows, in order.
    pub dimensions: Vec<Dimension>,
}

impl Settings {
    /// Whether a rule or a dimension names this attribute; the others are not kept.
    pub fn keeps_attr(&self, name: &str) -> bool {
        let in_dimensions = self.dimensions.iter().any(|dimension| match dimension {
            Dimension::Attr(attr) => attr == name,
            _ => false,
        });
        in_dimensions
            || self
                .rules
                .iter()
                .any(|rule| rule.matcher.attrs.iter().any(|(attr, _)| attr == name))
    }
}

/// One service level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its unique name.
    pub name: String,
    /// Which payments it is for.
    pub matcher: Matcher,
    /// Batch settlement: the tiers count from a due time instead of the append time.
    pub due: Option<Due>,
    /// At least one; strictly increasing.
    pub tiers: Vec<Tier>,
    /// After the last tier, the payment is written off.
    pub give_up: Span,
}

/// A step of escalation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tier {
    /// `warn`, `breach`, `escalate`, or a configured name; shared with every alert of the tier.
    pub name: Arc<str>,
    /// Time after the append time, or after the due time.
    pub after: Span,
}

/// When a batch payment is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The calendar that says so where the payment does not.
    pub calendar: Arc<Calendar>,
    /// Business days after the first business day on or after the append date.
    pub business_days: u32,
}

/// Conditions that must all hold; an empty list is no condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matcher {
    /// Any of these channels.
    pub channel: Vec<String>,
    /// Any of these modes.
    pub settle_mode: Vec<SettleMode>,
    /// Any of these merchants.
    pub merchant_id: Vec<String>,
    /// Any of these currencies.
    pub currency: Vec<Currency>,
    /// At least this many minor units.
    pub amount_min: Option<u64>,
    /// At most this many minor units.
    pub amount_max: Option<u64>,
    /// Any of these methods.
    pub method: Vec<String>,
    /// Any of these regions.
    pub region: Vec<String>,
    /// Any of these gateways.
    pub gateway: Vec<String>,
    /// Any of these connectors.
    pub connector: Vec<String>,
    /// Attribute name and any of its values.
    pub attrs: Vec<(String, Vec<String>)>,
}

/// An attribute of a payment that an alert shows and an incident is localised by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// `channel`.
    Channel,
    /// `gateway`.
    Gateway,
    /// `acquirer`.
    Acquirer,
    /// `connector`.
    Connector,
    /// `region`.
    Region,
    /// `carrier`.
    Carrier,
    /// `store_id`.
    StoreId,
    /// `merchant_id`.
    MerchantId,
    /// `terminal_id`.
    TerminalId,
    /// `terminal_model`.
    TerminalModel,
    /// `pos_vendor`.
    PosVendor,
    /// `app_version`.
    AppVersion,
    /// `method`.
    Method,
    /// `mcc`.
    Mcc,
    /// `currency`.
    Currency,
    /// `settle_mode`.
    SettleMode,
    /// `attrs.NAME`.
    Attr(String),
}

impl Dimension {
    /// The dimension of a field name (`region`, `attrs.lane`); `None` where there is no such field.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "channel" => Self::Channel,
            "gateway" => Self::Gateway,
            "acquirer" => Self::Acquirer,
            "connector" => Self::Connector,
            "region" => Self::Region,
            "carrier" => Self::Carrier,
            "store_id" => Self::StoreId,
            "merchant_id" => Self::MerchantId,
            "terminal_id" => Self::TerminalId,
            "terminal_model" => Self::TerminalModel,
            "pos_vendor" => Self::PosVendor,
            "app_version" => Self::AppVersion,
            "method" => Self::Method,
            "mcc" => Self::Mcc,
            "currency" => Self::Currency,
            "settle_mode" => Self::SettleMode,
            _ => {
                let attr = name
                    .strip_prefix("attrs.")
                    .filter(|attr| !attr.is_empty())?;
                Self::Attr(attr.into())
            }
        })
    }

    /// The field name.
    pub fn name(&self) -> String {
        match self {
            Self::Channel => "channel".into(),
            Self::Gateway => "gateway".into(),
            Self::Acquirer => "acquirer".into(),
            Self::Connector => "connector".into(),
            Self::Region => "region".into(),
            Self::Carrier => "carrier".into(),
            Self::StoreId => "store_id".into(),
            Self::MerchantId => "merchant_id".into(),
            Self::TerminalId => "terminal_id".into(),
            Self::TerminalModel => "terminal_model".into(),
            Self::PosVendor => "pos_vendor".into(),
            Self::AppVersion => "app_version".into(),
            Self::Method => "method".into(),
            Self::Mcc => "mcc".into(),
            Self::Currency => "currency".into(),
            Self::SettleMode => "settle_mode".into(),
            Self::Attr(name) => alloc::format!("attrs.{name}"),
        }
    }
}

/// From when a partition knows its inputs (S10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnowsSince(pub Timestamp);

impl KnowsSince {
    /// Whether a business time refers to what came before knowledge began.
    pub fn before_horizon(self, occurred_at: Timestamp, beginning: Span) -> bool {
        occurred_at < self.0 + beginning
    }
}
