//! The how-to pages that need a Kafka, followed to the letter, one after the other.

use std::time::Duration;

use settlewatch_tests::broker::{Cluster, End, Process, free_port, write_topics_tool};
use settlewatch_tests::howto;

/// In the order in which somebody reads them.
const PAGES: [&str; 4] = [
    "docs/run-on-your-kafka.md",
    "docs/investigate-a-payment.md",
    "docs/replay-a-day.md",
    "docs/upgrade.md",
];

/// Where the pages suppose brokers and the service to be.
const BROKERS: &str = "127.0.0.1:9092";
const LISTEN: &str = "127.0.0.1:9464";

const LIMIT: Duration = Duration::from_secs(300);

pub(crate) fn the_pages_lead_from_no_topic_to_more_partitions() {
    let cluster = Cluster::shared();
    let folder = tempfile::tempdir().expect("a folder can be made");
    write_topics_tool(&howto::programs(folder.path()));
    let listen = format!("127.0.0.1:{}", free_port());
    let script: String = PAGES.into_iter().map(howto::script).collect();
    assert!(script.contains(BROKERS) && script.contains(LISTEN));
    let script = script
        .replace(BROKERS, &cluster.address())
        .replace(LISTEN, &listen);
    let limit = u32::try_from(LIMIT.as_secs()).expect("minutes");
    let mut shell = howto::shell(folder.path(), &script, limit);
    shell.env("SETTLEWATCH__HTTP__LISTEN", listen);
    let mut shell = Process::start(&mut shell, &folder.path().join("told.log"));
    let end = shell.wait(LIMIT + Duration::from_secs(15));
    let told = shell.log();
    assert_eq!(end, End::Exit(0), "{told}");
    for place in told.lines().filter(|line| line.starts_with("=== ")) {
        println!("{place}");
    }
    if std::env::var_os("SETTLEWATCH_KEEP").is_some() {
        println!("{told}");
    }
    for expected in [
        r#""kind":"credit_missing","state":"open","tier":"warn""#,
        r#""state":"resolved""#,
        "P1",
        "UP20260310-30142360YX16",
    ] {
        assert!(told.contains(expected), "{expected} is not told:\n{told}");
    }
}
