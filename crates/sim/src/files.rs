//! A recording as a folder: one file a topic, the configuration and the truth.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::error::WriteError;
use crate::event::Topic;
use crate::generator::generate;
use crate::plan::Plan;
use crate::policy;
use crate::render;
use crate::truth::Truth;

/// Writes the recording of `plan` to the folder `dir`, which is made if need be: `payments.ndjson`,
/// `credits.ndjson`, `lifecycle.ndjson`, `terminals.ndjson`, `settlewatch.yaml` and `truth.json`.
///
/// # Errors
/// The first file that could not be written.
pub fn write_dir(plan: &Plan, dir: &Path) -> Result<Truth, WriteError> {
    fs::create_dir_all(dir).map_err(|source| WriteError {
        path: dir.to_owned(),
        source,
    })?;
    let mut files = Vec::with_capacity(Topic::ALL.len());
    for topic in Topic::ALL {
        let path = dir.join(format!("{}.ndjson", topic.name()));
        let file = File::create(&path).map_err(|source| WriteError {
            path: path.clone(),
            source,
        })?;
        files.push((BufWriter::new(file), path));
    }
    let mut records = generate(plan);
    for record in &mut records {
        let (file, path) = &mut files[record.topic as usize];
        render::write_line(file, &record).map_err(|source| WriteError {
            path: path.clone(),
            source,
        })?;
    }
    for (mut file, path) in files {
        file.flush().map_err(|source| WriteError { path, source })?;
    }
    let truth = records.into_truth();
    let mut json = format!("{:#}", truth.json(plan));
    json.push('\n');
    write(&dir.join("truth.json"), &json)?;
    write(&dir.join("settlewatch.yaml"), &config(plan))?;
    Ok(truth)
}

/// The `settlewatch.yaml` that the truth of `plan` is made for.
pub fn config(plan: &Plan) -> String {
    policy::yaml(&plan.heading)
}

fn write(path: &Path, text: &str) -> Result<(), WriteError> {
    fs::write(path, text).map_err(|source| WriteError {
        path: path.to_owned(),
        source,
    })
}
