//! Services killed at every step of the protocol.

use settlewatch_tests::broker::{Cluster, Group, Kills, Report, Setup};

/// Processes, whether their names are stable, and kills. One process alone comes to every phase.
const GROUPS: [(usize, bool, u64); 3] = [(1, true, 22), (2, true, 12), (3, false, 8)];

pub(crate) fn a_service_that_is_killed_anywhere_writes_every_revision_once() {
    let cluster = Cluster::shared();
    let mut report = Report::default();
    let judged: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = GROUPS
            .iter()
            .enumerate()
            .map(|(i, &(processes, stable, kills))| {
                let cluster = &cluster;
                scope.spawn(move || {
                    let name = format!("kills-{}", i + 1);
                    // Static members are back within their session, whatever else the machine does.
                    let setup = if stable {
                        Setup::default()
                    } else {
                        Setup::quick()
                    };
                    let group = Group::new(cluster, &name, setup);
                    Kills::new(&group, processes, stable, 40 + i as u64).run(kills, 10)
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|it| it.join().expect("a group came to rest"))
            .collect()
    });
    judged.iter().for_each(|(kills, _)| report.add(kills));
    println!("{}", report.words());
    for (i, (_, judgement)) in judged.iter().enumerate() {
        judgement.assert(&format!("{} processes", GROUPS[i].0));
    }
    assert!(report.total() >= 40, "only {} kills", report.total());
    assert_eq!(report.empty(), Vec::<&str>::new(), "phases without a kill");
}
