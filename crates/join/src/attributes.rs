//! The attributes of a payment as two interned tuples: its place (what the terminal fixes) and its route.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::dictionary::{Dictionary, Fields, TupleRef, hash_of, write_field};
use crate::effect::ChannelIndex;
use crate::event::{Currency, SettleMode, Succeeded};
use crate::settings::{Dimension, Matcher, Settings};

/// The two dictionaries and the scratch space to write a tuple.
#[derive(Default)]
pub(crate) struct Attributes {
    pub(crate) places: Dictionary,
    pub(crate) routes: Dictionary,
    /// Names of the channels, never forgotten: there are few.
    pub(crate) channels: Vec<String>,
    scratch: Vec<u8>,
    /// Places that were written out and not yet acquired.
    written: Vec<u8>,
}

/// A place that was written out.
#[derive(Clone, Copy)]
pub(crate) struct PlaceTuple {
    start: usize,
    end: usize,
    hash: u64,
}

/// References to a payment's attributes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AttributeRefs {
    pub(crate) place: TupleRef,
    pub(crate) route: TupleRef,
}

/// A payment's attributes, read back.
#[derive(Clone, Debug, Default)]
pub(crate) struct AttributeView<'a> {
    pub(crate) merchant_id: &'a str,
    pub(crate) terminal_id: &'a str,
    store_id: Option<&'a str>,
    region: Option<&'a str>,
    carrier: Option<&'a str>,
    terminal_model: Option<&'a str>,
    pos_vendor: Option<&'a str>,
    app_version: Option<&'a str>,
    pub(crate) mcc: Option<&'a str>,
    pub(crate) channel: &'a str,
    currency: &'a str,
    settle_mode: &'a str,
    gateway: Option<&'a str>,
    acquirer: Option<&'a str>,
    connector: Option<&'a str>,
    method: Option<&'a str>,
    attrs: Vec<(&'a str, &'a str)>,
}

impl Attributes {
    /// Makes room for the places of further payments; none written before may be acquired any more.
    pub(crate) fn forget_written(&mut self) {
        self.written.clear();
    }

    /// Writes out the place of a payment.
    pub(crate) fn write(&mut self, payment: &Succeeded<'_>) -> PlaceTuple {
        let start = self.written.len();
        write_place(&mut self.written, payment);
        PlaceTuple {
            start,
            end: self.written.len(),
            hash: hash_of(&self.written[start..]),
        }
    }

    /// Looks at where a written place would be found, so that it is in the cache.
    pub(crate) fn touch(&self, place: PlaceTuple) {
        self.places.touch(place.hash);
    }

    /// A place that may be the written one, found without looking at it.
    pub(crate) fn likely(&self, place: PlaceTuple) -> Option<TupleRef> {
        self.places.likely(place.hash)
    }

    /// As [`touch`](Self::touch), for a place.
    pub(crate) fn touch_place(&self, place: TupleRef) {
        core::hint::black_box(self.places.tag(place));
    }

    /// As [`touch`](Self::touch), for the text of a place.
    pub(crate) fn touch_text(&self, place: TupleRef) {
        let text = self.places.get(place);
        core::hint::black_box((text.first().copied(), text.last().copied()));
    }

    /// Interns the attributes of a payment; of its `attrs` those that a rule or a dimension names.
    pub(crate) fn acquire(
        &mut self,
        payment: &Succeeded<'_>,
        place: PlaceTuple,
        settings: &Settings,
    ) -> AttributeRefs {
        let written = &self.written[place.start..place.end];
        let place = self.places.acquire(written, place.hash, || 0);
        self.scratch.clear();
        write_route(&mut self.scratch, payment, settings);
        let channels = &mut self.channels;
        let route = self
            .routes
            .acquire(&self.scratch, hash_of(&self.scratch), || {
                tag(channel_index(channels, &payment.channel), payment.currency)
            });
        AttributeRefs { place, route }
    }

    /// Takes in a route that was written by another dictionary, for now without a reference; `None` where it
    /// is none, is there already, or names a channel that is not known.
    pub(crate) fn load_route(&mut self, tuple: &[u8]) -> Option<TupleRef> {
        let mut fields = Fields(tuple);
        let channel = fields.next()??;
        let letters = fields.next()??.as_bytes().try_into().ok()?;
        let currency = Currency::new(letters)?;
        if !self.channels.iter().any(|name| name == channel) {
            return None;
        }
        let tag = tag(channel_index(&mut self.channels, channel), currency);
        self.routes.load(tuple, tag)
    }

