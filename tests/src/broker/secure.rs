//! TLS, SCRAM and rights.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::cluster::Cluster;
use super::jars::java;
use super::node::Place;

/// Who a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// Somebody who may do everything.
    Admin,
    /// A service of this number: it may do what it was given the right to.
    App(u8),
    /// Somebody who does not know the password of a service.
    Stranger,
}

/// Services that may differ in their rights.
const APPS: u8 = 13;

/// Passwords that must turn up nowhere.
pub const ADMIN_PASSWORD: &str = "admin-8Qm2x";
/// Every service's.
pub const APP_PASSWORD: &str = "app-5Tz7w";
/// A stranger's.
pub const STRANGERS_PASSWORD: &str = "stranger-3Rk9v";

/// Certificates in a folder.
#[derive(Debug)]
pub(super) struct Security {
    folder: PathBuf,
}

impl Security {
    /// Makes an authority and a broker's certificate.
    pub(super) fn make(folder: &Path, _place: &Place) -> Self {
        let extensions =
            "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n";
        std::fs::write(folder.join("extensions"), extensions).expect("a file can be written");
        let steps: [&str; 4] = [
            "req -x509 -newkey rsa:2048 -nodes -days 30 -keyout ca.key -out ca.pem -subj /CN=test-authority",
            "req -newkey rsa:2048 -nodes -keyout broker.key -out broker.csr -subj /CN=localhost",
            "x509 -req -in broker.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile extensions -out broker.pem",
            // Kafka reads keys as PKCS#8 alone.
            "pkcs8 -topk8 -nocrypt -in broker.key -out broker.pk8",
        ];
        for step in steps {
            let mut openssl = Command::new("openssl");
            let output = openssl.args(step.split(' ')).current_dir(folder).output();
            let output = output.expect("openssl is installed");
            let told = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "openssl {step}: {told}");
        }
        let read = |name: &str| std::fs::read(folder.join(name)).expect("openssl wrote it");
        let store = ["broker.pk8", "broker.pem", "ca.pem"].map(read).concat();
        std::fs::write(folder.join("keystore.pem"), store).expect("a file can be written");
        let made = Self {
            folder: folder.into(),
        };
        let login: String = made
            .login(Login::Admin)
            .into_iter()
            .filter_map(|(name, value)| java_property(&name, &value))
            .collect();
        std::fs::write(folder.join("admin.properties"), login).expect("a file can be written");
        made
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// What tells the tool that formats the storage who there is.
    pub(super) fn users(&self) -> Vec<String> {
        let scram = |name: &str, password| {
            let user = format!("SCRAM-SHA-512=[name={name},password={password}]");
            ["--add-scram".to_owned(), user]
        };
        let apps = (0..APPS).map(|number| scram(&app(number), APP_PASSWORD));
        apps.chain([scram("admin", ADMIN_PASSWORD)])
            .flatten()
            .collect()
    }

    pub(super) fn properties(&self) -> Vec<(String, String)> {
        let module = "org.apache.kafka.common.security.scram.ScramLoginModule";
        let login = format!("{module} required username=\"admin\" password=\"{ADMIN_PASSWORD}\";");
        let pairs = [
            (
                "listener.security.protocol.map",
                "SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT",
            ),
            ("inter.broker.listener.name", "SASL_SSL"),
            ("sasl.enabled.mechanisms", "SCRAM-SHA-512"),
            ("sasl.mechanism.inter.broker.protocol", "SCRAM-SHA-512"),
            (
                "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config",
                &login,
            ),
            ("ssl.keystore.type", "PEM"),
            ("ssl.keystore.location", &self.path("keystore.pem")),
            ("ssl.truststore.type", "PEM"),
            ("ssl.truststore.location", &self.path("ca.pem")),
            (
                "authorizer.class.name",
                "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            ),
            // Whoever comes in by the controller's plain listener has no name.
            ("super.users", "User:admin;User:ANONYMOUS"),
            ("allow.everyone.if.no.acl.found", "false"),
        ];
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }

    pub(super) fn login(&self, login: Login) -> Vec<(String, String)> {
        let (name, password) = match login {
            Login::Admin => ("admin".to_owned(), ADMIN_PASSWORD),
            Login::App(number) => (app(number), APP_PASSWORD),
            Login::Stranger => (app(0), STRANGERS_PASSWORD),
        };
        let pairs = [
            ("security.protocol", "SASL_SSL"),
            ("sasl.mechanism", "SCRAM-SHA-512"),
            ("sasl.username", &name),
            ("sasl.password", password),
            ("ssl.ca.location", &self.path("ca.pem")),
        ];
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }
}

/// What a service is called.
fn app(number: u8) -> String {
    format!("app-{number}")
}

/// A setting as Kafka's own tools want it.
fn java_property(name: &str, value: &str) -> Option<String> {
    match name {
        "ssl.ca.location" => Some(format!(
            "ssl.truststore.type=PEM\nssl.truststore.location={value}\n"
        )),
        "sasl.password" => {
            let module = "org.apache.kafka.common.security.scram.ScramLoginModule";
            let login = format!("{module} required username=\"admin\" password=\"{value}\";");
            Some(format!("sasl.jaas.config={login}\n"))
        }
        "sasl.username" => None,
        _ => Some(format!("{name}={value}\n")),
    }
}

/// A right to do something with something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What may be done, as Kafka's tool names operations.
    pub operations: Vec<&'static str>,
    /// With what, as the tool's arguments.
    pub on: Vec<String>,
    /// By which services.
    pub to: Vec<u8>,
}

impl Cluster {
    /// Gives services a right.
    ///
    /// # Panics
    /// When that cannot be done.
    pub fn allow(&self, grant: &Grant) {
        let mut tool = java();
        tool.arg("org.apache.kafka.tools.AclCommand");
        tool.args(["--bootstrap-server", &self.address(), "--command-config"]);
        tool.arg(self.folder().join("admin.properties"));
        tool.arg("--add");
        for &number in &grant.to {
            let principal = format!("User:{}", app(number));
            tool.args(["--allow-principal", &principal]);
        }
        for operation in &grant.operations {
            tool.args(["--operation", operation]);
        }
        let output = tool.args(&grant.on).output().expect("Java is installed");
        let told = [output.stdout, output.stderr].concat();
        let told = String::from_utf8_lossy(&told);
        assert!(output.status.success(), "{grant:?}: {told}");
    }
}
