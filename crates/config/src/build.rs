//! Checked values to the configuration: what only several keys together can get wrong.

use settlewatch_join::event::Stage;
use settlewatch_join::settings::Rule;
use settlewatch_join::{Settings, Span};

use crate::item::Item;
use crate::model::{
    AckFeed, Config, Feeds, Fees, HeartbeatFeed, Incidents, Limits, PageSeverity, Pattern, Purpose,
    WatchShare,
};
use crate::report::Report;
use crate::{build_run, calendars, rules, streams};

/// The configuration; `None` when something is wrong, which has been reported.
pub(crate) fn config(root: &Item, purpose: Purpose, report: &mut Report) -> Option<Config> {
    let streams = streams::compile(root.at("streams"), report);
    let mut calendars = calendars::compile(root.at("calendars"), report);
    let give_up = root.at("give_up").duration();
    let mut context = rules::Context {
        written: root.at("calendars").map(),
        calendars: &mut calendars,
        give_up,
    };
    let rules = rules::compile(root.at("rules"), &mut context, report);
    let feeds = feeds(root.at("feeds"), report);
    let run = match purpose {
        Purpose::Replay => None,
        Purpose::Run => build_run::compile(root, &streams, report),
    };
    let feeds = feeds?;
    let settings = Settings {
        version: 1,
        streams: streams.iter().map(|stream| stream.name.clone()).collect(),
        beginning: beginning(&rules, purpose),
        rules,
        redelivery_horizon: root.at("redelivery_horizon").duration()?,
        orphan_after: root.at("orphan_credit").at("after").duration()?,
        duplicate_window: root.at("duplicate_payment").at("window").duration()?,
        hold_limit: root.at("hold").at("limit").duration()?,
        closed_keep: feeds.merchant_ack.map_or(DEFAULT_KEEP, |ack| ack.keep),
        dimensions: unique(
            root.at("dimensions")
                .list()
                .iter()
                .filter_map(Item::dimension),
        ),
    };
    Some(Config {
        settings,
        streams,
        give_up: give_up?,
        fees: fees(root.at("fees")),
        feeds,
        watch: WatchShare {
            share: root.at("watch").at("share").rate()?,
        },
        incidents: incidents(root.at("incidents"))?,
        limits: limits(root.at("limits"))?,
        calendars,
        run,
    })
}

/// How long a credited payment keeps its details where no acknowledgement is expected.
const DEFAULT_KEEP: Span = Span::from_secs(600);

/// A replay knows its inputs from the start. A service must grant what came before it the longest `breach`
/// tier of the rules without `due`; a rule without that name counts with its second tier, or its only one.
pub fn beginning(rules: &[Rule], purpose: Purpose) -> Span {
    if purpose == Purpose::Replay {
        return Span::ZERO;
    }
    let breach = |rule: &Rule| {
        let named = rule.tiers.iter().find(|tier| *tier.name == *"breach");
        named
            .or(rule.tiers.get(1))
            .or(rule.tiers.first())
            .map(|tier| tier.after)
    };
    rules
        .iter()
        .filter(|rule| rule.due.is_none())
        .filter_map(breach)
        .max()
        .unwrap_or(Span::ZERO)
}

fn unique<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut once = Vec::new();
    for value in values {
        if !once.contains(&value) {
            once.push(value);
        }
    }
    once
}

fn fees(fees: &Item) -> Fees {
    let mut contract_rates: Vec<_> = fees
        .at("contract_rates")
        .list()
        .iter()
        .filter_map(Item::rate)
        .collect();
    contract_rates.sort_unstable();
    contract_rates.dedup();
    Fees { contract_rates }
}

fn feeds(feeds: &Item, report: &mut Report) -> Option<Feeds> {
    let heartbeat = feeds.at("heartbeat");
    let ack = feeds.at("merchant_ack");
    let heartbeat = if is_off(heartbeat) {
        None
    } else {
        Some(heartbeat_feed(heartbeat, report)?)
    };
    let merchant_ack = if is_off(ack) {
        None
    } else {
        Some(ack_feed(ack, report)?)
    };
    let written: Vec<String> = feeds.at("stages").texts();
    Some(Feeds {
        heartbeat,
        account_status: feeds.at("account_status").flag()?,
        batch_settled: feeds.at("batch_settled").flag()?,
        markers: feeds.at("markers").flag()?,
        stages: Stage::ALL
            .iter()
            .copied()
            .filter(|stage| written.iter().any(|word| word == stage.as_str()))
            .collect(),
        merchant_ack,
    })
}

/// Written as `false`.
fn is_off(feed: &Item) -> bool {
    feed.flag() == Some(false)
}

fn heartbeat_feed(feed: &Item, report: &mut Report) -> Option<HeartbeatFeed> {
    let (interval, offline_after) = (
        feed.at("interval").duration()?,
        feed.at("offline_after").duration()?,
    );
    if offline_after < interval {
        let remedy =
            "make it a few intervals long, or every terminal is offline between two heartbeats";
        report.error(
            feed.at("offline_after").mark,
            "`feeds.heartbeat.offline_after` is shorter than `interval`",
            remedy,
        );
    }
    Some(HeartbeatFeed {
        interval,
        offline_after,
    })
}

fn ack_feed(feed: &Item, report: &mut Report) -> Option<AckFeed> {
    let (late, keep) = (feed.at("late").duration()?, feed.at("keep").duration()?);
    if keep < late {
        let remedy = "make it longer, or no acknowledgement can ever be late";
        report.error(
            feed.at("keep").mark,
            "`feeds.merchant_ack.keep` is shorter than `late`",
            remedy,
        );
    }
    Some(AckFeed { late, keep })
}

fn incidents(incidents: &Item) -> Option<Incidents> {
    let severity = |word: String| match word.as_str() {
        "critical" => Some(PageSeverity::Critical),
        "warning" => Some(PageSeverity::Warning),
        _ => None,
    };
    let critical = incidents.at("critical_minor").map().iter();
    let pattern = incidents.at("pattern");
    Some(Incidents {
        page: unique(
            incidents
                .at("page")
                .texts()
                .into_iter()
                .filter_map(severity),
        ),
        critical_minor: critical
            .filter_map(|named| {
                Some((
                    crate::scalars::currency(&named.name).ok()?,
                    named.item.count()?,
                ))
            })
            .collect(),
        objective: incidents.at("objective").rate()?,
        reopen_within: incidents.at("reopen_within").duration()?,
        pattern: Pattern {
            cases: pattern.at("cases").size()?,
            within: pattern.at("within").duration()?,
        },
    })
}

fn limits(limits: &Item) -> Option<Limits> {
    Some(Limits {
        waiting_payments: limits.at("waiting_payments").size()?,
        waiting_records: limits.at("waiting_records").size()?,
        record_bytes: limits.at("record_bytes").size()?,
        reload_alerts: limits.at("reload_alerts").size()?,
    })
}
