//! Where a fault is: fields of payments and the values that they must have.

use crate::error::PlanError;
use crate::event::Payment;
use crate::scenario::nearest;
use crate::world::{Terminal, World};

/// What a fault can be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// The channel.
    Channel,
    /// The gateway.
    Gateway,
    /// The connector behind a gateway.
    Connector,
    /// The acquirer.
    Acquirer,
    /// The region of the merchant.
    Region,
    /// The carrier that connects the store.
    Carrier,
    /// The store.
    Store,
    /// The merchant.
    Merchant,
    /// The terminal.
    Terminal,
    /// The terminal's model.
    Model,
    /// The terminal's vendor.
    Vendor,
    /// The version of the terminal's software.
    AppVersion,
    /// How the payer pays.
    Method,
    /// The merchant's category.
    Mcc,
    /// A stream of records: whatever is on it.
    Stream,
    /// A partition of that stream.
    Partition,
}

impl Field {
    /// Every field.
    pub const ALL: [Self; 16] = [
        Self::Channel,
        Self::Gateway,
        Self::Connector,
        Self::Acquirer,
        Self::Region,
        Self::Carrier,
        Self::Store,
        Self::Merchant,
        Self::Terminal,
        Self::Model,
        Self::Vendor,
        Self::AppVersion,
        Self::Method,
        Self::Mcc,
        Self::Stream,
        Self::Partition,
    ];

    /// Its name in events and in the scopes of incidents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Channel => "channel",
            Self::Gateway => "gateway",
            Self::Connector => "connector",
            Self::Acquirer => "acquirer",
            Self::Region => "region",
            Self::Carrier => "carrier",
            Self::Store => "store_id",
            Self::Merchant => "merchant_id",
            Self::Terminal => "terminal_id",
            Self::Model => "terminal_model",
            Self::Vendor => "pos_vendor",
            Self::AppVersion => "app_version",
            Self::Method => "method",
            Self::Mcc => "mcc",
            Self::Stream => "stream",
            Self::Partition => "partition",
        }
    }

    /// The field called `name`.
    ///
    /// # Errors
    /// [`PlanError::UnknownField`], with the nearest name where one is near.
    pub fn parse(name: &str) -> Result<Self, PlanError> {
        let found = Self::ALL.into_iter().find(|field| field.name() == name);
        found.ok_or_else(|| PlanError::UnknownField {
            name: name.to_owned(),
            nearest: nearest(name, Self::ALL.iter().map(|field| field.name())),
        })
    }

    /// The least share of the traffic that a place drawn for a fault has, in thousandths: below it, twenty minutes
    /// show too little.
    pub(crate) const fn least_permille(self) -> usize {
        match self {
            Self::Terminal => 4,
            Self::Store => 5,
            Self::Merchant => 6,
            _ => 50,
        }
    }

    /// The value of `payment`; `None` where it is no matter of payments.
    pub(crate) fn of<'a>(self, payment: &'a Payment, world: &'a World) -> Option<&'a str> {
        Some(match self {
            Self::Channel => payment.channel.name,
            Self::Gateway => payment.route.gateway,
            Self::Connector => payment.route.connector,
            Self::Acquirer => payment.acquirer,
            Self::Merchant => &payment.merchant_id,
            Self::Terminal => &payment.terminal_id,
            Self::Method => payment.method,
            Self::Stream | Self::Partition => return None,
            _ => return self.of_terminal(&world.terminals[payment.terminal], world),
        })
    }

    /// The value of `terminal`; `None` where it is no matter of terminals.
    pub(crate) fn of_terminal<'a>(
        self,
        terminal: &'a Terminal,
        world: &'a World,
    ) -> Option<&'a str> {
        Some(match self {
            Self::Region => terminal.region,
            Self::Carrier => terminal.carrier,
            Self::Store => &terminal.store,
            Self::Merchant => &world.merchants[terminal.merchant].id,
            Self::Terminal => &terminal.id,
            Self::Model => terminal.model,
            Self::Vendor => terminal.vendor,
            Self::AppVersion => terminal.app_version,
            Self::Mcc => world.merchants[terminal.merchant].mcc,
            _ => return None,
        })
    }
}

/// All of these must hold; without any, it is everywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scope(pub(crate) Vec<(Field, String)>);

impl Scope {
    /// The value that it asks of `field`.
    pub(crate) fn get(&self, field: Field) -> Option<&str> {
        let found = self.0.iter().find(|(own, _)| *own == field);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether `payment` lies within; streams and partitions are no matter of payments.
    pub(crate) fn holds(&self, payment: &Payment, world: &World) -> bool {
        let asked = self.0.iter();
        asked
            .filter_map(|(field, value)| Some((field.of(payment, world)?, value)))
            .all(|(own, value)| own == value)
    }

    /// Whether `terminal` lies within: everything asked is a matter of terminals, and holds.
    pub(crate) fn holds_terminal(&self, terminal: &Terminal, world: &World) -> bool {
        let mut asked = self.0.iter();
        !self.0.is_empty()
            && asked.all(|(field, value)| field.of_terminal(terminal, world) == Some(value))
    }

    /// As incidents write it.
    pub(crate) fn names(&self) -> Vec<(&'static str, String)> {
        let named = self.0.iter();
        named
            .map(|(field, value)| (field.name(), value.clone()))
            .collect()
    }
}
