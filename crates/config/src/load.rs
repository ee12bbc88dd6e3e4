//! From text to a configuration, in one pass that reports everything it finds.

use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::env::Env;
use crate::item::Item;
use crate::keys;
use crate::model::{Config, Purpose};
use crate::node::{Node, Value};
use crate::report::Report;
use crate::source::{Mark, SourceId};
use crate::walk::Walker;
use settlewatch_join::Fingerprint;

use crate::{build, calendar_files, decision, files, overrides, syntax};

/// A configuration and what is odd about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What probably does not say what was meant.
    pub warnings: Vec<Diagnostic>,
    /// The part that decisions depend on, as a configuration that stands alone.
    pub decision: String,
    /// The part that detection depends on, likewise.
    pub watch: String,
}

/// Reads the configuration in the file at `path`; relative paths in it start from its directory.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load(path: &Path, purpose: Purpose, env: &Env) -> Result<Loaded, Diagnostics> {
    let name = path.display().to_string();
    let base = path.parent().map(Path::to_path_buf).unwrap_or_default();
    match files::read_text(path) {
        Ok(text) => read(&name, &text, base, purpose, env),
        Err(what) => {
            let mut report = Report::default();
            let source = report.add_source(&name, "");
            report.error(
                Mark::start(source),
                format!("cannot read the configuration: {what}"),
                "name a YAML file that you may read",
            );
            Err(Diagnostics(report.into_list()))
        }
    }
}

/// Reads the configuration in `text`, which diagnostics call `name`; relative paths in it start from the
/// directory of `name`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load_str(
    name: &str,
    text: &str,
    purpose: Purpose,
    env: &Env,
) -> Result<Loaded, Diagnostics> {
    let base = Path::new(name)
        .parent()
        .map(Path::to_path_buf)
        .unwrap_or_default();
    read(
        name,
        text.strip_prefix('\u{feff}').unwrap_or(text),
        base,
        purpose,
        env,
    )
}

fn read(
    name: &str,
    text: &str,
    base: PathBuf,
    purpose: Purpose,
    env: &Env,
) -> Result<Loaded, Diagnostics> {
    let mut report = Report::default();
    let source = report.add_source(name, text);
    let config = compile(source, base, purpose, env, &mut report);
    if report.has_errors() {
        return Err(Diagnostics(report.into_list()));
    }
    let (mut config, decision, watch) =
        config.expect("what keeps a configuration from being built is reported");
    config.settings.version = version(&decision);
    Ok(Loaded {
        config,
        decision,
        watch,
        warnings: report.into_list(),
    })
}

/// Names rules by their text, in 48 bits: a gauge shows them exactly.
fn version(decision: &str) -> u64 {
    Fingerprint::of_parts(b'v', [decision.as_bytes()]).0 >> 16
}

fn compile(
    source: SourceId,
    base: PathBuf,
    purpose: Purpose,
    env: &Env,
    report: &mut Report,
) -> Option<(Config, String, String)> {
    let mut root = syntax::parse(report, source, 0)?;
    if root.is_null() {
        root = Node::empty_map(Mark::start(source));
    }
    if !matches!(root.value, Value::Map(_)) {
        let message = format!(
            "the configuration must be a map of keys, not {}",
            root.kind()
        );
        report.error(
            root.mark,
            message,
            "begin with `version: 1`, then `streams:` and `rules:`",
        );
        return None;
    }
    overrides::apply(&mut root, env, purpose, report);
    let mut walker = Walker {
        report,
        env,
        purpose,
        base,
    };
    calendar_files::merge(&mut root, &mut walker);
    let item = Item {
        mark: root.mark,
        kind: walker.section(&keys::ROOT, &root, ""),
    };
    let config = build::config(&item, purpose, report)?;
    let (decision, watch) = (decision::text(&root, env), decision::watch_text(&root, env));
    Some((config, decision, watch))
}
