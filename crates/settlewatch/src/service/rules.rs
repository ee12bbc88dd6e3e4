//! The rules of this process, and whether their file has changed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use settlewatch_config::{Env, Loaded, Purpose, load};
use settlewatch_join::Settings;

use super::host;

/// The configuration file of a service that runs.
pub(super) struct RulesFile {
    path: PathBuf,
    changed: Option<SystemTime>,
    text: Arc<[u8]>,
    watch: Arc<[u8]>,
}

/// What the file says now.
pub(super) struct ReadAgain {
    /// The text that lanes are told.
    pub(super) text: Arc<[u8]>,
    /// The text that the watch is told.
    pub(super) watch: Arc<[u8]>,
    /// What it means.
    pub(super) settings: Settings,
    /// How many alerts a reload may raise at once.
    pub(super) alerts_at_once: u64,
}

impl RulesFile {
    pub(super) fn new(path: &Path, loaded: &Loaded) -> Self {
        Self {
            path: path.to_path_buf(),
            changed: changed(path),
            text: loaded.decision.as_bytes().into(),
            watch: loaded.watch.as_bytes().into(),
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

    /// Reads the file again: the rules in it and what they mean, where they are right.
    pub(super) fn read_again(&mut self) -> Option<ReadAgain> {
        self.changed = changed(&self.path);
        let loaded = load(&self.path, Purpose::Run, &Env::of_process());
        let (text, watch, alerts_at_once): (Arc<[u8]>, Arc<[u8]>, u64) = match loaded {
            Ok(loaded) => (
                loaded.decision.as_bytes().into(),
                loaded.watch.as_bytes().into(),
                loaded.config.limits.reload_alerts as u64,
            ),
            Err(told) => {
                tracing::error!("the configuration has errors; what ran before stays:\n{told}");
                return None;
            }
        };
        match host::settings(&text) {
            Ok(settings) => {
                self.text = Arc::clone(&text);
                self.watch = Arc::clone(&watch);
                Some(ReadAgain {
                    text,
                    watch,
                    settings,
                    alerts_at_once,
                })
            }
            Err(error) => {
                tracing::error!("the rules cannot stand alone; what ran before stays:\n{error}");
                None
            }
        }
    }
}

fn changed(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).ok()?.modified().ok()
}
