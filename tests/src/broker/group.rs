//! One installation: topics, rules, services.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;

use super::cluster::Cluster;
use super::ports::free_port;
use super::process::Process;
use super::produce::Producer;
use super::read::{Record, kcat_lines, read_all};
use super::secure::Login;
use super::service::{Service, binary};
use super::wait::now_ms;
use crate::reference::{Config, Rule, STREAMS, Tier, rfc3339};
use crate::render;

/// Topics are made within this.
const MADE_WITHIN: Duration = Duration::from_secs(300);

/// The rules of a group: what the reference judges by, and the text of the configuration.
pub type Rules = Config;

/// Rules whose deadlines are seconds.
pub fn short_rules() -> Rules {
    let tier = |name: &str, after_ms| Tier {
        name: name.into(),
        after_ms,
    };
    let large = Rule {
        name: "large".into(),
        fields: [("currency".into(), ["CNY".into(), "HKD".into()].into())].into(),
        amount_min: Some(1_000_000),
        tiers: [tier("warn", 700), tier("breach", 2_000)].into(),
        ..Rule::default()
    };
    let default = Rule {
        name: "default".into(),
        tiers: [
            tier("warn", 1_200),
            tier("breach", 2_500),
            tier("escalate", 4_000),
        ]
        .into(),
        ..Rule::default()
    };
    Rules {
        rules: [large, default].into(),
        give_up_ms: 3_000,
        orphan_after_ms: 2_000,
        duplicate_window_ms: 600_000,
        redelivery_horizon_ms: 26 * 3_600_000,
        hold_limit_ms: 4_000,
    }
}

/// What can be chosen about a group.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Partitions of every topic.
    pub partitions: usize,
    /// Deadlines.
    pub rules: Rules,
    /// Instead of these rules: a whole configuration that decides, with the streams as its topics.
    pub decides: Option<String>,
    /// Lanes of each service.
    pub lanes: usize,
    /// `kafka.session_timeout`.
    pub session_timeout: &'static str,
    /// `kafka.transaction_timeout`.
    pub transaction_timeout: &'static str,
    /// `kafka.start_at`.
    pub start_at: String,
    /// Whether the inputs' timestamps are their producers'.
    pub create_time: bool,
    /// Who the services are.
    pub login: Login,
    /// Further settings of the inputs.
    pub input_settings: Vec<(&'static str, &'static str)>,
    /// Further properties of the services' clients.
    pub properties: Vec<(&'static str, &'static str)>,
    /// `log.level`.
    pub log_level: &'static str,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            partitions: 3,
            rules: short_rules(),
            decides: None,
            lanes: 1,
            session_timeout: "6s",
            transaction_timeout: "5s",
            start_at: "earliest".into(),
            create_time: false,
            login: Login::Admin,
            input_settings: Vec::new(),
            properties: Vec::new(),
            log_level: "info",
        }
    }
}

impl Setup {
    /// Fail-over within seconds.
    pub fn quick() -> Self {
        Self {
            session_timeout: "2s",
            transaction_timeout: "2s",
            ..Self::default()
        }
    }
}

/// An installation on a cluster, under names of its own.
pub struct Group<'a> {
    /// Where it is.
    pub cluster: &'a Cluster,
    /// What its topics begin with.
    pub name: String,
    /// What was chosen.
    pub setup: Setup,
    folder: PathBuf,
}

impl<'a> Group<'a> {
    /// One whose topics are made.
    ///
    /// # Panics
    /// When they cannot be made.
    pub fn new(cluster: &'a Cluster, name: &str, setup: Setup) -> Self {
        let group = Self::without_own_topics(cluster, name, setup);
        group.make_own_topics();
        group
    }

