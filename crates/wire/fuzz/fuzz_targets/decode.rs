//! Any bytes, as the value of a record and as a line of a recording.
#![no_main]

use libfuzzer_sys::fuzz_target;
use settlewatch_wire::{Limits, Line, Scratch, check_stream, decode, parse_line, parse_line_into};

fuzz_target!(|bytes: &[u8]| {
    match decode(Some(bytes), &Limits::default()) {
        Ok(event) => drop(check_stream(&event, true)),
        Err(rejection) => assert!(rejection.detail.len() < 200),
    }
    let mut scratch = Scratch::default();
    let lent = parse_line_into(bytes, &mut scratch);
    assert_eq!(lent, parse_line(bytes));
    if let Ok(Line::Envelope(envelope)) = lent {
        let _ = decode(envelope.payload.as_deref(), &Limits::default());
    }
});
