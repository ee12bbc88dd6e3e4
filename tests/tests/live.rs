//! Six scenarios live, side by side on one broker: their incidents are those of a replay. Nothing else runs beside them.

use std::thread;

use settlewatch_tests::broker::{Cluster, Live, Options, missing};

/// What is run, and what must be said.
const SIX: [(&str, &str); 6] = [
    ("channel-stopped:alipay", "CHANNEL_DOWN"),
    ("channel-slowed:wechat_pay:times=5", "CHANNEL_CONGESTED"),
    ("silence", "SOURCE_SILENT"),
    ("terminal-offline", "TERMINAL_OFFLINE"),
    ("sync-delay:delay=40s", "SYNC_DELAY"),
    ("channel-peak", "CHANNEL_PEAK_CONGESTED"),
];

#[test]
fn six_scenarios_live_are_the_incidents_of_their_replays() {
    if let Some(what) = missing() {
        panic!("the tests of the service need a Kafka: {what}");
    }
    let cluster = Cluster::start(&Options::default());
    let cluster = &cluster;
    let run = |(scenario, verdict): (&str, &str)| {
        let live = Live {
            scenario: scenario.into(),
            rate: 40,
            seconds: 360,
            seed: 3,
        };
        let seen = live.run(cluster);
        println!(
            "{scenario}: visible {:?} ms after the replay's moment",
            seen.later_ms()
        );
        let differences = seen.differences();
        assert!(differences.is_empty(), "{scenario}: {differences:#?}");
        let right = seen.live.iter().filter(|it| it.verdict == verdict).count();
        assert_eq!(right, 1, "{scenario}: {:#?}", seen.live);
    };
    thread::scope(|scope| {
        let all: Vec<_> = SIX.map(|it| scope.spawn(move || run(it))).into();
        let failed = all.into_iter().filter_map(|one| one.join().err()).count();
        assert_eq!(failed, 0, "scenarios that are not as in their replays");
    });
}
