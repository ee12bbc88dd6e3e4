//! Faults in what records say: doubled, differing and corrupted ones.

use crate::cases::{Bond, Done, Setting, is_fit};
use crate::event::{Credit, Payment, What};
use crate::rng::Rng;
use crate::sketch::Sketch;

/// The same payer pays again under another id.
pub(crate) fn duplicate_payment(sketch: &mut Sketch, turn: u32, rng: &mut Rng) -> Done {
    let later = rng.between(15_000, 150_000);
    let mut twin = sketch.clone();
    twin.name = format!("{}t", sketch.name);
    twin.payment.id = other_id(&sketch.payment.id, rng);
    twin.paid_at += later;
    twin.occurred_at += later;
    twin.credits.clear();
    let delay = sketch
        .credits
        .first()
        .map_or(2000, |step| step.at - sketch.paid_at);
    let credit = twin.whole_credit();
    twin.credit(twin.paid_at + delay, 60, credit);
    let gross = twin.payment.amount_minor;
    let detail = match turn % 4 {
        0 => "paid_twice",
        1 => {
            twin.refund(delay + 25_000, gross, "succeeded");
            twin.sheltered = true;
            "duplicate_refunded"
        }
        2 => {
            sketch.credits.clear();
            sketch.then(8000, What::Reversed);
            "first_was_reversed"
        }
        _ => {
            sketch.refund(later + delay + 30_000, gross, "succeeded");
            sketch.sheltered = true;
            "first_refunded"
        }
    };
    Done {
        detail,
        companion: Some((Bond::Twins, twin)),
    }
}

/// An id of the same length and style that differs in many places.
fn other_id(id: &str, rng: &mut Rng) -> String {
    let tail = id.len() - 10;
    let head = id.char_indices().map(|(place, letter)| {
        if place < tail {
            letter
        } else {
            other(letter, rng)
        }
    });
    head.collect()
}

/// Another letter of the same kind; marks stay.
fn other(letter: char, rng: &mut Rng) -> char {
    let alphabet: &[u8] = match letter {
        '0'..='9' => b"0123456789",
        'a'..='f' => b"abcdef",
        'A'..='Z' => b"ABCDEFGHJKLMNPQRSTVWXYZ",
        _ => return letter,
    };
    let place = alphabet
        .iter()
        .position(|byte| char::from(*byte) == letter)
        .unwrap_or(0);
    char::from(alphabet[(place + 1 + rng.index(alphabet.len() - 1)) % alphabet.len()])
}

/// The credit carries an id with one or two letters changed, or two neighbours swapped.
pub(crate) fn corrupt_id(sketch: &mut Sketch, turn: u32, rng: &mut Rng) -> Done {
    let mut stray = sketch.clone();
    stray.name = format!("{}x", sketch.name);
    stray.paid = false;
    let (id, detail) = corrupt(&sketch.payment.id, turn, rng);
    stray.payment.id = id;
    let at = sketch
        .credits
        .first()
        .map_or(sketch.paid_at + 2000, |step| step.at);
    stray.credits.clear();
    let credit = stray.full_credit();
    stray.credit(at, 60, credit);
    sketch.credits.clear();
    Done {
        detail,
        companion: Some((Bond::NearId, stray)),
    }
}

fn corrupt(id: &str, turn: u32, rng: &mut Rng) -> (String, &'static str) {
    let mut letters: Vec<char> = id.chars().collect();
    let len = letters.len();
    // The last nine letters are random in every style.
    let places: Vec<usize> = (len - 9..len - 1).collect();
    let swappable = places
        .iter()
        .find(|place| letters[**place] != letters[**place + 1]);
    match (turn % 3, swappable) {
        (2, Some(place)) => {
            letters.swap(*place, place + 1);
            (letters.into_iter().collect(), "neighbours_swapped")
        }
        (1, _) => {
            for place in [len - 8, len - 3] {
                letters[place] = other(letters[place], rng);
            }
            (letters.into_iter().collect(), "two_letters_changed")
        }
        _ => {
            let place = rng.pick(&places);
            letters[place] = other(letters[place], rng);
            (letters.into_iter().collect(), "one_letter_changed")
        }
    }
}

