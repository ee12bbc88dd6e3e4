//! What is found in small tables, and that the search finds what exhaustive enumeration finds.

use super::*;

/// SplitMix64.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to less than `limit`.
    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// As many of `count` as have luck with `per_cent`.
    fn of(&mut self, count: u64, per_cent: u64) -> u64 {
        (0..count).filter(|_| self.below(100) < per_cent).count() as u64
    }
}

/// Channel, region, store, terminal: a store has two terminals, a region five stores; every terminal uses all
/// channels.
fn shop(bad_of: impl Fn(&[u32]) -> f64) -> Table {
    let mut table = Table::new(4);
    for channel in 1..=4 {
        for terminal in 1..=40_u32 {
            let store = terminal.div_ceil(2);
            let values = [channel, store.div_ceil(5), store, terminal];
            table.push(&values, 10.0, bad_of(&values));
        }
    }
    table
}

fn places(causes: &[Cause]) -> Vec<Vec<(usize, Vec<u32>)>> {
    let conditions = causes.iter().map(|cause| cause.finding.conditions.clone());
    conditions.collect()
}

#[test]
fn a_channel_bad_everywhere_is_the_channel_and_no_terminal() {
    let causes = scan(
        &shop(|values| f64::from(u8::from(values[0] == 2)) * 6.0),
        &ScanOptions::default(),
    );
    assert_eq!(places(&causes), [vec![(0, vec![2])]]);
    let found = &causes[0].finding;
    assert!((found.rate_inside() - 0.6).abs() < 1e-12);
    assert!(found.rate_outside().abs() < 1e-12);
    assert!((found.coverage - 1.0).abs() < 1e-12);
    assert!(found.p_value < 1e-9);
}

#[test]
fn the_only_bad_terminal_of_its_store_is_the_terminal() {
    let causes = scan(
        &shop(|values| f64::from(u8::from(values[3] == 7)) * 10.0),
        &ScanOptions::default(),
    );
    assert_eq!(places(&causes), [vec![(3, vec![7])]]);
}

#[test]
fn a_channel_in_one_region_is_both_conditions() {
    let causes = scan(
        &shop(|values| f64::from(u8::from(values[0] == 1 && values[1] == 3)) * 5.0),
        &ScanOptions::default(),
    );
    assert_eq!(places(&causes), [vec![(0, vec![1]), (1, vec![3])]]);
}

#[test]
fn two_faults_at_once_are_two_causes() {
    let bad = |values: &[u32]| match values {
        [3, ..] => 9.0,
        [_, _, 11, _] => 10.0,
        _ => 0.0,
    };
    let causes = scan(&shop(bad), &ScanOptions::default());
    assert_eq!(places(&causes), [vec![(0, vec![3])], vec![(2, vec![11])]]);
}

#[test]
fn the_same_fault_in_two_channels_is_one_cause_where_values_may_join() {
    let table = shop(|values| if values[0] > 2 { 5.0 } else { 0.0 });
    let options = ScanOptions {
        values: 4,
        ..ScanOptions::default()
    };
    assert_eq!(places(&scan(&table, &options)), [vec![(0, vec![3, 4])]]);
    let apart = scan(&table, &ScanOptions::default());
    assert_eq!(places(&apart), [vec![(0, vec![3])], vec![(0, vec![4])]]);
}

#[test]
fn where_everything_is_bad_no_subset_stands_out() {
    let causes = scan(
        &shop(|values| f64::from(5 + (values[3] + values[0]) % 3)),
        &ScanOptions::default(),
    );
    assert_eq!(places(&causes), [Vec::new()]);
    assert!(causes[0].finding.is_global());
    assert!((causes[0].finding.coverage - 1.0).abs() < 1e-12);
}

#[test]
fn the_ranking_names_rivals_and_the_second_fault() {
    let bad = |values: &[u32]| match values {
        [3, ..] => 9.0,
        [_, _, 11, _] => 10.0,
        _ => 0.0,
    };
    let list = rank(&shop(bad), &ScanOptions::default(), 4);
    let named: Vec<_> = list
        .iter()
        .map(|found| (found.cause, found.finding.conditions.clone()))
        .collect();
    assert_eq!(named[0], (0, vec![(0, vec![3])]));
    // The second fault is the strongest rival of the first.
    assert_eq!(named[1], (1, vec![(2, vec![11])]));
    assert!(named[2..].iter().all(|(cause, _)| *cause == 0));
    assert_eq!(named.len(), 4);
    assert!(rank(&shop(|_| 5.0), &ScanOptions::default(), 4).is_empty());
}

#[test]
fn nothing_bad_has_no_cause() {
    assert!(scan(&shop(|_| 0.0), &ScanOptions::default()).is_empty());
    assert!(scan(&Table::new(3), &ScanOptions::default()).is_empty());
}

#[test]
fn chance_is_no_cause() {
    let mut false_alarms = 0;
    for seed in 0..300 {
        let mut draw = Draw(seed);
        let mut table = Table::new(4);
        for _ in 0..200 {
            let values = [2, 4, 8, 40].map(|limit| 1 + draw.below(limit) as u32);
            let bad = draw.of(5, 8);
            table.push(&values, 5.0, bad as f64);
        }
        let causes = scan(&table, &ScanOptions::default());
        false_alarms += usize::from(causes.iter().any(|cause| !cause.finding.is_global()));
    }
    assert!(false_alarms <= 6, "{false_alarms} of 300 at 1 %");
}

