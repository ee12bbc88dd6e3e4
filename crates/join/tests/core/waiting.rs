//! What waits can be counted at any time, and is what the flows say.

use settlewatch_join::Waiting;

use crate::common::{Bench, at, usual};

fn waiting(bench: &Bench) -> Vec<Waiting> {
    let mut all = Vec::new();
    bench
        .partition
        .each_waiting(&mut |waiting| all.push(waiting));
    all.sort_by_key(|waiting| waiting.accepted_at);
    all
}

#[test]
fn every_payment_that_waits_is_shown_once() {
    let mut bench = Bench::new(&usual(), 0);
    bench.pay("P1", 1_000, "wechat");
    bench.pay("P2", 2_500, "alipay");
    bench.pay("P3", 2_600, "wechat");
    bench.credit("P3", 2_700, 2_700);
    bench.credit("P4", 2_800, 2_800);
    bench.known(3_000);
    let all = waiting(&bench);
    let shown: Vec<_> = all
        .iter()
        .map(|one| {
            let channel = bench.partition.channel_name(one.channel);
            (channel, one.accepted_at, one.overdue, one.timed)
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("wechat", at(1_000), true, true),
            ("alipay", at(2_500), false, true)
        ]
    );
    let (_, book) = bench.partition.ledger().books()[0];
    let money: i128 = all.iter().map(|one| i128::from(one.amount_minor)).sum();
    assert_eq!(
        (all.len() as u64, money),
        (book.pending.count, book.pending.amount_minor)
    );
}
