//! The `settlewatch` binary.
fn main() {}
