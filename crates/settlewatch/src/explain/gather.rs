//! Collects what concerns one payment while a replay runs.

use settlewatch_config::Config;
use settlewatch_join::{Alert, Body, Event, Outcome};
use settlewatch_replay::input::Raw;
use settlewatch_replay::{Engine, Finished, Observer};
use settlewatch_watch::incident::Incident;
use settlewatch_wire::Rejection;

use crate::incidents::Told;

use super::{Accepted, Applied, Findings, Mention, Subject, What, rules, says};

/// Ids that nearly match are remembered up to this many.
const NEAR: usize = 3;
/// In how many characters they differ at most.
const NEAR_CHARACTERS: usize = 2;

/// Watches for one payment.
pub(crate) struct Gatherer<'c> {
    config: &'c Config,
    found: Findings,
    /// The id in quotes, as it stands in a record.
    quoted: Vec<u8>,
}

impl<'c> Gatherer<'c> {
    pub(crate) fn new(config: &'c Config, subject: Subject) -> Self {
        let quoted = serde_json::Value::from(subject.payment_id.as_str()).to_string();
        Self {
            config,
            quoted: quoted.into_bytes(),
            found: Findings {
                subject,
                mentions: Vec::new(),
                accepted: None,
                alerts: Vec::new(),
                incidents: Vec::new(),
                named_by: Vec::new(),
                other_tenants: Vec::new(),
                near: Vec::new(),
                end: None,
                to: None,
            },
        }
    }

    /// Everything found, when the replay is done.
    pub(crate) fn finish(mut self, finished: &Finished) -> Findings {
        let Subject { tenant, payment_id } = &self.found.subject;
        self.found.end = finished.engine.as_ref().and_then(|engine| {
            engine
                .partition(tenant.as_deref(), payment_id)
                .inspect(tenant.as_deref(), payment_id)
        });
        self.found.to = finished.summary.to;
        self.found
    }

    fn is_subject(&self, tenant: Option<&str>, payment_id: &str) -> bool {
        let subject = &self.found.subject;
        payment_id == subject.payment_id && tenant == subject.tenant.as_deref()
    }

    /// Remembers what could have been meant instead.
    fn consider(&mut self, tenant: Option<&str>, payment_id: &str) {
        let wanted = &self.found.subject.payment_id;
        if payment_id == wanted {
            let tenant = tenant.unwrap_or("");
            let tenants = &mut self.found.other_tenants;
            if !tenants.iter().any(|other| other == tenant) {
                tenants.push(tenant.to_owned());
            }
        } else if self.found.near.len() < NEAR
            && is_near(wanted, payment_id)
            && !self.found.near.iter().any(|other| other == payment_id)
        {
            self.found.near.push(payment_id.to_owned());
        }
    }

    fn accepted(&self, raw: &Raw<'_>, event: &Event<'_>) -> Option<Accepted> {
        let Body::Succeeded(payment) = &event.body else {
            return None;
        };
        let rules = self.config.settings.rules.iter();
        let passed_over = rules
            .map_while(|rule| Some((rule.name.clone(), rules::unmet(&rule.matcher, payment)?)));
        Some(Accepted {
            at: raw.place.at,
            occurred_at: event.occurred_at,
            summary: says::payment(payment),
            passed_over: passed_over.collect(),
            expected_credit_by: payment.expected_credit_by,
        })
    }

    /// Whether a record that could not be read speaks of the payment all the same.
    fn mentions(&self, payload: &[u8]) -> bool {
        match serde_json::from_slice::<serde_json::Value>(payload) {
            Ok(value) => {
                let text = |name: &str| value.get(name).and_then(serde_json::Value::as_str);
                text("payment_id").is_some_and(|id| self.is_subject(text("tenant"), id))
            }
            Err(_) => payload
                .windows(self.quoted.len())
                .any(|window| window == self.quoted),
        }
    }
}

impl Observer for Gatherer<'_> {
    fn applied(
        &mut self,
        raw: &Raw<'_>,
        event: &Event<'_>,
        outcome: Option<Outcome>,
        engine: &Engine,
    ) {
        let Some(payment_id) = event.body.payment_id() else {
            return;
        };
        let tenant = event.tenant.as_deref();
        if !self.is_subject(tenant, payment_id) {
            self.consider(tenant, payment_id);
            return;
        }
        if outcome == Some(Outcome::Used) && self.found.accepted.is_none() {
            self.found.accepted = self.accepted(raw, event);
        }
        self.found.mentions.push(Mention {
            place: raw.place,
            disbelieved_ts: (!raw.plausible).then_some(raw.ts),
            what: What::Applied(Applied {
                kind: event.body.type_name(),
                occurred_at: event.occurred_at,
                event_id: event.event_id.to_string(),
                says: says::event(&event.body),
                outcome,
                standing: engine
                    .partition(tenant, payment_id)
                    .inspect(tenant, payment_id),
            }),
        });
    }

    fn rejected(&mut self, raw: &Raw<'_>, rejection: &Rejection) {
        if raw.payload.is_some_and(|payload| self.mentions(payload)) {
            self.found.mentions.push(Mention {
                place: raw.place,
                disbelieved_ts: (!raw.plausible).then_some(raw.ts),
                what: What::Rejected {
                    reason: rejection.reason.as_str(),
                    detail: rejection.detail.clone(),
                },
            });
        }
    }

    fn alert(&mut self, alert: &Alert) {
        if self.is_subject(alert.tenant.as_deref(), &alert.payment_id) {
            self.found.alerts.push(alert.clone());
        } else if alert.related_payment_id.as_ref() == Some(&self.found.subject.payment_id)
            && alert.tenant == self.found.subject.tenant
        {
            self.found.named_by.push(alert.clone());
        }
    }

    fn incident(&mut self, incident: &Incident) {
        self.found.incidents.push(Told::of(incident));
    }
}

fn is_near(wanted: &str, other: &str) -> bool {
    let differing = wanted
        .bytes()
        .zip(other.bytes())
        .filter(|(a, b)| a != b)
        .take(NEAR_CHARACTERS + 1);
    wanted.len() == other.len() && differing.count() <= NEAR_CHARACTERS
}
