//! Records that are no events, through Kafka.

use settlewatch_tests::broker::{Cluster, Group, Outgoing, Setup};

use crate::script::{Script, payment, settle};

/// Values that must be rejected, whatever stream they are on.
fn hostile() -> Vec<Vec<u8>> {
    let nested = |levels: usize| format!("{{\"a\":{}0{}}}", "[".repeat(levels), "]".repeat(levels));
    let with = |from: &str, to: &str| payment("hostile").replace(from, to).into_bytes();
    let mut all: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"\xff\xfe\x00".to_vec(),
        b"\xc3(".to_vec(),
        "\u{feff}{}".into(),
        b"[1,2]".to_vec(),
        b"{\"type\":\"payment.succeeded\"".to_vec(),
        b"{\"a\":\"\x01\"}".to_vec(),
        nested(70).into_bytes(),
        nested(10_000).into_bytes(),
        with("payment.succeeded", "payment.invented"),
        with("\"channel\"", "\"canal\""),
        with("\"qr\"", "7"),
        with("1250", "0"),
        with("1250", "12.5"),
        with("1250", "99999999999999999999"),
        with("CNY", "cny"),
        with("Z\"", "\""),
    ];
    // Longer than a record may be: the letter carries its head.
    all.push(with("\"qr\"", &format!("\"{}\"", "q".repeat(1_100_000))));
    all.push(vec![b'x'; 700_000]);
    all
}

pub(crate) fn every_record_that_is_no_event_becomes_one_dead_letter() {
    let cluster = Cluster::shared();
    let setup = Setup {
        input_settings: [("max.message.bytes", "4000000")].into(),
        ..Setup::default()
    };
    let group = Group::new(&cluster, "hostile", setup);
    let service = group.start_ready("one");
    let script = Script::new(&group);
    let junk: [(&str, &[u8]); 1] = [("junk", b"1")];
    for (i, value) in hostile().iter().enumerate() {
        let topic = group.topic(["payments", "credits", "lifecycle"][i % 3]);
        let key = format!("hostile-{i}");
        let mut record = Outgoing::event(&topic, &key, "");
        record.value = Some(value);
        record.headers = &junk;
        if i % 4 == 3 {
            record.key = None;
        }
        script.producer().send(&record).wait();
        let id = format!("between-{i}");
        script.pay(&id);
        if i % 2 == 0 {
            script.credit(&id);
        }
    }
    let topic = group.topic("payments");
    let mut tombstone = Outgoing::event(&topic, "hostile-null", "");
    (tombstone.value, tombstone.headers) = (None, &junk);
    script.producer().send(&tombstone).wait();
    let expected = settle(&group);
    let rejected = service
        .metric("settlewatch_events_rejected_total", "")
        .unwrap_or(0.0);
    service.stop();
    let judgement = expected.compare(&group);
    println!("{rejected} rejected");
    assert_eq!(judgement.rejected, hostile().len() + 1, "each was rejected");
    judgement.assert("hostile records");
}
