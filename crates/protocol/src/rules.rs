//! The rules of a partition number, as text, and those before them.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::bytes::{Malformed, Reader, Writer};

/// Earlier rules that are remembered: a process that was started with one of them is behind.
const REMEMBERED: usize = 32;

/// What an alert's proof and the metrics call these rules: the same text has the same id for ever.
pub fn rules_id(text: &[u8]) -> u64 {
    id(text)
}

/// The rules that apply, and the ids of those that did.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) text: Arc<[u8]>,
    earlier: Vec<u64>,
}

impl Rules {
    pub(crate) fn new(text: Arc<[u8]>) -> Self {
        Self {
            text,
            earlier: Vec::new(),
        }
    }

    /// Names these rules.
    pub(crate) fn id(&self) -> u64 {
        id(&self.text)
    }

    /// Whether these rules applied before the present ones.
    pub(crate) fn was(&self, text: &[u8]) -> bool {
        self.earlier.contains(&id(text))
    }

    /// Other rules apply.
    pub(crate) fn replace(&mut self, text: Arc<[u8]>) {
        let id = self.id();
        self.earlier.retain(|&earlier| earlier != id);
        self.earlier.push(id);
        if self.earlier.len() > REMEMBERED {
            self.earlier.remove(0);
        }
        self.text = text;
    }

    pub(crate) fn write(&self) -> Box<[u8]> {
        let mut out = Writer::default();
        out.len(self.earlier.len());
        for &id in &self.earlier {
            out.u64(id);
        }
        out.bytes(&self.text);
        out.finish()
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut from = Reader(bytes);
        let len = from.len(8)?;
        let earlier = (0..len).map(|_| from.u64()).collect::<Result<_, _>>()?;
        let text = from.bytes()?.into();
        from.end()?;
        Ok(Self { text, earlier })
    }
}

/// FNV-1a: names a text among the few that one installation ever has.
fn id(text: &[u8]) -> u64 {
    text.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_applied_before_are_known_as_such_also_after_a_restart() {
        let mut rules = Rules::new(b"first"[..].into());
        rules.replace(b"second"[..].into());
        let rules = Rules::read(&rules.write()).expect("what was written can be read");
        assert_eq!(&rules.text[..], b"second");
        assert!(rules.was(b"first"));
        assert!(!rules.was(b"second") && !rules.was(b"third"));
    }
}
