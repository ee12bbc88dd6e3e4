//! The attributes of a payment as a tuple over the dimensions, shared by all that have the same.

use std::sync::Arc;

use settlewatch_join::Fingerprint;
use settlewatch_join::event::Succeeded;
use settlewatch_join::settings::Dimension;

use crate::tables::Map;

/// A dimension, by its place in every tuple.
pub type DimIndex = usize;

/// `channel`.
pub const CHANNEL: DimIndex = 0;
/// `gateway`.
pub const GATEWAY: DimIndex = 1;
/// `acquirer`.
pub const ACQUIRER: DimIndex = 2;
/// `connector`.
pub const CONNECTOR: DimIndex = 3;
/// `region`.
pub const REGION: DimIndex = 4;
/// `carrier`.
pub const CARRIER: DimIndex = 5;
/// `store_id`.
pub const STORE: DimIndex = 6;
/// `merchant_id`.
pub const MERCHANT: DimIndex = 7;
/// `terminal_id`.
pub const TERMINAL: DimIndex = 8;
/// `terminal_model`.
pub const MODEL: DimIndex = 9;
/// `pos_vendor`.
pub const VENDOR: DimIndex = 10;
/// `app_version`.
pub const APP: DimIndex = 11;
/// `method`.
pub const METHOD: DimIndex = 12;
/// `mcc`.
pub const MCC: DimIndex = 13;
/// `currency`.
pub const CURRENCY: DimIndex = 14;
/// `settle_mode`.
pub const MODE: DimIndex = 15;

/// Dimensions that every tuple has; the configured `attrs` follow.
pub const STANDARD: usize = 16;

/// The dimensions of all tuples: the fields of a payment, then configured attributes.
#[derive(Clone, Debug)]
pub struct Dims {
    all: Vec<Dimension>,
    /// Those by which incidents are localised, in the order of the configuration.
    localised: Vec<DimIndex>,
}

impl Dims {
    /// The dimensions of a configuration.
    pub fn new(configured: &[Dimension]) -> Self {
        let mut all = vec![
            Dimension::Channel,
            Dimension::Gateway,
            Dimension::Acquirer,
            Dimension::Connector,
            Dimension::Region,
            Dimension::Carrier,
            Dimension::StoreId,
            Dimension::MerchantId,
            Dimension::TerminalId,
            Dimension::TerminalModel,
            Dimension::PosVendor,
            Dimension::AppVersion,
            Dimension::Method,
            Dimension::Mcc,
            Dimension::Currency,
            Dimension::SettleMode,
        ];
        debug_assert_eq!(all.len(), STANDARD, "the constants name every field");
        let attrs = configured.iter();
        all.extend(
            attrs
                .filter(|dim| matches!(dim, Dimension::Attr(_)))
                .cloned(),
        );
        let place = |dim: &Dimension| all.iter().position(|known| known == dim);
        let localised = configured.iter().filter_map(place).collect();
        Self { all, localised }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Never: the fields are always there.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Those by which incidents are localised.
    pub fn localised(&self) -> &[DimIndex] {
        &self.localised
    }

    /// The field's name.
    pub fn name(&self, dim: DimIndex) -> String {
        self.all[dim].name()
    }

    /// The dimension of a field's name.
    pub fn find(&self, name: &str) -> Option<DimIndex> {
        let dimension = Dimension::parse(name)?;
        self.all.iter().position(|known| *known == dimension)
    }

    /// Names of the configured attributes, in the order of their dimensions.
    pub fn attr_names(&self) -> Vec<Arc<str>> {
        self.attrs().map(Arc::from).collect()
    }

    pub(super) fn attrs(&self) -> impl Iterator<Item = &str> {
        self.all[STANDARD..].iter().map(|dim| match dim {
            Dimension::Attr(name) => name.as_str(),
            _ => "",
        })
    }
}

/// The attributes of a payment.
#[derive(Debug)]
pub struct Tuple {
    /// Of its values: equal tuples have equal hashes, wherever they were made.
    pub hash: u64,
    /// A value for each dimension, where there is one.
    pub values: Box<[Option<Arc<str>>]>,
}

impl Tuple {
    /// The value of a dimension.
    pub fn get(&self, dim: DimIndex) -> Option<&str> {
        self.values.get(dim)?.as_deref()
    }
}

#[cfg(test)]
impl Tuple {
    /// A tuple of the standard dimensions with these values.
    pub(crate) fn of(fields: &[(DimIndex, &str)]) -> Arc<Self> {
        let fields: Vec<_> = fields
            .iter()
            .map(|&(dim, text)| (dim, Some(text)))
            .collect();
        Tuples::default().intern(&Draft::of_fields(&fields, &Dims::new(&[])))
    }
}

/// A borrowed tuple, before it is known whether there is one like it.
pub(super) struct Draft<'a>(Vec<Option<&'a str>>);

