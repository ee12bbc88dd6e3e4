//! What the text of the watch's rules means.

use settlewatch_config::{Config, Env, Purpose, load_str};

/// The configuration that a text of [`Loaded::watch`](settlewatch_config::Loaded) stands for: of this process or of an
/// earlier one.
pub(super) fn read(rules: &[u8]) -> Result<Config, String> {
    let text = std::str::from_utf8(rules).map_err(|error| error.to_string())?;
    let loaded = load_str("rules", text, Purpose::Replay, &Env::empty());
    Ok(loaded.map_err(|told| told.to_string())?.config)
}