    /// Interns the attributes of a payment that another dictionary holds.
    pub(crate) fn adopt(&mut self, from: &Self, refs: AttributeRefs) -> AttributeRefs {
        let AttributeRefs {
            mut place,
            mut route,
        } = refs;
        if place != TupleRef::NONE {
            let tuple = from.places.get(place);
            place = self.places.acquire(tuple, hash_of(tuple), || 0);
        }
        if let Some((channel, currency)) = from.channel_and_currency(refs) {
            let tuple = from.routes.get(route);
            let channels = &mut self.channels;
            route = self.routes.acquire(tuple, hash_of(tuple), || {
                tag(
                    channel_index(channels, from.channel_name(channel)),
                    currency,
                )
            });
        }
        AttributeRefs { place, route }
    }

    /// Gives the references back.
    pub(crate) fn release(&mut self, refs: AttributeRefs) {
        self.places.release(refs.place);
        self.routes.release(refs.route);
    }

    /// Channel and currency, without reading the tuple; `None` where nothing is known.
    pub(crate) fn channel_and_currency(
        &self,
        refs: AttributeRefs,
    ) -> Option<(ChannelIndex, Currency)> {
        let [a, b, c, _, low, high, ..] = self.routes.tag(refs.route)?.to_le_bytes();
        Some((
            ChannelIndex(u16::from_le_bytes([low, high])),
            Currency::new([a, b, c])?,
        ))
    }

    /// Merchant and terminal, without reading the rest.
    pub(crate) fn merchant_and_terminal(&self, refs: AttributeRefs) -> (&str, &str) {
        let mut place = Fields(self.places.get(refs.place));
        (
            place.next().flatten().unwrap_or(""),
            place.next().flatten().unwrap_or(""),
        )
    }

    /// The name of a channel.
    pub(crate) fn channel_name(&self, channel: ChannelIndex) -> &str {
        self.channels
            .get(usize::from(channel.0))
            .map_or("", String::as_str)
    }

    /// All of them.
    pub(crate) fn view(&self, refs: AttributeRefs) -> AttributeView<'_> {
        let mut place = Fields(self.places.get(refs.place));
        let mut route = Fields(self.routes.get(refs.route));
        let mut next = || place.next().flatten();
        let mut along = || route.next().flatten();
        AttributeView {
            merchant_id: next().unwrap_or(""),
            terminal_id: next().unwrap_or(""),
            store_id: next(),
            region: next(),
            carrier: next(),
            terminal_model: next(),
            pos_vendor: next(),
            app_version: next(),
            mcc: next(),
            channel: along().unwrap_or(""),
            currency: along().unwrap_or(""),
            settle_mode: along().unwrap_or(""),
            gateway: along(),
            acquirer: along(),
            connector: along(),
            method: along(),
            attrs: core::iter::from_fn(|| Some((along()?, along()?))).collect(),
        }
    }

    /// Distinct tuples held.
    pub(crate) fn tuples(&self) -> usize {
        self.places.len() + self.routes.len()
    }

    /// Bytes of memory, about.
    pub(crate) fn bytes(&self) -> usize {
        self.places.bytes() + self.routes.bytes()
    }
}

fn channel_index(channels: &mut Vec<String>, name: &str) -> ChannelIndex {
    let found = channels.iter().position(|channel| channel == name);
    let at = found.unwrap_or_else(|| {
        channels.push(name.to_string());
        channels.len() - 1
    });
    // Beyond 65,535 channels the last index stands for the rest.
    ChannelIndex(u16::try_from(at).unwrap_or(u16::MAX))
}

fn tag(channel: ChannelIndex, currency: Currency) -> u64 {
    let [low, high] = channel.0.to_le_bytes();
    let [a, b, c] = currency.letters();
    u64::from_le_bytes([a, b, c, 0, low, high, 0, 0])
}

fn write_place(tuple: &mut Vec<u8>, payment: &Succeeded<'_>) {
    write_field(tuple, Some(&payment.merchant_id));
    write_field(tuple, Some(&payment.terminal_id));
    for field in [
        &payment.store_id,
        &payment.region,
        &payment.carrier,
        &payment.terminal_model,
        &payment.pos_vendor,
        &payment.app_version,
        &payment.mcc,
    ] {
        write_field(tuple, field.as_deref());
    }
}

fn write_route(tuple: &mut Vec<u8>, payment: &Succeeded<'_>, settings: &Settings) {
    write_field(tuple, Some(&payment.channel));
    write_field(tuple, Some(payment.currency.as_str()));
    write_field(tuple, Some(payment.settle_mode.as_str()));
    for field in [
        &payment.gateway,
        &payment.acquirer,
        &payment.connector,
        &payment.method,
    ] {
        write_field(tuple, field.as_deref());
    }
    for (name, value) in &payment.attrs {
        if settings.keeps_attr(name) {
            write_field(tuple, Some(name));
            write_field(tuple, Some(value));
        }
    }
}