#[test]
fn of_the_same_rows_the_preferred_dimension_is_named() {
    // Merchant and store of every terminal are the same.
    let mut table = Table::new(3);
    for terminal in 1..=20_u32 {
        let shop = terminal.div_ceil(2);
        let bad = if shop == 4 { 30.0 } else { 0.0 };
        table.push(&[shop, shop, terminal], 30.0, bad);
    }
    assert_eq!(
        places(&scan(&table, &ScanOptions::default())),
        [vec![(0, vec![4])]]
    );
    let options = ScanOptions {
        order: vec![1, 0],
        ..ScanOptions::default()
    };
    let causes = scan(&table, &options);
    assert_eq!(places(&causes), [vec![(1, vec![4])]]);
    assert_eq!(causes[0].alternatives[0].conditions, [(0, vec![4])]);
}

#[test]
fn what_is_not_known_is_no_place() {
    let mut table = Table::new(2);
    for terminal in 1..=30_u32 {
        table.push(&[0, terminal], 20.0, 15.0);
        table.push(&[1, terminal], 20.0, 0.0);
    }
    let causes = scan(&table, &ScanOptions::default());
    assert_eq!(places(&causes), [Vec::new()]);
}

#[test]
fn outcomes_that_stand_for_many_are_less_evidence() {
    let llr = |weight: f64| {
        let mut table = Table::new(1);
        table.push_sampled(&[1], 200.0, 100.0, weight);
        table.push_sampled(&[2], 200.0, 0.0, weight);
        scan(&table, &ScanOptions::default())[0].finding.llr
    };
    assert!((llr(1.0) - 10.0 * llr(10.0)).abs() < 1e-9);
}

/// A small table with a fault in some of them.
fn random(draw: &mut Draw) -> Table {
    let dims = 2 + draw.below(4) as usize;
    let cards: Vec<u64> = (0..dims).map(|_| 1 + draw.below(6)).collect();
    let mut table = Table::new(dims);
    let guilty = draw.below(dims as u64) as usize;
    for _ in 0..(1 + draw.below(120)) {
        let values: Vec<u32> = cards
            .iter()
            .map(|&card| draw.below(card + 1) as u32)
            .collect();
        let total = 1 + draw.below(30);
        let rate = if values[guilty] == 1 { 60 } else { 7 };
        let bad = draw.of(total, rate);
        table.push(&values, total as f64, bad as f64);
    }
    table
}

/// The greatest evidence of all conjunctions, by trying every one of them on every row.
fn naive(table: &Table, depth: usize) -> f64 {
    let mut values = std::collections::BTreeSet::new();
    for row in 0..table.len() {
        let known = table.row(row).iter().copied().enumerate();
        values.extend(known.filter(|&(_, value)| value != 0));
    }
    let values: Vec<(usize, u32)> = values.into_iter().collect();
    let count = |conditions: &[usize]| {
        let mut inside = Counts::default();
        for (row, &counts) in table.counts.iter().enumerate() {
            let has = |&at: &usize| table.row(row)[values[at].0] == values[at].1;
            if conditions.iter().all(has) {
                inside += counts;
            }
        }
        inside
    };
    let whole = score::Whole::new(count(&[]), 1.0);
    let mut best: f64 = 0.0;
    let mut open = vec![Vec::<usize>::new()];
    while let Some(conditions) = open.pop() {
        let inside = count(&conditions);
        if inside.bad >= 2.0 {
            best = best.max(whole.llr(inside));
        }
        if conditions.len() < depth {
            let next = conditions.last().map_or(0, |last| last + 1);
            open.extend((next..values.len()).map(|at| [&conditions[..], &[at]].concat()));
        }
    }
    best
}

#[test]
fn the_search_finds_what_trying_everything_finds() {
    let mut with_evidence = 0;
    for seed in 0..150 {
        let table = random(&mut Draw(seed));
        let options = ScanOptions::default();
        let grid = Grid::new(&table, &options);
        let whole = score::Whole::new(grid.sum(), 1.0);
        let found = search::Search::new(&grid, whole, &options).run();
        let found = found.iter().map(|found| found.llr).fold(0.0, f64::max);
        let expected = naive(&table, 3);
        assert!(
            (found - expected).abs() < 1e-9,
            "seed {seed}: {found} instead of {expected}"
        );
        with_evidence += usize::from(expected > 3.0);
    }
    assert!(with_evidence > 50, "only {with_evidence} say anything");
}

#[test]
fn neither_the_order_of_rows_nor_the_numbers_of_values_matter() {
    for seed in 0..150 {
        let table = random(&mut Draw(seed));
        let (rows, dims) = (table.len(), table.dims());
        let row = |at: usize| &table.values[at * dims..(at + 1) * dims];
        let mut order: Vec<usize> = (0..rows).collect();
        let mut draw = Draw(seed ^ 0xabcd);
        (1..rows).for_each(|at| order.swap(at, draw.below(at as u64 + 1) as usize));
        let (mut shuffled, mut renumbered) = (Table::new(dims), Table::new(dims));
        let other = |value: u32| {
            if value == 0 {
                0
            } else {
                3_000_000_000 - value * 977
            }
        };
        for &at in &order {
            let counts = table.counts[at];
            shuffled.push(row(at), counts.total, counts.bad);
            let values: Vec<u32> = row(at).iter().copied().map(other).collect();
            renumbered.push(&values, counts.total, counts.bad);
        }
        let options = ScanOptions::default();
        let expected = scan(&table, &options);
        assert_eq!(scan(&shuffled, &options), expected, "seed {seed}");
        let evidence = |causes: &[Cause]| -> Vec<_> {
            let findings = causes.iter().map(|cause| &cause.finding);
            findings.map(|f| (f.total, f.bad, f.llr)).collect()
        };
        let found = scan(&renumbered, &options);
        assert_eq!(evidence(&found), evidence(&expected), "seed {seed}");
    }
}
