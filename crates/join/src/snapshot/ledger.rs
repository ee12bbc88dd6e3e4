//! The accounts in a snapshot.

use alloc::vec::Vec;

use crate::alert::AlertKind;
use crate::ledger::{AlertCounts, Book, Ledger, Outcome, Tally, Wait};

use super::codec::{Coded, Input, Malformed, coded_fields, put_list};

coded_fields!(Tally {
    count,
    amount_minor
});
coded_fields!(record Book { payments, credited, explained, written_off, pending, overdue });
coded_fields!(AlertCounts { open, resolved });

/// As many as there are words for now; a word of a later version is not known here.
fn read_array<T: Coded + Copy + Default, const N: usize>(
    input: &mut Input<'_>,
) -> Result<[T; N], Malformed> {
    let mut array = [T::default(); N];
    let read = input.read::<Vec<T>>()?;
    for (to, from) in array.iter_mut().zip(read) {
        *to = from;
    }
    Ok(array)
}

impl Coded for Ledger {
    fn write(&self, out: &mut Vec<u8>) {
        put_list(out, self.books());
        self.records.len().write(out);
        for counts in &self.records {
            put_list(out, counts);
        }
        put_list(out, &self.alerts);
        put_list(out, &self.waits);
    }

    fn read(input: &mut Input<'_>) -> Result<Self, Malformed> {
        let books = input.read()?;
        let mut records = Vec::new();
        for _ in 0..input.read::<usize>()? {
            records.push(read_array::<u64, { Outcome::ALL.len() }>(input)?);
        }
        Ok(Self {
            books,
            records,
            alerts: read_array::<_, { AlertKind::ALL.len() }>(input)?,
            waits: read_array::<_, { Wait::ALL.len() }>(input)?,
        })
    }
}
