//! What a configuration means: defaults, rules, streams, settings.

use settlewatch_config::{LogFormat, PageSeverity, RatePpm, Role, StartAt};
use settlewatch_join::event::{Currency, SettleMode, Stage};
use settlewatch_join::{Span, Timestamp};

use crate::{good, minimal, minimal_run, replay, run};

#[test]
fn what_is_not_written_has_its_documented_value() {
    let config = good(&minimal(""));
    assert_eq!(config.give_up, Span::from_secs(3 * 86_400));
    assert_eq!(config.settings.rules[0].give_up, config.give_up);
    assert_eq!(
        config.settings.redelivery_horizon,
        Span::from_secs(26 * 3_600)
    );
    assert_eq!(config.settings.orphan_after, Span::from_secs(120));
    assert_eq!(config.settings.duplicate_window, Span::from_secs(600));
    assert_eq!(config.settings.hold_limit, Span::from_secs(86_400));
    assert_eq!(config.settings.closed_keep, Span::from_secs(600));
    assert_eq!(config.settings.beginning, Span::ZERO);
    assert_eq!(config.settings.dimensions.len(), 16);
    assert_eq!(config.limits.waiting_payments, 5_000_000);
    assert_eq!(config.limits.record_bytes, 1_048_576);
    assert_eq!(config.limits.reload_alerts, 1_000);
    assert_eq!(
        config.fees.contract_rates,
        [RatePpm(3_000), RatePpm(5_500), RatePpm(6_000)]
    );
    assert_eq!(config.watch.share, RatePpm(1_000_000));
    let share = |text| {
        good(&minimal(&format!("watch: {{share: {text}}}\n")))
            .watch
            .share
    };
    assert_eq!(share("\"0.1\""), RatePpm(100_000));
    assert_eq!(share("0.000001"), RatePpm(1));
    assert_eq!(share("1.0"), RatePpm(1_000_000));
    assert_eq!(config.feeds.stages, Stage::ALL);
    assert_eq!(
        config.incidents.page,
        [PageSeverity::Critical, PageSeverity::Warning]
    );
    assert_eq!(config.incidents.pattern.cases, 5);
    assert!(config.run.is_none());
}

#[test]
fn the_service_needs_brokers_and_has_defaults_for_the_rest() {
    let config = run(&minimal_run("")).expect("it is complete").config;
    let service = config.run.expect("asked for");
    assert_eq!(service.kafka.bootstrap_servers, "localhost:9092");
    assert_eq!(service.kafka.group_id, "settlewatch");
    assert_eq!(service.kafka.start_at, StartAt::Latest);
    assert_eq!(service.kafka.instance_id, None);
    assert_eq!(service.kafka.session_timeout, Span::from_secs(45));
    assert_eq!(service.kafka.transaction_timeout, Span::from_secs(15));
    assert_eq!(service.kafka.lanes, 1);
    assert_eq!(service.shutdown_within, Span::from_secs(25));
    assert_eq!(service.roles, [Role::Join, Role::Watch, Role::Notify]);
    assert_eq!(service.output.watch_state, "settlewatch-watch-state");
    assert_eq!(service.http.listen.to_string(), "127.0.0.1:9464");
    assert_eq!(service.http.channels, 100);
    assert_eq!(service.log.format, LogFormat::Auto);
    assert_eq!(service.log.level, "info");
}

#[test]
fn a_start_can_be_an_instant() {
    let text = minimal(
        "kafka: {bootstrap_servers: \"localhost:9092\", start_at: 2026-04-01T00:00:00+08:00}\n",
    );
    let service = run(&text)
        .expect("it is complete")
        .config
        .run
        .expect("asked for");
    assert_eq!(
        service.kafka.start_at,
        StartAt::Time(Timestamp::from_millis(1_774_972_800_000))
    );
}

#[test]
fn streams_are_ranked_payments_credits_lifecycle_then_as_written() {
    let text = "version: 1\nstreams: {zeta: {topic: z}, lifecycle: {topic: l}, alpha: {topic: a, keyed: other}, payments: {topic: p}, credits: {topic: c}}\nrules: [{name: all, tiers: {breach: 1m}}]\n";
    let config = good(text);
    assert_eq!(
        config.settings.streams,
        ["payments", "credits", "lifecycle", "zeta", "alpha"]
    );
    assert!(config.streams[4].keyed_other);
    assert_eq!(config.streams[3].topic, "z");
}

#[test]
fn ranks_are_compact_where_a_well_known_stream_is_missing() {
    let text = "version: 1\nstreams: {aux: {topic: a}, credits: {topic: c}}\nrules: [{name: all, tiers: {breach: 1m}}]\n";
    assert_eq!(good(text).settings.streams, ["credits", "aux"]);
}

#[test]
fn some_stream_must_carry_payments() {
    let text = "version: 1\nstreams: {terminals: {topic: t, keyed: other}}\nrules: [{name: all, tiers: {breach: 1m}}]\n";
    assert_eq!(
        replay(text).expect_err("it is wrong").list()[0].message,
        "no stream carries payments"
    );
}

