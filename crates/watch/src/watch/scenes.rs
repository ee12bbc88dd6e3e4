//! What the watch says of a small processor in virtual time: waits that explain themselves, and sources that are silent.

use std::collections::{BTreeMap, BTreeSet};

use super::story::{End, PARTITIONS, Pay, Story, share};
use crate::incident::{Incident, Severity};

/// Verdict, scope and severity of what was said last of each incident.
fn last(said: &[Incident]) -> Vec<(String, String, Severity)> {
    let mut last = BTreeMap::new();
    for it in said {
        let scope = it.scope.iter();
        let scope: Vec<_> = scope
            .map(|(name, any)| format!("{name}={}", any.join(",")))
            .collect();
        let label = it.finding.cause.row().label.to_owned();
        last.insert(it.id.to_string(), (label, scope.join(" "), it.severity));
    }
    last.into_values().collect()
}

/// That a channel is down, and nothing else.
fn down(channel: &str) -> [(String, String, Severity); 1] {
    let scope = format!("channel={channel}");
    [("CHANNEL_DOWN".into(), scope, Severity::Critical)]
}

/// Verdict and scope of the only incident.
fn only(said: &[Incident]) -> (&'static str, String) {
    let all = last(said);
    let [(_, scope, _)] = &all[..] else {
        panic!("not one incident: {all:?}");
    };
    let label = said.last().map(|it| it.finding.cause.row().label);
    (label.expect("there is one"), scope.clone())
}

fn during(pay: &Pay, from_s: i64, until_s: i64) -> bool {
    (from_s * 1000..until_s * 1000).contains(&pay.made_ms)
}

#[test]
fn nothing_is_said_where_nothing_is_wrong() {
    assert_eq!(last(&Story::default().play(900, |_| {})), []);
}

#[test]
fn a_channel_that_stops_is_down() {
    let said = Story::default().play(900, |pay| {
        if pay.channel == 1 && during(pay, 400, 700) {
            pay.end = End::Never;
        }
    });
    assert_eq!(last(&said), down("C1"));
}

#[test]
fn an_outage_that_outlives_its_maintenance_is_a_channel_that_is_down_from_its_end_on() {
    // Of a long one not even what came before is remembered.
    for ends_s in [520, 1800] {
        let story = Story::maintained(ends_s);
        let until_s = ends_s + 200;
        let said = story.play(until_s + 60, |pay| {
            if pay.channel == 1 && during(pay, 400, until_s) {
                pay.end = End::Never;
            }
        });
        let critical = said.iter().find(|it| it.severity == Severity::Critical);
        let critical = critical.expect("it is critical");
        let after_s = critical.updated_at.millis() / 1000 - ends_s;
        assert!((5..30).contains(&after_s), "{ends_s}: {after_s}");
        assert_eq!(last(&said), down("C1"), "{ends_s}");
        assert!(said[0].started_at.millis() >= ends_s * 1000, "{ends_s}");
    }
}

#[test]
fn what_maintenance_held_back_is_no_outage_when_it_is_credited_first() {
    let story = Story::maintained(460);
    // Twice as fast as they come, in their order, from 460 on.
    let said = story.play(800, |pay| {
        if pay.channel == 1 && during(pay, 400, 520) {
            pay.end = End::Credited((520_000 - pay.made_ms) / 2 + 1500);
        }
    });
    let down = |it: &Incident| it.finding.cause.row().label == "CHANNEL_DOWN";
    assert!(!said.iter().any(down), "{said:?}");
}

/// Of five minutes, `percent` of the payments of a channel or merchant explain themselves within a span of milliseconds.
fn explained(percent: u32, of_channel: bool, (from_ms, to_ms): (i64, i64)) -> Vec<Incident> {
    Story::default().play(900, |pay| {
        let is_its = if of_channel {
            pay.channel == 2
        } else {
            pay.merchant == 3
        };
        let is_one = share(pay.number * 16 + 9) * 100.0 < f64::from(percent);
        if is_its && is_one && during(pay, 400, 700) {
            let after = share(pay.number * 16 + 10) * (to_ms - from_ms) as f64;
            pay.end = End::Excused(from_ms + after as i64);
        }
    })
}

