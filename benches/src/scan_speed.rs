//! How long it takes to say where bad outcomes concentrate, over a hundred thousand distinct attribute tuples.

use settlewatch_watch::scan::{ScanOptions, Table, scan};

use crate::bed::thread_cpu;
use crate::table::{Row, median};
use crate::zipf::{Zipf, mix};

/// Distinct tuples.
const TUPLES: u64 = 100_000;
/// Scans, of which the median counts.
const SCANS: usize = 5;

/// A fault, and the bad rate in per mille of what it hits; 10 ‰ are bad elsewhere.
struct Fault {
    name: &'static str,
    hits: fn(&[u32; 16]) -> bool,
    per_mille: u64,
}

const FAULTS: [Fault; 4] = [
    Fault {
        name: "a channel loses 5 %",
        hits: |values| values[0] == 2,
        per_mille: 50,
    },
    Fault {
        name: "a store stops",
        hits: |values| values[6] == 7,
        per_mille: 1000,
    },
    Fault {
        name: "an acquirer loses 30 % in a region",
        hits: |values| values[2] == 1 && values[4] == 3,
        per_mille: 300,
    },
    Fault {
        name: "everything loses 60 %",
        hits: |_| true,
        per_mille: 600,
    },
];

/// Channel, gateway, acquirer, connector, region, carrier, store, merchant, terminal, model, vendor, version, method,
/// code, currency, mode: what the terminal fixes follows from it.
fn tuple(index: u64, terminals: &Zipf) -> [u32; 16] {
    let terminal = terminals.choose(mix(index));
    let store = terminal / 3;
    let drawn = |salt: u64, limit: u64| 1 + mix(index ^ (salt << 40)) % limit;
    let fixed = |salt: u64, of: u64, limit: u64| 1 + mix(of ^ (salt << 40)) % limit;
    let channel = drawn(1, 12);
    let values = [
        channel,
        fixed(2, channel, 4),
        drawn(3, 5),
        drawn(4, 8),
        fixed(5, store, 30),
        fixed(6, store, 4),
        1 + store,
        fixed(7, store, 6_000),
        1 + terminal,
        fixed(8, terminal, 12),
        fixed(9, terminal, 5),
        fixed(10, terminal, 40),
        drawn(11, 3),
        fixed(12, store, 60),
        1,
        drawn(13, 3),
    ];
    values.map(|value| value as u32)
}

fn table(fault: &Fault) -> Table {
    let terminals = Zipf::new(40_000);
    let mut table = Table::new(16);
    for index in 0..TUPLES {
        let values = tuple(index, &terminals);
        let total = 1 + mix(index ^ (1 << 50)) % 8;
        let per_mille = if (fault.hits)(&values) {
            fault.per_mille
        } else {
            10
        };
        let outcomes = (0..total).filter(|n| mix(index ^ ((n + 2) << 50)) % 1000 < per_mille);
        table.push(&values, total as f64, outcomes.count() as f64);
    }
    table
}

/// CPU time of a scan as a tick makes it.
pub fn scans() -> Vec<Row> {
    let options = ScanOptions {
        alternatives: 0,
        values: 4,
        ..ScanOptions::default()
    };
    let mut rows = Vec::new();
    for fault in &FAULTS {
        let table = table(fault);
        let mut causes = 0;
        let times = (0..SCANS).map(|_| {
            let before = thread_cpu();
            causes = scan(&table, &options).len();
            (thread_cpu() - before).as_secs_f64() * 1000.0
        });
        let taken = median(times.collect());
        let name = format!("scan of {TUPLES} tuples, 16 dimensions: {}", fault.name);
        rows.push(Row::at_most(&name, 60.0, taken, "ms"));
        assert!(causes > 0, "something is bad");
    }
    rows
}
