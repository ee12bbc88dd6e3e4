//! A watcher that is ended at any command goes on as one that never was: no second twice, none missing.

mod naive;
mod world;

use alloc::vec::Vec;

use crate::io::Input;
use naive::word;
use settlewatch_join::Timestamp;
use world::{BEGIN_S, End, NUMBERS, World};

const TICKS: usize = 400;

#[test]
fn ended_at_any_command_it_says_what_one_says_that_never_was() {
    // Where producers stamp, the append time depends on when the ends were asked for.
    let make = |end| {
        let mut world = World::new(end);
        world.stamps = true;
        world
    };
    let never = make(End::Never).run(TICKS);
    let seconds = never.seconds();
    let expected: Vec<i64> = (0..seconds.len() as i64)
        .map(|at| BEGIN_S - 1 + at)
        .collect();
    assert_eq!(seconds, expected, "every second, none twice");
    assert!(seconds.len() >= 38, "{}", seconds.len());
    let unknown = never.incidents.iter().filter(|it| word(it, 3) != Some(0));
    assert_eq!(unknown.count(), 0, "everybody is waited for");
    assert!(never.first_state > 0, "old state goes");
    let mut compared = 0;
    for at in 1..=never.commands {
        for end in [
            End::Before(at),
            End::After(at),
            End::Aborted(at),
            End::Indefinite(at, true),
            End::Indefinite(at, false),
        ] {
            let ended = make(end).run(TICKS);
            ended.seconds();
            ended.audit();
            let both = ended.incidents.len().min(never.incidents.len());
            assert!(both + 3 >= never.incidents.len(), "{end:?} costs seconds");
            let (ended, never) = (&ended.incidents[..both], &never.incidents[..both]);
            assert!(ended == never, "{end:?}");
            compared += both;
        }
    }
    assert!(compared > 1000, "{compared}");
}

#[test]
fn a_partition_that_is_silent_is_blind_and_taken_in_when_it_comes() {
    // The second partition says nothing for 20 seconds: its lane was killed.
    let silent: fn(usize, i64) -> bool =
        |number, second| number == 1 && (10..30).contains(&(second - BEGIN_S));
    let mut most = 0;
    let mut world = World::new(End::Never);
    world.silent = silent;
    world.start();
    for _ in 0..600 {
        world.tick();
        most = most.max(world.watcher.blind());
    }
    world.audit();
    assert_eq!((most, world.watcher.blind()), (1, 0));
    let seconds = world.seconds();
    assert!(
        seconds.windows(2).all(|pair| pair[1] == pair[0] + 1),
        "nobody else waits for it"
    );
    assert!(seconds.len() >= 58, "{}", seconds.len());
    // Whoever restores judges the same: what it says goes on with the same chain.
    let core = world.watcher.core().clone();
    world.start();
    let before = world.incidents.len();
    while !world.watcher.is_active() {
        world.deliver();
        world.watcher.handle(Input::Tick(world.now_ms));
        world.carry();
    }
    assert_eq!(*world.watcher.core(), core);
    assert_eq!(world.incidents.len(), before);
}

#[test]
fn time_in_which_nothing_was_read_is_nobody_s_silence() {
    let mut world = World::new(End::Never).run(100);
    let judged = world.seconds().len();
    // A transaction takes twenty seconds: pulses lie at the brokers meanwhile.
    world.now_ms += 20_000;
    let now = Timestamp::from_millis(world.started_ms + world.now_ms as i64);
    world.watcher.handle(Input::BrokerTime(now));
    world.watcher.handle(Input::Tick(world.now_ms));
    world.carry();
    assert_eq!(world.watcher.blind(), 0, "nobody was asked");
    for _ in 0..100 {
        world.tick();
        assert_eq!(world.watcher.blind(), 0);
    }
    assert!(world.seconds().len() >= judged + 25, "all of it is judged");
    world.audit();
}

#[test]
fn what_is_known_of_a_quiet_topic_never_steps_back() {
    let make = |end| {
        let mut world = World::new(end);
        world.quiet = |second| (4..30).contains(&(second - BEGIN_S));
        world.unprobed = |second| (14..34).contains(&(second - BEGIN_S));
        world
    };
    let commands = make(End::Never).run(TICKS).commands;
    for at in 1..=commands {
        let world = make(End::After(at)).run(TICKS);
        world.audit();
    }
}

#[test]
fn with_blindness_and_late_evidence_an_end_at_any_command_costs_nothing() {
    let make = |end| {
        let mut world = World::new(end);
        world.silent = |number, second| number == 2 && (6..14).contains(&(second - BEGIN_S));
        world.unprobed = |second| (16..26).contains(&(second - BEGIN_S));
        // Every other process has other rules.
        world.rules = |nonce| {
            if nonce % 2000 == 0 {
                b"other rules"
            } else {
                b"rules"
            }
        };
        world
    };
    let never = make(End::Never).run(TICKS);
    let unknown = never.incidents.iter().filter(|it| word(it, 3) != Some(0));
    assert!(unknown.count() > 8, "what is not known is not waited for");
    let commands = never.commands;
    for at in 1..=commands {
        for end in [End::Before(at), End::After(at)] {
            let mut world = make(end).run(TICKS);
            let seconds = world.seconds();
            assert!(seconds.len() >= 36, "{end:?}: {}", seconds.len());
            world.audit();
            let late = world.incidents.iter().filter(|it| {
                let second = word(it, 1).map(|it| it as i64 - BEGIN_S);
                second.is_some_and(|it| (17..23).contains(&it)) && word(it, 3) == Some(0)
            });
            // Who begins in the middle of it waits anew, perhaps until it is over.
            let middle = (15..27).contains(&(world.started_ms.div_euclid(1000) - BEGIN_S));
            let late = late.count();
            assert!(
                late == 0 || middle,
                "{end:?}: what is not known is withheld"
            );
            assert!(seconds.windows(2).all(|pair| pair[1] == pair[0] + 1));
            world.end = End::Never;
            while !world.watcher.is_active() {
                world.tick();
            }
            let core = world.watcher.core().clone();
            world.start();
            while !world.watcher.is_active() {
                world.deliver();
                world.watcher.handle(Input::Tick(world.now_ms));
                world.carry();
            }
            assert_eq!(world.watcher.core().chain, core.chain, "{end:?}");
        }
    }
}

#[test]
fn where_nobody_says_anything_the_clock_goes_on() {
    let mut world = World::new(End::Never);
    world.silent = |_, second| second - BEGIN_S >= 10;
    let world = world.run(400);
    let seconds = world.seconds();
    let last = seconds.last().expect("some");
    assert!((30..=35).contains(&(last - BEGIN_S)), "{last}");
    assert_eq!(world.watcher.blind(), NUMBERS);
}

#[test]
fn a_watcher_that_is_drained_leaves_a_snapshot_and_nothing_to_judge_again() {
    let mut world = World::new(End::Never).run(105);
    world.watcher.handle(Input::Drain);
    for _ in 0..5 {
        world.tick();
    }
    let core = world.watcher.core().clone();
    let last = world.state.last().expect("a record");
    assert_eq!(&last.0[..], b"m");
    world.start();
    world.deliver();
    world.carry();
    world.deliver();
    assert!(world.watcher.is_active());
    assert_eq!(*world.watcher.core(), core);
}

#[test]
#[should_panic(expected = "it was lost")]
fn state_that_was_lost_is_said() {
    let mut world = World::new(End::Never).run(50);
    world.state.clear();
    world.first_state = 0;
    world.start();
    for _ in 0..20 {
        world.tick();
    }
}
