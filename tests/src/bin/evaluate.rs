//! Evaluates incidents over seeds: `evaluate [--seeds 20] [--from 1] [--scenario NAME,…] [--clean-hours 150] [--jobs 2]
//! [--misses]`. `--misses` prints each fault that was missed or told wrongly, each false incident and each page of a
//! benign run, with the command that writes its recording and what was said instead.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use settlewatch_tests::evaluate::{Incident, Score, Subject, Table, Trial, hold, try_seed};

struct Arguments {
    seeds: u64,
    from: u64,
    subjects: Vec<Subject>,
    clean_hours: u64,
    jobs: usize,
    misses: bool,
}

fn main() -> ExitCode {
    let arguments = match arguments() {
        Ok(arguments) => arguments,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    let (table, failed) = evaluate(&arguments);
    let (text, reached) = table.told();
    println!("{text}");
    if reached && !failed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn arguments() -> Result<Arguments, String> {
    let mut all = Arguments {
        seeds: 20,
        from: 1,
        subjects: Vec::new(),
        clean_hours: 0,
        jobs: 1,
        misses: false,
    };
    let mut given = std::env::args().skip(1);
    let mut only = false;
    while let Some(name) = given.next() {
        let mut value = || given.next().ok_or(format!("{name} needs a value"));
        let number = |text: String| text.parse::<u64>().map_err(|error| error.to_string());
        match name.as_str() {
            "--seeds" => all.seeds = number(value()?)?,
            "--from" => all.from = number(value()?)?,
            "--seed" => (all.from, all.seeds) = (number(value()?)?, 1),
            "--clean-hours" => all.clean_hours = number(value()?)?,
            "--jobs" => all.jobs = usize::try_from(number(value()?)?.clamp(1, 64)).unwrap_or(1),
            "--misses" => all.misses = true,
            "--scenario" => {
                only = true;
                for name in value()?.split(',') {
                    all.subjects.push(Subject::parse(name)?);
                }
            }
            _ => return Err(format!("{name} is not known")),
        }
    }
    if !only {
        all.subjects = Subject::all();
    }
    Ok(all)
}

/// Every subject with every seed, the heavy hours last.
fn tasks(arguments: &Arguments) -> Vec<(Subject, u64)> {
    let seeds = arguments.from..arguments.from + arguments.seeds;
    let subjects = arguments.subjects.iter();
    let mut tasks: Vec<_> = subjects
        .flat_map(|subject| seeds.clone().map(|seed| (*subject, seed)))
        .collect();
    let hours = arguments.from..arguments.from + arguments.clean_hours;
    tasks.extend(hours.map(|seed| (Subject::Clean, seed)));
    tasks
}

fn evaluate(arguments: &Arguments) -> (Table, bool) {
    let (tasks, next) = (tasks(arguments), AtomicUsize::new(0));
    let sums = Mutex::new((Table::default(), false));
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs {
            scope.spawn(|| {
                while let Some((subject, seed)) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let tried = try_seed(*subject, *seed);
                    let mut sums = sums.lock().expect("no job panics while it counts");
                    match tried {
                        Ok(trial) => count(&trial, arguments.misses, &mut sums.0),
                        Err(why) => {
                            eprintln!("{} seed {seed}: {why}", subject.name());
                            sums.1 = true;
                        }
                    }
                }
            });
        }
    });
    sums.into_inner().expect("no job panics while it counts")
}

fn count(trial: &Trial, misses: bool, table: &mut Table) {
    if let Some(idle) = trial.idle() {
        let (subject, scenario) = (trial.subject.name(), idle.scenario.name());
        println!(
            "{subject} seed {}: not counted, {scenario} touched {} payments",
            trial.seed, idle.touched
        );
        return;
    }
    let held = hold(trial);
    table.add(trial, &held);
    if !misses {
        return;
    }
    let mut said = String::new();
    for score in &held.scores {
        let right = score.verdict && score.scope && score.incidents.len() == 1;
        if !right {
            said += &format!("  {}\n", fault(score, trial));
            for place in &score.incidents {
                said += &format!("    {}\n", incident(&trial.incidents[*place], trial));
            }
        }
    }
    for place in &held.false_ones {
        let false_one = &trial.incidents[*place];
        let word = if false_one.paged {
            "false"
        } else {
            "false, no page"
        };
        said += &format!("  {word}: {}\n", incident(false_one, trial));
    }
    if !said.is_empty() {
        let (subject, seed) = (trial.subject, trial.seed);
        println!(
            "{} seed {seed}: {}\n{said}",
            subject.name(),
            subject.command(seed)
        );
    }
}

fn fault(score: &Score, trial: &Trial) -> String {
    let told = &score.told;
    let what = match (score.best, score.verdict, score.scope) {
        (None, ..) => "missed",
        (_, false, false) => "wrong verdict and scope",
        (_, false, true) => "wrong verdict",
        (_, true, false) => "wrong scope",
        _ => "more than one incident",
    };
    let scope: Vec<_> = told
        .scope
        .iter()
        .map(|(field, value)| format!("{field}={value}"))
        .collect();
    format!(
        "{what}: {} {} {{{}}} {}-{} share {} times {} variant {}{}",
        told.scenario.name(),
        told.verdict.unwrap_or("-"),
        scope.join(" "),
        clock(told.started_at, trial),
        clock(told.ended_at, trial),
        told.share_permille,
        told.times_permille,
        told.variant,
        if told.ramp { " ramp" } else { "" },
    )
}

fn incident(incident: &Incident, trial: &Trial) -> String {
    let scope: Vec<_> = incident
        .scope
        .iter()
        .map(|(field, values)| format!("{field}={}", values.join("|")))
        .collect();
    let first = if incident.first_verdict == incident.verdict {
        String::new()
    } else {
        format!(" (first {})", incident.first_verdict)
    };
    format!(
        "{}{first} {{{}}} opened {} began {} resolved {} {} {} revisions {} ruled out: {}",
        incident.verdict,
        scope.join(" "),
        clock(incident.opened_at, trial),
        incident
            .started_at
            .map_or("-".into(), |at| clock(at, trial)),
        incident
            .resolved_at
            .map_or("-".into(), |at| clock(at, trial)),
        incident.severity,
        incident.basis,
        incident.revisions,
        incident.ruled_out.join("; "),
    )
}

/// Minutes and seconds after the first record.
fn clock(at: i64, trial: &Trial) -> String {
    let ms = at - trial.span_ms.0;
    format!("{}:{:02}.{:03}", ms / 60_000, ms / 1000 % 60, ms % 1000)
}
