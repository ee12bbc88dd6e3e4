//! The service against real brokers: whatever is killed, stopped, silent, late or hostile, the ledger is right.
//!
//! Needs Java 17, openssl, kcat, curl, a C compiler and, the first time, Maven. `SETTLEWATCH_BIN` names another program than
//! that of this workspace; with `SETTLEWATCH_KEEP=1` all logs stay.
//!
//! Services are killed here some forty times. For hours of kills:
//! `cargo run -p settlewatch-tests --bin kills -- --rounds 1000 --processes 3 --dynamic --seed 7`.

mod absent;
mod brokers;
mod canary;
mod clocks;
mod history;
mod hostile;
mod howto;
mod kills;
mod members;
mod plain;
mod refused;
mod runner;
mod script;
mod secure;
mod silent;
mod simulated;
mod state;
mod told;
mod watch;

use std::process::ExitCode;

use runner::{Test, tests};
use settlewatch_tests::broker::{Cluster, missing};

/// The longest first.
const TESTS: &[Test] = tests![
    watch::a_fault_live_is_the_incident_of_its_replay_though_the_watch_dies_in_every_phase,
    watch::what_is_not_read_is_said_and_accuses_nobody_though_the_active_watch_dies,
    kills::a_service_that_is_killed_anywhere_writes_every_revision_once,
    howto::the_pages_lead_from_no_topic_to_more_partitions,
    secure::a_service_needs_few_rights_and_names_the_one_that_is_missing,
    brokers::a_lone_broker_that_restarts_loses_nobody_who_waits,
    brokers::of_three_brokers_one_pauses_one_dies_one_restarts,
    brokers::a_broker_that_pauses_is_found_again_by_every_client,
    silent::a_credit_in_an_open_transaction_holds_its_partition_and_alerts_nobody,
    silent::deadlines_fire_when_every_input_is_silent_behind_a_commit_marker,
    silent::timestamps_of_1970_move_no_clock,
    members::members_come_and_go_under_load,
    absent::a_service_that_was_stopped_beyond_its_session_changes_nothing,
    absent::credits_that_retention_took_are_a_hole_and_no_storm,
    absent::what_was_credited_in_time_while_nobody_looked_alerts_nobody,
    history::a_broker_answers_as_recorded,
    plain::live_equals_replay,
    simulated::simulated_traffic_is_judged_as_it_is_replayed,
    canary::a_canary_is_content_with_a_service_that_runs_and_misses_one_that_does_not,
    clocks::a_clock_that_is_ten_minutes_slow_decides_nothing,
    clocks::a_clock_that_is_ten_minutes_fast_decides_nothing,
    watch::alerts_go_on_where_the_state_of_the_watch_is_lost,
    state::a_state_that_was_lost_is_rebuilt_and_no_alert_is_written_twice_or_missed,
    state::inspect_shows_every_partition_of_a_service_that_runs_or_stands,
    state::a_partition_whose_state_is_broken_is_said_to_be_so_and_can_begin_with_now,
    state::more_partitions_take_the_waiting_payments_over_and_tell_everything_once,
    hostile::every_record_that_is_no_event_becomes_one_dead_letter,
    refused::a_partition_that_is_added_stops_the_service,
    refused::inputs_with_different_counts_are_refused,
    refused::partitioners_that_differ_are_refused,
];

fn main() -> ExitCode {
    if let Some(what) = missing() {
        eprintln!("the tests of the service need a Kafka: {what}");
        return ExitCode::FAILURE;
    }
    let code = runner::run(TESTS);
    Cluster::end_shared();
    code
}
