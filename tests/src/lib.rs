//! The reference and the tools that the tests share.

pub mod broker;
pub mod check;
pub mod compare;
pub mod evaluate;
pub mod generate;
pub mod harness;
pub mod howto;
pub mod lanes;
pub mod model;
pub mod pages;
pub mod picture;
pub mod placed;
pub mod reference;
pub mod render;
pub mod shrink;
pub mod story;
