//! Tools that the benchmarks share.
