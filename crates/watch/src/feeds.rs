//! What people and banks announce: markers, account status, batches.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use settlewatch_join::Timestamp;
use settlewatch_join::event::{AccountStatus, MarkerKind};

use crate::detect::scope::Scope;
use crate::detect::values::{ValueId, Values};
use crate::keep::keep;
use crate::maintenance::{Maintenance, UNDER_WAY_MS, Window};
use crate::pulse::{Auxiliary, DimIndex, Dims};

/// Markers are remembered so long after they begin, in milliseconds, unless they say when they end.
const MARKER_KEPT_MS: i64 = 24 * 3600 * 1000;

/// A change is blamed for what begins at most so long after it, in milliseconds.
const BLAMED_MS: i64 = 20 * 60 * 1000;

/// A clock may be a little off: a change up to so long after the onset is blamed too.
const SLACK_MS: i64 = 60 * 1000;

/// Changes of an account that are remembered.
const STATUSES: usize = 8;

/// What people did.
#[derive(Clone, Debug)]
pub(crate) struct Marker {
    pub(crate) kind: MarkerKind,
    pub(crate) scope: Vec<(String, String)>,
    pub(crate) starts_ms: i64,
    pub(crate) ends_ms: Option<i64>,
}

impl Marker {
    /// Whether it came shortly before what began at `onset_ms`.
    fn may_cause(&self, onset_ms: i64) -> bool {
        self.starts_ms <= onset_ms + SLACK_MS && self.starts_ms >= onset_ms - BLAMED_MS
    }
}

/// Announcements so far.
#[derive(Default)]
pub(crate) struct Feeds {
    markers: Vec<Marker>,
    /// What the accounts of merchants were, and since when, the oldest first.
    accounts: BTreeMap<Arc<str>, VecDeque<(AccountStatus, i64)>>,
    /// Last settle date by channel, and when it was said.
    batches: BTreeMap<Arc<str>, (i32, i64)>,
    /// Whether anything was announced of each kind.
    pub(crate) has_accounts: bool,
    pub(crate) has_batches: bool,
    pub(crate) has_markers: bool,
    /// Streams whose announcements are not known up to now.
    withheld: Vec<String>,
}

impl Feeds {
    pub(crate) fn heard(&mut self, event: &Auxiliary) {
        match event {
            Auxiliary::Marker {
                kind,
                scope,
                starts_at,
                ends_at,
                ..
            } => {
                self.has_markers = true;
                self.markers.push(Marker {
                    kind: *kind,
                    scope: scope.clone(),
                    starts_ms: starts_at.millis(),
                    ends_ms: ends_at.map(Timestamp::millis),
                });
            }
            Auxiliary::Account {
                merchant_id,
                at,
                status,
            } => {
                self.has_accounts = true;
                let said = self.accounts.entry(Arc::clone(merchant_id)).or_default();
                if said.back().is_none_or(|(known, _)| known != status) {
                    said.push_back((*status, at.millis()));
                }
                if said.len() > STATUSES {
                    said.pop_front();
                }
            }
            Auxiliary::Batch {
                channel,
                at,
                settle_date,
            } => {
                self.has_batches = true;
                if let Some(date) = settle_date {
                    let last = self
                        .batches
                        .entry(Arc::clone(channel))
                        .or_insert((*date, at.millis()));
                    if *date >= last.0 {
                        *last = (*date, at.millis());
                    }
                }
            }
            Auxiliary::Heartbeat { .. } => {}
        }
    }

    /// Of these streams not everything is known up to now.
    pub(crate) fn withhold(&mut self, streams: &[String]) {
        self.withheld = streams.to_vec();
    }

    /// Whether everything that was announced is known.
    pub(crate) fn is_known(&self) -> bool {
        self.withheld.is_empty()
    }

