//! Which records are counted apart, and which are passed on as they came.

use settlewatch_join::Timestamp;
use settlewatch_join::event::{Body, Event, Stage};

use super::{Auxiliary, KIND_AFTER, KIND_BEFORE, KIND_CREDIT, KIND_PAYMENT, KIND_REJECTION};

/// The kind under which a record is counted apart.
pub(super) fn kind_of(body: &Body<'_>) -> Option<usize> {
    Some(match body {
        Body::Succeeded(_) => KIND_PAYMENT,
        Body::Credited(_) => KIND_CREDIT,
        Body::Rejected(_) => KIND_REJECTION,
        Body::BatchSettled(_)
        | Body::Stage {
            stage: Stage::AccountPosted | Stage::TerminalNotified | Stage::MerchantAck,
            ..
        } => KIND_AFTER,
        Body::Stage { .. } => KIND_BEFORE,
        _ => return None,
    })
}

/// What the watch hears of a record that is about no payment.
pub(super) fn auxiliary_of(event: &Event<'_>, at: Timestamp) -> Option<Auxiliary> {
    Some(match &event.body {
        Body::Heartbeat(beat) => Auxiliary::Heartbeat {
            terminal_id: beat.terminal_id.as_ref().into(),
            at,
            queue_depth: beat.queue_depth,
            error_code: beat.error_code.as_deref().map(Into::into),
            uptime_s: beat.uptime_s,
            app_version: beat.app_version.as_deref().map(Into::into),
            signed_in: beat.signed_in,
        },
        Body::AccountStatus {
            merchant_id,
            status,
        } => Auxiliary::Account {
            merchant_id: merchant_id.as_ref().into(),
            at,
            status: *status,
        },
        Body::BatchSettled(batch) => Auxiliary::Batch {
            channel: batch.channel.as_ref().into(),
            at,
            settle_date: batch.settle_date,
        },
        Body::Marker(marker) => Auxiliary::Marker {
            kind: marker.kind,
            at,
            scope: marker
                .scope
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_string()))
                .collect(),
            starts_at: marker.starts_at.unwrap_or(event.occurred_at),
            ends_at: marker.ends_at,
        },
        _ => return None,
    })
}
