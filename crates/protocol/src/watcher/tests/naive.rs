//! A core that remembers everything in one number.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use settlewatch_join::Timestamp;

use super::super::{Core, Heard, Said, Second};
use crate::io::SourceId;

/// A core that remembers everything in one number: whatever differs shows in all that it says from then on.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Naive {
    pub(super) chain: u64,
    said: u64,
    pub(super) rules: Vec<u8>,
}

impl Naive {
    fn mix(&mut self, value: u64) {
        self.chain = (self.chain ^ value)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29);
    }
}

pub(super) fn word(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(
        bytes.get(at * 8..at * 8 + 8)?.try_into().ok()?,
    ))
}

impl Core for Naive {
    type Pulse = u64;

    fn read(&self, _number: i32, value: Option<&[u8]>) -> Result<Heard<u64>, String> {
        let value = value.ok_or("a tombstone")?;
        let words = || {
            Some((
                word(value, 0)? as i64,
                word(value, 1)? as i64,
                word(value, 2)?,
            ))
        };
        let (known_ms, begins_s, pulse) = words().ok_or("it is short")?;
        Ok(Heard {
            known_ms,
            begins_s,
            pulse,
        })
    }

    fn begin(&mut self, rules: &[u8]) -> Result<(), String> {
        *self = Self {
            rules: rules.into(),
            ..Self::default()
        };
        Ok(())
    }

    fn restore(&mut self, rules: &[u8], chunks: &[Box<[u8]>]) -> Result<(), String> {
        let whole = chunks.concat();
        self.chain = word(&whole, 0).ok_or("short")?;
        self.said = word(&whole, 1).ok_or("short")?;
        self.rules = rules.into();
        Ok(())
    }

    fn reconfigure(&mut self, rules: &[u8], second: i64) -> Result<(), String> {
        self.mix(second as u64);
        self.rules = rules.into();
        Ok(())
    }

    fn snapshot(&mut self) -> Vec<Box<[u8]>> {
        vec![
            self.chain.to_le_bytes().into(),
            self.said.to_le_bytes().into(),
        ]
    }

    fn absorb(&mut self, pulse: u64) {
        self.mix(pulse);
    }

    fn hear(&mut self, source: SourceId, at: Timestamp, value: Option<&[u8]>, _again: bool) {
        self.mix(u64::from(source.0));
        self.mix(at.millis() as u64);
        self.mix(value.map_or(0, <[u8]>::len) as u64);
    }

    fn end_second(&mut self, second: &Second<'_>) -> Vec<Said> {
        self.mix(second.second as u64);
        second
            .known_ms
            .iter()
            .for_each(|known| self.mix(*known as u64));
        second
            .withheld
            .iter()
            .for_each(|it| self.mix(u64::from(it.0)));
        self.mix(self.rules.len() as u64);
        self.said += 1;
        let end_ms = (second.second + 1) * 1000;
        let blind = second.known_ms.iter().filter(|it| **it < end_ms).count();
        let unknown = (blind + second.withheld.len()) as u64;
        let words = [self.said, second.second as u64, self.chain, unknown];
        let value: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        vec![Said {
            key: b"i"[..].into(),
            value: Some(value.into()),
            decided_at: None,
        }]
    }
}
