//! The rules of this process, and whether their file has changed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use settlewatch_config::{Env, Loaded, Purpose, load};

use super::host;

/// The configuration file of a service that runs.
pub(super) struct RulesFile {
    path: PathBuf,
    changed: Option<SystemTime>,
    text: Arc<[u8]>,
}

impl RulesFile {
    pub(super) fn new(path: &Path, loaded: &Loaded) -> Self {
        Self {
            path: path.to_path_buf(),
            changed: changed(path),
            text: loaded.decision.as_bytes().into(),
        }
    }

    /// The text that lanes are told.
    pub(super) fn text(&self) -> Arc<[u8]> {
        Arc::clone(&self.text)
    }

    /// Whether the file was written since it was read.
    pub(super) fn is_newer(&self) -> bool {
        let now = changed(&self.path);
        now.is_some() && now != self.changed
    }

    /// Reads the file again: the rules in it, where they are right and others than before.
    pub(super) fn read_again(&mut self) -> Option<Arc<[u8]>> {
        self.changed = changed(&self.path);
        let loaded = load(&self.path, Purpose::Run, &Env::of_process());
        let text: Arc<[u8]> = match loaded {
            Ok(loaded) => loaded.decision.as_bytes().into(),
            Err(told) => {
                tracing::error!("the configuration has errors; what ran before stays:\n{told}");
                return None;
            }
        };
        if let Err(error) = host::settings(&text) {
            tracing::error!("the rules cannot stand alone; what ran before stays:\n{error}");
            return None;
        }
        self.text = Arc::clone(&text);
        Some(text)
    }
}

fn changed(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).ok()?.modified().ok()
}
