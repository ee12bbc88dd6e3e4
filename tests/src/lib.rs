//! The reference and the tools that the tests share.

pub mod reference;
pub mod render;
pub mod story;
