//! The property: over random worlds, a replay writes what the reference says, for any partitioning.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::compare::{Aspect, Difference, Lateness, compare};
use crate::generate::{Rng, World, interleave};
use crate::reference::judge;
use crate::render::{self, Draft};
use crate::shrink::shrink;

/// Runs a replay in process: the lines of a recording and the text of a configuration go in, the lines of
/// `alerts.ndjson` and `summary.json` come out.
pub type Run<'a> = &'a dyn Fn(&[String], &str) -> (Vec<Value>, Value);

/// The partition counts each world is spread over.
pub const PARTITIONS: [u64; 3] = [1, 3, 7];

/// The seeds to check: the one that `SETTLEWATCH_SEED` names, else as many as `SETTLEWATCH_SEEDS` says, else
/// `count`. Prints which.
pub fn seeds(count: u64) -> Range<u64> {
    let number = |name| std::env::var(name).ok()?.parse::<u64>().ok();
    let seeds = match number("SETTLEWATCH_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SETTLEWATCH_SEEDS").unwrap_or(count),
    };
    println!("seeds {seeds:?}");
    seeds
}

/// How worlds are compared, and where failures are written.
#[derive(Clone, Debug)]
pub struct Property {
    /// How closely records are compared.
    pub lateness: Lateness,
    /// The folder in which each failing seed gets a folder.
    pub folder: PathBuf,
}

impl Default for Property {
    /// Forgiving about lateness; failures go to the target directory.
    fn default() -> Self {
        let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
        let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
        Self {
            lateness: Lateness::Summed,
            folder: target.unwrap_or_else(default).join("failures"),
        }
    }
}

/// Compares the world of `seed` with the usual property.
pub fn check(seed: u64, run: Run<'_>) -> Result<(), String> {
    Property::default().check(seed, run)
}

impl Property {
    /// Compares one world; a failure is shrunk, written to files that can be replayed, and told with its seed.
    pub fn check(&self, seed: u64, run: Run<'_>) -> Result<(), String> {
        let world = World::new(seed);
        for partitions in PARTITIONS {
            let of = |world: &World| differences(world, partitions, self.lateness, run);
            let Some(aspect) = of(&world).first().map(|first| first.aspect) else {
                continue;
            };
            let with = |drafts: &[Draft]| World {
                drafts: drafts.to_vec(),
                ..world.clone()
            };
            let fails = |drafts: &[Draft]| {
                of(&with(drafts))
                    .first()
                    .is_some_and(|it| it.aspect == aspect)
            };
            let small = with(&shrink(&world.drafts, &fails));
            return Err(self.report(&small, partitions, &of(&small)));
        }
        Ok(())
    }

    /// The failure in words, beside the files that show it.
    fn report(&self, world: &World, partitions: u64, differences: &[Difference]) -> String {
        let (records, yaml) = (world.records(partitions), render::yaml(&world.config));
        let mut text = format!("seed {}, {partitions} partitions, shrunk to:\n", world.seed);
        for rec in &records {
            text.push_str(&format!("  {:?} {}\n", rec.place(), rec.value));
        }
        text.push_str(&format!("{yaml}\n"));
        for difference in differences {
            text.push_str(&format!("{:?}:\n{}", difference.aspect, difference.text));
        }
        let folder = self.folder.join(format!("seed-{}", world.seed));
        text.push_str(&match write(&folder, &render::lines(&records), &yaml) {
            Ok(()) => format!(
                "settlewatch replay --config {0}/settlewatch.yaml --input {0}/records.ndjson --out DIR\n",
                folder.display()
            ),
            Err(error) => format!("not written to files: {error}\n"),
        });
        text
    }
}

fn differences(
    world: &World,
    partitions: u64,
    lateness: Lateness,
    run: Run<'_>,
) -> Vec<Difference> {
    let records = world.records(partitions);
    let expected = judge(&records, &world.config, world.end_ms());
    let lines = interleave(&records, &mut Rng::new(world.seed));
    let yaml = render::yaml(&world.config);
    match catch_unwind(AssertUnwindSafe(|| run(&lines, &yaml))) {
        Ok((alerts, summary)) => compare(&expected, &alerts, &summary, lateness),
        Err(_) => vec![Difference {
            aspect: Aspect::Panicked,
            text: "the replay panicked\n".to_owned(),
        }],
    }
}

/// Writes a recording and its configuration.
fn write(folder: &Path, lines: &[String], yaml: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("records.ndjson"), lines.join("\n") + "\n")?;
    std::fs::write(folder.join("settlewatch.yaml"), yaml)
}

#[cfg(test)]
mod tests;
