//! The sums of a replay.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use settlewatch_config::Stream;
use settlewatch_join::{AlertCounts, AlertKind, Book, Ledger, Outcome, Tally, Timestamp, Wait};
use settlewatch_wire::format_time;

use crate::engine::Engine;
use crate::input::Counters;

/// What a replay found, summed over partitions: a function of the records and the configuration alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Append time of the first record; `None` when there was none.
    pub from: Option<Timestamp>,
    /// Where the clock stopped.
    pub to: Option<Timestamp>,
    /// Payments and money by currency code.
    pub books: BTreeMap<String, Book>,
    /// Records by stream, in the order of the configuration, and outcome.
    pub records: Vec<(String, Vec<(Outcome, u64)>)>,
    /// Alerts by kind; kinds without any are left out.
    pub alerts: Vec<(AlertKind, AlertCounts)>,
    /// Explained waits.
    pub waits: Vec<(Wait, u64)>,
    /// Incidents by verdict.
    pub incidents: BTreeMap<&'static str, u64>,
    /// What reading the recording found.
    pub input: InputCounts,
}

/// What reading a recording found besides its records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InputCounts {
    /// Lines that were no records.
    pub bad_lines: u64,
    /// Records met again at the same topic, partition and offset: dropped.
    pub repeated: u64,
    /// Records whose timestamp was not believed, by rank of the stream.
    pub implausible: Vec<u64>,
}

impl InputCounts {
    pub(crate) fn new(counters: &Counters, bad_lines: u64) -> Self {
        Self {
            bad_lines,
            repeated: counters.repeated,
            implausible: counters.implausible.clone(),
        }
    }
}

impl Summary {
    /// Sums up an engine at the moment `to`.
    pub(crate) fn of(
        engine: &Engine,
        streams: &[Stream],
        from: Option<Timestamp>,
        to: Option<Timestamp>,
        input: InputCounts,
    ) -> Self {
        let ledgers: Vec<&Ledger> = engine.ledgers().collect();
        let waits = to.map(|to| engine.waits(to)).unwrap_or_default();
        let names = streams.iter().zip(0..);
        Self {
            from,
            to,
            books: books(&ledgers),
            records: names
                .map(|(stream, rank)| {
                    let counts = Outcome::ALL.iter();
                    let counts = counts.map(|&outcome| (outcome, engine.records(rank, outcome)));
                    (stream.name.clone(), counts.collect())
                })
                .collect(),
            alerts: alerts(&ledgers),
            waits: Wait::ALL
                .iter()
                .filter_map(|wait| Some((*wait, *waits.get(wait)?)))
                .filter(|&(_, count)| count > 0)
                .collect(),
            incidents: engine.incidents(),
            input,
        }
    }

    /// All currencies together: numbers of payments add up, money does not.
    pub fn counts(&self) -> Book {
        self.books.values().fold(Book::default(), |mut sum, book| {
            sum.merge(book);
            sum
        })
    }

    /// The summary as it is written.
    pub fn to_json(&self) -> Value {
        let counts = self.counts();
        let time = |at: Option<Timestamp>| at.map(|at| format_time(at).to_string());
        let mut json = Map::new();
        json.insert("schema".into(), "settlewatch.summary/1".into());
        json.insert("from".into(), time(self.from).into());
        json.insert("to".into(), time(self.to).into());
        for (name, tally) in parts(&counts) {
            json.insert(name.into(), tally.count.into());
        }
        json.insert("amount_minor".into(), self.money());
        json.insert("records".into(), self.records_json());
        json.insert("alerts".into(), self.alerts_json());
        let waits = self
            .waits
            .iter()
            .map(|(wait, count)| (wait.as_str().into(), (*count).into()));
        json.insert("waits".into(), Value::Object(waits.collect()));
        json.insert("input".into(), self.input_json());
        let incidents = self.incidents.iter();
        let incidents = incidents.map(|(verdict, count)| ((*verdict).into(), (*count).into()));
        json.insert("incidents".into(), Value::Object(incidents.collect()));
        Value::Object(json)
    }

    fn money(&self) -> Value {
        let currencies = self.books.iter().map(|(currency, book)| {
            let sums = parts(book)
                .map(|(name, tally)| (name.to_string(), tally.amount_minor.to_string().into()));
            (currency.clone(), Value::Object(sums.into_iter().collect()))
        });
        Value::Object(currencies.collect())
    }

    fn records_json(&self) -> Value {
        let streams = self.records.iter().map(|(stream, counts)| {
            let counts = counts
                .iter()
                .map(|(outcome, count)| (outcome.as_str().into(), (*count).into()));
            (stream.clone(), Value::Object(counts.collect()))
        });
        Value::Object(streams.collect())
    }

    fn input_json(&self) -> Value {
        let streams = self.records.iter().map(|(stream, _)| stream.clone());
        let implausible = self.input.implausible.iter().map(|&count| count.into());
        json!({
            "bad_lines": self.input.bad_lines,
            "repeated": self.input.repeated,
            "implausible_ts": Value::Object(streams.zip(implausible).collect()),
        })
    }

    fn alerts_json(&self) -> Value {
        let kinds = self.alerts.iter().map(|(kind, counts)| {
            (
                kind.as_str().into(),
                json!({"open": counts.open, "resolved": counts.resolved}),
            )
        });
        Value::Object(kinds.collect())
    }
}

/// The six parts of a book, by name.
pub(crate) fn parts(book: &Book) -> [(&'static str, Tally); 6] {
    [
        ("payments", book.payments),
        ("credited", book.credited),
        ("explained", book.explained),
        ("written_off", book.written_off),
        ("pending", book.pending),
        ("overdue", book.overdue),
    ]
}

fn books(ledgers: &[&Ledger]) -> BTreeMap<String, Book> {
    let mut books: BTreeMap<String, Book> = BTreeMap::new();
    for (currency, book) in ledgers.iter().flat_map(|ledger| ledger.books()) {
        books
            .entry(currency.as_str().into())
            .or_default()
            .merge(book);
    }
    books
}

fn alerts(ledgers: &[&Ledger]) -> Vec<(AlertKind, AlertCounts)> {
    let sum = |kind| {
        ledgers.iter().map(|ledger| ledger.alerts(kind)).fold(
            AlertCounts::default(),
            |sum, counts| AlertCounts {
                open: sum.open + counts.open,
                resolved: sum.resolved + counts.resolved,
            },
        )
    };
    let counts = AlertKind::ALL.iter().map(|&kind| (kind, sum(kind)));
    counts
        .filter(|(_, counts)| counts.open + counts.resolved > 0)
        .collect()
}