    /// One whose inputs alone are made.
    ///
    /// # Panics
    /// When they cannot be made.
    pub fn without_own_topics(cluster: &'a Cluster, name: &str, setup: Setup) -> Self {
        let folder = cluster.folder().join(name);
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        let group = Self {
            cluster,
            name: name.to_owned(),
            setup,
            folder,
        };
        let admin = cluster.admin();
        let kind = if group.setup.create_time {
            "CreateTime"
        } else {
            "LogAppendTime"
        };
        let mut settings = vec![("message.timestamp.type", kind)];
        settings.extend(&group.setup.input_settings);
        for stream in STREAMS {
            admin.create(&group.topic(stream), group.setup.partitions, &settings);
        }
        group
    }

    /// Makes the topics that are the service's own, by its own command.
    ///
    /// # Panics
    /// When that fails.
    pub fn make_own_topics(&self) {
        let config = self.write_config("topics", "", Login::Admin);
        let mut command = Command::new(binary());
        command
            .args(["topics", "--create", "--config"])
            .arg(config.0);
        let mut told = String::new();
        let begin = Instant::now();
        // Of several brokers one may not know the inputs yet.
        while begin.elapsed() < MADE_WITHIN {
            let output = command.output().expect("the program runs");
            if output.status.success() {
                return;
            }
            let bytes = [output.stdout, output.stderr].concat();
            told = String::from_utf8_lossy(&bytes).into_owned();
        }
        panic!("topics --create: {told}");
    }

    /// The topic of a stream or an output.
    pub fn topic(&self, of: &str) -> String {
        format!("{}-{of}", self.name)
    }

    /// The configuration that decides: what a replay is given.
    pub fn rules_text(&self) -> String {
        let decides = self.setup.decides.clone();
        let mut text = decides.unwrap_or_else(|| render::yaml(&self.setup.rules));
        for stream in STREAMS {
            let (plain, named) = (
                format!("topic: {stream}"),
                format!("topic: {}", self.topic(stream)),
            );
            text = text.replace(&plain, &named);
        }
        text
    }

    /// The whole configuration of a service.
    pub fn config_text(&self, instance: &str, port: u16, login: Login) -> String {
        let mut text = self.rules_text();
        let setup = &self.setup;
        text.push_str(&format!(
            "kafka:\n  bootstrap_servers: \"{}\"\n  group_id: {}\n  instance_id: \"{instance}\"\n  start_at: \"{}\"\n  \
             session_timeout: {}\n  transaction_timeout: {}\n  lanes: {}\n",
            self.cluster.address(),
            self.name,
            setup.start_at,
            setup.session_timeout,
            setup.transaction_timeout,
            setup.lanes,
        ));
        text.push_str("  properties:\n    reconnect.backoff.max.ms: \"500\"\n");
        for (name, value) in &setup.properties {
            text.push_str(&self.property(name, value));
        }
        for (name, value) in self.cluster.login(login) {
            text.push_str(&self.property(&name, &value));
        }
        text.push_str("output:\n");
        for output in [
            "alerts",
            "incidents",
            "dead_letters",
            "state",
            "pairs",
            "pulse",
            "watch_state",
        ] {
            text.push_str(&format!("  {output}: {}\n", self.topic(output)));
        }
        text.push_str(&format!(
            "http: {{listen: \"127.0.0.1:{port}\"}}\nlog: {{format: text, level: {}}}\n",
            setup.log_level
        ));
        text
    }

    /// A password stands in a file of its own.
    fn property(&self, name: &str, value: &str) -> String {
        if !name.ends_with("password") {
            return format!("    {name}: \"{value}\"\n");
        }
        let path = self.folder.join(format!("{name}-{}", value.len()));
        std::fs::write(&path, value).expect("a file can be written");
        format!("    {name}_file: \"{}\"\n", path.display())
    }

    /// Writes the configuration of the service `name` to a file; also gives the port on which it listens.
    pub fn write_config(&self, name: &str, instance: &str, login: Login) -> (PathBuf, u16) {
        let port = free_port();
        let path = self.folder.join(format!("{name}.yaml"));
        let text = self.config_text(instance, port, login);
        std::fs::write(&path, text).expect("a file can be written");
        (path, port)
    }

