//! Random rules: short spans, so that a small world meets every deadline.

use super::rng::Rng;
use crate::reference::{Calendar, Config, Day, Due, Rule, Tier};
use crate::story::clock;

const DAY_MS: i64 = 86_400_000;

/// Random rules; `batch` adds one with a calendar in front.
pub(super) fn config(rng: &mut Rng, batch: bool) -> Config {
    let mut rules = Vec::new();
    if batch {
        rules.push(batch_rule(rng));
    }
    if rng.chance(30) {
        let mut large = Rule {
            name: "large".into(),
            tiers: tiers(rng),
            ..Rule::default()
        };
        large
            .fields
            .push(("currency".into(), vec!["CNY".into(), "EUR".into()]));
        large.amount_min = Some(rng.pick(&[1_000, 5_000]));
        large.amount_max = rng.chance(30).then_some(5_000);
        large.give_up_ms = rng.chance(50).then_some(700);
        rules.push(large);
    }
    if rng.chance(20) {
        let mut one = Rule {
            name: "one".into(),
            tiers: tiers(rng),
            ..Rule::default()
        };
        one.fields
            .push(("merchant_id".into(), vec!["M1".into(), "M9".into()]));
        one.fields.push(("attrs.lane".into(), vec!["fast".into()]));
        rules.push(one);
    }
    rules.push(Rule {
        name: "default".into(),
        tiers: tiers(rng),
        ..Rule::default()
    });
    Config {
        rules,
        give_up_ms: rng.pick(&[400, 1_000, 3_000, 600_000]),
        orphan_after_ms: rng.pick(&[50, 100, 300, 1_000]),
        duplicate_window_ms: rng.pick(&[100, 300, 1_000]),
        redelivery_horizon_ms: 26 * 3_600_000,
        hold_limit_ms: rng.pick(&[100, 500, 2_000]),
    }
}

fn tiers(rng: &mut Rng) -> Vec<Tier> {
    let first = rng.pick(&[100, 100, 100, 200, 1]);
    let spans: [(&str, i64); 3] = [("warn", first), ("breach", 300), ("escalate", 1_000)];
    let count = rng.pick(&[1, 2, 3, 3]);
    let tier = |(name, after_ms): (&str, i64)| Tier {
        name: name.into(),
        after_ms,
    };
    spans.into_iter().map(tier).skip(3 - count).collect()
}

fn batch_rule(rng: &mut Rng) -> Rule {
    let calendar = calendar();
    let after_ms = rng.pick(&[0, 1, 100]);
    Rule {
        name: "batch".into(),
        fields: vec![("settle_mode".into(), vec!["d0".into(), "t1".into()])],
        due: Some(Due {
            calendar,
            business_days: rng.pick(&[0, 1, 2]),
        }),
        tiers: vec![Tier {
            name: "breach".into(),
            after_ms,
        }],
        give_up_ms: rng.chance(50).then_some(500),
        ..Rule::default()
    }
}

/// Three weeks in Shanghai around the day of the stories, with a holiday and a Saturday that is worked.
pub fn calendar() -> Calendar {
    let yaml = "{time_zone: Asia/Shanghai, weekend: [sat, sun], holidays: [2026-03-03], \
                workdays: [2026-03-07], cut_off: \"23:00\", credit_by: \"18:00\"}";
    // The first day is a Friday; 15:00 UTC is 23:00 in Shanghai.
    let first = clock("2026-02-27T15:00:00Z");
    let day = |n: i64| {
        let weekend = n % 7 == 1 || n % 7 == 2;
        let (holiday, worked) = (n == 4, n == 8);
        let cut_off_ms = first + n * DAY_MS;
        Day {
            cut_off_ms,
            credit_by_ms: cut_off_ms - 5 * 3_600_000,
            business: worked || !(weekend || holiday),
        }
    };
    Calendar {
        name: "cn".into(),
        yaml: yaml.into(),
        days: (0..21).map(day).collect(),
    }
}
