//! A JSON object, member by member, without building it and without recursion.

use crate::escape::{Escape, copy_plain, next_special, read_escape};
use crate::nest::Nest;

/// What a value is. `null` and an absent member are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    True,
    False,
    Number,
    /// A string without escapes.
    Plain,
    /// A string with escapes.
    Escaped,
    Object,
    Array,
}

/// A value and where it stands; of a string, what is between its quotes. Kept small: a record's values are
/// written into a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) kind: Kind,
    start: u32,
    end: u32,
}

impl Value {
    pub(crate) const ABSENT: Self = Self {
        kind: Kind::Null,
        start: 0,
        end: 0,
    };

    /// Both ends are within what [`Scanner::open`] accepts, so they fit.
    #[inline(always)]
    const fn new(kind: Kind, start: usize, end: usize) -> Self {
        Self {
            kind,
            start: start as u32,
            end: end as u32,
        }
    }

    /// Its bytes in the text.
    #[inline(always)]
    pub(crate) const fn range(self) -> core::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// Where the text stops being JSON and what would have continued it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) at: usize,
    pub(crate) expected: &'static str,
}

type Scanned<T> = Result<T, Fault>;

/// Reads one JSON object.
pub(crate) struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    first: bool,
    deepest: usize,
    lone_surrogate: Option<usize>,
}

impl<'a> Scanner<'a> {
    /// Starts at the object in `bytes`, which may stand in white space.
    pub(crate) fn open(bytes: &'a [u8]) -> Scanned<Self> {
        let mut scanner = Self {
            bytes,
            at: 0,
            first: true,
            deepest: 1,
            lone_surrogate: None,
        };
        if u32::try_from(bytes.len()).is_err() {
            return scanner.fault("less than 4 GiB, as any record of Kafka");
        }
        scanner.expect(b'{', "an object")?;
        Ok(scanner)
    }

    /// The next name and value; `None` after the last.
    #[inline(always)]
    pub(crate) fn member(&mut self) -> Scanned<Option<(Value, Value)>> {
        match self.next_name()? {
            Some(name) => Ok(Some((name, self.value()?))),
            None => Ok(None),
        }
    }

    /// The next name, to be followed by the value; `None` after the last.
    #[inline(always)]
    pub(crate) fn next_name(&mut self) -> Scanned<Option<Value>> {
        let first = core::mem::replace(&mut self.first, false);
        match self.peek() {
            Some(b'}') => {
                self.at += 1;
                return Ok(None);
            }
            Some(b',') if !first => self.at += 1,
            _ if first => {}
            _ => return self.fault("',' or '}'"),
        }
        self.name().map(Some)
    }

    /// The next value; what a string stands for is written to the front of `room`, which grows as needed.
    /// The length written is 0 for any other value.
    pub(crate) fn value_into(&mut self, room: &mut Vec<u8>) -> Scanned<(Value, usize)> {
        if self.peek() != Some(b'"') {
            return Ok((self.value()?, 0));
        }
        self.at += 1;
        // No escape is shorter than its meaning.
        let most = self.bytes.len() - self.at + 8;
        if room.len() < most {
            room.resize(most, 0);
        }
        self.string_into(room)
    }

    /// Checks that nothing but white space follows the object.
    pub(crate) fn finish(&mut self) -> Scanned<()> {
        if self.peek().is_some() {
            self.fault("the end of the record")
        } else {
            Ok(())
        }
    }

    /// Depth of the deepest value, the object itself being 1.
    pub(crate) const fn deepest(&self) -> usize {
        self.deepest
    }

    /// Where the first string stands that holds half of a surrogate pair.
    pub(crate) const fn lone_surrogate(&self) -> Option<usize> {
        self.lone_surrogate
    }

    #[cold]
    fn fault<T>(&self, expected: &'static str) -> Scanned<T> {
        Err(Fault {
            at: self.at,
            expected,
        })
    }

    /// The next byte that is no white space, left in place.
    #[inline(always)]
    fn peek(&mut self) -> Option<u8> {
        match self.bytes.get(self.at) {
            Some(&byte) if byte > b' ' => Some(byte),
            _ => self.peek_after_space(),
        }
    }

