//! `demo`: the whole product in one process, on librdkafka's mock cluster.
//!
//! The service is the one of `run`, from its configuration file on; only the cluster is a mock, and the traffic a
//! story. What is shown is read as anybody could read it: figures, and the topics of alerts and incidents.

mod end;
mod picture;
mod screen;
mod story;
mod view;
mod words;

use std::io::{ErrorKind, IsTerminal, Write as _, stdout};
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context as _;
use settlewatch_config::{Env, Loaded, Purpose, load_str};
use settlewatch_kafka::{Feed, LIMITS_OF_THE_MOCK, Mock, Tail, TailFrom, topics_of};
use settlewatch_serve::{LogFormat, init_log};
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{DemoArgs, Screen};
use crate::clock;
use crate::exit::{BadConfig, Failed, Usage};
use crate::service::Service;
use crate::text;
use crate::traffic::{Places, Traffic};

use picture::Style;
use screen::Show;
use story::{PARTITIONS, Pace};
use view::{Line, Watcher};

use crate::incidents::{Language, Told};

/// How often the picture is drawn.
const FRAME: Duration = Duration::from_millis(250);

/// How often a sparkline gets a point.
const POINT: Duration = Duration::from_secs(1);

/// How long the last records may take to be decided once the traffic has ended.
const SETTLE: Duration = Duration::from_secs(3);

/// What the demo's configuration is called. It is no file, so that the demo needs no disk; a file of that name, which
/// would count as newer rules, cannot be.
const CONFIG: &str = "/dev/null/the demo's configuration";

/// Where metrics are served when the port that was asked for is taken.
const ANY_PORT: &str = "127.0.0.1:0";

pub(crate) fn run(args: &DemoArgs) -> anyhow::Result<()> {
    let pace = Pace {
        seed: args.seed,
        speed: args.speed,
        rate: args.rate,
    };
    let terminal = stdout().is_terminal() && !args.headless;
    if !terminal {
        // A person reads it, also where it goes into a file.
        init_log(LogFormat::Text, "warn")?;
    }
    let demo = Demo::start(args, pace)?;
    let language = args.lang.unwrap_or_else(Language::of_environment);
    let style = Style {
        language,
        colour: match args.color {
            Screen::Auto => text::colour(terminal),
            Screen::Always => true,
            Screen::Never => false,
        },
        columns: 80,
        lines: 24,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let length = args.length.map(clock::duration);
    runtime.block_on(demo.play(Show::new(terminal, style), length))
}

struct Demo {
    service: Service,
    traffic: Traffic,
    tail: Tail,
    incidents: Tail,
    watcher: Watcher,
    pace: Pace,
    title: String,
    address: String,
    /// Last: it must outlive its clients.
    _mock: Mock,
}

impl Demo {
    fn start(args: &DemoArgs, pace: Pace) -> anyhow::Result<Self> {
        let listener = listen(&args.listen)?;
        let listen = listener.local_addr()?.to_string();
        // The names of the topics are in the configuration, and the address of the cluster comes with the cluster.
        let names = configure(&story::config(pace, "127.0.0.1:1", &listen))?;
        let run = names.config.run.as_ref().context("it was read to run")?;
        let mock = Mock::start(
            topics_of(&names.config.streams, &run.output),
            PARTITIONS.into(),
        )?;
        for limit in LIMITS_OF_THE_MOCK {
            tracing::info!("the demo's cluster is a mock: {limit}");
        }
        let loaded = configure(&story::config(pace, mock.bootstrap_servers(), &listen))?;
        let run = loaded.config.run.as_ref().context("it was read to run")?;
        let checked = mock.checked(&run.kafka, &loaded.config.streams, PARTITIONS.into());
        let service = Service::assemble(Path::new(CONFIG), &loaded, run, &checked, Some(listener))?;
        let from = TailFrom::Beginning;
        let tail = Tail::new(&run.kafka, &run.output.alerts, PARTITIONS.into(), from);
        let incidents = Tail::new(&run.kafka, &run.output.incidents, 1, from);
        let feed = Feed::new(&run.kafka).map_err(Failed)?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
        let start_ms = i64::try_from(now.as_millis())?;
        let plan = story::plan(pace, start_ms).map_err(|error| Usage(error.to_string()))?;
        Ok(Self {
            watcher: Watcher::new(service.metrics().clone()),
            title: format!("seed {}, speed {}", pace.seed, pace.speed),
            address: format!("http://{}/metrics", service.address()),
            tail: tail.map_err(Failed)?,
            incidents: incidents.map_err(Failed)?,
            traffic: Traffic::start(plan, feed, Places::of(&loaded.config.streams))?,
            service,
            pace,
            _mock: mock,
        })
    }

    /// Until somebody ends it, or `length` is over.
    async fn play(mut self, mut show: Show, length: Option<Duration>) -> anyhow::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let began = Instant::now();
        let mut next_point = began;
        while length.is_none_or(|length| began.elapsed() < length) {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                () = tokio::time::sleep(FRAME) => {}
            }
            self.service.look()?;
            if self.traffic.is_finished() {
                break;
            }
            if Instant::now() >= next_point {
                self.watcher.tick();
                next_point += POINT;
            }
            self.look(began, &mut show)?;
        }
        show.close()?;
        self.finish(began, &mut show, length.is_some()).await
    }

    fn look(&mut self, began: Instant, show: &mut Show) -> anyhow::Result<()> {
        self.read_alerts();
        read_incidents(&self.incidents, &mut self.watcher, Duration::ZERO, show)?;
        let elapsed = began.elapsed();
        let at_ms = i64::try_from(elapsed.as_millis())?;
        let view = self.watcher.look(elapsed, story::scene(self.pace, at_ms));
        show.show(view, (&self.title, &self.address))?;
        Ok(())
    }

    fn read_alerts(&mut self) {
        while let Some(record) = self.tail.next(Duration::ZERO) {
            if let Some(line) = Line::read(&record.value) {
                self.watcher.alert(line);
            }
        }
    }

    /// Ends the traffic, lets what was written be decided, drains, and says what came of it.
    async fn finish(mut self, began: Instant, show: &mut Show, judged: bool) -> anyhow::Result<()> {
        let played_ms = i64::try_from(began.elapsed().as_millis())?;
        let script_ms = played_ms.saturating_mul(i64::from(self.pace.speed));
        self.traffic.end().map_err(Failed)?;
        tokio::time::sleep(SETTLE).await;
        let drained = self.service.drain().await;
        while let Some(record) = self.tail.next(Duration::from_millis(300)) {
            if let Some(line) = Line::read(&record.value) {
                self.watcher.alert(line);
            }
        }
        let wait = Duration::from_millis(300);
        read_incidents(&self.incidents, &mut self.watcher, wait, show)?;
        let view = self.watcher.look(began.elapsed(), story::Scene::Quiet);
        let text = end::summary(view, show.style().language);
        write!(stdout(), "{text}")?;
        drained?;
        let missing = end::missing(view, self.pace, script_ms);
        if judged && !missing.is_empty() {
            return Err(Failed(format!("the story went wrong: {}", missing.join(", "))).into());
        }
        Ok(())
    }
}

