//! Everything on the other side of the network.

use std::ops::{Index, IndexMut};

use super::cluster::{Cluster, Place};
use super::group::Group;
use super::transactions::Transactions;
use crate::generate::Rng;

/// Who reads and writes: the lanes, or the watch, each in a group of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Side {
    #[default]
    Lanes,
    Watch,
}

/// Who coordinates a side: its transactional ids and its group.
pub(super) struct Coordinator {
    pub(super) transactions: Transactions,
    pub(super) group: Group,
}

/// One of each side.
pub(super) struct Sides<T> {
    pub(super) lanes: T,
    pub(super) watch: T,
}

impl<T> Index<Side> for Sides<T> {
    type Output = T;

    fn index(&self, side: Side) -> &T {
        match side {
            Side::Lanes => &self.lanes,
            Side::Watch => &self.watch,
        }
    }
}

impl<T> IndexMut<Side> for Sides<T> {
    fn index_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Lanes => &mut self.lanes,
            Side::Watch => &mut self.watch,
        }
    }
}

/// A partition whose leader answers no fetch from one moment to another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mute {
    pub(super) place: Place,
    pub(super) from: i64,
    pub(super) until: i64,
}

/// The cluster as its clients meet it.
pub(super) struct Kafka {
    pub(super) cluster: Cluster,
    pub(super) of: Sides<Coordinator>,
    pub(super) mutes: Vec<Mute>,
    pub(super) rng: Rng,
    /// Who began each transaction, by its number less 1.
    pub(super) begun_by: Vec<u64>,
}

impl Kafka {
    /// Physical time.
    pub(super) fn now(&self) -> i64 {
        self.cluster.now
    }

    /// Numbers the transactions that members begin, from 1.
    pub(super) fn next_transaction(&mut self, by: u64) -> u64 {
        self.begun_by.push(by);
        self.begun_by.len() as u64
    }

    /// Whether a fetch from there is not answered now.
    pub(super) fn is_mute(&self, place: Place) -> bool {
        let now = self.now();
        let strikes = |mute: &Mute| mute.place == place && (mute.from..mute.until).contains(&now);
        self.mutes.iter().any(strikes)
    }

    /// Time has passed.
    pub(super) fn pass(&mut self) {
        self.cluster.replicate();
        for side in [Side::Lanes, Side::Watch] {
            let Coordinator {
                transactions,
                group,
            } = &mut self.of[side];
            transactions.pass(&mut self.cluster, group, &mut self.rng);
        }
        self.cluster.replicate();
        for side in [Side::Lanes, Side::Watch] {
            self.of[side].group.pass(self.cluster.now);
        }
    }
}
