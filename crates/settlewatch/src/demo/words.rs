//! The two languages of the demo.

use super::story::Scene;
use crate::incidents::Language;

/// Texts that stand by themselves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words {
    /// Heads of the columns.
    pub(super) columns: [&'static str; 9],
    pub(super) total: &'static str,
    pub(super) alerts: &'static str,
    pub(super) no_alerts: &'static str,
    pub(super) behind: &'static str,
    pub(super) unknown: &'static str,
    pub(super) quit: &'static str,
    /// Names of the lines of the accounts.
    pub(super) accounts: [&'static str; 5],
    pub(super) raised: &'static str,
    pub(super) resolved: &'static str,
    pub(super) adds_up: &'static str,
    pub(super) does_not: &'static str,
}

const ENGLISH: Words = Words {
    columns: [
        "channel",
        "paid",
        "waiting",
        "overdue",
        "p50",
        "p95",
        "p99",
        "p95 30s",
        "money at risk",
    ],
    total: "all channels",
    alerts: "last alerts",
    no_alerts: "none so far",
    behind: "behind real time",
    unknown: "nothing known yet",
    quit: "Ctrl-C ends",
    accounts: [
        "payments",
        "credited",
        "explained",
        "written off",
        "pending",
    ],
    raised: "raised",
    resolved: "resolved",
    adds_up: "payments = credited + explained + written off + pending, in number and in money",
    does_not: "the sums do not add up",
};

const CHINESE: Words = Words {
    columns: [
        "渠道",
        "支付",
        "待入账",
        "逾期",
        "p50",
        "p95",
        "p99",
        "近30秒",
        "风险金额",
    ],
    total: "全部渠道",
    alerts: "最近告警",
    no_alerts: "暂无",
    behind: "落后实时",
    unknown: "尚无已知时间",
    quit: "Ctrl-C 结束",
    accounts: ["支付", "已入账", "已说明", "已核销", "待入账"],
    raised: "触发",
    resolved: "解除",
    adds_up: "支付 = 已入账 + 已说明 + 已核销 + 待入账(笔数与金额均相符)",
    does_not: "账目不平",
};

impl Language {
    pub(super) const fn words(self) -> &'static Words {
        match self {
            Self::En => &ENGLISH,
            Self::Zh => &CHINESE,
        }
    }

    /// What is happening in the story.
    pub(super) fn scene(self, scene: Scene) -> String {
        match (self, scene) {
            (Self::En, Scene::Quiet) => "healthy traffic, a single odd case now and then".into(),
            (Self::En, Scene::Stopped(channel)) => {
                format!("{channel} has stopped crediting: its payers have paid, its merchants wait")
            }
            (Self::En, Scene::Back(channel)) => {
                format!("{channel} is back: late credits resolve its alerts")
            }
            (Self::Zh, Scene::Quiet) => "交易正常,偶有个别异常".into(),
            (Self::Zh, Scene::Stopped(channel)) => {
                format!("{channel} 停止入账:付款方已扣款,商户未到账")
            }
            (Self::Zh, Scene::Back(channel)) => format!("{channel} 已恢复:迟到的入账解除告警"),
        }
    }
}