/// Takes in what was said of incidents since the last time.
fn read_incidents(
    tail: &Tail,
    watcher: &mut Watcher,
    wait: Duration,
    show: &mut Show,
) -> anyhow::Result<()> {
    while let Some(record) = tail.next(wait) {
        if let Some(told) = Told::parse(&record.value) {
            show.incident(&told)?;
            watcher.incident(told);
        }
    }
    Ok(())
}

fn configure(text: &str) -> anyhow::Result<Loaded> {
    Ok(load_str(CONFIG, text, Purpose::Run, &Env::empty()).map_err(BadConfig)?)
}

/// Listens there, or on another port where it is taken. Whoever asks first has it until the demo ends.
fn listen(wanted: &str) -> anyhow::Result<TcpListener> {
    let bound = match TcpListener::bind(wanted) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => TcpListener::bind(ANY_PORT),
        bound => bound,
    };
    bound.with_context(|| format!("--listen {wanted}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_finds_the_port_taken_gets_another_and_both_keep_theirs() {
        let first = listen("127.0.0.1:0").expect("a port is free");
        let taken = first.local_addr().expect("it has an address");
        let second = listen(&taken.to_string()).expect("another port is free");
        let other = second.local_addr().expect("it has an address");
        assert_ne!(taken, other);
        for held in [taken, other] {
            let error = TcpListener::bind(held).expect_err("it is held");
            assert_eq!(error.kind(), ErrorKind::AddrInUse);
        }
    }

    #[test]
    fn what_is_no_address_is_not_replaced_by_another() {
        let error = listen("nowhere").expect_err("no address");
        assert!(error.to_string().contains("--listen nowhere"), "{error}");
    }
}
