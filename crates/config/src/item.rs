//! A value that was checked against its shape.

use std::net::SocketAddr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use settlewatch_join::Span;
use settlewatch_join::event::Currency;
use settlewatch_join::settings::Dimension;

use crate::model::{RatePpm, StartAt, TimeOfDay};
use crate::secret::Secret;
use crate::source::Mark;

/// A checked value and its place; of a default, the place where it could stand.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) mark: Mark,
    pub(crate) kind: Kind,
}

/// What it is. A wrong value is reported once and is then [`Kind::Bad`].
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Absent,
    Bad,
    Text(String),
    Secret(Secret),
    Flag(bool),
    Duration(Span),
    Count(u64),
    Rate(RatePpm),
    Date(Date),
    Time(TimeOfDay),
    Zone(TimeZone),
    Currency(Currency),
    Dimension(Dimension),
    Listen(SocketAddr),
    StartAt(StartAt),
    List(Vec<Item>),
    Map(Vec<Named>),
    Fields(Fields),
}

/// A key that people chose, and its value.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) mark: Mark,
    pub(crate) item: Item,
}

/// Every key of a section, written or not, and its open keys.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    pub(crate) fixed: Vec<(&'static str, Item)>,
    pub(crate) open: Vec<Named>,
}

/// Declares an accessor: the value of a kind, or `None` when absent or bad.
macro_rules! accessors {
    ($($name:ident: $variant:ident -> $type:ty;)+) => {
        $(pub(crate) fn $name(&self) -> Option<$type> {
            match &self.kind { Kind::$variant(value) => Some(value.clone()), _ => None }
        })+
    };
}

impl Item {
    accessors! {
        text: Text -> String;
        secret: Secret -> Secret;
        flag: Flag -> bool;
        duration: Duration -> Span;
        count: Count -> u64;
        rate: Rate -> RatePpm;
        date: Date -> Date;
        time: Time -> TimeOfDay;
        zone: Zone -> TimeZone;
        currency: Currency -> Currency;
        dimension: Dimension -> Dimension;
        listen: Listen -> SocketAddr;
        start_at: StartAt -> StartAt;
    }

    /// The value at a key of this section. A section that is absent or bad has bad values throughout:
    /// what is asked of it yields nothing and reports nothing.
    pub(crate) fn at(&self, name: &str) -> &Self {
        static NOTHING: Item = Item {
            mark: Mark::start(crate::source::SourceId(0)),
            kind: Kind::Bad,
        };
        match &self.kind {
            Kind::Fields(fields) => {
                let found = fields.fixed.iter().find(|(key, _)| *key == name);
                &found
                    .expect("the table names every key that is asked for")
                    .1
            }
            _ => &NOTHING,
        }
    }

    pub(crate) fn list(&self) -> &[Self] {
        match &self.kind {
            Kind::List(items) => items,
            _ => &[],
        }
    }

    pub(crate) fn map(&self) -> &[Named] {
        match &self.kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }

    pub(crate) fn open_keys(&self) -> &[Named] {
        match &self.kind {
            Kind::Fields(fields) => &fields.open,
            _ => &[],
        }
    }

    pub(crate) fn is_absent(&self) -> bool {
        matches!(self.kind, Kind::Absent)
    }

    pub(crate) fn is_section(&self) -> bool {
        matches!(self.kind, Kind::Fields(_))
    }

    /// A number that the shape keeps within `usize`.
    pub(crate) fn size(&self) -> Option<usize> {
        self.count().and_then(|count| usize::try_from(count).ok())
    }

    /// The texts of a list, those that are good.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.list().iter().filter_map(Self::text).collect()
    }
}
