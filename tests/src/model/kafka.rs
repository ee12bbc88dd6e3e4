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
    pub(super) transactions_begun: u64,
}

impl Kafka {
    /// Physical time.
    pub(super) fn now(&self) -> i64 {
        self.cluster.now
    }

    /// Numbers the transactions that members begin, from 1.
    pub(super) fn next_transaction(&mut self) -> u64 {
        self.transactions_begun += 1;
        self.transactions_begun
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
