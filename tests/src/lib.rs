//! The reference and the tools that the tests share.
