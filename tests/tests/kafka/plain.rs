//! What a healthy service writes.

use settlewatch_tests::broker::{Cluster, Group, PAYER, Setup, Traffic, untold};

use crate::script::{delays_ms, pass_beginning, pass_ms, settle, spread};

pub(crate) fn live_equals_replay() {
    let cluster = Cluster::shared();
    let group = Group::new(&cluster, "plain", Setup::default());
    let service = group.start_ready("one");
    pass_beginning(&group);
    let traffic = Traffic::start(&group, 1, 40);
    pass_ms(10_000);
    let told = traffic.finish();
    assert!(untold(&told).is_empty(), "never told: {:?}", untold(&told));
    let expected = settle(&group);
    let pages = ["/metrics", "/livez", "/readyz", "/api/v1/status"].map(|path| service.get(path));
    let log = service.log();
    // What else only a live reader meets: none of it here.
    let holes = service.metric("settlewatch_input_holes_total", "");
    let beginning = service.metric("settlewatch_events_applied_total", "before_horizon");
    println!("input holes {holes:?}; before the beginning {beginning:?}");
    assert!(holes.unwrap_or(0.0) < 0.5 && beginning.unwrap_or(0.0) < 0.5);
    service.stop();
    expected.compare(&group).assert("a healthy service");
    let [median, p99, max] = spread(&delays_ms(&group.output("alerts")));
    println!("due to appended: median {median} ms, p99 {p99} ms, at most {max} ms");
    for page in pages {
        let (status, text) = page.expect("a page is answered");
        assert!(
            !text.contains(PAYER),
            "a payer stands in a page of status {status}: {text}"
        );
    }
    assert!(!log.contains(PAYER), "a payer stands in the log: {log}");
}
