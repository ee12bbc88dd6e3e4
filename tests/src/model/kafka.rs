//! Everything on the other side of the network.

use super::cluster::Cluster;
use super::group::Group;
use super::transactions::Transactions;
use crate::generate::Rng;

/// The cluster as its clients meet it.
pub(super) struct Kafka {
    pub(super) cluster: Cluster,
    pub(super) transactions: Transactions,
    pub(super) group: Group,
    pub(super) rng: Rng,
}

impl Kafka {
    /// Physical time.
    pub(super) fn now(&self) -> i64 {
        self.cluster.now
    }

    /// Time has passed.
    pub(super) fn pass(&mut self) {
        self.cluster.replicate();
        self.transactions
            .pass(&mut self.cluster, &mut self.group, &mut self.rng);
        self.cluster.replicate();
        self.group.pass(self.cluster.now);
    }
}