#[test]
fn a_match_takes_one_value_or_a_list() {
    let text = "version: 1\nstreams: {payments: {topic: p}}\nrules:\n  - name: a\n    match: {channel: qr, settle_mode: [d0, t1], currency: CNY, amount_minor: {min: 5, max: 9}, attrs.lane: [1, x]}\n    tiers: {first: 0, second: 1h30m}\n    give_up: 1d12h\n  - {name: all, tiers: {breach: 1m}}\n";
    let rule = good(text).settings.rules.remove(0);
    assert_eq!(rule.matcher.channel, ["qr"]);
    assert_eq!(rule.matcher.settle_mode, [SettleMode::D0, SettleMode::T1]);
    assert_eq!(
        rule.matcher.currency,
        [Currency::new(*b"CNY").expect("capitals")]
    );
    assert_eq!(
        (rule.matcher.amount_min, rule.matcher.amount_max),
        (Some(5), Some(9))
    );
    assert_eq!(
        rule.matcher.attrs,
        [("lane".to_owned(), vec!["1".to_owned(), "x".to_owned()])]
    );
    assert_eq!(rule.tiers[0].after, Span::ZERO);
    assert_eq!(rule.tiers[1].after, Span::from_secs(5_400));
    assert_eq!(rule.give_up, Span::from_secs(36 * 3_600));
}

#[test]
fn amounts_of_no_currency_in_particular_are_a_warning() {
    let text = "version: 1\nstreams: {payments: {topic: p}}\nrules: [{name: a, match: {amount_minor: {min: 5}}, tiers: {x: 1m}}, {name: all, tiers: {x: 1m}}]\n";
    let loaded = replay(text).expect("it can be used");
    assert_eq!(loaded.warnings.len(), 1);
    assert!(loaded.warnings[0].message.contains("every currency"));
}

#[test]
fn an_amount_range_upside_down_matches_nothing() {
    let text = "version: 1\nstreams: {payments: {topic: p}}\nrules: [{name: a, match: {currency: CNY, amount_minor: {min: 5, max: 4}}, tiers: {x: 1m}}, {name: all, tiers: {x: 1m}}]\n";
    let errors = replay(text).expect_err("it is wrong");
    assert_eq!(
        errors.list()[0].message,
        "the rule `a` matches no amount: `min` 5 is above `max` 4"
    );
}

#[test]
fn the_beginning_is_the_longest_breach_of_realtime_rules() {
    let rules = |tiers: &str| {
        format!(
            "version: 1\nkafka: {{bootstrap_servers: \"localhost:9092\"}}\nstreams: {{payments: {{topic: p}}}}\ncalendars: {{c: {{time_zone: UTC}}}}\nrules:\n  - {{name: batch, match: {{settle_mode: t1}}, due: {{calendar: c}}, tiers: {{breach: 9h}}}}\n  - {{name: a, match: {{channel: x}}, tiers: {{warn: 1s, breach: 2m, escalate: 1h}}}}\n  - {{name: rest, tiers: {tiers}}}\n"
        )
    };
    let beginning = |tiers| {
        run(&rules(tiers))
            .expect("it is complete")
            .config
            .settings
            .beginning
    };
    assert_eq!(beginning("{breach: 1m}"), Span::from_secs(120));
    assert_eq!(
        beginning("{one: 1m, two: 5m, three: 9m}"),
        Span::from_secs(300)
    );
    assert_eq!(beginning("{only: 7m}"), Span::from_secs(420));
    assert_eq!(
        replay(&rules("{only: 7m}"))
            .expect("it is complete")
            .config
            .settings
            .beginning,
        Span::ZERO
    );
}

#[test]
fn feeds_can_be_switched_off() {
    let config = good(&minimal(
        "feeds: {heartbeat: false, merchant_ack: {late: 1s, keep: 30s}, markers: false, stages: []}\n",
    ));
    assert!(config.feeds.heartbeat.is_none());
    assert!(!config.feeds.markers);
    assert!(config.feeds.stages.is_empty());
    assert_eq!(config.settings.closed_keep, Span::from_secs(30));
}

#[test]
fn anchors_and_merges_save_writing() {
    let text = "version: 1\nstreams: {payments: {topic: p}}\nrules:\n  - {name: a, match: {channel: x}, tiers: &t {warn: 1s, breach: 2s}}\n  - {name: b, tiers: {<<: *t, breach: 9s}, give_up: 2d}\n";
    let rules = good(text).settings.rules;
    let tiers: Vec<(&str, u64)> = rules[1]
        .tiers
        .iter()
        .map(|tier| (tier.name.as_ref(), tier.after.millis()))
        .collect();
    assert_eq!(tiers, [("warn", 1_000), ("breach", 9_000)]);
}

#[test]
fn nothing_written_below_a_key_means_its_default() {
    let mut config = good(&minimal("limits:\nfeeds: ~\nhold: {limit: }\n"));
    let plain = good(&minimal(""));
    // The version names the text.
    assert_ne!(config.settings.version, plain.settings.version);
    config.settings.version = plain.settings.version;
    assert_eq!(config, plain);
}

#[test]
fn tiers_stand_in_the_order_of_their_times_however_they_are_written() {
    let text = "version: 1\nstreams: {payments: {topic: p}}\nrules:\n  - name: default\n    tiers: {breach: 2m, \
                escalate: 10m, first: 5s, warn: 30s}\n";
    let config = good(text);
    let names: Vec<&str> = config.settings.rules[0]
        .tiers
        .iter()
        .map(|tier| tier.name.as_ref())
        .collect();
    assert_eq!(names, ["first", "warn", "breach", "escalate"]);
}
