//! Splits bytes into lines without holding a line that is longer than allowed.

use std::io::{self, Read};

/// How much is asked of the source at once, in bytes.
const READ_BYTES: usize = 256 * 1024;

/// One line of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    /// Its bytes without the line end.
    Text(&'a [u8]),
    /// It was longer than allowed and was skipped.
    TooLong,
}

/// The lines of a source of bytes: split at `\n`, with a `\r` before it dropped; a last line needs no end.
pub(crate) struct Lines<R> {
    source: R,
    buffer: Vec<u8>,
    /// The bytes of `buffer` not yet returned.
    start: usize,
    end: usize,
    ended: bool,
    max_line_bytes: usize,
    number: u64,
    consumed: u64,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(source: R, max_line_bytes: usize) -> Self {
        Self {
            source,
            buffer: vec![0; READ_BYTES],
            start: 0,
            end: 0,
            ended: false,
            max_line_bytes,
            number: 0,
            consumed: 0,
        }
    }

    /// Number of the line returned last, counted from 1.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Bytes returned or skipped so far, line ends included.
    pub(crate) fn consumed(&self) -> u64 {
        self.consumed
    }

    /// The next line; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        match self.find_end()? {
            Found::End => Ok(None),
            Found::TooLong => {
                self.number += 1;
                Ok(Some(Line::TooLong))
            }
            Found::Line { len, end_bytes } => {
                let line = self.start..self.start + len;
                self.take(len + end_bytes);
                self.number += 1;
                let text = &self.buffer[line];
                let text = text.strip_suffix(b"\r").unwrap_or(text);
                Ok(Some(if text.len() > self.max_line_bytes {
                    Line::TooLong
                } else {
                    Line::Text(text)
                }))
            }
        }
    }

    /// Looks for the end of the line that starts at `start`, reading as far as necessary.
    fn find_end(&mut self) -> io::Result<Found> {
        let mut scanned = 0;
        loop {
            let unread = &self.buffer[self.start..self.end];
            if let Some(at) = memchr::memchr(b'\n', &unread[scanned..]) {
                return Ok(Found::Line {
                    len: scanned + at,
                    end_bytes: 1,
                });
            }
            scanned = unread.len();
            if self.ended {
                return Ok(match scanned {
                    0 => Found::End,
                    len => Found::Line { len, end_bytes: 0 },
                });
            }
            // One byte more than allowed may be the `\r` of a line that just fits.
            if scanned > self.max_line_bytes.saturating_add(1) {
                self.skip_line()?;
                return Ok(Found::TooLong);
            }
            self.fill()?;
        }
    }

    /// Drops everything up to and including the next line end.
    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let unread = &self.buffer[self.start..self.end];
            if let Some(at) = memchr::memchr(b'\n', unread) {
                self.take(at + 1);
                return Ok(());
            }
            self.take(unread.len());
            if self.ended {
                return Ok(());
            }
            self.fill()?;
        }
    }

    fn take(&mut self, bytes: usize) {
        self.start += bytes;
        self.consumed += bytes as u64;
    }

    /// Reads once more from the source, behind what is still unread.
    fn fill(&mut self) -> io::Result<()> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.buffer.len() - self.end < READ_BYTES / 2 {
            let grown = self.buffer.len() * 2;
            self.buffer.resize(grown, 0);
        }
        loop {
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(read) => {
                    self.end += read;
                    self.ended = read == 0;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

enum Found {
    Line { len: usize, end_bytes: usize },
    TooLong,
    End,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// A source that hands out `step` bytes at a time.
    struct Drip<'a> {
        bytes: &'a [u8],
        step: usize,
    }

    impl Read for Drip<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let read = self.step.min(self.bytes.len()).min(into.len());
            into[..read].copy_from_slice(&self.bytes[..read]);
            self.bytes = &self.bytes[read..];
            Ok(read)
        }
    }

    fn split(bytes: &[u8], max_line_bytes: usize) -> Vec<Option<String>> {
        let by_one = collect(Drip { bytes, step: 1 }, max_line_bytes);
        let at_once = collect(bytes, max_line_bytes);
        assert_eq!(by_one, at_once, "reads of any size give the same lines");
        at_once
    }

    fn collect<R: Read>(source: R, max_line_bytes: usize) -> Vec<Option<String>> {
        let mut lines = Lines::new(source, max_line_bytes);
        let mut all = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            all.push(match line {
                Line::Text(text) => Some(String::from_utf8(text.to_vec()).unwrap()),
                Line::TooLong => None,
            });
        }
        assert_eq!(lines.number(), all.len() as u64);
        all
    }

    fn text(line: &str) -> Option<String> {
        Some(line.to_owned())
    }

    #[test]
    fn line_ends_of_both_kinds_and_a_last_line_without_one() {
        let lines = split(b"one\r\ntwo\n\nfour", 100);
        assert_eq!(lines, [text("one"), text("two"), text(""), text("four")]);
        assert!(split(b"", 100).is_empty());
        assert_eq!(split(b"\n", 100), [text("")]);
    }

    #[test]
    fn a_line_beyond_the_limit_is_skipped_and_the_next_one_is_read() {
        let lines = split(b"12345\n123456\n12345\r\nend\n1234567", 5);
        assert_eq!(
            lines,
            [text("12345"), None, text("12345"), text("end"), None]
        );
    }

    #[test]
    fn a_line_that_is_too_long_is_not_held() {
        let endless = io::repeat(b'x').take(64 << 20).chain(&b"\nshort\n"[..]);
        let mut lines = Lines::new(endless, 1 << 20);
        assert_eq!(lines.next().unwrap(), Some(Line::TooLong));
        assert_eq!(lines.next().unwrap(), Some(Line::Text(b"short")));
        assert!(lines.buffer.len() <= 4 << 20, "{}", lines.buffer.len());
        assert_eq!(lines.consumed(), (64 << 20) + 7);
    }
}
