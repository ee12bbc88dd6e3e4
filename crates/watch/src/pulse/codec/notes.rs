//! Notes and cases in a pulse record: what became known of single payments.

use settlewatch_join::event::{Currency, RefusalClass};
use settlewatch_join::{AlertKind, Fingerprint, Timestamp, Verdict};

use super::Malformed;
use super::tables::{ID, Input, Output};
use crate::pulse::tuple::{CURRENCY, Tuple};
use crate::pulse::{Case, Note, What};

/// Bits of a note's first number that say what became known.
const KIND: u64 = 0xf;
/// Kind of what is credited.
const CREDITED: u64 = 1;
const UNTIMED: u64 = 1 << 4;
const FOREIGN: u64 = 1 << 5;
const OTHER_CURRENCY: u64 = 1 << 6;
const NAMED: u64 = 1 << 7;
const FIRST: u64 = 1 << 8;
const SECOND: u64 = 1 << 9;
const FLAGS: u64 = (SECOND << 1) - 1;

/// Bytes of the shortest note.
pub(super) const LEAST_NOTE: usize = 13;
/// Bytes of the shortest case.
pub(super) const LEAST_CASE: usize = 8;

fn kind_of(what: What) -> (u64, bool, bool) {
    match what {
        What::Paid => (0, false, false),
        What::Credited { noted, overdue, .. } => (1, noted, overdue),
        What::Waiting => (2, false, false),
        What::Overdue => (3, false, false),
        What::Ended { written_off } => (4, written_off, false),
        What::Excused => (5, false, false),
        What::Misnamed => (6, false, false),
        What::Rejected(_) => (7, false, false),
        What::Declined(_) => (8, false, false),
    }
}

fn says(tuple: &Tuple, currency: Currency) -> bool {
    tuple.get(CURRENCY) == Some(currency.as_str())
}

fn waits(what: What) -> bool {
    !matches!(what, What::Credited { .. })
}

/// Writes a note of a second that begins at `start_ms`.
pub(super) fn write_note(note: &Note, start_ms: i64, to: &mut Output) {
    let (kind, first, second) = kind_of(note.what);
    let foreign = note.partition != to.partition;
    let other_currency = !says(&note.tuple, note.currency);
    let flags = [
        (!note.timed, UNTIMED),
        (foreign, FOREIGN),
        (other_currency, OTHER_CURRENCY),
        (note.id.is_some(), NAMED),
        (first, FIRST),
        (second, SECOND),
    ];
    let flags = flags.iter().filter(|(there, _)| *there);
    let flags = flags.fold(kind, |all, (_, bit)| all | bit);
    to.bytes.number(flags);
    to.bytes.raw(&note.payment.0.to_le_bytes());
    to.tuple(&note.tuple);
    if foreign {
        to.bytes.signed(i64::from(note.partition));
    }
    let (at, accepted) = (note.at.millis(), note.accepted_at.millis());
    let waited = at.wrapping_sub(accepted);
    to.bytes.signed(at.wrapping_sub(start_ms));
    to.bytes.signed(waited);
    if waits(note.what) {
        let due = note.due_at.millis();
        to.bytes.signed(due.wrapping_sub(accepted));
    }
    to.bytes.number(note.amount_minor);
    if other_currency {
        to.bytes.raw(&note.currency.letters());
    }
    if let Some(id) = &note.id {
        to.string(ID, id);
    }
    match note.what {
        What::Credited {
            lag_ms,
            business_ms,
            ..
        } => {
            to.bytes.signed((lag_ms as i64).wrapping_sub(waited));
            to.bytes.signed(business_ms.wrapping_sub(lag_ms as i64));
        }
        What::Rejected(class) | What::Declined(class) => to.word(Some(class.as_str())),
        _ => {}
    }
}

