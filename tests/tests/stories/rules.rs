//! Which rule dates a payment.

use settlewatch_tests::story::Story;

use crate::tell::tell;

#[test]
fn the_first_rule_that_matches_names_the_tiers() {
    let rules = "rules:
  - name: large
    match: {currency: CNY, amount_minor: {min: 5000000}}
    tiers: {notice: 5s, alarm: 1m}
  - name: cards
    match: {channel: [card, debit], method: chip}
    tiers: {breach: 10s}
  - name: east
    match: {region: east, attrs.shift: night}
    tiers: {breach: 20s}
  - name: default
    tiers: {breach: 40s}
";
    let story = Story::new()
        .at("12:00:00")
        .pay("LARGE")
        .amount(5_000_000)
        .with("channel", "card")
        .with("method", "chip")
        .pay("ALMOST")
        .amount(4_999_999)
        .pay("CARD")
        .with("channel", "debit")
        .with("method", "chip")
        .pay("SWIPED")
        .with("channel", "debit")
        .with("method", "swipe")
        .pay("EAST")
        .with("region", "east")
        .with("attrs", serde_json::json!({"shift": "night"}))
        .pay("DOLLARS")
        .amount(6_000_000)
        .currency("USD");
    tell(story).under(rules).until("12:01:00").says(&[
        "12:00:05 | LARGE credit_missing open notice 5000000 CNY",
        "12:00:10 | CARD credit_missing open breach 10000 CNY",
        "12:00:20 | EAST credit_missing open breach 10000 CNY",
        "12:00:40 | ALMOST credit_missing open breach 4999999 CNY",
        "12:00:40 | SWIPED credit_missing open breach 10000 CNY",
        "12:00:40 | DOLLARS credit_missing open breach 6000000 USD",
        "12:01:00 | LARGE credit_missing open alarm 5000000 CNY",
    ]);
}

#[test]
fn a_rule_may_have_its_own_patience() {
    let rules = "rules:
  - name: brief
    match: {merchant_id: M7}
    tiers: {breach: 10s}
    give_up: 1m
  - name: default
    tiers: {breach: 10s}
";
    let story = Story::new()
        .at("12:00:00")
        .pay("P1")
        .place("M7", "T7")
        .pay("P2");
    tell(story)
        .under(rules)
        .until("12:02:00")
        .says(&[
            "12:00:10 | P1 credit_missing open breach 10000 CNY",
            "12:00:10 | P2 credit_missing open breach 10000 CNY",
            "12:01:10 | P1 credit_missing resolved written_off breach 10000 CNY due 12:00:10",
        ])
        .counts([0, 0, 1, 1, 1]);
}