    /// What could not be ruled out because its announcements are not known.
    pub(crate) fn not_ruled_out(&self) -> impl Iterator<Item = String> + '_ {
        self.withheld.iter().map(|stream| {
            format!("what the stream {stream} says is not known up to now and does not count")
        })
    }

    pub(crate) fn forget(&mut self, now_ms: i64) {
        self.markers
            .retain(|marker| marker.ends_ms.unwrap_or(marker.starts_ms) + MARKER_KEPT_MS > now_ms);
    }

    /// Whether the account of a merchant was frozen or closed at any time from `from_ms` until `until_ms`, or just
    /// before or after: the status and the credits come by different ways.
    pub(crate) fn was_frozen(&self, merchant_id: &str, from_ms: i64, until_ms: i64) -> bool {
        let Some(said) = self.accounts.get(merchant_id) else {
            return false;
        };
        let ends = said.iter().skip(1).map(|(_, at_ms)| *at_ms);
        said.iter()
            .zip(ends.chain([i64::MAX]))
            .any(|((status, since_ms), end_ms)| {
                matches!(status, AccountStatus::Frozen | AccountStatus::Closed)
                    && *since_ms <= until_ms + SLACK_MS
                    && end_ms >= from_ms - SLACK_MS
            })
    }

    /// The last settle date of a channel, days since 1970-01-01.
    pub(crate) fn settled(&self, channel: &str) -> Option<i32> {
        self.batches.get(channel).map(|(date, _)| *date)
    }

    /// The last change of `kind` before a fault in this scope began that may have caused it.
    pub(crate) fn blamed(
        &self,
        kind: MarkerKind,
        scope: &[(String, Vec<String>)],
        onset_ms: i64,
    ) -> Option<&Marker> {
        self.markers.iter().rev().find(|marker| {
            marker.kind == kind && marker.may_cause(onset_ms) && touches(&marker.scope, scope)
        })
    }

    /// The places of deploys and new configurations that may have caused what began at `onset_ms`, the last ones first.
    pub(crate) fn changed<'a>(
        &'a self,
        onset_ms: i64,
        values: &'a Values,
        dims: &'a Dims,
    ) -> impl Iterator<Item = Scope> + 'a {
        let changes = self.markers.iter().rev().filter(move |marker| {
            let is_change = matches!(marker.kind, MarkerKind::Config | MarkerKind::Deploy);
            is_change && marker.may_cause(onset_ms) && !marker.scope.is_empty()
        });
        changes.filter_map(|marker| {
            let place = conditions(&marker.scope, values, dims);
            let mut place = place
                .map(|condition| condition.map(|(dim, value)| (dim, vec![value])))
                .collect::<Option<Vec<_>>>()?;
            place.sort_unstable();
            Some(Scope(place))
        })
    }

    /// Whether a payment accepted at `accepted_ms` with these values falls into announced maintenance.
    pub(crate) fn is_maintained(
        &self,
        accepted_ms: i64,
        tuple: &[ValueId],
        values: &Values,
        dims: &Dims,
    ) -> bool {
        self.markers.iter().any(|marker| {
            let during = marker.kind == MarkerKind::Maintenance
                && accepted_ms >= marker.starts_ms - UNDER_WAY_MS
                && marker.ends_ms.is_none_or(|end| accepted_ms <= end);
            during && holds(&marker.scope, tuple, values, dims)
        })
    }

    /// Announced maintenance whose place payments have, by their values.
    pub(crate) fn maintenance(&self, values: &Values, dims: &Dims) -> Maintenance {
        let markers = self.markers.iter();
        let markers = markers.filter(|marker| marker.kind == MarkerKind::Maintenance);
        let windows = markers.filter_map(|marker| {
            Some(Window {
                starts_ms: marker.starts_ms,
                ends_ms: marker.ends_ms,
                place: conditions(&marker.scope, values, dims).collect::<Option<_>>()?,
            })
        });
        Maintenance(windows.collect())
    }

    /// Whether maintenance of everything, or of a stream, is announced for `now_ms`.
    pub(crate) fn is_everything_maintained(&self, now_ms: i64) -> bool {
        self.markers.iter().any(|marker| {
            marker.kind == MarkerKind::Maintenance
                && now_ms >= marker.starts_ms
                && marker.ends_ms.is_none_or(|end| now_ms <= end + SLACK_MS)
                && marker.scope.iter().all(|(name, _)| name == "stream")
        })
    }

    /// Whether announced maintenance may stop credits of a channel at `at_ms`: of the channel, or of what may be a part
    /// of its way.
    pub(crate) fn may_stop(&self, channel: &str, at_ms: i64) -> bool {
        self.markers.iter().any(|marker| {
            marker.kind == MarkerKind::Maintenance
                && at_ms >= marker.starts_ms
                && marker.ends_ms.is_none_or(|end| at_ms <= end + SLACK_MS)
                && marker
                    .scope
                    .iter()
                    .all(|(name, value)| name != "channel" || value == channel)
        })
    }
}

/// The conditions of a marker, by the values that payments have; `None` is one that no payment meets.
fn conditions<'a>(
    scope: &'a [(String, String)],
    values: &'a Values,
    dims: &'a Dims,
) -> impl Iterator<Item = Option<(DimIndex, ValueId)>> + 'a {
    scope.iter().map(|(name, value)| {
        let dim = dims.find(name)?;
        Some((dim, values.find(dim, value)?))
    })
}

/// Whether every condition of a marker holds for a tuple.
fn holds(scope: &[(String, String)], tuple: &[ValueId], values: &Values, dims: &Dims) -> bool {
    conditions(scope, values, dims)
        .all(|condition| condition.is_some_and(|(dim, wanted)| tuple[dim] == wanted))
}

/// Whether a marker's scope and a fault's have a condition in common and none against each other; a marker
/// without a scope touches everything.
fn touches(marker: &[(String, String)], scope: &[(String, Vec<String>)]) -> bool {
    let mut common = marker.is_empty();
    for (name, value) in marker {
        match scope.iter().find(|(known, _)| known == name) {
            Some((_, any)) if any.contains(value) => common = true,
            Some(_) => return false,
            None => {}
        }
    }
    common
}

keep!(Marker {
    kind,
    scope,
    starts_ms,
    ends_ms,
});
keep!(Feeds {
    markers,
    accounts,
    batches,
    has_accounts,
    has_batches,
    has_markers,
    withheld,
});
