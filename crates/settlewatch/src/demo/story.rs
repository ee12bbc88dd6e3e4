//! What the demo plays: ordinary traffic, and faults that one can watch coming and going.

use std::fmt::Write as _;

use settlewatch_sim::{Fault, Plan, PlanError, Rate, Scenario};

/// The plan's seconds that pass in a second of the demo at speed 1: credits take about as long as they do in life,
/// divided by this, and deadlines are a tenth of a minute.
const LAPSE: u32 = 3;

/// One round of the story, in milliseconds of the demo at speed 1.
const ROUND_MS: i64 = 60_000;

/// Rounds that are planned: a day of them.
const ROUNDS: i64 = 1440;

/// Partitions of every topic.
pub(super) const PARTITIONS: u16 = 4;

/// The channels whose credits stop, one after the other.
const STOPPING: [&str; 4] = ["unionpay_qr", "alipay", "unionpay_card", "wechat_pay"];

/// When a channel's credits stop and come again, in milliseconds of a round: before, the service has seen what is usual.
const STOPPED_MS: (i64, i64) = (26_000, 44_000);

/// What else happens to one payment of a round, and when.
const SINGLE: [(Scenario, i64); 5] = [
    (Scenario::DuplicatePayment, 2_000),
    (Scenario::DuplicateCredit, 12_000),
    (Scenario::Refund, 16_000),
    // Before the service has seen half a minute, a credit without a payment may be older than what it knows.
    (Scenario::Orphan, 28_000),
    (Scenario::Mismatch, 33_000),
];

/// How the demo is played.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Seed of everything.
    pub(super) seed: u64,
    /// How many times as fast as ordinarily.
    pub(super) speed: u32,
    /// Payments a second at speed 1.
    pub(super) rate: u32,
}

/// Payments a second with which the story was written.
const RATE: u32 = 20;

impl Pace {
    /// Whether it is played no faster, and with no fewer payments, than it was written for.
    pub(super) fn is_as_planned(self) -> bool {
        self.speed == 1 && self.rate >= RATE
    }

    fn lapse(self) -> u32 {
        LAPSE * self.speed
    }

    /// Milliseconds of real time that `ms` at speed 1 take.
    fn real_ms(self, ms: i64) -> i64 {
        ms / i64::from(self.speed)
    }

    /// Milliseconds of the plan in `ms` at speed 1.
    fn plan_ms(ms: i64) -> i64 {
        ms * i64::from(LAPSE)
    }
}

/// The traffic from `start_ms` on.
pub(super) fn plan(pace: Pace, start_ms: i64) -> Result<Plan, PlanError> {
    let per_mille = u64::from(pace.rate) * 1000 / u64::from(LAPSE);
    let mut plan = Plan::builder()
        .seed(pace.seed)
        .rate(Rate::per_thousand_seconds(per_mille.max(1)))
        .start_ms(start_ms)
        .duration_ms(Pace::plan_ms(ROUND_MS * ROUNDS))
        .partitions(u32::from(PARTITIONS))
        .terminals(100)
        .lapse(pace.lapse());
    for round in 0..ROUNDS {
        for fault in faults(round) {
            plan = plan.fault(fault);
        }
    }
    plan.build()
}

fn faults(round: i64) -> impl Iterator<Item = Fault> {
    let begin = round * ROUND_MS;
    let during =
        move |from: i64, until: i64| (Pace::plan_ms(begin + from), Pace::plan_ms(begin + until));
    let (from, until) = during(STOPPED_MS.0, STOPPED_MS.1);
    let stopped = Fault::new(Scenario::ChannelStopped)
        .channel(stopping(round))
        .during(from, until);
    let single = SINGLE.into_iter().map(move |(scenario, at)| {
        let (from, until) = during(at, ROUND_MS);
        Fault::new(scenario).during(from, until).once()
    });
    [stopped].into_iter().chain(single)
}

