//! A record that is too large for the topic, as several: by seconds first, within one second after that.

use super::PulseRecord;
use crate::pulse::{Arrivals, Pulse};

impl PulseRecord {
    /// Its bytes, in records of at most `most` bytes each, in order. What cannot be made smaller is left larger: one
    /// item of each kind.
    pub fn encode_within(self, most: usize) -> Vec<Vec<u8>> {
        let mut left = vec![self];
        let mut done = Vec::new();
        while let Some(record) = left.pop() {
            let bytes = record.encode();
            if bytes.len() <= most {
                done.push(bytes);
                continue;
            }
            match record.halved() {
                Ok((first, second)) => left.extend([second, first]),
                Err(_) => done.push(bytes),
            }
        }
        done
    }

    /// Two records that say the same. The first knows less: only the last one ends the second that both speak of.
    fn halved(mut self) -> Result<(Self, Self), Self> {
        let later = if self.pulses.len() > 1 {
            self.pulses.split_off(self.pulses.len() / 2)
        } else {
            self.pulses.iter_mut().filter_map(halve).collect()
        };
        let Some(begins) = later.first().map(|pulse| pulse.second) else {
            return Err(self);
        };
        let second = Self {
            pulses: later,
            attrs: self.attrs.clone(),
            ..self
        };
        self.known_ms = begins.saturating_mul(1000);
        Ok((self, second))
    }
}

/// Takes half of a pulse away; `None` where there is nothing to halve.
fn halve(pulse: &mut Pulse) -> Option<Pulse> {
    let half = Pulse {
        second: pulse.second,
        notes: back(&mut pulse.notes),
        channels: back(&mut pulse.channels),
        cases: back(&mut pulse.cases),
        streams: back(&mut pulse.streams),
        arrivals: back_of_arrivals(&mut pulse.arrivals),
        legs: back(&mut pulse.legs),
        acks: back(&mut pulse.acks),
        auxiliary: back(&mut pulse.auxiliary),
    };
    (!half.is_empty()).then_some(half)
}

/// The second half of a list, the smaller one.
fn back<T>(list: &mut Vec<T>) -> Vec<T> {
    list.split_off(list.len().div_ceil(2))
}

fn back_of_arrivals(all: &mut Vec<Arrivals>) -> Vec<Arrivals> {
    match &mut all[..] {
        [only] if only.lateness_ms.len() > 1 => vec![Arrivals {
            lateness_ms: back(&mut only.lateness_ms),
            ..only.clone()
        }],
        _ => back(all),
    }
}
