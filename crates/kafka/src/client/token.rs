//! OAUTHBEARER tokens from a file that somebody keeps filled.

use std::io::Read;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rdkafka::client::OAuthToken;

/// A longer file is something else.
const MAX_BYTES: u64 = 64 << 10;

/// When to look again where the token does not say how long it is good.
const OPAQUE_LIFETIME: Duration = Duration::from_secs(300);

/// Why there is no token. Nothing of the token is ever shown.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    /// `OAUTHBEARER` without a file.
    #[error("no token: set `kafka.oauth_token_file`")]
    NoFile,
    /// It cannot be read.
    #[error("no token: cannot read {path}: {why}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why not.
        why: String,
    },
    /// It holds something else.
    #[error("no token: {path} holds no token")]
    Malformed {
        /// The file.
        path: String,
    },
    /// Nobody renewed it.
    #[error("no token: the one in {path} expired {ago_s} s ago; whatever renews it does not")]
    Expired {
        /// The file.
        path: String,
        /// Since then.
        ago_s: u64,
    },
}

/// The token in the file, good at `now`.
pub(crate) fn read(path: &Path, now: SystemTime) -> Result<OAuthToken, TokenError> {
    let shown = path.display().to_string();
    let text = text(path).map_err(|error| TokenError::Unreadable {
        path: shown.clone(),
        why: error.to_string(),
    })?;
    let token = text.trim();
    let legal = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
    if token.is_empty() || text.len() as u64 > MAX_BYTES || !token.chars().all(legal) {
        return Err(TokenError::Malformed { path: shown });
    }
    let claims = claims(token);
    let expires = match claims.as_ref().and_then(|claims| claims.get("exp")) {
        Some(exp) => expiry(exp).ok_or_else(|| TokenError::Malformed {
            path: shown.clone(),
        })?,
        None => now + OPAQUE_LIFETIME,
    };
    if let Ok(ago) = now.duration_since(expires) {
        return Err(TokenError::Expired {
            path: shown,
            ago_s: ago.as_secs(),
        });
    }
    let subject = claims
        .as_ref()
        .and_then(|claims| claims.get("sub")?.as_str());
    let lifetime = expires.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(OAuthToken {
        token: token.to_owned(),
        // Brokers take the principal from the token itself.
        principal_name: subject.unwrap_or("settlewatch").replace('\0', ""),
        lifetime_ms: i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX),
    })
}

fn text(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let file = std::fs::File::open(path)?;
    file.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    Ok(text)
}

/// The middle part of a JSON Web Token (RFC 7519); `None` where the token is none, which is allowed.
fn claims(token: &str) -> Option<serde_json::Value> {
    let middle = token.split('.').nth(1)?.trim_end_matches('=');
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(middle).ok()?).ok()
}

/// Seconds since 1970, possibly with a fraction, which is dropped.
fn expiry(exp: &serde_json::Value) -> Option<SystemTime> {
    let text = exp.as_number()?.to_string();
    let seconds = text.split('.').next()?.parse().ok()?;
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn in_file(content: &str, now: SystemTime) -> Result<OAuthToken, TokenError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        std::fs::write(&path, content).unwrap();
        read(&path, now)
    }

    fn jwt(claims: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!(
            "{}.{}.c2lnbmF0dXJl",
            part(r#"{"alg":"RS256"}"#),
            part(claims)
        )
    }

    #[test]
    fn a_token_says_how_long_it_is_good_and_for_whom() {
        let token = in_file(&(jwt(r#"{"sub":"svc","exp":2000}"#) + "\n"), at(1000)).unwrap();
        assert_eq!(token.lifetime_ms, 2_000_000);
        assert_eq!(token.principal_name, "svc");
        let token = in_file(&jwt(r#"{"exp":2000.9}"#), at(1000)).unwrap();
        assert_eq!(token.lifetime_ms, 2_000_000);
    }

    #[test]
    fn a_token_that_is_not_renewed_is_refused_with_its_age() {
        let error = in_file(&jwt(r#"{"exp":2000}"#), at(2060)).err().unwrap();
        assert!(
            matches!(error, TokenError::Expired { ago_s: 60, .. }),
            "{error}"
        );
    }

    #[test]
    fn an_opaque_token_is_looked_at_again_after_minutes() {
        let token = in_file("abc.def", at(1000)).unwrap();
        assert_eq!(token.lifetime_ms, 1_300_000);
    }

    #[test]
    fn what_is_no_token_is_refused_without_being_shown() {
        for content in ["", "\n", "se cret", "s\u{e9}cret", "secret\0"] {
            let error = in_file(content, at(1000)).err().unwrap().to_string();
            assert!(!error.contains("cret"), "{error}");
        }
        let error = in_file(&jwt(r#"{"exp":"soon"}"#), at(1000)).err().unwrap();
        assert!(matches!(error, TokenError::Malformed { .. }), "{error}");
        let error = read(Path::new("/no/such/file"), at(0)).err().unwrap();
        assert!(error.to_string().contains("/no/such/file"));
    }
}
