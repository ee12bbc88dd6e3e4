//! Simulates the protocol over many seeds: `simulator --seeds 5000 [--from N] [--seed N] [--mutation NAME|all] [--verbose]`.

use std::process::ExitCode;

use settlewatch_tests::model::{Coverage, Mutation, Options, Watched, run};

struct Arguments {
    seeds: std::ops::Range<u64>,
    mutations: Vec<Option<Mutation>>,
    verbose: bool,
}

fn main() -> ExitCode {
    match arguments() {
        Ok(arguments) => simulate(&arguments),
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

fn arguments() -> Result<Arguments, String> {
    let (mut from, mut seeds, mut mutations, mut verbose) = (0, 1000, vec![None], false);
    let mut given = std::env::args().skip(1);
    while let Some(name) = given.next() {
        let mut value = || given.next().ok_or(format!("{name} needs a value"));
        let number = |text: String| text.parse::<u64>().map_err(|error| error.to_string());
        match name.as_str() {
            "--seeds" => seeds = number(value()?)?,
            "--from" => from = number(value()?)?,
            "--seed" => (from, seeds) = (number(value()?)?, 1),
            "--mutation" => mutations = mutations_named(&value()?)?,
            "--verbose" => verbose = true,
            _ => return Err(format!("{name} is not known")),
        }
    }
    Ok(Arguments {
        seeds: from..from + seeds,
        mutations,
        verbose,
    })
}

fn mutations_named(name: &str) -> Result<Vec<Option<Mutation>>, String> {
    let all = Mutation::ALL.iter().copied().map(Some);
    if name == "all" {
        return Ok(all.collect());
    }
    let found = Mutation::ALL
        .iter()
        .find(|mutation| mutation.name() == name);
    let names = Mutation::ALL.iter().map(|mutation| mutation.name());
    match found {
        Some(&mutation) => Ok(vec![Some(mutation)]),
        None => Err(format!(
            "--mutation: one of all, {}",
            names.collect::<Vec<_>>().join(", ")
        )),
    }
}

fn simulate(arguments: &Arguments) -> ExitCode {
    let mut well = true;
    for &mutation in &arguments.mutations {
        well &= match mutation {
            None => clean(arguments),
            Some(mutation) => caught(arguments, mutation),
        };
    }
    if well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn clean(arguments: &Arguments) -> bool {
    let (mut coverage, mut watched) = (Coverage::default(), Watched::default());
    let (mut failed, mut compared, mut excused, mut rounds) = (0, 0, 0, 0);
    for seed in arguments.seeds.clone() {
        let report = run(Options {
            seed,
            mutation: None,
            verbose: arguments.verbose,
        });
        print!("{}", report.history);
        coverage.merge(&report.coverage);
        watched.merge(&report.watched);
        compared += report.compared;
        excused += report.excused;
        rounds += report.rounds;
        if !report.violations.is_empty() {
            failed += 1;
            println!("seed {seed}:");
            for violation in &report.violations {
                println!("  {violation}");
            }
        }
    }
    println!("{coverage}");
    println!("The watch:\n{}", watched.coverage);
    println!(
        "{:?}: {failed} failed, {compared} alerts compared, {excused} only checked, {rounds} rounds, {} cells empty",
        arguments.seeds,
        coverage.missing().len()
    );
    println!(
        "The watch: {watched}, {} cells empty",
        watched.coverage.missing().len()
    );
    failed == 0
}

fn caught(arguments: &Arguments, mutation: Mutation) -> bool {
    for seed in arguments.seeds.clone() {
        let report = run(Options {
            seed,
            mutation: Some(mutation),
            verbose: false,
        });
        if let Some(first) = report.violations.first() {
            let needed = seed - arguments.seeds.start + 1;
            let first = first.lines().next().unwrap_or_default();
            println!("{:<40} {needed:>6}  {first}", mutation.name());
            return true;
        }
    }
    println!("{:<40}      -  not caught", mutation.name());
    false
}
