//! Which payments a scope selects: two scopes that select the same ones say the same place.

use std::collections::BTreeMap;

use serde_json::Value;

use super::incident::Scope;

/// The payments of a recording, each with its append time in milliseconds since the epoch.
#[derive(Default)]
pub struct Payments(Vec<(i64, Vec<u8>)>);

impl Payments {
    /// Adds the payment in `payload`.
    pub fn push(&mut self, at: i64, payload: Vec<u8>) {
        self.0.push((at, payload));
    }

    /// How far the payments from `from` to `until` that `a` and `b` select are the same, as the size of what both
    /// select by the size of what one selects, in thousandths; `None` where neither selects any.
    pub fn overlap_permille(&self, a: &Scope, b: &Scope, from: i64, until: i64) -> Option<u64> {
        let (mut both, mut either) = (0_u64, 0_u64);
        for (at, payload) in &self.0 {
            if (from..until).contains(at) {
                let payment: BTreeMap<&str, Value> = serde_json::from_slice(payload).ok()?;
                let [in_a, in_b] = [a, b].map(|scope| holds(scope, &payment));
                both += u64::from(in_a && in_b);
                either += u64::from(in_a || in_b);
            }
        }
        (either > 0).then(|| both * 1000 / either)
    }
}

fn holds(scope: &Scope, payment: &BTreeMap<&str, Value>) -> bool {
    scope.iter().all(|(field, values)| {
        let value = match field.strip_prefix("attrs.") {
            Some(name) => payment.get("attrs").map(|attrs| &attrs[name]),
            None => payment.get(field.as_str()),
        };
        let value = value.and_then(Value::as_str);
        value.is_some_and(|own| values.iter().any(|value| value == own))
    })
}
