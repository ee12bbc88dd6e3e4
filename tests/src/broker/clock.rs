//! A wall clock that is off: a library that is loaded into a service before all else.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::root;

/// Compiles the library into a folder; building the client needs a C compiler anyway. Loaded by `LD_PRELOAD`, it moves
/// the wall clock by `CLOCK_OFFSET_S` seconds.
///
/// # Panics
/// When it cannot be compiled.
pub fn clock_library(folder: &Path) -> PathBuf {
    let library = folder.join("clock.so");
    let source = root().join("tests/broker/clock.c");
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library);
    let status = cc.arg(source).status().expect("a C compiler is installed");
    assert!(status.success(), "{cc:?} failed");
    library
}
