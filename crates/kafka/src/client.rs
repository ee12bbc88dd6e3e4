//! What every client has in common: settings, logs, tokens.

mod limiter;
mod redact;
mod token;

use std::error::Error;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use rdkafka::ClientConfig;
use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::statistics::Statistics;
use settlewatch_config::Kafka;

use limiter::Limiter;
use redact::Redactor;
pub(crate) use token::TokenError;

/// What may be set otherwise: the properties of the configuration come after these.
const DEFAULTS: [(&str, &str); 3] = [
    ("client.id", "settlewatch"),
    // A broker that restarts is back within a second or two; the default of ten seconds would be the longest
    // part of the outage.
    ("reconnect.backoff.max.ms", "500"),
    ("socket.keepalive.enable", "true"),
];

/// The settings of any client: brokers, and what the configuration says; consumers and producers add their own
/// after these, so that the protocol's win.
pub fn base(kafka: &Kafka) -> ClientConfig {
    let mut config = ClientConfig::new();
    for (name, value) in DEFAULTS {
        config.set(name, value);
    }
    for (name, value) in &kafka.properties {
        config.set(name, value.expose());
    }
    config.set("bootstrap.servers", &kafka.bootstrap_servers);
    // Every consumer asks for the coordinator of its group, also one that joins none: our rights are on this one.
    config.set("group.id", &kafka.group_id);
    // A topic that is missing is a finding, not something to make in passing.
    config.set("allow.auto.create.topics", "false");
    config.set_log_level(RDKafkaLogLevel::Info);
    config
}

/// Whether these settings make a client, as far as that can be said without a cluster.
///
/// # Errors
/// What is wrong, without the values of settings, which may be secrets.
pub fn verify(kafka: &Kafka) -> Result<(), String> {
    if let Some(why) = unsupported(kafka, cfg!(feature = "tls")) {
        return Err(why);
    }
    let made = base(kafka).create_native_config();
    made.map(drop)
        .map_err(|error| Context::new(kafka).describe(&error))
}

/// What these settings need and a build without TLS lacks.
fn unsupported(kafka: &Kafka, tls: bool) -> Option<String> {
    let of = |name: &str| kafka.property(name).unwrap_or_default().to_lowercase();
    let protocol = of("security.protocol");
    let mechanism = of("sasl.mechanism") + &of("sasl.mechanisms");
    let needs = if protocol.ends_with("ssl") {
        format!("`security.protocol: {protocol}`")
    } else if mechanism.starts_with("scram") || mechanism == "oauthbearer" {
        format!("`sasl.mechanism: {}`", mechanism.to_uppercase())
    } else {
        return None;
    };
    (!tls).then(|| format!("{needs} needs a build with the feature `tls`, which this one lacks"))
}

/// What follows from a connection that fails.
const UNREACHABLE: [RDKafkaErrorCode; 3] = [
    RDKafkaErrorCode::AllBrokersDown,
    RDKafkaErrorCode::BrokerTransportFailure,
    RDKafkaErrorCode::Resolve,
];

/// How a client logs and where it gets its tokens. A context of its own, for rebalances or acknowledgements,
/// holds one of these and hands the calls of [`ClientContext`] on to it.
#[derive(Clone)]
pub struct Context {
    shared: Arc<Shared>,
}

struct Shared {
    redactor: Redactor,
    limiter: Limiter,
    token_file: Option<PathBuf>,
    last_failure: Mutex<Option<String>>,
    unwelcome: AtomicBool,
}