fn stopping(round: i64) -> &'static str {
    STOPPING[(round % STOPPING.len() as i64) as usize]
}

/// What a fault of the story does just now: the channel that stands still, or came again a moment ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scene {
    /// Nothing but single cases.
    Quiet,
    /// This channel credits nothing.
    Stopped(&'static str),
    /// This channel credits again, and what it owed.
    Back(&'static str),
}

/// The scene at `ms` of real time after the beginning.
pub(super) fn scene(pace: Pace, ms: i64) -> Scene {
    let at = ms.saturating_mul(i64::from(pace.speed));
    let (round, within) = (at / ROUND_MS, at % ROUND_MS);
    let channel = stopping(round);
    match within {
        _ if within < STOPPED_MS.0 => Scene::Quiet,
        _ if within < STOPPED_MS.1 => Scene::Stopped(channel),
        _ if within < STOPPED_MS.1 + 12_000 => Scene::Back(channel),
        _ => Scene::Quiet,
    }
}

/// The configuration of the demo: what `run` reads, with deadlines of seconds.
pub(super) fn config(pace: Pace, bootstrap_servers: &str, listen: &str) -> String {
    let ms = |at_speed_1: i64| format!("{}ms", pace.real_ms(at_speed_1).max(1));
    let mut text = String::new();
    let _ = write!(
        text,
        "# The demo's own: the deadlines are those of a service, told {} times as fast.
version: 1
kafka:
  bootstrap_servers: \"{bootstrap_servers}\"
  group_id: settlewatch-demo
  start_at: earliest
  instance_id: demo
  session_timeout: 6s
http: {{listen: \"{listen}\"}}
streams:
  payments: {{topic: payments}}
  credits: {{topic: credits}}
  lifecycle: {{topic: lifecycle}}
  terminals: {{topic: terminals, keyed: other}}
output: {{}}
rules:
  - name: slow
    match: {{channel: [bank_app, visa]}}
    tiers: {{warn: {}, breach: {}, escalate: {}}}
  - name: default
    tiers: {{warn: {}, breach: {}, escalate: {}}}
give_up: 3d
orphan_credit: {{after: {}}}
duplicate_payment: {{window: {}}}
",
        pace.lapse(),
        ms(20_000),
        ms(25_000),
        ms(120_000),
        ms(10_000),
        ms(15_000),
        ms(40_000),
        ms(5_000),
        ms(120_000),
    );
    text
}

#[cfg(test)]
mod tests {
    use settlewatch_config::{Env, Purpose, load_str};
    use settlewatch_sim::generate;

    use super::*;

    const PACE: Pace = Pace {
        seed: 7,
        speed: 10,
        rate: 20,
    };

    #[test]
    fn its_configuration_is_one_that_the_service_reads() {
        let text = config(PACE, "127.0.0.1:9092", "127.0.0.1:0");
        let loaded = load_str("demo.yaml", &text, Purpose::Run, &Env::empty());
        let loaded = loaded.unwrap_or_else(|told| panic!("{told}"));
        assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
        let tiers = &loaded.config.settings.rules[1].tiers;
        assert_eq!(tiers[0].after.millis(), 1000);
    }

    #[test]
    fn a_minute_of_it_takes_six_seconds_at_speed_ten() {
        let plan = plan(PACE, 1_800_000_000_000).expect("it can be carried out");
        let first = generate(&plan).take_while(|record| record.ts_ms < 1_800_000_006_000);
        let payments = first.filter(|record| record.payload.contains("payment.succeeded"));
        let count = payments.count();
        assert!((1000..1400).contains(&count), "{count} payments");
        assert_eq!(scene(PACE, 2_700), Scene::Stopped("unionpay_qr"));
        assert_eq!(scene(PACE, 4_500), Scene::Back("unionpay_qr"));
        assert_eq!(scene(PACE, 9_000), Scene::Stopped("alipay"));
    }
}
