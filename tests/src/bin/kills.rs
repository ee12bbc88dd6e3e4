//! Kills services at every step of the protocol, for longer than a test may take:
//! `kills [--rounds 200] [--processes 1] [--dynamic] [--per-second 10] [--seed 1]`. A round is a kill.

use std::process::ExitCode;

use settlewatch_tests::broker::{Cluster, Group, Kills, Options, Setup, missing};

struct Arguments {
    rounds: u64,
    processes: usize,
    stable: bool,
    per_second: i64,
    seed: u64,
}

fn main() -> ExitCode {
    match arguments() {
        Ok(arguments) => run(&arguments),
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}

fn arguments() -> Result<Arguments, String> {
    let mut arguments = Arguments {
        rounds: 200,
        processes: 1,
        stable: true,
        per_second: 10,
        seed: 1,
    };
    let mut given = std::env::args().skip(1);
    while let Some(name) = given.next() {
        if name == "--dynamic" {
            arguments.stable = false;
            continue;
        }
        let value = given.next().ok_or(format!("{name} needs a value"))?;
        let number: u32 = value
            .parse()
            .map_err(|error| format!("{name} {value}: {error}"))?;
        match name.as_str() {
            "--rounds" => arguments.rounds = number.into(),
            "--processes" => arguments.processes = number.max(1) as usize,
            "--per-second" => arguments.per_second = i64::from(number.max(1)),
            "--seed" => arguments.seed = number.into(),
            _ => return Err(format!("{name} is not known")),
        }
    }
    Ok(arguments)
}

fn run(arguments: &Arguments) -> ExitCode {
    if let Some(what) = missing() {
        eprintln!("kills needs a Kafka: {what}");
        return ExitCode::FAILURE;
    }
    let cluster = Cluster::start(&Options::default());
    let group = Group::new(&cluster, "kills", Setup::quick());
    let kills = Kills::new(
        &group,
        arguments.processes,
        arguments.stable,
        arguments.seed,
    );
    let (report, judgement) = kills.run(arguments.rounds, arguments.per_second);
    println!("{}{}", report.words(), judgement.words());
    for wrong in &judgement.wrong {
        println!("{wrong}");
    }
    ExitCode::from(u8::from(!judgement.wrong.is_empty()))
}
