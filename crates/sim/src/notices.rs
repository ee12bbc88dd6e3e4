//! What is announced: deployments, maintenance, campaigns, and what becomes of accounts.

use crate::event::{Draft, Topic, What};
use crate::fault::SettledFault;
use crate::plan::Plan;
use crate::rng::Rng;
use crate::scenario::Scenario;
use crate::scope::Field;

/// Purpose of the random stream that spreads the notices.
const NOTICES: u64 = 8;

/// The notices of a plan.
pub(crate) fn of(plan: &Plan) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for (fault, index) in plan.faults.iter().zip(0..) {
        let mut rng = Rng::stream(plan.seed, NOTICES, index);
        let first = plan.start + 1;
        let before = |ms: i64| (fault.from - ms).max(first);
        match (fault.scenario, fault.variant) {
            (Scenario::InterfaceFault, 0)
            | (Scenario::TerminalReleaseFault, 1)
            | (Scenario::Deploy, _) => {
                let at = before(rng.between(2000, 60_000));
                drafts.push(marker("deploy", at, fault, None, index));
            }
            (Scenario::IntegrationConfig, _) => {
                let at = before(rng.between(2000, 60_000));
                drafts.push(marker("config", at, fault, None, index));
            }
            (Scenario::Maintenance, _) => {
                let times = Some((fault.from - 1000, fault.until + 15_000));
                // Who is in a hurry announces it as it begins.
                let at = before(rng.between(1000, 90_000));
                drafts.push(marker("maintenance", at, fault, times, index));
            }
            (Scenario::ChannelStopped, _) => {
                let until = fault.maintained_until();
                drafts.extend(until.map(|until| {
                    let at = before(rng.between(1000, 90_000));
                    marker(
                        "maintenance",
                        at,
                        fault,
                        Some((fault.from - 1000, until)),
                        index,
                    )
                }));
            }
            (Scenario::Campaign, _) => {
                let times = Some((fault.from, fault.until));
                drafts.push(marker("campaign", before(60_000), fault, times, index));
            }
            (Scenario::AccountFrozen, _) => {
                drafts.extend(account(fault, fault.from, "frozen", index));
                drafts.extend(account(fault, fault.until, "active", index));
            }
            _ => {}
        }
    }
    drafts.retain(|draft| draft.at <= plan.end);
    drafts
}

fn marker(
    kind: &'static str,
    at: i64,
    fault: &SettledFault,
    times: Option<(i64, i64)>,
    index: u64,
) -> Draft {
    notice(
        kind.to_owned(),
        at,
        format!("m{index}-{kind}"),
        What::Marker {
            kind,
            scope: fault.scope.names(),
            starts_at: times.map(|(from, _)| from),
            ends_at: times.map(|(_, until)| until),
        },
    )
}

fn account(fault: &SettledFault, at: i64, status: &'static str, index: u64) -> Option<Draft> {
    let merchant_id = fault.scope.get(Field::Merchant)?.to_owned();
    let what = What::AccountStatus {
        merchant_id: merchant_id.clone(),
        status,
    };
    Some(notice(merchant_id, at, format!("a{index}-{status}"), what))
}

fn notice(key: String, at: i64, event_id: String, what: What) -> Draft {
    Draft {
        at,
        occurred_at: at - 1,
        topic: Topic::Terminals,
        key,
        event_id,
        again: false,
        what,
    }
}
