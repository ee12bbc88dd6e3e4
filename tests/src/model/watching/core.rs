//! Who judges in the simulation: everything that it was ever told shows in all that it says from then on.

use settlewatch_join::Timestamp;
use settlewatch_protocol::{Core, Heard, Said, Second, SourceId};
use settlewatch_watch::pulse::PulseRecord;

use crate::model::mutation::Mutation;

/// One in the fixed point of baselines.
const ONE: i64 = 1024;

/// What a pulse record comes to.
pub(in crate::model) struct Taken {
    number: usize,
    records: i64,
    digest: u64,
}

/// The core: a running hash over all calls, and what is usual of each partition.
#[derive(Clone, Debug)]
pub(in crate::model) struct Judge {
    hash: u64,
    said: u64,
    absorbed: u64,
    heard: u64,
    /// Records of a second of each partition, about; of seconds that were seen.
    baseline: Vec<i64>,
    /// Records since the last second that was seen.
    records: Vec<i64>,
    /// Something was taken in since the last second.
    news: bool,
    rules: Vec<u8>,
    broken: Option<Mutation>,
}

/// A hash of bytes, the same in every build.
fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn words(bytes: &[u8]) -> Vec<u64> {
    let (words, _) = bytes.as_chunks::<8>();
    words.iter().map(|word| u64::from_le_bytes(*word)).collect()
}

/// Numbers with commas between.
fn list(numbers: impl Iterator<Item = i64>) -> String {
    let numbers: Vec<String> = numbers.map(|number| number.to_string()).collect();
    numbers.join(",")
}

/// The end of a second, in milliseconds.
pub(super) fn end_ms(second: i64) -> i64 {
    (second + 1) * 1000
}

impl Judge {
    /// Who has been told nothing.
    pub(in crate::model) fn new(numbers: i32, broken: Option<Mutation>) -> Self {
        let numbers = usize::try_from(numbers).expect("never negative");
        Self {
            hash: 0,
            said: 0,
            absorbed: 0,
            heard: 0,
            baseline: vec![0; numbers],
            records: vec![0; numbers],
            news: false,
            rules: Vec::new(),
            broken,
        }
    }

    fn mix(&mut self, value: u64) {
        self.hash = (self.hash ^ value)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29);
    }

    fn mix_signed(&mut self, value: i64) {
        self.mix(value.cast_unsigned());
    }

    /// Moves the baselines of partitions that were seen; those that were not stay as they are.
    fn learn(&mut self, blind: &[usize]) {
        for (number, baseline) in self.baseline.iter_mut().enumerate() {
            if !blind.contains(&number) {
                let records = std::mem::take(&mut self.records[number]);
                *baseline += (records * ONE - *baseline) / 8;
            }
        }
    }
}

impl Core for Judge {
    type Pulse = Taken;

    fn read(&self, number: i32, value: Option<&[u8]>) -> Result<Heard<Taken>, String> {
        let value = value.ok_or("a tombstone")?;
        let record = PulseRecord::decode(value).map_err(|error| error.to_string())?;
        let streams = record.pulses.iter().flat_map(|pulse| &pulse.streams);
        let records: u64 = streams.map(|count| count.records).sum();
        let first = record.pulses.first().map(|pulse| pulse.second);
        Ok(Heard {
            known_ms: record.known_ms,
            begins_s: first.unwrap_or(record.known_ms.div_euclid(1000)),
            pulse: Taken {
                number: usize::try_from(number).map_err(|error| error.to_string())?,
                records: i64::try_from(records).map_err(|error| error.to_string())?,
                digest: digest(value),
            },
        })
    }

    fn begin(&mut self, rules: &[u8]) -> Result<(), String> {
        let numbers = i32::try_from(self.baseline.len()).map_err(|error| error.to_string())?;
        *self = Self {
            rules: rules.into(),
            ..Self::new(numbers, self.broken)
        };
        Ok(())
    }

    fn restore(&mut self, rules: &[u8], chunks: &[Box<[u8]>]) -> Result<(), String> {
        self.begin(rules)?;
        let [sums, usual @ ..] = chunks else {
            return Err("there is no chunk".into());
        };
        let &[hash, said, absorbed, heard, ref records @ ..] = &words(sums)[..] else {
            return Err("the first chunk is short".into());
        };
        (self.hash, self.said, self.absorbed, self.heard) = (hash, said, absorbed, heard);
        self.records = records.iter().map(|it| it.cast_signed()).collect();
        if let [usual] = usual {
            self.baseline = words(usual).iter().map(|it| it.cast_signed()).collect();
        }
        Ok(())
    }

    fn reconfigure(&mut self, rules: &[u8], second: i64) -> Result<(), String> {
        self.mix_signed(second);
        self.rules = rules.into();
        Ok(())
    }

    fn snapshot(&mut self) -> Vec<Box<[u8]>> {
        let sums = [self.hash, self.said, self.absorbed, self.heard].into_iter();
        let sums = sums.chain(self.records.iter().map(|it| it.cast_unsigned()));
        let mut chunks: Vec<Box<[u8]>> = vec![sums.flat_map(u64::to_le_bytes).collect()];
        if self.broken != Some(Mutation::WatchBaseline) {
            let baseline = self.baseline.iter();
            chunks.push(baseline.flat_map(|it| it.to_le_bytes()).collect());
        }
        chunks
    }

    fn absorb(&mut self, pulse: Taken) {
        self.mix(pulse.number as u64);
        self.mix(pulse.digest);
        self.absorbed += 1;
        self.records[pulse.number] += pulse.records;
        self.news = true;
    }

    fn hear(&mut self, source: SourceId, at: Timestamp, value: Option<&[u8]>, _again: bool) {
        self.mix(u64::from(source.0));
        self.mix_signed(at.millis());
        self.mix(value.map_or(0, digest));
        self.heard += 1;
        self.news = true;
    }

    fn end_second(&mut self, second: &Second<'_>) -> Vec<Said> {
        let end_ms = end_ms(second.second);
        let known_ms: Vec<i64> = match self.broken {
            Some(Mutation::WatchBlind) => {
                second.known_ms.iter().map(|it| end_ms.max(*it)).collect()
            }
            _ => second.known_ms.into(),
        };
        self.mix_signed(second.second);
        known_ms.iter().for_each(|known| self.mix_signed(*known));
        let withheld = second.withheld.iter();
        withheld.for_each(|source| self.mix(u64::from(source.0)));
        let numbers = 0..known_ms.len();
        let blind: Vec<usize> = numbers.filter(|&at| known_ms[at] < end_ms).collect();
        self.learn(&blind);
        if !std::mem::take(&mut self.news) {
            return Vec::new();
        }
        self.said += 1;
        let fields = [
            self.said.to_string(),
            second.second.to_string(),
            list(blind.iter().map(|&number| number as i64)),
            self.absorbed.to_string(),
            self.heard.to_string(),
            String::from_utf8_lossy(&self.rules).into_owned(),
            list(self.baseline.iter().copied()),
            format!("{:016x}", self.hash),
        ];
        vec![Said {
            key: b"incident"[..].into(),
            value: Some(fields.join("|").into_bytes().into()),
            decided_at: Some(Timestamp::from_millis(end_ms)),
        }]
    }
}
