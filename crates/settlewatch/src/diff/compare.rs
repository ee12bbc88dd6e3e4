//! What two sets of alerts have in common and what not.

use std::collections::{BTreeMap, BTreeSet};

use super::read::{Alerts, Key, Revision};

/// How an alert stands in the two sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Change {
    /// In the first set alone.
    Gone,
    /// In the second set alone.
    New,
    /// In both, but not alike.
    Changed,
    /// The same in both.
    Same,
}

impl Change {
    pub(super) const ALL: [Self; 4] = [Self::Gone, Self::New, Self::Changed, Self::Same];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "only before",
            Self::New => "only after",
            Self::Changed => "differ",
            Self::Same => "same",
        }
    }
}

/// Money by currency, in minor units.
pub(super) type Money = BTreeMap<String, u128>;

/// Alerts of one kind and change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) alerts: u64,
    /// Payments, each once.
    pub(super) payments: BTreeSet<(Option<String>, String)>,
    pub(super) money: Money,
}

/// An alert that is not the same in both sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) change: Change,
    pub(super) key: Key,
    pub(super) before: Option<Revision>,
    pub(super) after: Option<Revision>,
    /// What differs: names of fields of the first revision that does.
    pub(super) fields: Vec<&'static str>,
}

/// Everything that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) sums: BTreeMap<(String, Change), Sum>,
    pub(super) differences: Vec<Difference>,
}

impl Found {
    pub(super) fn differs(&self) -> bool {
        !self.differences.is_empty()
    }

    /// The sum of a change over all kinds.
    pub(super) fn total(&self, change: Change) -> Sum {
        let mut total = Sum::default();
        for ((_, of), sum) in &self.sums {
            if *of == change {
                total.alerts += sum.alerts;
                total.payments.extend(sum.payments.iter().cloned());
                for (currency, amount) in &sum.money {
                    *total.money.entry(currency.clone()).or_default() += amount;
                }
            }
        }
        total
    }
}

/// Compares alert by alert. Money is that of the second set where an alert is in both.
pub(super) fn compare(before: &Alerts, after: &Alerts) -> Found {
    let mut found = Found::default();
    let keys: BTreeSet<&Key> = before.keys().chain(after.keys()).collect();
    for key in keys {
        let (old, new) = (before.get(key), after.get(key));
        let change = match (old, new) {
            (Some(old), Some(new)) if old == new => Change::Same,
            (Some(_), Some(_)) => Change::Changed,
            (Some(_), None) => Change::Gone,
            (None, _) => Change::New,
        };
        let shown = new.or(old).and_then(|revisions| revisions.last());
        count(&mut found, key, change, shown);
        if change != Change::Same {
            found.differences.push(difference(change, key, old, new));
        }
    }
    found
}

fn count(found: &mut Found, key: &Key, change: Change, shown: Option<&Revision>) {
    let sum = found.sums.entry((key.kind.clone(), change)).or_default();
    sum.alerts += 1;
    let payment = (key.tenant.clone(), key.payment_id.clone());
    sum.payments.insert(payment);
    if let Some(Revision {
        amount_minor: Some(amount),
        currency: Some(currency),
        ..
    }) = shown
    {
        *sum.money.entry(currency.clone()).or_default() += amount;
    }
}

fn difference(
    change: Change,
    key: &Key,
    old: Option<&Vec<Revision>>,
    new: Option<&Vec<Revision>>,
) -> Difference {
    let empty = Vec::new();
    let (old, new) = (old.unwrap_or(&empty), new.unwrap_or(&empty));
    let longest = old.len().max(new.len());
    let first = (0..longest)
        .find(|&i| old.get(i) != new.get(i))
        .unwrap_or(0);
    let (before, after) = (old.get(first).cloned(), new.get(first).cloned());
    Difference {
        change,
        key: key.clone(),
        fields: match (&before, &after) {
            (Some(before), Some(after)) => fields(before, after),
            _ => vec!["revisions"],
        },
        before,
        after,
    }
}

fn fields(a: &Revision, b: &Revision) -> Vec<&'static str> {
    [
        ("revision", a.revision != b.revision),
        ("state", a.state != b.state),
        ("tier", a.tier != b.tier),
        ("resolution", a.resolution != b.resolution),
        ("verdict", a.verdict != b.verdict),
        ("decided_at", a.decided_at != b.decided_at),
        ("deadline", a.deadline != b.deadline),
        ("amount_minor", a.amount_minor != b.amount_minor),
        ("currency", a.currency != b.currency),
        ("channel", a.channel != b.channel),
    ]
    .into_iter()
    .filter_map(|(name, differs)| differs.then_some(name))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revision(number: u32, tier: &str, at: &str) -> Revision {
        Revision {
            revision: number,
            kind: "credit_missing".into(),
            state: "open".into(),
            tier: tier.into(),
            resolution: None,
            verdict: None,
            decided_at: at.into(),
            deadline: None,
            amount_minor: Some(100),
            currency: Some("CNY".into()),
            channel: None,
        }
    }

    fn set(alerts: &[(&str, &[Revision])]) -> Alerts {
        let key = |id: &str| Key {
            tenant: None,
            payment_id: id.into(),
            kind: "credit_missing".into(),
        };
        let alerts = alerts.iter();
        alerts
            .map(|(id, revisions)| (key(id), revisions.to_vec()))
            .collect()
    }

    #[test]
    fn each_alert_is_gone_new_changed_or_the_same_and_its_money_counts_once() {
        let (warn, late) = (revision(1, "warn", "10:00"), revision(1, "warn", "10:30"));
        let breach = revision(2, "breach", "11:00");
        let only_warn = std::slice::from_ref(&warn);
        let before = set(&[("A", only_warn), ("B", only_warn), ("C", only_warn)]);
        let both = [warn.clone(), breach];
        let after = set(&[("B", &[late]), ("C", &both), ("D", only_warn)]);
        let found = compare(&before, &after);
        let of = |change| found.total(change);
        assert_eq!(of(Change::Gone).alerts, 1);
        assert_eq!(of(Change::New).alerts, 1);
        assert_eq!(of(Change::Changed).money["CNY"], 200);
        assert_eq!(of(Change::Same), Sum::default());
        let fields: Vec<_> = found
            .differences
            .iter()
            .map(|one| one.fields.clone())
            .collect();
        assert_eq!(
            fields,
            [
                vec!["revisions"],
                vec!["decided_at"],
                vec!["revisions"],
                vec!["revisions"]
            ]
        );
        assert!(!compare(&after, &after).differs());
    }
}
