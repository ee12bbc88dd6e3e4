//! Tables of a record: each string and each attribute tuple is written in full once, and is a number after that.
//!
//! Strings are numbered apart for each dimension, so that the numbers stay small. A new string is written as
//! what it shares with the one before it and the rest; a new tuple as the dimensions in which it differs from
//! the one before it.

use std::sync::Arc;

use super::Malformed;
use super::bytes::{Reader, Writer};
use crate::pulse::tuple::{Dims, STANDARD, Tuple, hash_of};
use crate::tables::Map;

/// Bytes that a string may share with the one before it: more would let few bytes stand for many.
const SHARED: usize = 24;

/// The column of payment ids.
pub(super) const ID: usize = 0;
/// The column of words: kinds, verdicts, classes.
pub(super) const WORD: usize = 1;
/// The column of other texts.
pub(super) const TEXT: usize = 2;
/// The first column of the dimensions.
const DIMS: usize = 3;

/// The column of a dimension.
pub(super) const fn of_dim(dim: usize) -> usize {
    DIMS + dim
}

fn columns(attrs: usize) -> usize {
    DIMS + STANDARD + attrs
}

#[derive(Default)]
struct Written {
    numbers: Map<Arc<str>, u64>,
    last: Arc<str>,
}

/// What has been written, and the bytes.
pub(super) struct Output {
    pub(super) bytes: Writer,
    columns: Vec<Written>,
    tuples: Map<u64, u64>,
    last: Vec<Option<Arc<str>>>,
    /// The input partition that the record is about.
    pub(super) partition: i32,
}

impl Output {
    pub(super) fn new(bytes: Writer, partition: i32, attrs: usize) -> Self {
        Self {
            bytes,
            columns: (0..columns(attrs)).map(|_| Written::default()).collect(),
            tuples: Map::default(),
            last: vec![None; STANDARD + attrs],
            partition,
        }
    }

    /// A string, or that there is none.
    pub(super) fn maybe(&mut self, column: usize, text: Option<&Arc<str>>) {
        match text {
            None => self.bytes.byte(0),
            Some(text) => self.string(column, text),
        }
    }

    /// A word of an enumeration.
    pub(super) fn word(&mut self, word: Option<&str>) {
        self.maybe(WORD, word.map(Arc::from).as_ref());
    }

    pub(super) fn string(&mut self, column: usize, text: &Arc<str>) {
        let written = &mut self.columns[column];
        let next = written.numbers.len() as u64 + 1;
        let number = *written.numbers.entry(Arc::clone(text)).or_insert(next);
        self.bytes.number(number);
        if number < next {
            return;
        }
        let last = std::mem::replace(&mut written.last, Arc::clone(text));
        let pairs = last.bytes().zip(text.bytes()).take(SHARED);
        let shared = pairs.take_while(|(was, is)| was == is).count();
        self.bytes.len(shared);
        self.bytes.len(text.len() - shared);
        self.bytes.raw(&text.as_bytes()[shared..]);
    }

    pub(super) fn tuple(&mut self, tuple: &Tuple) {
        let next = self.tuples.len() as u64;
        let number = *self.tuples.entry(tuple.hash).or_insert(next);
        self.bytes.number(number);
        if number < next {
            return;
        }
        let mut differ = vec![0_u8; self.last.len().div_ceil(8)];
        for (dim, last) in self.last.iter().enumerate() {
            let value = tuple.values.get(dim).and_then(Option::as_ref);
            differ[dim / 8] |= u8::from(last.as_ref() != value) << (dim % 8);
        }
        self.bytes.raw(&differ);
        for dim in set_bits(&differ) {
            let value = tuple.values.get(dim).cloned().flatten();
            self.maybe(of_dim(dim), value.as_ref());
            self.last[dim] = value;
        }
    }
}

/// Places of the bits that are set.
fn set_bits(bytes: &[u8]) -> impl Iterator<Item = usize> + '_ {
    (0..bytes.len() * 8).filter(|bit| bytes[bit / 8] >> (bit % 8) & 1 == 1)
}

