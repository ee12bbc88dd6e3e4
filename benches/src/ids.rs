//! Identifiers as text, written into an arena that is reused: making events allocates nothing.

/// Text of a block of events. Cleared, never shrunk.
#[derive(Debug, Default)]
pub(crate) struct Arena(String);

/// Where a text lies in its arena.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    start: u32,
    end: u32,
}

impl Arena {
    /// Forgets every text.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The text of a piece.
    pub(crate) fn get(&self, piece: Piece) -> &str {
        &self.0[piece.start as usize..piece.end as usize]
    }

    /// Writes `prefix` and the decimal digits of `number`, at least `width` of them.
    pub(crate) fn number(&mut self, prefix: &str, mut number: u64, width: usize) -> Piece {
        let start = self.0.len();
        self.0.push_str(prefix);
        let mut digits = [b'0'; 20];
        let mut at = digits.len();
        while number > 0 || digits.len() - at < width {
            at -= 1;
            digits[at] += (number % 10) as u8;
            number /= 10;
        }
        // Decimal digits by construction.
        self.0
            .extend(digits[at..].iter().map(|&digit| char::from(digit)));
        self.piece(start)
    }

    /// Copies a text.
    pub(crate) fn text(&mut self, text: &str) -> Piece {
        let start = self.0.len();
        self.0.push_str(text);
        self.piece(start)
    }

    fn piece(&self, start: usize) -> Piece {
        Piece {
            start: start as u32,
            end: self.0.len() as u32,
        }
    }
}
