//! The faults that can be put into the traffic.

use crate::error::PlanError;

/// A fault, or the absence of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scenario {
    /// Nothing goes wrong.
    Healthy,
    /// One channel's credits stop and come late.
    ChannelStopped,
    /// One channel's lag grows tenfold.
    ChannelSlowed,
    /// Some credits never come.
    Loss,
    /// Some credits come after a deadline.
    Late,
    /// Some credits come in parts.
    Split,
    /// Some payments are credited twice.
    DuplicateCredit,
    /// Some payers pay twice.
    DuplicatePayment,
    /// Some credits have no payment.
    Orphan,
    /// Some credits differ from their payment.
    Mismatch,
    /// Some payments are refunded before their credit.
    Refund,
    /// Some payments are reversed.
    Reversal,
    /// Some payments are declined after all.
    Decline,
    /// Risk control holds some payments.
    Hold,
    /// Some payments settle in batches.
    T1,
    /// Some records are delivered again.
    Redelivery,
    /// One gateway's clock is fast.
    ClockSkew,
    /// The credits stream falls silent and catches up.
    Silence,
    /// Some credits carry a payment id that is slightly wrong.
    IdCorrupted,
}

impl Scenario {
    /// Every scenario.
    pub const ALL: &'static [Self] = &[
        Self::Healthy,
        Self::ChannelStopped,
        Self::ChannelSlowed,
        Self::Loss,
        Self::Late,
        Self::Split,
        Self::DuplicateCredit,
        Self::DuplicatePayment,
        Self::Orphan,
        Self::Mismatch,
        Self::Refund,
        Self::Reversal,
        Self::Decline,
        Self::Hold,
        Self::T1,
        Self::Redelivery,
        Self::ClockSkew,
        Self::Silence,
        Self::IdCorrupted,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::ChannelStopped => "channel-stopped",
            Self::ChannelSlowed => "channel-slowed",
            Self::Loss => "loss",
            Self::Late => "late",
            Self::Split => "split",
            Self::DuplicateCredit => "duplicate-credit",
            Self::DuplicatePayment => "duplicate-payment",
            Self::Orphan => "orphan",
            Self::Mismatch => "mismatch",
            Self::Refund => "refund",
            Self::Reversal => "reversal",
            Self::Decline => "decline",
            Self::Hold => "hold",
            Self::T1 => "t1",
            Self::Redelivery => "redelivery",
            Self::ClockSkew => "clock-skew",
            Self::Silence => "silence",
            Self::IdCorrupted => "id-corrupted",
        }
    }

    /// What it does, in one line.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Healthy => "ordinary traffic: every payment is credited in time, no alert is due",
            Self::ChannelStopped => {
                "one channel's credits stop; most come in a burst afterwards, some never"
            }
            Self::ChannelSlowed => {
                "one channel's lag grows tenfold: some credits pass a deadline, none is lost"
            }
            Self::Loss => "some credits never come; a third of them are rejected with a reason",
            Self::Late => {
                "some credits come after the first, second or last deadline, or exactly on it"
            }
            Self::Split => "some credits come in parts: complete, one part short, or too much",
            Self::DuplicateCredit => {
                "some payments are credited a second time under another credit id"
            }
            Self::DuplicatePayment => "some payers pay twice; some duplicates are refunded",
            Self::Orphan => "some credits have no payment, or get it only after the grace",
            Self::Mismatch => {
                "some credits differ in amount, currency, terminal, merchant or fee, or the order did"
            }
            Self::Refund => {
                "some payments are refunded before their credit: in full, in part, or credited as well"
            }
            Self::Reversal => {
                "some payments are reversed: in time, after a deadline, or credited as well"
            }
            Self::Decline => {
                "some payments are declined after success: in time, late, or credited as well"
            }
            Self::Hold => {
                "risk control holds some payments and releases them in time, late or never"
            }
            Self::T1 => {
                "some payments settle in batches: tomorrow, or soon, and one batch in three is missed"
            }
            Self::Redelivery => {
                "some payments and credits are delivered again, byte for byte: no alert is due"
            }
            Self::ClockSkew => {
                "one gateway's clock is 90 s fast, so credits seem older than payments: no alert is due"
            }
            Self::Silence => {
                "the credits stream falls silent while what follows credits goes on; then it catches up"
            }
            Self::IdCorrupted => {
                "some credits carry the payment id with one or two letters changed or swapped"
            }
        }
    }

    /// The verdict of the cause that it stages, where there is one.
    pub const fn verdict(self) -> Option<&'static str> {
        Some(match self {
            Self::ChannelStopped => "CHANNEL_DOWN",
            Self::ChannelSlowed => "CHANNEL_CONGESTED",
            Self::Loss => "UNEXPLAINED",
            Self::DuplicateCredit => "DUPLICATE_CREDIT",
            Self::DuplicatePayment => "DUPLICATE_PAYMENT",
            Self::Orphan => "ORPHAN_CREDIT",
            Self::Refund => "REFUND_IN_FLIGHT",
            Self::Reversal => "REVERSED",
            Self::Decline => "DECLINED",
            Self::Hold => "RISK_HOLD",
            Self::T1 => "BANK_BATCH_WAIT",
            Self::ClockSkew => "CLOCK_SKEW",
            Self::Silence => "SOURCE_SILENT",
            Self::IdCorrupted => "ID_CORRUPTED",
            Self::Healthy | Self::Late | Self::Split | Self::Mismatch | Self::Redelivery => {
                return None;
            }
        })
    }

    /// How many payments in a thousand it touches within its time, unless said otherwise.
    pub const fn default_share_permille(self) -> u32 {
        match self {
            Self::ChannelStopped | Self::ChannelSlowed | Self::ClockSkew | Self::Silence => 1000,
            Self::T1 => 100,
            _ => 50,
        }
    }

    /// Whether it is about one channel.
    pub(crate) const fn wants_channel(self) -> bool {
        matches!(self, Self::ChannelStopped | Self::ChannelSlowed)
    }

    /// Whether it changes the course of single payments, rather than the weather all of them meet.
    pub(crate) const fn is_case(self) -> bool {
        !matches!(
            self,
            Self::Healthy
                | Self::ChannelStopped
                | Self::ChannelSlowed
                | Self::Redelivery
                | Self::ClockSkew
                | Self::Silence
        )
    }

    /// The scenario called `name`.
    ///
    /// # Errors
    /// [`PlanError::UnknownScenario`], with the nearest name where one is near.
    pub fn parse(name: &str) -> Result<Self, PlanError> {
        let found = Self::ALL.iter().find(|scenario| scenario.name() == name);
        found.copied().ok_or_else(|| PlanError::UnknownScenario {
            name: name.to_owned(),
            nearest: nearest(name, Self::ALL.iter().map(|scenario| scenario.name())),
        })
    }

    /// The scenarios of a list such as `split,late`.
    ///
    /// # Errors
    /// As [`Scenario::parse`], for the first name that is unknown.
    pub fn parse_list(list: &str) -> Result<Vec<Self>, PlanError> {
        list.split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(Self::parse)
            .collect()
    }
}

/// The one of `names` that is at most a third of its letters away from `name`.
pub(crate) fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let measured = names.map(|known| (distance(name, known), known));
    let (distance, known) = measured.min_by_key(|(distance, _)| *distance)?;
    (distance * 3 <= known.len().max(3)).then_some(known)
}

/// Levenshtein distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(left != *right);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_to_itself() {
        for scenario in Scenario::ALL {
            assert_eq!(Scenario::parse(scenario.name()), Ok(*scenario));
        }
        assert_eq!(
            Scenario::parse_list("split, late"),
            Ok(vec![Scenario::Split, Scenario::Late])
        );
    }

    #[test]
    fn a_misspelt_name_is_corrected() {
        let error = Scenario::parse("chanel-stoped").expect_err("misspelt");
        assert_eq!(
            error.to_string(),
            "unknown scenario `chanel-stoped`: did you mean `channel-stopped`?"
        );
        let error = Scenario::parse("earthquake")
            .expect_err("unknown")
            .to_string();
        assert!(
            error.starts_with("unknown scenario `earthquake`: there are healthy, channel-stopped"),
            "{error}"
        );
    }
}