impl AttributeView<'_> {
    /// The value of a dimension, where the payment has it.
    fn get(&self, dimension: &Dimension) -> Option<&str> {
        match dimension {
            Dimension::Channel => Some(self.channel),
            Dimension::Gateway => self.gateway,
            Dimension::Acquirer => self.acquirer,
            Dimension::Connector => self.connector,
            Dimension::Region => self.region,
            Dimension::Carrier => self.carrier,
            Dimension::StoreId => self.store_id,
            Dimension::MerchantId => Some(self.merchant_id),
            Dimension::TerminalId => Some(self.terminal_id),
            Dimension::TerminalModel => self.terminal_model,
            Dimension::PosVendor => self.pos_vendor,
            Dimension::AppVersion => self.app_version,
            Dimension::Method => self.method,
            Dimension::Mcc => self.mcc,
            Dimension::Currency => Some(self.currency),
            Dimension::SettleMode => Some(self.settle_mode),
            Dimension::Attr(name) => self.attr(name),
        }
    }

    fn attr(&self, name: &str) -> Option<&str> {
        self.attrs
            .iter()
            .find(|(key, _)| *key == name)
            .map(|&(_, value)| value)
    }

    /// The configured dimensions that the payment has, in the order of the configuration.
    pub(crate) fn dimensions(&self, dimensions: &[Dimension]) -> Vec<(String, String)> {
        dimensions
            .iter()
            .filter_map(|dimension| Some((dimension.name(), self.get(dimension)?.to_string())))
            .collect()
    }

    /// What a rule looks at; `None` where the attributes are not known.
    pub(crate) fn facts(&self, amount_minor: u64) -> Option<Facts<'_>> {
        Some(Facts {
            channel: self.channel,
            settle_mode: SettleMode::parse(self.settle_mode)?,
            merchant_id: self.merchant_id,
            currency: Currency::new(self.currency.as_bytes().try_into().ok()?)?,
            amount_minor,
            method: self.method,
            region: self.region,
            gateway: self.gateway,
            connector: self.connector,
            attrs: self.attrs.clone(),
        })
    }
}

/// What a rule looks at.
pub(crate) struct Facts<'a> {
    channel: &'a str,
    settle_mode: SettleMode,
    merchant_id: &'a str,
    currency: Currency,
    amount_minor: u64,
    method: Option<&'a str>,
    region: Option<&'a str>,
    gateway: Option<&'a str>,
    connector: Option<&'a str>,
    attrs: Vec<(&'a str, &'a str)>,
}

impl<'a> Facts<'a> {
    /// Of a payment as it arrives.
    pub(crate) fn of(payment: &'a Succeeded<'_>) -> Self {
        Self {
            channel: &payment.channel,
            settle_mode: payment.settle_mode,
            merchant_id: &payment.merchant_id,
            currency: payment.currency,
            amount_minor: payment.amount_minor,
            method: payment.method.as_deref(),
            region: payment.region.as_deref(),
            gateway: payment.gateway.as_deref(),
            connector: payment.connector.as_deref(),
            attrs: Vec::new(),
        }
    }

    fn attr<'b>(&self, name: &str, payment: Option<&'b Succeeded<'_>>) -> Option<&'b str>
    where
        'a: 'b,
    {
        let stored = self
            .attrs
            .iter()
            .find(|(key, _)| *key == name)
            .map(|&(_, value)| value);
        stored.or_else(|| {
            let attrs = &payment?.attrs;
            attrs
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.as_ref())
        })
    }

    /// Whether every condition holds. `payment` lends its attributes where they are not stored yet.
    pub(crate) fn match_all(&self, matcher: &Matcher, payment: Option<&Succeeded<'_>>) -> bool {
        let is_any = |list: &[String], value: Option<&str>| {
            list.is_empty() || value.is_some_and(|value| list.iter().any(|item| item == value))
        };
        is_any(&matcher.channel, Some(self.channel))
            && (matcher.settle_mode.is_empty() || matcher.settle_mode.contains(&self.settle_mode))
            && is_any(&matcher.merchant_id, Some(self.merchant_id))
            && (matcher.currency.is_empty() || matcher.currency.contains(&self.currency))
            && matcher
                .amount_min
                .is_none_or(|min| self.amount_minor >= min)
            && matcher
                .amount_max
                .is_none_or(|max| self.amount_minor <= max)
            && is_any(&matcher.method, self.method)
            && is_any(&matcher.region, self.region)
            && is_any(&matcher.gateway, self.gateway)
            && is_any(&matcher.connector, self.connector)
            && matcher
                .attrs
                .iter()
                .all(|(name, values)| is_any(values, self.attr(name, payment)))
    }
}
