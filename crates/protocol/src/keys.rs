//! Keys of records, against the payments that the records are about.

use settlewatch_join::Event;

/// Whether a record of a payment has another key than the payment id, with its tenant before it where it has one.
pub(crate) fn is_misplaced(key: Option<&[u8]>, event: &Event<'_>) -> bool {
    let Some(id) = event.body.payment_id() else {
        return false;
    };
    let key = key.unwrap_or_default();
    let bare = key.strip_suffix(id.as_bytes());
    match (bare, &event.tenant) {
        (Some([]), _) => false,
        (Some(before), Some(tenant)) => before.strip_suffix(b"/") != Some(tenant.as_bytes()),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use settlewatch_join::{Body, Timestamp};

    use super::*;

    fn released(tenant: Option<&'static str>) -> Event<'static> {
        Event {
            tenant: tenant.map(Into::into),
            event_id: "e".into(),
            occurred_at: Timestamp::from_millis(0),
            body: Body::Released {
                payment_id: "P1".into(),
            },
        }
    }

    #[test]
    fn the_key_is_the_payment_with_or_without_its_tenant() {
        for (key, tenant, misplaced) in [
            (Some("P1"), None, false),
            (Some("P1"), Some("t"), false),
            (Some("t/P1"), Some("t"), false),
            (Some("u/P1"), Some("t"), true),
            (Some("t/P1"), None, true),
            (Some("xP1"), None, true),
            (Some("P2"), None, true),
            (None, None, true),
        ] {
            let key = key.map(str::as_bytes);
            assert_eq!(
                is_misplaced(key, &released(tenant)),
                misplaced,
                "{key:?} {tenant:?}"
            );
        }
    }
}
