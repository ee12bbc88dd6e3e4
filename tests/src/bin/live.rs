//! Runs scenarios live on a real broker, each beside a replay of what it wrote: `live [--scenario NAME;…] [--rate 25]
//! [--seconds 480] [--seed 1] [--side-by-side 6]`. Without names, every scenario that tells something. Scenarios are as
//! `simulate --scenario` has them. `SETTLEWATCH_KEEP=1` leaves the records that each wrote.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use settlewatch_tests::broker::{Cluster, Live, Seen, missing};
use settlewatch_tests::evaluate::Subject;

struct Arguments {
    scenarios: Vec<String>,
    rate: u32,
    seconds: u32,
    seed: u64,
    side_by_side: usize,
}

fn main() -> ExitCode {
    if let Some(what) = missing() {
        eprintln!("a real broker is needed: {what}");
        return ExitCode::FAILURE;
    }
    let arguments = match arguments() {
        Ok(arguments) => arguments,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    let differ = run(&arguments);
    Cluster::end_shared();
    println!(
        "{} scenarios, {differ} not as in their replay",
        arguments.scenarios.len()
    );
    ExitCode::from(u8::from(differ > 0))
}

fn arguments() -> Result<Arguments, String> {
    let telling = Subject::all().into_iter().filter(|it| *it != Subject::Two);
    let mut all = Arguments {
        scenarios: telling.map(|it| it.name().to_owned()).collect(),
        rate: 25,
        seconds: 480,
        seed: 1,
        side_by_side: 6,
    };
    let mut given = std::env::args().skip(1);
    while let Some(name) = given.next() {
        let value = given.next().ok_or(format!("{name} needs a value"))?;
        let number = || {
            value
                .parse::<u32>()
                .map_err(|error| format!("{name}: {error}"))
        };
        match name.as_str() {
            "--scenario" => all.scenarios = value.split(';').map(Into::into).collect(),
            "--rate" => all.rate = number()?,
            "--seconds" => all.seconds = number()?,
            "--seed" => all.seed = u64::from(number()?),
            "--side-by-side" => all.side_by_side = number()?.clamp(1, 64) as usize,
            _ => return Err(format!("{name} is not known")),
        }
    }
    Ok(all)
}

/// Runs them side by side, prints each when it is over, and gives how many differ from their replays.
fn run(arguments: &Arguments) -> usize {
    let cluster = Cluster::shared();
    let (next, differ) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let printing = Mutex::new(());
    let work = || {
        while let Some(scenario) = arguments
            .scenarios
            .get(next.fetch_add(1, Ordering::Relaxed))
        {
            let live = Live {
                scenario: scenario.clone(),
                rate: arguments.rate,
                seconds: arguments.seconds,
                seed: arguments.seed,
            };
            let seen = live.run(&cluster);
            let _alone = printing.lock().expect("nobody panics while printing");
            if !print(&seen) {
                differ.fetch_add(1, Ordering::Relaxed);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..arguments.side_by_side {
            scope.spawn(work);
        }
    });
    differ.into_inner()
}

/// Whether it is as in its replay.
fn print(seen: &Seen) -> bool {
    let said: Vec<String> = seen
        .live
        .iter()
        .map(|it| format!("{} {}", it.verdict, it.scope))
        .collect();
    let differences = seen.differences();
    let mark = if differences.is_empty() {
        "ok"
    } else {
        "DIFFERS"
    };
    println!(
        "{:<28} {mark:<8} must say {:?}, says {said:?}, visible after the replay's moment: {:?} ms",
        seen.scenario,
        seen.truth,
        seen.later_ms()
    );
    differences.iter().for_each(|line| println!("    {line}"));
    differences.is_empty()
}