/// What has been read, and the bytes that are left.
pub(super) struct Input<'a> {
    pub(super) bytes: Reader<'a>,
    columns: Vec<Vec<Arc<str>>>,
    tuples: Vec<Arc<Tuple>>,
    last: Vec<Option<Arc<str>>>,
    /// Where the reader wants each dimension; `None` where it takes them as they come.
    wanted: Option<Wanted>,
    /// The input partition that the record is about.
    pub(super) partition: i32,
}

/// The places of a reader's dimensions among those that were written.
struct Wanted(Vec<Option<usize>>);

impl<'a> Input<'a> {
    pub(super) fn new(bytes: Reader<'a>, partition: i32, attrs: usize) -> Self {
        Self {
            bytes,
            columns: vec![Vec::new(); columns(attrs)],
            tuples: Vec::new(),
            last: vec![None; STANDARD + attrs],
            wanted: None,
            partition,
        }
    }

    /// Tuples come with the dimensions of a reader: the written attributes have other names, or another order.
    pub(super) fn wanted(mut self, written: &[Arc<str>], dims: &Dims) -> Self {
        if !dims.attrs().eq(written.iter().map(|name| &**name)) {
            let place = |name| written.iter().position(|it| &**it == name);
            let attrs = dims.attrs().map(|name| Some(STANDARD + place(name)?));
            let wanted = (0..STANDARD).map(Some).chain(attrs);
            self.wanted = Some(Wanted(wanted.collect()));
        }
        self
    }

    pub(super) fn maybe(&mut self, column: usize) -> Result<Option<Arc<str>>, Malformed> {
        let Some(number) = self.bytes.index()?.checked_sub(1) else {
            return Ok(None);
        };
        let known = &mut self.columns[column];
        if let Some(known) = known.get(number) {
            return Ok(Some(Arc::clone(known)));
        }
        if number != known.len() {
            return Err(Malformed);
        }
        let shared = self.bytes.index()?;
        let last = known.last().map_or("", |last| last).as_bytes();
        if shared > SHARED.min(last.len()) {
            return Err(Malformed);
        }
        let len = self.bytes.len(1)?;
        let text = [&last[..shared], self.bytes.raw(len)?].concat();
        let text: Arc<str> = String::from_utf8(text).map_err(|_| Malformed)?.into();
        known.push(Arc::clone(&text));
        Ok(Some(text))
    }

    pub(super) fn string(&mut self, column: usize) -> Result<Arc<str>, Malformed> {
        self.maybe(column)?.ok_or(Malformed)
    }

    /// A word of an enumeration.
    pub(super) fn word<T>(&mut self, parse: impl Fn(&str) -> Option<T>) -> Result<T, Malformed> {
        parse(&self.string(WORD)?).ok_or(Malformed)
    }

    pub(super) fn tuple(&mut self) -> Result<Arc<Tuple>, Malformed> {
        let number = self.bytes.index()?;
        if let Some(known) = self.tuples.get(number) {
            return Ok(Arc::clone(known));
        }
        if number != self.tuples.len() {
            return Err(Malformed);
        }
        let width = self.last.len();
        for dim in set_bits(self.bytes.raw(width.div_ceil(8))?) {
            if dim >= width {
                return Err(Malformed);
            }
            self.last[dim] = self.maybe(of_dim(dim))?;
        }
        let values: Box<[_]> = match &self.wanted {
            None => self.last.clone().into(),
            Some(Wanted(places)) => {
                let value = |place: &Option<usize>| self.last[(*place)?].clone();
                places.iter().map(value).collect()
            }
        };
        let tuple = Arc::new(Tuple {
            hash: hash_of(values.iter().map(Option::as_deref)),
            values,
        });
        self.tuples.push(Arc::clone(&tuple));
        Ok(tuple)
    }
}
