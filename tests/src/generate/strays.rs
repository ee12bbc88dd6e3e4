//! What belongs to no payment, and what comes again.

use serde_json::json;

use super::events::{About, Teller};
use super::ids;

const HOUR_MS: i64 = 3_600_000;

impl Teller<'_> {
    /// Credits whose ids nearly match, and ids that never pay.
    pub(super) fn strays(&mut self) {
        for n in 0..self.rng.pick(&[0, 1, 1, 2, 3]) {
            let like = self.rng.pick(&self.drafts.clone());
            let Some(id) = like.value["payment_id"].as_str() else {
                continue;
            };
            let id = ids::near(self.rng, id);
            if self.batch() && self.heard_of(&id) {
                continue;
            }
            let about = About { id, ..self.about() };
            let anchor = About {
                at: like.at_ms,
                ..self.about()
            };
            let at = self.time(&anchor);
            let credit = self.credit(&about, n);
            self.push(&about, at, 1, "terminal.credited", credit);
        }
        let never = |id: &str, about: About| About {
            id: id.to_owned(),
            tenant: None,
            ..about
        };
        if self.rng.chance(20) {
            let about = never("only-authorised", self.about());
            self.push(&about, about.at, 2, "payment.authorized", json!({}));
        }
        if self.rng.chance(20) {
            let about = never("only-stages", self.about());
            self.push(
                &about,
                about.at,
                2,
                "payment.stage",
                json!({"stage": "gateway_in"}),
            );
            self.push(
                &about,
                about.at + 9,
                2,
                "payment.declined",
                json!({"class": "auth_incomplete"}),
            );
        }
    }

    /// Some records once more, some of which contradict the first.
    pub(super) fn redeliver(&mut self) {
        // Within the horizon, but for stages, which are told apart only while their payment is at hand.
        let hours_later = self.rng.chance(15);
        for _ in 0..self.rng.pick(&[0, 0, 1, 2, 4]) {
            let mut again = self.rng.pick(&self.drafts.clone());
            again.at_ms += self.rng.pick(&[0, 1, 50, 400, 2_000]);
            if hours_later && again.value["type"] != "payment.stage" {
                again.at_ms += HOUR_MS * self.rng.between(1, 25);
            }
            if again.value.get("amount_minor").is_some() && self.rng.chance(30) {
                again.value["amount_minor"] = 3.into();
            }
            self.drafts.push(again);
        }
    }
}