#[test]
fn payments_that_explain_themselves_are_nobody_s_fault() {
    let (at_once, soon, slowly) = ((0, 1), (1_000, 8_000), (3_000, 20_000));
    for percent in [30, 50, 70] {
        for within_ms in [at_once, soon, slowly] {
            let said = explained(percent, false, within_ms);
            assert_eq!(last(&said), [], "{percent} % of a merchant, {within_ms:?}");
            // Where most of a channel waits so long, nobody can tell for that time that it does not stop.
            if percent < 70 || within_ms != slowly {
                let said = explained(percent, true, within_ms);
                assert_eq!(last(&said), [], "{percent} % of a channel, {within_ms:?}");
            }
        }
    }
}

#[test]
fn a_channel_that_stops_while_payments_are_declined_is_down_all_the_same() {
    let said = Story::default().play(800, |pay| {
        let declined = share(pay.number * 16 + 9) < 0.3;
        if pay.channel == 2 && during(pay, 380, 700) && declined {
            pay.end = End::Excused(3_000);
        } else if pay.channel == 2 && during(pay, 500, 600) {
            pay.end = End::Never;
        }
    });
    assert_eq!(last(&said), down("C2"));
    let after_s = said[0].opened_at.millis() / 1000 - 500;
    assert!((4..20).contains(&after_s), "{after_s}");
}

#[test]
fn one_partition_of_credits_that_is_silent_is_no_fault_of_the_platform() {
    // So few that others see what is missing before the silence is sure.
    let story = Story {
        rate: 6,
        ..Story::default()
    };
    let said = story.play(900, |pay| {
        let End::Credited(after_ms) = pay.end else {
            return;
        };
        // It speaks again at 600, with all that was held back.
        let credited_ms = pay.made_ms + after_ms;
        if pay.partition == 2 && (400_000..600_000).contains(&credited_ms) {
            pay.end = End::Credited(600_000 - pay.made_ms);
        }
    });
    assert_eq!(
        only(&said),
        ("SOURCE_SILENT", "stream=credits partition=2".into())
    );
}

#[test]
fn payments_whose_partition_was_silent_accuse_no_channel_when_they_come() {
    let said = Story::default().play(900, |pay| {
        // Where it is most channels' they do not stand out.
        if pay.channel > 0 && pay.partition == 2 {
            pay.partition = 3;
        }
        if pay.partition == 2 && during(pay, 400, 600) {
            pay.at_ms = 600_000;
        }
    });
    assert_eq!(
        only(&said),
        ("SOURCE_SILENT", "stream=payments partition=2".into())
    );
}

#[test]
fn acknowledgements_that_nobody_tells_of_accuse_no_merchant() {
    let all: BTreeSet<u64> = (0..PARTITIONS).collect();
    let some = BTreeSet::from([1, 2, 4, 5]);
    for (silent, scope) in [
        (all, "stream=lifecycle"),
        (some, "stream=lifecycle partition=1,2,4,5"),
    ] {
        let story = Story {
            without_stages: Some((silent, 400_000..600_000)),
            ..Story::default()
        };
        // One has few payments before it: all that is known of it of late is missing.
        let said = story.play(900, |pay| {
            if pay.merchant == 7 && during(pay, 200, 396) {
                pay.merchant = 6;
            }
        });
        assert_eq!(only(&said), ("SOURCE_SILENT", scope.into()));
    }
}

#[test]
fn credits_that_go_on_for_a_few_are_no_silent_feed() {
    // A tenth of one channel's payments, and all of a merchant's, go on; of nobody else's does.
    let stops = |pay: &mut Pay| {
        if pay.channel > 0 && during(pay, 400, 600) {
            pay.end = End::Never;
        }
    };
    let few = |pay: &mut Pay| {
        let is_kept = pay.channel > 0 || share(pay.number * 16 + 11) < 0.3;
        pay.channel = if is_kept { pay.channel } else { 1 };
    };
    let said = Story {
        rate: 48,
        ..Story::default()
    }
    .play(900, |pay| {
        few(pay);
        stops(pay);
    });
    let silent = |it: &Incident| it.finding.cause.row().label == "SOURCE_SILENT";
    assert!(!said.is_empty(), "most of it stops");
    assert!(!said.iter().any(silent), "{said:?}");
}

/// All that is credited from 400 to 470 s, payments made as ever: what was missed is sent then.
fn outage(pay: &mut Pay) {
    let End::Credited(after_ms) = pay.end else {
        return;
    };
    let credited_ms = pay.made_ms + after_ms;
    if (400_000..470_000).contains(&credited_ms) {
        pay.end = End::Credited(470_000 + (credited_ms - 400_000) / 20 - pay.made_ms);
    }
}

