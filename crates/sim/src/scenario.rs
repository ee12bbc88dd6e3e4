//! The faults that can be put into the traffic.

use crate::catalogue::{FACTS, Facts};
use crate::error::PlanError;
use crate::scope::Field;

/// A fault, or the absence of one. What each does stands in the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(
    missing_docs,
    reason = "`description` tells, as it does on the command line"
)]
pub enum Scenario {
    Healthy,
    ChannelStopped,
    ChannelSlowed,
    Loss,
    Late,
    Split,
    DuplicateCredit,
    DuplicatePayment,
    Orphan,
    Mismatch,
    Refund,
    Reversal,
    Decline,
    Hold,
    T1,
    Redelivery,
    ClockSkew,
    Silence,
    IdCorrupted,
    NetworkRegion,
    TerminalOffline,
    TerminalFault,
    TerminalReleaseFault,
    TerminalHardware,
    TerminalBusy,
    MerchantOperation,
    PlatformBackend,
    ChannelPeak,
    ChannelLoss,
    GatewayDelay,
    InterfaceFault,
    IntegrationConfig,
    AccountFrozen,
    AccountSuspect,
    BalanceInsufficient,
    LimitExceeded,
    BatchMissed,
    RiskHoldOverdue,
    MerchantBackendSlow,
    SyncDelay,
    AmountMismatch,
    CurrencyMismatch,
    TerminalMismatch,
    FeeMismatch,
    UserAmountError,
    Peak,
    Campaign,
    Maintenance,
    Deploy,
    Closing,
    Night,
    T1Waiting,
    UserIncomplete,
    AuthIncomplete,
    Everyday,
    ExplainedWaits,
}

/// What incidents must say of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// One incident with this verdict; the others are right as well.
    Incident(&'static str, &'static [&'static str]),
    /// As before, where the fault has a place; without one it is single cases.
    Pattern(&'static str),
    /// Nobody is paged. The verdict is that of single cases, where they have one.
    Quiet(Option<&'static str>),
    /// Nothing is claimed about incidents: single cases of this verdict, or of several.
    Cases(Option<&'static str>),
}

impl Scenario {
    /// Every scenario, in the order of the catalogue.
    pub fn all() -> impl Iterator<Item = Self> {
        FACTS.iter().map(|facts| facts.scenario)
    }

    const fn facts(self) -> &'static Facts {
        &FACTS[self as usize]
    }

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// What it does, in one line.
    pub const fn description(self) -> &'static str {
        self.facts().description
    }

    /// What incidents must say of it.
    pub const fn expectation(self) -> Expectation {
        self.facts().expectation
    }

    /// The verdict of the cause that it stages, where there is one.
    pub const fn verdict(self) -> Option<&'static str> {
        match self.expectation() {
            Expectation::Incident(verdict, _) | Expectation::Pattern(verdict) => Some(verdict),
            Expectation::Quiet(verdict) | Expectation::Cases(verdict) => verdict,
        }
    }

    /// How many payments in a thousand it touches within its time, unless said otherwise.
    pub const fn default_share_permille(self) -> u32 {
        self.facts().share_permille
    }

    /// How many ways of it there are.
    pub const fn variants(self) -> u32 {
        self.facts().variants
    }

    /// The places where it can be; the first is where it is by default.
    pub(crate) const fn places(self) -> &'static [&'static [Field]] {
        self.facts().places
    }

    /// Whether it changes the course of single payments, rather than the weather all of them meet.
    pub(crate) const fn is_case(self) -> bool {
        matches!(
            self,
            Self::Loss
                | Self::Late
                | Self::Split
                | Self::DuplicateCredit
                | Self::DuplicatePayment
                | Self::Orphan
                | Self::Mismatch
                | Self::Refund
                | Self::Reversal
                | Self::Decline
                | Self::Hold
                | Self::T1
                | Self::IdCorrupted
                | Self::BatchMissed
                | Self::RiskHoldOverdue
                | Self::AmountMismatch
                | Self::CurrencyMismatch
                | Self::TerminalMismatch
                | Self::FeeMismatch
                | Self::UserAmountError
                | Self::T1Waiting
                | Self::Everyday
                | Self::ExplainedWaits
        )
    }

    /// The scenario called `name`.
    ///
    /// # Errors
    /// [`PlanError::UnknownScenario`], with the nearest name where one is near.
    pub fn parse(name: &str) -> Result<Self, PlanError> {
        let found = Self::all().find(|scenario| scenario.name() == name);
        found.ok_or_else(|| PlanError::UnknownScenario {
            name: name.to_owned(),
            nearest: nearest(name, Self::all().map(Self::name)),
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
        for scenario in Scenario::all() {
            assert_eq!(Scenario::parse(scenario.name()), Ok(scenario));
        }
        assert_eq!(
            Scenario::parse_list("split, late"),
            Ok(vec![Scenario::Split, Scenario::Late])
        );
    }

    #[test]
    fn the_catalogue_stands_in_the_order_of_the_scenarios() {
        for (place, scenario) in Scenario::all().enumerate() {
            assert_eq!(scenario as usize, place, "{}", scenario.name());
        }
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
