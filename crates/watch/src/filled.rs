//! What a payment does not say of its terminal, as the payments before it said it: where a terminal stands and what it
//! runs does not change because one record leaves it out.

use std::sync::Arc;

use crate::detect::values::{TupleId, Values};
use crate::pulse::{APP, CARRIER, DimIndex, MCC, MODEL, REGION, STORE, TERMINAL, Tuple, VENDOR};
use crate::terminals::Terminals;

/// What belongs to a terminal, or to the merchant that has it.
const OF_A_TERMINAL: [DimIndex; 7] = [REGION, CARRIER, STORE, MODEL, VENDOR, APP, MCC];

/// The number of a payment's tuple, with what is known of its terminal; from now on that knows what the tuple says.
pub(crate) fn tuple_of(tuple: &Tuple, values: &mut Values, terminals: &mut Terminals) -> TupleId {
    let said = values.tuple(tuple);
    let Some(terminal) = tuple.values.get(TERMINAL).and_then(Option::as_ref) else {
        return said;
    };
    let before = terminals.get(terminal).and_then(|known| known.tuple);
    let filled = before.map_or(said, |before| values.filled(said, before, &OF_A_TERMINAL));
    terminals.paid(&Arc::clone(terminal), filled);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::values::ValueId;
    use crate::pulse::{CHANNEL, Dims};

    #[test]
    fn what_is_left_out_is_as_the_terminal_said_last() {
        let dims = Dims::new(&[]);
        let (mut values, mut terminals) = (Values::new(&dims), Terminals::default());
        let mut number = |said: &[(DimIndex, &str)]| {
            let number = tuple_of(&Tuple::of(said), &mut values, &mut terminals);
            let text = |dim: DimIndex| {
                let value = values.of(number)[dim];
                (value != ValueId::NONE).then(|| values.text(value).1.to_string())
            };
            (number, [CHANNEL, REGION, CARRIER].map(text))
        };
        let some = |text: &str| Some(text.to_owned());
        let whole = [(CHANNEL, "a"), (REGION, "east"), (TERMINAL, "t1")];
        let (first, _) = number(&whole);
        let carrier = [(CHANNEL, "a"), (CARRIER, "c"), (TERMINAL, "t1")];
        let (_, said) = number(&carrier);
        assert_eq!(said, [some("a"), some("east"), some("c")]);
        let (_, said) = number(&[(CHANNEL, "b"), (TERMINAL, "t1")]);
        assert_eq!(said, [some("b"), some("east"), some("c")]);
        // A terminal that moved, and another one.
        let (_, said) = number(&[(CHANNEL, "a"), (REGION, "west"), (TERMINAL, "t1")]);
        assert_eq!(said, [some("a"), some("west"), some("c")]);
        let (other, said) = number(&[(CHANNEL, "a"), (TERMINAL, "t2")]);
        assert_eq!(said, [some("a"), None, None]);
        assert_ne!(other, first);
    }
}
