//! How many bytes the watch costs beside the input, and how much CPU beside the decision.

use std::time::Duration;

use anyhow::Result;
use settlewatch_config::{Env, Purpose, load_str};
use settlewatch_join::{Effects, Place, Span, Timestamp};
use settlewatch_replay::collector_settings;
use settlewatch_sim::{Plan, Rate, Record as Generated, Topic, config, generate};
use settlewatch_watch::pulse::CollectorSettings;

use crate::bed::thread_cpu;
use crate::laned::{Lane, lanes};
use crate::table::Row;

const PARTITIONS: u32 = 48;
const TERMINALS: u32 = 100_000;
/// Seconds that are not counted: payments are not credited yet.
const WARM_S: u64 = 8;
/// Seconds that are counted.
const COUNTED_S: u64 = 8;

/// What is measured.
struct Case {
    name: &'static str,
    per_second: u32,
    share_ppm: u32,
    stages_permille: u32,
    /// Most percent of the input bytes.
    budget: Option<f64>,
}

const CASES: [Case; 5] = [
    Case {
        name: "1 k payments/s, share 1",
        per_second: 1_000,
        share_ppm: 1_000_000,
        stages_permille: 0,
        budget: None,
    },
    Case {
        name: "1 k payments/s with stages, share 1",
        per_second: 1_000,
        share_ppm: 1_000_000,
        stages_permille: 1000,
        budget: None,
    },
    Case {
        name: "20 k payments/s, share 0.1",
        per_second: 20_000,
        share_ppm: 100_000,
        stages_permille: 0,
        budget: Some(3.0),
    },
    Case {
        name: "20 k payments/s with stages, share 0.1",
        per_second: 20_000,
        share_ppm: 100_000,
        stages_permille: 1000,
        budget: Some(3.0),
    },
    Case {
        name: "20 k payments/s, share 1",
        per_second: 20_000,
        share_ppm: 1_000_000,
        stages_permille: 0,
        budget: None,
    },
];

/// Sums over the seconds that are counted.
#[derive(Default)]
struct Sums {
    input_bytes: u64,
    pulse_bytes: u64,
    pulse_records: u64,
    alone: Duration,
    watched: Duration,
}

/// Pulse bytes as a share of the input bytes, and the CPU of collecting as a share of decoding and deciding.
///
/// # Errors
/// The plan or its configuration are wrong.
pub fn pulses() -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for case in &CASES {
        let sums = case.measure()?;
        let percent = 100.0 * sums.pulse_bytes as f64 / sums.input_bytes as f64;
        let name = format!("pulse bytes of input bytes, {}", case.name);
        rows.push(match case.budget {
            Some(budget) => Row::at_most(&name, budget, percent, "%"),
            None => Row::shown(&name, percent, "%"),
        });
        let each = sums.pulse_bytes as f64 / sums.pulse_records as f64;
        rows.push(Row::shown("… a pulse record", each / 1000.0, "kB"));
        let cpu = sums.watched.as_secs_f64() / sums.alone.as_secs_f64() - 1.0;
        let name = "… CPU of collecting and encoding, of decoding and deciding";
        rows.push(Row::shown(name, 100.0 * cpu, "%"));
    }
    Ok(rows)
}

impl Case {
    fn measure(&self) -> Result<Sums> {
        let duration_ms = i64::try_from((WARM_S + COUNTED_S) * 1000)?;
        let plan = Plan::builder()
            .rate(Rate::per_second(self.per_second))
            .duration_ms(duration_ms)
            .partitions(PARTITIONS)
            .terminals(TERMINALS)
            .stages_permille(self.stages_permille)
            .varied()
            .build()?;
        let text = config(&plan);
        let loaded = load_str("settlewatch.yaml", &text, Purpose::Replay, &Env::empty());
        let config = loaded.map_err(|told| anyhow::anyhow!("{told}"))?.config;
        let since = Timestamp::from_millis(plan.start_ms());
        let collector = CollectorSettings {
            share_ppm: self.share_ppm,
            ..collector_settings(&config)
        };
        let mut alone = lanes(PARTITIONS, &config, since, None);
        let mut watched = lanes(PARTITIONS, &config, since, Some(&collector));
        let mut records = generate(&plan)
            .filter(|it| it.topic != Topic::Terminals)
            .peekable();
        let mut sums = Sums::default();
        for second in 0..WARM_S + COUNTED_S {
            let end = since + Span::from_secs(second + 1);
            let mut chunk = Vec::new();
            while let Some(record) = records.next_if(|it| it.ts_ms < end.millis()) {
                chunk.push(record);
            }
            let mut of_second = Sums::default();
            // Turns change, so that whatever else the machine does meets both alike.
            for turn in 0..2 {
                if (second + turn) % 2 == 0 {
                    of_second.alone = run(&chunk, end, &mut alone, &mut Sums::default())?;
                } else {
                    let cpu = run(&chunk, end, &mut watched, &mut of_second)?;
                    of_second.watched = cpu;
                }
            }
            if second >= WARM_S {
                sums.add(&of_second);
            }
        }
        Ok(sums)
    }
}

/// Decodes and decides what was appended before `end`; the CPU time of it.
fn run(
    chunk: &[Generated],
    end: Timestamp,
    lanes: &mut [Lane],
    sums: &mut Sums,
) -> Result<Duration> {
    let mut effects = Effects::new();
    let began = thread_cpu();
    for generated in chunk {
        let lane = &mut lanes[generated.partition as usize];
        let place = Place {
            at: Timestamp::from_millis(generated.ts_ms),
            stream: generated.topic as u8,
            partition: generated.partition as i32,
            offset: generated.offset as i64,
        };
        lane.apply(place, generated.payload.as_bytes(), &mut effects)?;
        sums.input_bytes += (generated.key.len() + generated.payload.len()) as u64;
    }
    for lane in lanes {
        if let Some(record) = lane.end(end, &mut effects) {
            sums.pulse_bytes += record.encode().len() as u64;
            sums.pulse_records += 1;
        }
    }
    Ok(thread_cpu() - began)
}

impl Sums {
    fn add(&mut self, more: &Self) {
        self.input_bytes += more.input_bytes;
        self.pulse_bytes += more.pulse_bytes;
        self.pulse_records += more.pulse_records;
        self.alone += more.alone;
        self.watched += more.watched;
    }
}
