//! Alerts: what the join says about one payment, one revision a change.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::event::{Currency, RefusalClass, words};
use crate::identity::AlertId;
use crate::time::Timestamp;

words! {
    /// What is wrong with a payment.
    AlertKind {
        /// No credit by a deadline.
        CreditMissing = "credit_missing",
        /// A credit without a payment.
        OrphanCredit = "orphan_credit",
        /// The amounts differ.
        AmountMismatch = "amount_mismatch",
        /// The currencies differ.
        CurrencyMismatch = "currency_mismatch",
        /// The terminals or merchants differ.
        TerminalMismatch = "terminal_mismatch",
        /// One credit too many.
        DuplicateCredit = "duplicate_credit",
        /// The same payer paid the same twice.
        DuplicatePayment = "duplicate_payment",
        /// Credited though it was given back or declined.
        CreditAfterReversal = "credit_after_reversal",
        /// Held beyond its release time.
        HoldOverdue = "hold_overdue",
    }
}

words! {
    /// How an alert ended.
    Resolution {
        /// The credit came after the deadline.
        CreditedLate = "credited_late",
        /// The credit was appended in time, but readable only after the deadline.
        CreditedInTime = "credited_in_time",
        /// Refunded in full.
        Refunded = "refunded",
        /// Reversed.
        Reversed = "reversed",
        /// Declined after it had succeeded.
        Declined = "declined",
        /// What was missing came.
        Completed = "completed",
        /// Given up.
        WrittenOff = "written_off",
        /// Closed by a person.
        Manual = "manual",
    }
}

words! {
    /// What an alert says about the cause.
    Verdict {
        /// A refund was asked for and is not done.
        RefundInFlight = "REFUND_IN_FLIGHT",
        /// Risk control holds it.
        RiskHold = "RISK_HOLD",
        /// Risk control holds it beyond its release time.
        RiskHoldOverdue = "RISK_HOLD_OVERDUE",
        /// Its id was damaged on one side.
        IdCorrupted = "ID_CORRUPTED",
        /// A limit was exceeded.
        LimitExceeded = "LIMIT_EXCEEDED",
        /// Not enough money.
        BalanceInsufficient = "BALANCE_INSUFFICIENT",
        /// The account is frozen.
        AccountFrozen = "ACCOUNT_FROZEN",
        /// Paid twice.
        DuplicatePayment = "DUPLICATE_PAYMENT",
        /// The authorisation was not completed.
        AuthIncomplete = "AUTH_INCOMPLETE",
        /// The interface is at fault.
        InterfaceFault = "INTERFACE_FAULT",
        /// A credit without a payment.
        OrphanCredit = "ORPHAN_CREDIT",
        /// The amounts differ.
        AmountMismatch = "AMOUNT_MISMATCH",
        /// The payer paid another amount than the order's.
        UserAmountError = "USER_AMOUNT_ERROR",
        /// The fee or the merchant category differs.
        FeeMismatch = "FEE_MISMATCH",
        /// The currencies differ.
        CurrencyMismatch = "CURRENCY_MISMATCH",
        /// The terminals or merchants differ.
        TerminalMismatch = "TERMINAL_MISMATCH",
        /// One credit too many.
        DuplicateCredit = "DUPLICATE_CREDIT",
    }
}

impl Verdict {
    /// What a rejected credit says about a payment that waits; `None` where the class says nothing.
    pub fn of_rejection(class: RefusalClass) -> Option<Self> {
        match class {
            RefusalClass::Limit | RefusalClass::Frequency => Some(Self::LimitExceeded),
            RefusalClass::Insufficient => Some(Self::BalanceInsufficient),
            RefusalClass::Frozen => Some(Self::AccountFrozen),
            RefusalClass::Duplicate => Some(Self::DuplicatePayment),
            RefusalClass::AuthIncomplete => Some(Self::AuthIncomplete),
            RefusalClass::Format => Some(Self::InterfaceFault),
            RefusalClass::NotPermitted
            | RefusalClass::IssuerDown
            | RefusalClass::Timeout
            | RefusalClass::System
            | RefusalClass::Other => None,
        }
    }
}

/// One revision of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Identity: the payment and the kind.
    pub alert_id: AlertId,
    /// 1, 2, 3, … without a gap.
    pub revision: u32,
    /// Namespace of the payment id.
    pub tenant: Option<String>,
    /// The payment.
    pub payment_id: String,
    /// What is wrong.
    pub kind: AlertKind,
    /// How it ended; `None` while it is open.
    pub resolution: Option<Resolution>,
    /// The step that was passed.
    pub tier: String,
    /// The channel, where known.
    pub channel: Option<String>,
    /// The merchant, where known.
    pub merchant_id: Option<String>,
    /// The terminal, where known.
    pub terminal_id: Option<String>,
    /// Minor units: the payment's, or of an orphan or duplicate the credit's.
    pub amount_minor: Option<u128>,
    /// The currency of the amount.
    pub currency: Option<Currency>,
    /// Business time of the payment, where known.
    pub paid_at: Option<Timestamp>,
    /// The deadline that passed, where the kind has one.
    pub deadline: Option<Timestamp>,
    /// The logical moment of the decision.
    pub decided_at: Timestamp,
    /// Business time of the credit less that of the payment, in milliseconds, where a credit is the cause.
    pub lag_ms: Option<i64>,
    /// The cause, where one payment alone shows it.
    pub verdict: Option<Verdict>,
    /// The other payment: the twin, or the id that nearly matches.
    pub related_payment_id: Option<String>,
    /// Configured dimensions that the payment has; `None` where no payment is known.
    pub dimensions: Option<Vec<(String, String)>>,
}

/// What the payment's entry remembers of an alert between revisions.
#[derive(Clone, Debug)]
pub(crate) struct AlertState {
    pub(crate) kind: AlertKind,
    pub(crate) revision: u32,
    pub(crate) resolution: Option<Resolution>,
    /// `None` stands for the one tier of every kind but `credit_missing`.
    pub(crate) tier: Option<Arc<str>>,
    pub(crate) deadline: Option<Timestamp>,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) related: Option<Box<str>>,
    /// Amount and currency of the credits it is about; `None` for alerts about the payment's own amount.
    pub(crate) credits: Option<Box<CreditSum>>,
}

/// The sum of the credits that an orphan or duplicate alert is about.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CreditSum {
    pub(crate) amount: Option<u128>,
    pub(crate) currency: Option<Currency>,
}

impl AlertState {
    pub(crate) fn is_open(&self) -> bool {
        self.resolution.is_none()
    }
}
