//! Runs tests side by side on one broker: most of their time they wait.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

/// Tests at the same time, unless `--test-threads` says otherwise: they wait more than they work, and two cores are
/// busy with so many.
const SIDE_BY_SIDE: usize = 5;

/// A test.
pub(crate) struct Test {
    pub(crate) name: &'static str,
    pub(crate) run: fn(),
}

/// Tests by the paths of their functions, in the order in which they begin.
macro_rules! tests {
    ($($module:ident::$name:ident,)*) => {
        &[$($crate::runner::Test {
            name: concat!(stringify!($module), "::", stringify!($name)),
            run: $module::$name,
        }),*]
    };
}
pub(crate) use tests;

/// What was asked for, in the words of Rust's own test programs.
#[derive(Default)]
struct Asked {
    names: Vec<String>,
    skip: Vec<String>,
    exact: bool,
    list: bool,
    threads: Option<usize>,
}

impl Asked {
    fn of(arguments: impl Iterator<Item = String>) -> Self {
        let mut asked = Self::default();
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            let (name, value) = match argument.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (argument.as_str(), None),
            };
            let mut value = || value.clone().or_else(|| arguments.next());
            match name {
                "--exact" => asked.exact = true,
                "--list" => asked.list = true,
                "--skip" => asked.skip.extend(value()),
                "--test-threads" => asked.threads = value().and_then(|it| it.parse().ok()),
                // What is said is always shown; other options change the looks.
                _ if name.starts_with('-') => {}
                _ => asked.names.push(argument),
            }
        }
        asked
    }

    fn wants(&self, test: &Test) -> bool {
        let fits = |name: &String| {
            if self.exact {
                test.name == name
            } else {
                test.name.contains(name.as_str())
            }
        };
        (self.names.is_empty() || self.names.iter().any(fits)) && !self.skip.iter().any(fits)
    }
}

/// Runs those that the command line asks for.
pub(crate) fn run(tests: &[Test]) -> ExitCode {
    let asked = Asked::of(std::env::args().skip(1));
    let wanted: Vec<&Test> = tests.iter().filter(|test| asked.wants(test)).collect();
    if asked.list {
        wanted
            .iter()
            .for_each(|test| println!("{}: test", test.name));
        return ExitCode::SUCCESS;
    }
    println!("\nrunning {} tests", wanted.len());
    let begin = Instant::now();
    let failed = side_by_side(&wanted, asked.threads.unwrap_or(SIDE_BY_SIDE));
    if !failed.is_empty() {
        println!("\nfailures:\n    {}", failed.join("\n    "));
    }
    let result = if failed.is_empty() { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {result}. {} passed; {} failed; 0 ignored; 0 measured; {} filtered out; finished in {:.2}s\n",
        wanted.len() - failed.len(),
        failed.len(),
        tests.len() - wanted.len(),
        begin.elapsed().as_secs_f64(),
    );
    ExitCode::from(if failed.is_empty() { 0 } else { 101 })
}

/// The names of those that failed.
fn side_by_side(tests: &[&Test], threads: usize) -> Vec<&'static str> {
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(Vec::new());
    let work = || {
        while let Some(test) = tests.get(next.fetch_add(1, Ordering::Relaxed)) {
            if !passes(test) {
                let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
                failed.push(test.name);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(work);
        }
    });
    failed.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a test on a thread that bears its name, which its panic then tells.
fn passes(test: &Test) -> bool {
    let begin = Instant::now();
    let named = thread::Builder::new().name(test.name.into());
    let run = test.run;
    let thread = named.spawn(move || catch_unwind(AssertUnwindSafe(run)).is_ok());
    let thread = thread.expect("a thread can be started");
    let passed = thread.join().unwrap_or(false);
    let result = if passed { "ok" } else { "FAILED" };
    println!(
        "test {} ... {result} ({:.1}s)",
        test.name,
        begin.elapsed().as_secs_f64()
    );
    passed
}