    /// Starts a service. With an `instance` that stays the same its membership survives a restart.
    pub fn start(&self, name: &str, instance: &str, env: &[(&str, &str)]) -> Service {
        self.start_as(self.setup.login, name, instance, env)
    }

    /// Starts a service as somebody else.
    pub fn start_as(
        &self,
        login: Login,
        name: &str,
        instance: &str,
        env: &[(&str, &str)],
    ) -> Service {
        let (config, port) = self.write_config(name, instance, login);
        Service::start(name, &config, port, env)
    }

    /// Starts a service whose configuration says more.
    ///
    /// # Panics
    /// When its configuration cannot be written.
    pub fn start_with(
        &self,
        name: &str,
        instance: &str,
        more: &str,
        env: &[(&str, &str)],
    ) -> Service {
        let (config, port) = self.write_config(name, instance, self.setup.login);
        let text = self.config_text(instance, port, self.setup.login) + more;
        std::fs::write(&config, text).expect("a file can be written");
        Service::start(name, &config, port, env)
    }

    /// Starts a service under a stable name and waits until it is ready.
    ///
    /// # Panics
    /// When it is not.
    #[track_caller]
    pub fn start_ready(&self, name: &str) -> Service {
        let mut service = self.start(name, name, &[]);
        service.wait_until_ready();
        service
    }

    /// Appends the first record of all: whatever follows is within what a replay knows.
    pub fn open(&self) {
        let fields = "\"payment_id\":\"first\",\"channel\":\"qr\",\"merchant_id\":\"M0\",\"terminal_id\":\"T0\",\
                      \"amount_minor\":100,\"currency\":\"CNY\"";
        let now = rfc3339(now_ms());
        let value = format!(
            "{{\"type\":\"payment.succeeded\",\"event_id\":\"first\",\"occurred_at\":\"{now}\",{fields}}}"
        );
        self.producer()
            .append(&self.topic("payments"), "first", &value);
    }

    /// Runs a command of the program with the configuration of this group: its status, and what it said.
    ///
    /// # Panics
    /// When the program cannot be run.
    pub fn command(&self, arguments: &[&str]) -> (Option<i32>, String) {
        self.command_as(self.setup.login, arguments)
    }

    /// Runs a command as somebody else.
    ///
    /// # Panics
    /// When the program cannot be run.
    pub fn command_as(&self, login: Login, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.program("command", login, arguments).output();
        let output = output.expect("the program runs");
        let told = [output.stdout, output.stderr].concat();
        (
            output.status.code(),
            String::from_utf8_lossy(&told).into_owned(),
        )
    }

    /// Starts a command that goes on.
    pub fn spawn(&self, name: &str, arguments: &[&str]) -> Process {
        let mut command = self.program(name, self.setup.login, arguments);
        Process::start(&mut command, &self.folder.join(format!("{name}.log")))
    }

    fn program(&self, name: &str, login: Login, arguments: &[&str]) -> Command {
        let (config, _) = self.write_config(name, "", login);
        let mut command = Command::new(binary());
        command.args(arguments).arg("--config").arg(config);
        command
    }

    /// Somebody upstream.
    pub fn producer(&self) -> Producer {
        Producer::new(self.cluster, &[])
    }

    /// What is committed in each input, by stream.
    pub fn inputs(&self) -> BTreeMap<&'static str, Vec<Record>> {
        let read = |stream| (stream, read_all(self.cluster, &self.topic(stream)));
        STREAMS.map(read).into()
    }

    /// The inputs as recordings, a file each.
    pub fn dump(&self) -> Vec<Vec<u8>> {
        self.inputs()
            .values()
            .map(|records| kcat_lines(records))
            .collect()
    }

    /// What is committed in an output.
    pub fn output(&self, of: &str) -> Vec<Record> {
        read_all(self.cluster, &self.topic(of))
    }

    /// Settings of a client that may do everything.
    pub fn client(&self) -> ClientConfig {
        self.cluster.client()
    }
}
