//! Every verdict of an incident or case: its label, and what people should do.

/// Who is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Whoever is on call.
    OnCall,
    /// The queue of the finance team.
    Finance,
}

/// One row of the table of causes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CauseRow {
    /// The label on the wire.
    pub label: &'static str,
    /// The code of the action.
    pub code: &'static str,
    /// The action in English.
    pub en: &'static str,
    /// The action in Chinese.
    pub zh: &'static str,
    /// Who is told.
    pub route: Route,
}

/// Declares the causes, each a variant and a row.
macro_rules! causes {
    ($($(#[$doc:meta])* $variant:ident = $label:literal, $code:literal, $route:ident, $en:literal, $zh:literal;)+) => {
        /// Why credits are missing, late or wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Cause { $($(#[$doc])* $variant,)+ }

        impl Cause {
            /// Every cause.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its row of the table.
            pub const fn row(self) -> CauseRow {
                match self {
                    $(Self::$variant => CauseRow {
                        label: $label, code: $code, en: $en, zh: $zh, route: Route::$route,
                    },)+
                }
            }

            /// The cause of a label.
            pub fn parse(label: &str) -> Option<Self> {
                match label { $($label => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

causes! {
    /// Terminals of a store, region or carrier have lost their network.
    NetworkRegion = "NETWORK_REGION", "CHECK_NETWORK", OnCall,
        "Check the POS network there and switch the uplink", "检查该处POS网络,切换网络";
    /// One terminal is off the network.
    TerminalOffline = "TERMINAL_OFFLINE", "CHECK_NETWORK", OnCall,
        "Check this terminal's network and power", "检查该终端网络与电源";
    /// One terminal is up and does not take credits.
    TerminalFault = "TERMINAL_FAULT", "RESTART_TERMINAL", OnCall,
        "Restart the terminal and sign in again; then call its vendor", "重启终端并重新签到,仍异常联系供应商";
    /// One release of the terminals' software is at fault.
    TerminalReleaseFault = "TERMINAL_RELEASE_FAULT", "ROLL_BACK_RELEASE", OnCall,
        "Roll back this terminal release and call its vendor", "回退该终端版本,联系供应商";
    /// One terminal's hardware is failing.
    TerminalHardware = "TERMINAL_HARDWARE", "REPAIR_TERMINAL", OnCall,
        "Repair or replace the terminal", "检修或更换终端";
    /// One terminal has a queue that drains.
    TerminalBusy = "TERMINAL_BUSY", "WAIT", OnCall,
        "Wait: the terminal works off its queue", "等待终端处理完排队";
    /// The platform behind all channels is down.
    PlatformBackend = "PLATFORM_BACKEND", "FAIL_OVER", OnCall,
        "Fail over or roll back the platform, then replay what is missing", "平台切换或回滚,随后重放缺失入账";
    /// A channel is slow, or loses some credits.
    ChannelCongested = "CHANNEL_CONGESTED", "SWITCH_CHANNEL", OnCall,
        "Switch to the backup channel", "切换备用通道";
    /// A channel credits nothing.
    ChannelDown = "CHANNEL_DOWN", "SWITCH_CHANNEL", OnCall,
        "Switch to the backup channel", "切换备用通道";
    /// A channel is slow because far more is paid than usual.
    ChannelPeakCongested = "CHANNEL_PEAK_CONGESTED", "DIVERT", OnCall,
        "Divert or shed traffic, or wait until the peak is over", "分流、限流或错峰";
    /// A batch did not settle on its day.
    BankBatchMissed = "BANK_BATCH_MISSED", "ASK_BANK", OnCall,
        "Ask the bank for the batch that was due", "联系银行核实逾期批次";
    /// A batch is not due yet.
    BankBatchWait = "BANK_BATCH_WAIT", "WAIT", Finance,
        "Wait until the batch is due, then ask the bank", "等待批次到期,逾期联系银行";
    /// A limit was exceeded.
    LimitExceeded = "LIMIT_EXCEEDED", "CHECK_LIMIT", OnCall,
        "Check the limit and ask the bank to raise it", "核实限额,联系银行调额";
    /// A merchant's account is frozen.
    AccountFrozen = "ACCOUNT_FROZEN", "ASK_BANK", OnCall,
        "Ask the bank why, and have the account unfrozen", "联系银行核实并解冻";
    /// A merchant gets nothing any more, for a reason that no feed tells.
    AccountSuspect = "ACCOUNT_SUSPECT", "ASK_BANK", OnCall,
        "Ask the bank whether the merchant's account works", "联系银行核实商户账户状态";
    /// An account has not enough money.
    BalanceInsufficient = "BALANCE_INSUFFICIENT", "TOP_UP", OnCall,
        "Top the account up, then retry", "充值后重试";
    /// Records of a source are appended late.
    SyncDelay = "SYNC_DELAY", "WAIT_FOR_SYNC", OnCall,
        "Wait for the synchronisation and check the replication of this source", "等待同步完成,检查该来源的复制";
    /// A source's clock is wrong.
    ClockSkew = "CLOCK_SKEW", "CHECK_CLOCK", OnCall,
        "Check the clock (NTP) of this source", "检查该来源时钟(NTP)";
    /// An interface is at fault.
    InterfaceFault = "INTERFACE_FAULT", "ROLL_BACK_INTERFACE", OnCall,
        "Roll back the interface's last change", "回滚接口变更";
    /// A changed configuration is at fault.
    IntegrationConfig = "INTEGRATION_CONFIG", "ROLL_BACK_CONFIG", OnCall,
        "Roll back the last change of configuration", "回滚配置变更";
    /// A merchant does not operate its terminals as they must be.
    MerchantOperation = "MERCHANT_OPERATION", "TRAIN_MERCHANT", OnCall,
        "Have the merchant sign in and update its terminals", "指导商户签到、升级并培训";
    /// A gateway is slow.
    GatewayDelay = "GATEWAY_DELAY", "SCALE_GATEWAY", OnCall,
        "Scale, throttle or switch the gateway", "网关扩容、限流或切换";
    /// A merchant's own system acknowledges late.
    MerchantBackendSlow = "MERCHANT_BACKEND_SLOW", "CALL_MERCHANT_IT", OnCall,
        "Call the merchant's IT about its webhook", "联系商户技术检查回调";
    /// Fees or merchant categories differ.
    FeeMismatch = "FEE_MISMATCH", "CHECK_FEES", Finance,
        "Check the fee rate and the merchant category", "核对费率与MCC";
    /// Amounts differ.
    AmountMismatch = "AMOUNT_MISMATCH", "COMPARE_RECORDS", Finance,
        "Compare both records; do not credit again", "核对两侧记录,勿重复入账";
    /// Currencies differ.
    CurrencyMismatch = "CURRENCY_MISMATCH", "COMPARE_RECORDS", Finance,
        "Compare both records; do not credit again", "核对两侧记录,勿重复入账";
    /// Terminals or merchants differ.
    TerminalMismatch = "TERMINAL_MISMATCH", "COMPARE_RECORDS", Finance,
        "Compare both records; do not credit again", "核对两侧记录,勿重复入账";
    /// Ids are damaged on one side.
    IdCorrupted = "ID_CORRUPTED", "COMPARE_RECORDS", Finance,
        "Compare both ids; do not credit again", "核对两侧单号,勿重复入账";
    /// Payers paid twice.
    DuplicatePayment = "DUPLICATE_PAYMENT", "REFUND_DUPLICATE", Finance,
        "Refund the duplicate", "退还重复款项";
    /// Payments were credited twice.
    DuplicateCredit = "DUPLICATE_CREDIT", "REFUND_DUPLICATE", Finance,
        "Take the second credit back", "追回重复入账";
    /// Credits have no payment.
    OrphanCredit = "ORPHAN_CREDIT", "FIND_PAYMENT", Finance,
        "Find out whether it is a duplicate or belongs to somebody else", "核查重复或串户";
    /// Holds were not released in time.
    RiskHoldOverdue = "RISK_HOLD_OVERDUE", "ASK_RISK_TEAM", Finance,
        "Have the risk team release or reject", "联系风控放行或拒绝";
    /// A hold is within its time.
    RiskHold = "RISK_HOLD", "ASK_RISK_TEAM", Finance,
        "Wait for the risk team", "等待风控处理";
    /// A refund is under way.
    RefundInFlight = "REFUND_IN_FLIGHT", "FOLLOW_REFUND", Finance,
        "Follow the refund", "跟进退款";
    /// The payment was refunded.
    Refunded = "REFUNDED", "FOLLOW_REFUND", Finance,
        "Nothing: it was refunded", "已退款,无需处理";
    /// The payment was declined after it had succeeded.
    Declined = "DECLINED", "TELL_MERCHANT", Finance,
        "Tell the merchant that it did not complete", "告知商户未成交";
    /// The payment was reversed.
    Reversed = "REVERSED", "TELL_MERCHANT", Finance,
        "Tell the merchant that it did not complete", "告知商户未成交";
    /// The payment was authorised only.
    AuthIncomplete = "AUTH_INCOMPLETE", "COMPLETE_OR_VOID", Finance,
        "Complete or void the authorisation", "完成授权或撤销";
    /// The payer paid another amount than the order's.
    UserAmountError = "USER_AMOUNT_ERROR", "CHECK_ORDER", Finance,
        "Check the order; refund or have the difference paid", "核对订单,退款或补款";
    /// The payer did not finish.
    UserIncomplete = "USER_INCOMPLETE", "CHECK_ORDER", Finance,
        "Nothing was paid: the payer may pay again", "付款未完成,可重新支付";
    /// Credits came after a reversal, decline or refund.
    CreditAfterReversal = "CREDIT_AFTER_REVERSAL", "TAKE_BACK", Finance,
        "Take the credit back: the payment was undone before", "付款已撤销,追回入账";
    /// A source sends nothing.
    SourceSilent = "SOURCE_SILENT", "CHECK_FEED", OnCall,
        "Check the feed; do nothing at the merchants", "检查数据源,商户侧无需操作";
    /// We have not read what is there.
    MonitorBehind = "MONITOR_BEHIND", "CHECK_MONITOR", OnCall,
        "Check this monitor and its brokers; do nothing at the merchants", "检查监控自身与消息集群,商户侧无需操作";
    /// None of these.
    Unexplained = "UNEXPLAINED", "LOOK_AT_SAMPLES", OnCall,
        "Look at the samples", "按样本排查";
}

impl Cause {
    /// The label on the wire.
    pub const fn label(self) -> &'static str {
        self.row().label
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_parses_to_itself_and_has_both_languages() {
        for &cause in Cause::ALL {
            let row = cause.row();
            assert_eq!(Cause::parse(row.label), Some(cause));
            assert!(!row.en.is_empty() && row.zh.chars().any(|letter| letter > '\u{3000}'));
        }
    }
}
