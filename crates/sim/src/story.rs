//! The recording that is shipped: six minutes in which one channel stops.

use crate::error::PlanError;
use crate::fault::Fault;
use crate::plan::Plan;
use crate::rate::Rate;
use crate::scenario::Scenario;

const HEADING: &str = "\
Six minutes of three channels, recorded from four topics. unionpay_qr stops from 10:01:00 to 10:03:00 +08:00;
most of its credits come late, a few never. Besides, one customer is refunded while the credit is overdue, one
pays twice, one payment is credited twice, one credit has no payment, and one payment settles tomorrow.
truth.json says what must come out:

  settlewatch replay --config settlewatch.yaml --input *.ndjson --out out";

impl Plan {
    /// The plan of the recording that is shipped with the project.
    ///
    /// # Errors
    /// None: the plan is fixed, and a test builds it.
    pub fn story() -> Result<Self, PlanError> {
        const MINUTE: i64 = 60_000;
        let once = |scenario, channel: &str, from_ms: i64| {
            Fault::new(scenario)
                .channel(channel)
                .during(from_ms, 6 * MINUTE)
                .once()
        };
        Self::builder()
            .seed(20_260_310)
            .rate(Rate::per_second(1))
            .duration_ms(6 * MINUTE)
            .partitions(3)
            .terminals(12)
            .stages_permille(150)
            .channel("wechat_pay")
            .channel("alipay")
            .channel("unionpay_qr")
            .fault(
                Fault::new(Scenario::ChannelStopped)
                    .channel("unionpay_qr")
                    .during(MINUTE, 3 * MINUTE),
            )
            .fault(once(Scenario::Refund, "wechat_pay", MINUTE / 2))
            .fault(once(Scenario::T1, "alipay", MINUTE / 2))
            .fault(once(Scenario::DuplicatePayment, "alipay", MINUTE))
            .fault(once(
                Scenario::DuplicateCredit,
                "wechat_pay",
                3 * MINUTE / 2,
            ))
            .fault(once(Scenario::Orphan, "wechat_pay", 2 * MINUTE))
            .heading(HEADING)
            .build()
    }
}