    #[inline(never)]
    fn peek_after_space(&mut self) -> Option<u8> {
        loop {
            let byte = *self.bytes.get(self.at)?;
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    #[inline(always)]
    fn expect(&mut self, byte: u8, expected: &'static str) -> Scanned<()> {
        if self.peek() != Some(byte) {
            return self.fault(expected);
        }
        self.at += 1;
        Ok(())
    }

    /// A member's name and its colon.
    #[inline(always)]
    fn name(&mut self) -> Scanned<Value> {
        self.expect(b'"', "a member name")?;
        let name = self.string()?;
        self.expect(b':', "':'")?;
        Ok(name)
    }

    /// A whole value.
    #[inline(always)]
    pub(crate) fn value(&mut self) -> Scanned<Value> {
        match self.peek() {
            Some(b'"') => {
                self.at += 1;
                self.string()
            }
            Some(open @ (b'{' | b'[')) => self.container(open),
            _ => self.scalar(),
        }
    }

    fn container(&mut self, open: u8) -> Scanned<Value> {
        let start = self.at;
        self.nested(open)?;
        let kind = if open == b'{' {
            Kind::Object
        } else {
            Kind::Array
        };
        Ok(Value::new(kind, start, self.at))
    }

    /// A number or one of the three words.
    fn scalar(&mut self) -> Scanned<Value> {
        let start = self.at;
        let kind = match self.bytes.get(start) {
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                Kind::Number
            }
            Some(b't') => self.word(b"true", Kind::True)?,
            Some(b'f') => self.word(b"false", Kind::False)?,
            Some(b'n') => self.word(b"null", Kind::Null)?,
            _ => return self.fault("a value"),
        };
        Ok(Value::new(kind, start, self.at))
    }

    fn word(&mut self, word: &'static [u8], kind: Kind) -> Scanned<Kind> {
        if !self.bytes[self.at..].starts_with(word) {
            return self.fault("a value");
        }
        self.at += word.len();
        Ok(kind)
    }

    fn number(&mut self) -> Scanned<()> {
        self.at += usize::from(self.bytes.get(self.at) == Some(&b'-'));
        if self.bytes.get(self.at) == Some(&b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            self.at += usize::from(matches!(self.bytes.get(self.at), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Scanned<()> {
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        if self.at == start {
            self.fault("a digit")
        } else {
            Ok(())
        }
    }

    /// The rest of a string after its opening quote.
    #[inline(always)]
    fn string(&mut self) -> Scanned<Value> {
        let start = self.at;
        self.at = next_special(self.bytes, start);
        if self.bytes.get(self.at) != Some(&b'"') {
            return self.unusual_string(start);
        }
        let end = self.at;
        self.at += 1;
        Ok(Value::new(Kind::Plain, start, end))
    }

    /// The rest of a string from the first byte that it cannot hold as it is.
    #[inline(never)]
    fn unusual_string(&mut self, start: usize) -> Scanned<Value> {
        loop {
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    let end = self.at;
                    self.at += 1;
                    return Ok(Value::new(Kind::Escaped, start, end));
                }
                Some(b'\\') => drop(self.escape()?),
                Some(_) => return self.fault("no control character in a string"),
                None => return self.fault("a closing quote"),
            }
            self.at = next_special(self.bytes, self.at);
        }
    }

    /// The rest of a string, written to `out`.
    fn string_into(&mut self, out: &mut [u8]) -> Scanned<(Value, usize)> {
        let (start, mut to) = (self.at, 0);
        loop {
            (self.at, to) = copy_plain(self.bytes, self.at, out, to);
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    let value = Value::new(Kind::Escaped, start, self.at);
                    self.at += 1;
                    return Ok((value, to));
                }
                Some(b'\\') => to += self.escape()?.write(&mut out[to..]),
                Some(_) => return self.fault("no control character in a string"),
                None => return self.fault("a closing quote"),
            }
        }
    }

    #[inline(always)]
    fn escape(&mut self) -> Scanned<Escape> {
        let Some(escape) = read_escape(&self.bytes[self.at..]) else {
            return self.fault("an escape of JSON");
        };
        if escape.is_lone_surrogate() && self.lone_surrogate.is_none() {
            self.lone_surrogate = Some(self.at);
        }
        self.at += escape.taken;
        Ok(escape)
    }

    /// A container that begins with `open`, and all in it: in a loop, so that no depth exhausts the stack.
    fn nested(&mut self, open: u8) -> Scanned<()> {
        let mut nest = Nest::default();
        let mut opened = Some(open);
        loop {
            if let Some(open) = opened.take() {
                self.at += 1;
                nest.push(open == b'{');
                // The object itself is the first level.
                self.deepest = self.deepest.max(nest.depth() + 1);
                if !self.close(&mut nest) {
                    opened = self.element(&nest)?;
                    continue;
                }
            }
            while nest.depth() > 0 && self.close(&mut nest) {}
            if nest.depth() == 0 {
                return Ok(());
            }
            self.expect(b',', "',' or the end of the container")?;
            opened = self.element(&nest)?;
        }
    }

    /// Takes the end of the innermost container if it is next.
    fn close(&mut self, nest: &mut Nest) -> bool {
        let end = if nest.in_object() { b'}' } else { b']' };
        let closes = self.peek() == Some(end);
        if closes {
            self.at += 1;
            nest.pop();
        }
        closes
    }

    /// An element or member within a container: a scalar is taken, the opening byte of a container is left
    /// in place and returned.
    fn element(&mut self, nest: &Nest) -> Scanned<Option<u8>> {
        if nest.in_object() {
            self.name()?;
        }
        match self.peek() {
            Some(open @ (b'{' | b'[')) => Ok(Some(open)),
            _ => self.value().map(|_| None),
        }
    }
}
