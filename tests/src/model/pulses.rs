//! What the watch reads of each partition number: every second once, and every record counted in its own.

use std::collections::BTreeMap;

use settlewatch_protocol::Topic;
use settlewatch_watch::pulse::PulseRecord;

use super::oracle::Found;
use super::run::World;

fn records(world: &World, number: i32) -> Vec<PulseRecord> {
    let place = world.setup().topics.of_output(Topic::Pulse, number);
    let log = world.kafka.cluster.log(place).committed();
    log.map(|(_, entry)| {
        let value = entry.data.value.as_deref().unwrap_or_default();
        PulseRecord::decode(value).expect("a pulse is as it was written")
    })
    .collect()
}

/// Known times never step back, and nothing is said of a second that had ended.
pub(super) fn in_order(world: &mut World) {
    for number in 0..world.setup().topics.numbers {
        let mut known = world.story.begins.div_euclid(1000);
        let mut wrong = Vec::new();
        for record in records(world, number) {
            let ends = record.known_ms / 1000;
            let mut seconds = record.pulses.iter().map(|it| it.second);
            // A record that was too large is several, of which only the last ends the second.
            let whole = seconds.all(|it| it >= known && it <= ends);
            if ends < known || !whole || (ends == known && record.pulses.is_empty()) {
                let seconds: Vec<_> = record.pulses.iter().map(|it| it.second).collect();
                wrong.push(format!("up to {ends}, of {seconds:?}, after {known}"));
            }
            known = ends;
        }
        if let Some(first) = wrong.first() {
            world.violation(format!("pulses of {number}: {first}"));
        }
    }
}

/// Records by stream and second, and the last second that is said.
type Counts = BTreeMap<(u8, i64), u64>;

/// Every record is counted in its second, where a live reader met nothing that a later one would not.
pub(super) fn counted(world: &mut World, found: &[Found]) {
    for number in 0..world.setup().topics.numbers {
        let records = records(world, number);
        let ends = records.last().map_or(i64::MIN, |it| it.known_ms / 1000);
        let mut told = Counts::new();
        for pulse in records.iter().flat_map(|it| &it.pulses) {
            for count in &pulse.streams {
                *told.entry((count.stream, pulse.second)).or_default() += count.records;
            }
        }
        let mut expected = Counts::new();
        let ours = found.iter().filter(|it| it.place.partition == number);
        for it in ours {
            let stream = u8::try_from(it.place.topic).expect("few inputs");
            let second = it.at.div_euclid(1000);
            if second < ends {
                *expected.entry((stream, second)).or_default() += 1;
            }
        }
        if told != expected {
            world.violation(format!(
                "pulses of {number} count {told:?}, not {expected:?}"
            ));
        }
    }
}