impl Context {
    /// The context of the clients of this cluster; clones share it.
    pub fn new(kafka: &Kafka) -> Self {
        let shared = Shared {
            redactor: Redactor::new(kafka.secrets()),
            limiter: Limiter::default(),
            token_file: kafka.oauth_token_file.clone(),
            last_failure: Mutex::new(None),
            unwelcome: AtomicBool::new(false),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Why a broker could not be reached the last time, without secrets.
    pub fn last_failure(&self) -> Option<String> {
        self.failure().clone()
    }

    /// Whether a broker has refused who we say we are: it will do so again.
    pub(crate) fn is_unwelcome(&self) -> bool {
        self.shared.unwelcome.load(Ordering::Relaxed)
    }

    /// What an error says, without the values of settings, which may be secrets.
    pub fn describe(&self, error: &KafkaError) -> String {
        let text = match error {
            KafkaError::ClientConfig(_, what, name, _) => {
                let what = what.trim_end_matches('.');
                format!("the property `{name}` is refused by the client: {what}")
            }
            other => other
                .rdkafka_error_code()
                .map_or_else(|| other.to_string(), |code| code.to_string()),
        };
        self.shared.redactor.clean(&text).into_owned()
    }

    /// A token, where the configuration names a file for it.
    pub(crate) fn token(&self) -> Result<OAuthToken, TokenError> {
        let file = self.shared.token_file.as_deref();
        token::read(file.ok_or(TokenError::NoFile)?, SystemTime::now())
    }

    /// Whether tokens are read from a file.
    pub(crate) fn has_token(&self) -> bool {
        self.shared.token_file.is_some()
    }

    fn failure(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        let guard = self.shared.last_failure.lock();
        guard.unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Context {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, level: RDKafkaLogLevel, fac: &str, message: &str) {
        use RDKafkaLogLevel as Level;
        let message = self.shared.redactor.clean(message);
        if matches!(fac, "FAIL" | "ERROR") {
            *self.failure() = Some(without_thread(&message).to_owned());
        }
        // Settings of consumers are handed to producers too, and the other way round: nothing to tell.
        if fac == "CONFWARN" || matches!(level, Level::Debug) {
            tracing::debug!(target: "librdkafka", fac, "{message}");
            return;
        }
        let Some(suppressed) = self.shared.limiter.pass(fac, Instant::now()) else {
            return;
        };
        match level {
            Level::Emerg | Level::Alert | Level::Critical => {
                tracing::error!(target: "librdkafka", fac, suppressed, "{message}");
            }
            // The client tries again by itself.
            Level::Error | Level::Warning => {
                tracing::warn!(target: "librdkafka", fac, suppressed, "{message}");
            }
            _ => tracing::info!(target: "librdkafka", fac, suppressed, "{message}"),
        }
    }

    fn stats(&self, _statistics: Statistics) {}

    fn error(&self, error: KafkaError, reason: &str) {
        let code = error.rdkafka_error_code();
        // Whoever asks for ends is told them by its poll.
        if code == Some(RDKafkaErrorCode::PartitionEOF) {
            return;
        }
        let reason = self.shared.redactor.clean(reason);
        // That all brokers are down follows from why each one is.
        if code != Some(RDKafkaErrorCode::AllBrokersDown) {
            *self.failure() = Some(without_thread(&reason).to_owned());
        }
        if code == Some(RDKafkaErrorCode::Authentication) {
            self.shared.unwelcome.store(true, Ordering::Relaxed);
        }
        let kind = code.map_or_else(|| "error".to_owned(), |code| format!("{code:?}"));
        // Every client says so again and again, after a line of its log has said why. That no broker is there we say
        // ourselves.
        if code.is_some_and(|code| UNREACHABLE.contains(&code)) {
            tracing::debug!(target: "librdkafka", kind, "{reason}");
            return;
        }
        let Some(suppressed) = self.shared.limiter.pass(&kind, Instant::now()) else {
            return;
        };
        match code {
            Some(RDKafkaErrorCode::Fatal | RDKafkaErrorCode::Authentication) => {
                tracing::error!(target: "librdkafka", kind, suppressed, "{reason}");
            }
            _ => tracing::warn!(target: "librdkafka", kind, suppressed, "{reason}"),
        }
    }

    fn generate_oauth_token(&self, _config: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        Ok(self.token()?)
    }
}

impl ConsumerContext for Context {}

/// A message of librdkafka without the name of the thread that it begins with.
fn without_thread(message: &str) -> &str {
    message
        .strip_prefix("[thrd:")
        .and_then(|rest| rest.split_once("]: "))
        .map_or(message, |(_, rest)| rest)
}

#[cfg(test)]
mod tests;
