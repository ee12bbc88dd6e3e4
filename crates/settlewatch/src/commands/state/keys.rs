//! Who chose the partitions of the payments at hand: told by where they are.

use settlewatch_kafka::{Checked, Partitioner};
use settlewatch_protocol::{Host, Migration, keys};

use crate::exit::Failed;

/// How a payment's partition is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Keying {
    pub(super) partitioner: Partitioner,
    /// The key of a payment with a tenant is `tenant/id`, not `id` alone.
    with_tenant: bool,
}

impl Keying {
    /// Where a payment belongs among `count`.
    pub(super) fn home(self, tenant: Option<&str>, id: &str, count: i32) -> i32 {
        let [plain, with_tenant] = keys(tenant, id);
        let key = if self.with_tenant {
            with_tenant.or(plain)
        } else {
            plain
        };
        let key = key.unwrap_or_default();
        let home = self.partitioner.partition(key.as_bytes(), count);
        home.unwrap_or(0)
    }

    /// Tells it from payments that lie in the partitions of the old count.
    pub(super) fn told_by<H: Host>(
        migration: &Migration<H>,
        old_count: i32,
        asked: Option<Partitioner>,
        checked: &Checked,
    ) -> Result<Self, Failed> {
        let all = [Partitioner::Murmur2, Partitioner::Crc32]
            .into_iter()
            .filter(|it| asked.is_none_or(|asked| asked == *it))
            .flat_map(|partitioner| {
                [false, true].map(|with_tenant| Self {
                    partitioner,
                    with_tenant,
                })
            });
        let mut hits: Vec<(Self, u64)> = all.map(|keying| (keying, 0)).collect();
        let mut payments = 0;
        migration.each_payment(&mut |number, tenant, id| {
            payments += 1;
            for (keying, hits) in &mut hits {
                *hits += u64::from(keying.home(tenant, id, old_count) == number);
            }
        });
        // The first of those that are equally good: without tenants the two forms are the same.
        let best = hits.iter().rev().max_by_key(|(_, hits)| *hits);
        let Some(&(best, hits)) = best else {
            return Err(Failed("no partitioner is possible".into()));
        };
        let tells = old_count > 1 && payments >= ENOUGH;
        if tells && hits * 20 < payments * 19 {
            return Err(Failed(format!(
                "nothing was changed: of {payments} payments at hand, {hits} lie where their keys say by {}, and fewer by \
                 any other known partitioner",
                best.partitioner.describe()
            )));
        }
        if tells || asked.is_some() {
            return Ok(best);
        }
        let known = checked.inputs.iter().map(|input| input.partitioner);
        let mut known = known.filter(|it| matches!(it, Partitioner::Murmur2 | Partitioner::Crc32));
        let partitioner = known.next().ok_or_else(|| {
            Failed(
                "nothing was changed: too few payments are at hand to tell who chooses partitions by key: say \
                 --partitioner murmur2 (Java) or crc32 (librdkafka)"
                    .into(),
            )
        })?;
        Ok(Self {
            partitioner,
            with_tenant: false,
        })
    }
}

/// Payments that tell a partitioner.
const ENOUGH: u64 = 20;