/// Somebody mistypes an amount: of the credit, or of the order. Such mistakes share no signature, which would be a
/// fault.
pub(crate) fn slip(sketch: &mut Sketch, turn: u32, rng: &mut Rng) -> &'static str {
    let Some(step) = sketch.credits.first() else {
        return "none";
    };
    let at = step.at;
    let gross = sketch.payment.amount_minor;
    if turn.is_multiple_of(3) || gross < 100 {
        sketch.payment.order_amount_minor = Some(gross + 1 + rng.below(gross));
        return "order_amount";
    }
    let amounts = (0..20).map(|_| gross / 3 + rng.below(gross / 2));
    let amounts: Vec<u64> = amounts.collect();
    let wrong = amounts
        .into_iter()
        .find(|amount| !is_fit(&sketch.payment, *amount));
    let credit = Credit {
        credit_id: format!("c{}-0", sketch.name),
        amount_minor: wrong,
        ..sketch.full_credit()
    };
    sketch.credits.clear();
    sketch.credit(at, 60, credit);
    "amount_mistyped"
}

/// One field of the credit, or the order's amount, differs.
pub(crate) fn mismatch(sketch: &mut Sketch, setting: &Setting<'_>, rng: &mut Rng) -> &'static str {
    let Some(step) = sketch.credits.first() else {
        return "none";
    };
    let at = step.at;
    let mut credit = Credit {
        credit_id: format!("c{}-0", sketch.name),
        ..sketch.full_credit()
    };
    let detail = differ(&mut sketch.payment, &mut credit, setting, rng);
    sketch.credits.clear();
    sketch.credit(at, 60, credit);
    detail
}

fn differ(
    payment: &mut Payment,
    credit: &mut Credit,
    setting: &Setting<'_>,
    rng: &mut Rng,
) -> &'static str {
    let gross = payment.amount_minor;
    match setting.turn % 7 {
        0 => {
            let short = (1..gross)
                .map(|less| gross - less)
                .find(|amount| !is_fit(payment, *amount));
            credit.amount_minor = short;
            "amount_short_by_one"
        }
        1 => {
            credit.amount_minor = Some(gross * 100);
            "amount_times_hundred"
        }
        2 => {
            credit.currency = Some(if payment.currency == "USD" {
                "HKD"
            } else {
                "USD"
            });
            "currency"
        }
        3 => {
            credit.terminal_id = Some(elsewhere(setting, payment.terminal, rng, "T9000001").0);
            "terminal"
        }
        4 => {
            credit.merchant_id = Some(elsewhere(setting, payment.terminal, rng, "M900001").1);
            "merchant"
        }
        5 => {
            // 0.38 % where the contract says something else.
            let wrong = (gross * 3800 / 1_000_000).max(1) + payment.fee_minor.unwrap_or(0);
            payment.fee_minor = Some(payment.fee_minor.unwrap_or(0));
            credit.fee_minor = Some(wrong);
            credit.amount_minor = Some(gross - wrong);
            "fee"
        }
        _ => {
            payment.order_amount_minor = Some(gross + 100);
            "order_amount"
        }
    }
}

/// Terminal and merchant of another merchant, or `stranger` where there is none.
pub(crate) fn elsewhere(
    setting: &Setting<'_>,
    own: usize,
    rng: &mut Rng,
    stranger: &str,
) -> (String, String) {
    let terminals = &setting.world.terminals;
    let merchant = terminals[own].merchant;
    let from = rng.index(terminals.len());
    let others = terminals[from..].iter().chain(&terminals[..from]);
    match others
        .into_iter()
        .find(|terminal| terminal.merchant != merchant)
    {
        Some(terminal) => (
            terminal.id.clone(),
            setting.world.merchants[terminal.merchant].id.clone(),
        ),
        None => (stranger.to_owned(), stranger.to_owned()),
    }
}
