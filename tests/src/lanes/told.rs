//! What pulses say, second by second, without the order within one.

use std::collections::BTreeMap;
use std::fmt::Debug;

use settlewatch_join::{AlertKind, Verdict};
use settlewatch_watch::pulse::{Case, ChannelCount, Note, Pulse, What};

/// What was said, each as often as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// By second.
    pub seconds: BTreeMap<i64, Vec<String>>,
    /// What follows from what partitions say to each other: in a lane it comes later than it is dated.
    pub late: Vec<String>,
}

impl Told {
    /// Of the seconds before `end_s`.
    pub fn of<'a>(pulses: impl IntoIterator<Item = &'a Pulse>, end_s: i64) -> Self {
        let mut sums = BTreeMap::<i64, Pulse>::new();
        for pulse in pulses.into_iter().filter(|it| it.second < end_s) {
            add(sums.entry(pulse.second).or_default(), pulse);
        }
        let mut told = Self::default();
        for (second, mut pulse) in sums {
            let arrivals = pulse.arrivals.iter_mut();
            arrivals.for_each(|it| it.lateness_ms.sort_unstable());
            pulse
                .arrivals
                .sort_by_key(|it| (it.side, it.gateway.clone(), it.connector.clone()));
            let (late, notes): (Vec<_>, Vec<_>) = pulse.notes.iter().partition(|it| is_late(it));
            let (late_cases, cases): (Vec<_>, Vec<_>) =
                pulse.cases.iter().partition(|it| is_late_case(it));
            told.late.extend(items(late).chain(items(late_cases)));
            let said = items(notes)
                .chain(items(cases))
                .chain(items(&pulse.channels))
                .chain(items(&pulse.streams))
                .chain(items(&pulse.arrivals))
                .chain(items(&pulse.legs))
                .chain(items(&pulse.acks))
                .chain(items(&pulse.auxiliary));
            let mut said: Vec<String> = said.collect();
            said.sort_unstable();
            if !said.is_empty() {
                told.seconds.insert(second, said);
            }
        }
        told.late.sort_unstable();
        told
    }

    /// How much was said.
    pub fn len(&self) -> usize {
        self.seconds.values().map(Vec::len).sum::<usize>() + self.late.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first things that one says and the other does not; `None` where they say the same.
    pub fn difference(&self, other: &Self) -> Option<String> {
        let seconds = self.seconds.keys().chain(other.seconds.keys());
        let nothing = Vec::new();
        for second in seconds {
            let (ours, theirs) = (
                self.seconds.get(second).unwrap_or(&nothing),
                other.seconds.get(second).unwrap_or(&nothing),
            );
            if ours != theirs {
                return Some(format!("second {second}: {}", lacking(ours, theirs)));
            }
        }
        (self.late != other.late).then(|| lacking(&self.late, &other.late))
    }
}

fn lacking(ours: &[String], theirs: &[String]) -> String {
    let only = |these: &[String], those: &[String]| {
        let only = these.iter().filter(|it| !those.contains(it));
        only.take(3).cloned().collect::<Vec<_>>().join("\n    ")
    };
    format!(
        "{} said against {}\n  only here:\n    {}\n  only there:\n    {}",
        ours.len(),
        theirs.len(),
        only(ours, theirs),
        only(theirs, ours)
    )
}

fn items<T: Debug>(list: impl IntoIterator<Item = T>) -> impl Iterator<Item = String> {
    list.into_iter().map(|it| format!("{it:?}"))
}

fn is_late(note: &Note) -> bool {
    note.what == What::Misnamed
}

fn is_late_case(case: &Case) -> bool {
    case.kind == AlertKind::DuplicatePayment || case.verdict == Some(Verdict::IdCorrupted)
}

/// Adds what another pulse says of the same channel: every field of it.
fn join(known: &mut ChannelCount, count: &ChannelCount) {
    let ChannelCount {
        channel: _,
        accepted,
        credited,
        ended,
        excused,
        released,
    } = count;
    known.accepted += accepted;
    known.credited += credited;
    ended.iter().for_each(|it| known.end(*it));
    excused.iter().for_each(|it| known.excuse(*it));
    known.released += released;
}

/// Adds a pulse of the same second of another partition, or of the rest of the same one.
fn add(sum: &mut Pulse, pulse: &Pulse) {
    sum.notes.extend(pulse.notes.iter().cloned());
    sum.cases.extend(pulse.cases.iter().cloned());
    sum.legs.extend(pulse.legs.iter().cloned());
    sum.acks.extend(pulse.acks.iter().cloned());
    sum.auxiliary.extend(pulse.auxiliary.iter().cloned());
    for count in &pulse.channels {
        match sum
            .channels
            .iter_mut()
            .find(|it| it.channel == count.channel)
        {
            None => sum.channels.push(count.clone()),
            Some(known) => join(known, count),
        }
    }
    for count in &pulse.streams {
        let key = (count.stream, count.partition);
        let known = sum
            .streams
            .iter()
            .any(|it| (it.stream, it.partition) == key);
        assert!(!known, "stream and partition {key:?} are counted twice");
        sum.streams.push(count.clone());
    }
    for source in &pulse.arrivals {
        let key = |it: &settlewatch_watch::pulse::Arrivals| {
            (it.side, it.gateway.clone(), it.connector.clone())
        };
        match sum.arrivals.iter_mut().find(|it| key(it) == key(source)) {
            None => sum.arrivals.push(source.clone()),
            Some(known) => known.lateness_ms.extend(&source.lateness_ms),
        }
    }
}