/// Reads a note of a second that begins at `start_ms`.
pub(super) fn read_note(start_ms: i64, from: &mut Input<'_>) -> Result<Note, Malformed> {
    let flags = from.bytes.number()?;
    if flags & !FLAGS != 0 {
        return Err(Malformed);
    }
    let has = |bit| flags & bit != 0;
    let payment = from.bytes.raw(8)?.try_into().map_err(|_| Malformed)?;
    let tuple = from.tuple()?;
    let partition = match has(FOREIGN) {
        true => from.bytes.signed32()?,
        false => from.partition,
    };
    let at = start_ms.wrapping_add(from.bytes.signed()?);
    let waited = from.bytes.signed()?;
    let accepted = at.wrapping_sub(waited);
    // Of what is credited nothing is due any more.
    let due = match flags & KIND {
        CREDITED => accepted,
        _ => accepted.wrapping_add(from.bytes.signed()?),
    };
    let amount_minor = from.bytes.number()?;
    let currency = match has(OTHER_CURRENCY) {
        true => read_currency(from)?,
        false => currency_of(&tuple)?,
    };
    let id = has(NAMED).then(|| from.string(ID)).transpose()?;
    let what = match flags & KIND {
        0 => What::Paid,
        CREDITED => {
            let lag_ms = waited.wrapping_add(from.bytes.signed()?);
            What::Credited {
                lag_ms: lag_ms as u64,
                business_ms: lag_ms.wrapping_add(from.bytes.signed()?),
                noted: has(FIRST),
                overdue: has(SECOND),
            }
        }
        2 => What::Waiting,
        3 => What::Overdue,
        4 => What::Ended {
            written_off: has(FIRST),
        },
        5 => What::Excused,
        6 => What::Misnamed,
        7 => What::Rejected(from.word(RefusalClass::parse)?),
        8 => What::Declined(from.word(RefusalClass::parse)?),
        _ => return Err(Malformed),
    };
    Ok(Note {
        payment: Fingerprint(u64::from_le_bytes(payment)),
        tuple,
        partition,
        accepted_at: Timestamp::from_millis(accepted),
        due_at: Timestamp::from_millis(due),
        at: Timestamp::from_millis(at),
        amount_minor,
        currency,
        timed: !has(UNTIMED),
        id,
        what,
    })
}

pub(super) fn read_currency(from: &mut Input<'_>) -> Result<Currency, Malformed> {
    let letters = from.bytes.raw(3)?.try_into().map_err(|_| Malformed)?;
    Currency::new(letters).ok_or(Malformed)
}

fn currency_of(tuple: &Tuple) -> Result<Currency, Malformed> {
    let letters = tuple.get(CURRENCY).ok_or(Malformed)?.as_bytes();
    let letters = letters.try_into().map_err(|_| Malformed)?;
    Currency::new(letters).ok_or(Malformed)
}

const RESOLVED: u8 = 1;
const IN_CURRENCY: u8 = 2;
const AMOUNTS: u8 = 4;

/// Writes a case of a second that begins at `start_ms`.
pub(super) fn write_case(case: &Case, start_ms: i64, to: &mut Output) {
    let flags = [
        (case.resolved, RESOLVED),
        (case.currency.is_some(), IN_CURRENCY),
        (case.amounts.is_some(), AMOUNTS),
    ];
    let flags = flags.iter().filter(|(there, _)| *there);
    let flags = flags.fold(0, |all, (_, bit)| all | bit);
    to.bytes.byte(flags);
    to.string(ID, &case.id);
    to.word(Some(case.kind.as_str()));
    to.word(case.verdict.map(Verdict::as_str));
    to.tuple(&case.tuple);
    let at = case.at.millis();
    to.bytes.signed(at.wrapping_sub(start_ms));
    to.bytes.signed(at.wrapping_sub(case.since.millis()));
    to.bytes.wide(case.amount_minor);
    if let Some(currency) = case.currency {
        to.bytes.raw(&currency.letters());
    }
    if let Some((due, credited)) = case.amounts {
        to.bytes.number(due);
        to.bytes.number(credited);
    }
}

/// Reads a case of a second that begins at `start_ms`.
pub(super) fn read_case(start_ms: i64, from: &mut Input<'_>) -> Result<Case, Malformed> {
    let flags = from.bytes.byte()?;
    if flags > RESOLVED | IN_CURRENCY | AMOUNTS {
        return Err(Malformed);
    }
    let id = from.string(ID)?;
    let kind = from.word(AlertKind::parse)?;
    let verdict = from.maybe(super::tables::WORD)?;
    let verdict = verdict.map(|word| Verdict::parse(&word).ok_or(Malformed));
    let verdict = verdict.transpose()?;
    let tuple = from.tuple()?;
    let at = start_ms.wrapping_add(from.bytes.signed()?);
    let since = at.wrapping_sub(from.bytes.signed()?);
    let amount_minor = from.bytes.wide()?;
    let currency = (flags & IN_CURRENCY != 0).then(|| read_currency(from));
    let currency = currency.transpose()?;
    let amounts = match flags & AMOUNTS != 0 {
        true => Some((from.bytes.number()?, from.bytes.number()?)),
        false => None,
    };
    Ok(Case {
        id,
        kind,
        verdict,
        tuple,
        at: Timestamp::from_millis(at),
        since: Timestamp::from_millis(since),
        amount_minor,
        currency,
        amounts,
        resolved: flags & RESOLVED != 0,
    })
}
