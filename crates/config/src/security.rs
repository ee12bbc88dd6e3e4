//! Whether the way to the brokers is as safe as it must be, and complete.

use crate::item::{Item, Named};
use crate::report::Report;
use crate::suggest;
use crate::table;

const PROTOCOLS: [&str; 4] = ["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"];

/// Mechanisms that the client is built with.
const MECHANISMS: [&str; 4] = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"];

/// Checks what the keys of `kafka` say together.
pub(crate) fn check(kafka: &Item, report: &mut Report) {
    let properties = Properties(kafka.at("properties").map());
    let Some(protocol) = protocol(properties, report) else {
        return;
    };
    if !protocol.encrypted {
        plaintext(kafka, properties, report);
    }
    let mechanism = properties.named("sasl.mechanism");
    match mechanism.or(properties.named("sasl.mechanisms")) {
        Some(mechanism) if protocol.sasl => sasl(mechanism, kafka, properties, report),
        Some(mechanism) => {
            let message = "a SASL mechanism is set, but the protocol does not use SASL";
            let remedy = "set `security.protocol: SASL_SSL`, or remove the mechanism";
            report.error(mechanism.mark, message, remedy);
        }
        None if protocol.sasl => {
            let message = "the protocol uses SASL, but no mechanism is set";
            let remedy = format!("add `sasl.mechanism`: {}", table::list(MECHANISMS));
            report.error(protocol.mark(kafka), message, remedy);
        }
        None => {}
    }
    certificate(properties, report);
}

#[derive(Clone, Copy)]
struct Properties<'a>(&'a [Named]);

impl<'a> Properties<'a> {
    fn named(self, name: &str) -> Option<&'a Named> {
        self.0.iter().find(|property| property.name == name)
    }

    fn text(self, name: &str) -> Option<String> {
        let secret = self.named(name)?.item.secret()?;
        Some(secret.expose().to_owned())
    }

    /// Set, and not to nothing.
    fn has(self, name: &str) -> bool {
        self.text(name).is_some_and(|text| !text.is_empty())
    }
}

struct Protocol<'a> {
    encrypted: bool,
    sasl: bool,
    written: Option<&'a Named>,
}

impl Protocol<'_> {
    fn mark(&self, kafka: &Item) -> crate::source::Mark {
        let mark = self.written.map(|property| property.item.mark);
        mark.unwrap_or(kafka.at("bootstrap_servers").mark)
    }
}

fn protocol<'a>(properties: Properties<'a>, report: &mut Report) -> Option<Protocol<'a>> {
    let written = properties.named("security.protocol");
    let text = properties.text("security.protocol");
    let lower = text.as_deref().unwrap_or(PROTOCOLS[0]).to_lowercase();
    if let Some(property) = written
        && !PROTOCOLS.contains(&lower.as_str())
    {
        let message = format!("`security.protocol` cannot be `{lower}`");
        let remedy = suggest::remedy(&lower, &PROTOCOLS, "the protocols are");
        report.error(property.item.mark, message, remedy);
        return None;
    }
    Some(Protocol {
        encrypted: lower.ends_with("ssl"),
        sasl: lower.starts_with("sasl"),
        written,
    })
}

/// Payments, and with SASL passwords too, for whoever listens on the way.
fn plaintext(kafka: &Item, properties: Properties<'_>, report: &mut Report) {
    if kafka.at("allow_plaintext").flag() != Some(false) {
        return;
    }
    let Some(servers) = kafka.at("bootstrap_servers").text() else {
        return;
    };
    let Some(far) = servers.split(',').find(|server| !is_loopback(server)) else {
        return;
    };
    let mark = properties
        .named("security.protocol")
        .map_or(kafka.at("bootstrap_servers").mark, |property| {
            property.item.mark
        });
    report.error(
        mark,
        format!(
            "the way to `{}` is not encrypted, and that broker is not this machine",
            far.trim()
        ),
        "add `security.protocol: SSL` or `SASL_SSL` to `kafka.properties`; where the network itself is trusted: \
         `kafka.allow_plaintext: true`",
    );
}

/// Whether `HOST:PORT` is this machine.
fn is_loopback(server: &str) -> bool {
    let host = server.trim().rsplit_once(':').map_or("", |(host, _)| host);
    // The client also takes `PROTOCOL://HOST:PORT`.
    let host = host.rsplit_once("://").map_or(host, |(_, host)| host);
    is_loopback_host(host)
}

/// Whether a host is this machine, by its name or address alone.
pub fn is_loopback_host(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let address = host.parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost")
        || address.is_ok_and(|address| address.to_canonical().is_loopback())
}

fn sasl(mechanism: &Named, kafka: &Item, properties: Properties<'_>, report: &mut Report) {
    let Some(secret) = mechanism.item.secret() else {
        return;
    };
    let word = secret.expose();
    let mark = mechanism.item.mark;
    if !MECHANISMS.contains(&word) {
        let message = format!("`sasl.mechanism` cannot be `{word}`");
        let remedy = suggest::remedy(word, &MECHANISMS, "the mechanisms are");
        return report.error(mark, message, remedy);
    }
    if word == "OAUTHBEARER" {
        if kafka.at("oauth_token_file").is_absent() {
            let message = "`OAUTHBEARER` needs tokens";
            let remedy = "add `kafka.oauth_token_file: /path`: a file that somebody keeps filled";
            report.error(mark, message, remedy);
        }
        return;
    }
    for (name, remedy) in [
        ("sasl.username", "add `sasl.username`"),
        ("sasl.password", "add `sasl.password_file: /path`"),
    ] {
        if !properties.has(name) {
            report.error(mark, format!("`{word}` needs `{name}`"), remedy);
        }
    }
}

/// A certificate of our own is one with its key.
fn certificate(properties: Properties<'_>, report: &mut Report) {
    let certificate = ["ssl.certificate.location", "ssl.certificate.pem"];
    let key = ["ssl.key.location", "ssl.key.pem"];
    let written = |names: [&str; 2]| names.iter().find_map(|name| properties.named(name));
    match (written(certificate), written(key)) {
        (Some(only), None) => report.error(
            only.mark,
            format!("`{}` is set without its key", only.name),
            "add `ssl.key.location`",
        ),
        (None, Some(only)) => report.error(
            only.mark,
            format!("`{}` is set without its certificate", only.name),
            "add `ssl.certificate.location`",
        ),
        _ => {}
    }
    let check = properties.named("enable.ssl.certificate.verification");
    if let Some(check) = check
        && properties.text(&check.name).as_deref() == Some("false")
    {
        let message = "certificates of brokers are not verified: anybody may pose as one";
        let remedy = "remove it, and name the authority in `ssl.ca.location`";
        report.warning(check.mark, message, remedy);
    }
}