impl<'a> Draft<'a> {
    /// Of a payment.
    pub(super) fn of_payment(payment: &'a Succeeded<'_>, dims: &Dims) -> Self {
        let mut values = vec![
            Some(payment.channel.as_ref()),
            payment.gateway.as_deref(),
            payment.acquirer.as_deref(),
            payment.connector.as_deref(),
            payment.region.as_deref(),
            payment.carrier.as_deref(),
            payment.store_id.as_deref(),
            Some(payment.merchant_id.as_ref()),
            Some(payment.terminal_id.as_ref()),
            payment.terminal_model.as_deref(),
            payment.pos_vendor.as_deref(),
            payment.app_version.as_deref(),
            payment.method.as_deref(),
            payment.mcc.as_deref(),
            Some(payment.currency.as_str()),
            Some(payment.settle_mode.as_str()),
        ];
        for name in dims.attrs() {
            let found = payment.attrs.iter().find(|(known, _)| known == name);
            values.push(found.map(|(_, value)| value.as_ref()));
        }
        Self(values)
    }

    /// Of single fields.
    pub(super) fn of_fields(fields: &[(DimIndex, Option<&'a str>)], dims: &Dims) -> Self {
        let mut values = vec![None; dims.len()];
        for &(dim, value) in fields {
            values[dim] = value;
        }
        Self(values)
    }

    fn hash(&self) -> u64 {
        hash_of(self.0.iter().copied())
    }
}

/// The hash of a tuple with these values, one a dimension.
pub(crate) fn hash_of<'a>(values: impl Iterator<Item = Option<&'a str>>) -> u64 {
    let parts = values.flat_map(|value| {
        let there: &[u8] = if value.is_some() { b"1" } else { b"0" };
        [there, value.unwrap_or("").as_bytes()]
    });
    Fingerprint::of_parts(b'u', parts).0
}

/// Tuples that were made lately, so that equal ones are one.
#[derive(Default)]
pub(super) struct Tuples {
    known: Map<u64, Arc<Tuple>>,
    /// By dimension: values that many tuples share are one in memory.
    values: Vec<Map<Arc<str>, ()>>,
}

/// Tuples kept at hand; beyond that all are let go, and made again as they come.
const KEPT: usize = 200_000;

/// Values of a dimension kept at hand.
const VALUES_KEPT: usize = 4096;

impl Tuples {
    pub(super) fn intern(&mut self, draft: &Draft<'_>) -> Arc<Tuple> {
        if self.known.len() >= KEPT {
            self.known.clear();
        }
        let hash = draft.hash();
        let values = &mut self.values;
        let made = self.known.entry(hash).or_insert_with(|| {
            values.resize_with(draft.0.len(), Map::default);
            let shared = draft.0.iter().zip(values);
            let values = shared.map(|(value, known)| Some(shared_value((*value)?, known)));
            Arc::new(Tuple {
                hash,
                values: values.collect(),
            })
        });
        Arc::clone(made)
    }
}

/// The value as it is known, and known from now on if there is room: a dimension with many values is not worth it.
fn shared_value(value: &str, known: &mut Map<Arc<str>, ()>) -> Arc<str> {
    if let Some((known, ())) = known.get_key_value(value) {
        return Arc::clone(known);
    }
    let made: Arc<str> = value.into();
    if known.len() < VALUES_KEPT {
        known.insert(Arc::clone(&made), ());
    }
    made
}