#[test]
fn a_fault_soon_after_an_outage_of_all_is_told_soon_and_has_its_own_payments() {
    let mut lost = 0;
    let said = Story::default().play(800, |pay| {
        outage(pay);
        if pay.channel == 1 && during(pay, 500, 600) {
            pay.end = End::Never;
        }
    });
    for number in 500 * 24..600 * 24 {
        lost += u64::from(Pay::usual(number as i64 / 24, number).channel == 1);
    }
    let of_channel = |it: &&Incident| it.finding.cause.row().label == "CHANNEL_DOWN";
    let first = said.iter().find(of_channel).expect("it is told");
    let after_s = first.opened_at.millis() / 1000 - 500;
    assert!((4..20).contains(&after_s), "{after_s}");
    let last = said.iter().rfind(of_channel).expect("it is told");
    assert!(
        last.evidence.touched.abs_diff(lost) <= lost / 20,
        "{lost}: {last:?}"
    );
}

#[test]
fn a_channel_that_stops_while_a_queue_is_worked_off_is_told_at_once_as_what_it_is() {
    // Nothing is credited from 400 to 520; then twice as much as is paid, in its order, until 640.
    let said = Story::default().play(900, |pay| {
        if during(pay, 400, 640) {
            pay.end = End::Credited((640_000 - pay.made_ms) / 2 + 1500);
        }
        let End::Credited(after_ms) = pay.end else {
            return;
        };
        if pay.channel == 1 && (560_000..720_000).contains(&(pay.made_ms + after_ms)) {
            pay.end = End::Never;
        }
    });
    let of_channel = |it: &&Incident| it.scope == [("channel".into(), vec!["C1".into()])];
    let first = said.iter().find(of_channel).expect("it is told");
    assert_eq!(first.finding.cause.row().label, "CHANNEL_DOWN");
    let at = |at: settlewatch_join::Timestamp| at.millis() / 1000 - 560;
    let (after_s, onset_s) = (at(first.opened_at), at(first.started_at));
    assert!((4..20).contains(&after_s), "{after_s}");
    assert!(onset_s.abs() <= 4, "{onset_s}");
    assert_eq!(last(&said).len(), 2, "{said:?}");
}

#[test]
fn an_outage_of_all_leaves_no_other_incident_behind() {
    assert_eq!(last(&Story::default().play(900, outage)).len(), 1);
}

#[test]
fn an_incident_that_is_opened_again_counts_what_it_had() {
    let is_its = |pay: &Pay| pay.channel == 1 && (during(pay, 400, 450) || during(pay, 640, 690));
    let said = Story::default().play(900, |pay| {
        if is_its(pay) {
            pay.end = End::Never;
        }
    });
    let seconds = 0..900_i64;
    let all = seconds
        .flat_map(|second| (0..24).map(move |at| Pay::usual(second, second as u64 * 24 + at)));
    let lost = all.filter(is_its).count() as u64;
    let ids: BTreeSet<_> = said.iter().map(|it| &it.id).collect();
    assert_eq!(ids.len(), 1, "{:?}", last(&said));
    let end = said.last().expect("it is told");
    assert!(end.evidence.open.abs_diff(lost) <= 4, "{lost}: {end:?}");
}

#[test]
fn a_few_that_take_long_are_no_loss_while_they_are_credited() {
    // Two in a hundred of a channel: of what is usual nothing takes as long.
    let few = |end: End| {
        Story::default().play(900, |pay| {
            let is_one = share(pay.number * 16 + 12) < 0.02;
            if pay.channel == 1 && is_one && during(pay, 400, 700) {
                pay.end = end;
            }
        })
    };
    assert_eq!(last(&few(End::Credited(24_000))), []);
    let lost = few(End::Never);
    assert_eq!(only(&lost).1, "channel=C1", "{lost:?}");
}

#[test]
fn a_fault_that_grows_within_seconds_is_one_incident() {
    let story = Story {
        rate: 96,
        ..Story::default()
    };
    let said = story.play(700, |pay| {
        let first = pay.merchant == 3 && pay.channel == 0 && during(pay, 400, 600);
        let then = pay.merchant == 3 && share(pay.number * 16 + 13) < 0.4 && during(pay, 412, 600);
        if first || then {
            pay.end = End::Credited(25_000);
        }
    });
    let wider: Vec<_> = said.iter().map(|it| it.scope.clone()).collect();
    assert!(wider[0].len() > 1, "the first is narrow: {wider:?}");
    assert_eq!(only(&said).1, "merchant_id=M3", "{said:?}");
}
