//! How steady a component is, at every boundary of the rule: to the millisecond and to the count.

#![allow(clippy::unwrap_used, reason = "what is built here is there, or the test fails")]

mod common;

use cluster_overview_app::cluster::receive::{Arrival, receive};
use cluster_overview_app::cluster::{
    BlindPeriod, Component, Gap, Health, Heartbeat, Role, Settings, Span, Stability, Start,
    Timestamp,
};
use common::{
    NOON, arrive, heartbeat, known, ms, of_boot, period, present, s, service, snapshot, status, web,
};

const MINUTE: i64 = 60_000;

/// A component that started at these moments, in milliseconds after noon; after crashes unless `cleanly`.
fn started(role: Role, cleanly: bool, starts: &[i64]) -> Component {
    let mut component = if role == Role::Web { web("web-1") } else { service("web-1") };
    component.first_seen = ms(-100_000_000);
    for at in starts {
        component.interruptions.starts.push(Start {
            at: ms(*at),
            ran: Span::seconds(1),
            silence: Span::seconds(1),
            stopped_cleanly: cleanly,
            new_version: false,
        });
        component.last_heartbeat = ms(*at);
    }
    component
}

/// The verdict on a component that has sent heartbeats up to `now`.
fn verdict(component: &Component, now: Timestamp) -> (Stability, Health) {
    let heard = Component { last_heartbeat: now, ..component.clone() };
    let snapshot = snapshot([heard]);
    let overview = snapshot.overview(now);
    let found = status(&overview, "web-1", component.role);
    (found.stability, found.health)
}

fn stability(component: &Component, now: Timestamp) -> Stability {
    verdict(component, now).0
}

#[test]
fn three_clean_starts_within_ten_minutes_are_a_restart_loop_and_three_in_a_longer_time_are_not() {
    for role in Role::ALL {
        let within = started(role, true, &[0, 5 * MINUTE, 10 * MINUTE]);
        assert_eq!(verdict(&within, ms(10 * MINUTE)), (Stability::Restarting, Health::Warning));
        let longer = started(role, true, &[0, 5 * MINUTE, 10 * MINUTE + 1]);
        assert_eq!(verdict(&longer, ms(10 * MINUTE + 1)), (Stability::Steady, Health::Ok));
    }
}

#[test]
fn three_starts_after_crashes_are_a_restart_loop_within_thirty_minutes() {
    let within = started(Role::Service, false, &[0, 15 * MINUTE, 30 * MINUTE]);
    assert_eq!(stability(&within, ms(30 * MINUTE)), Stability::Restarting);
    let longer = started(Role::Service, false, &[0, 15 * MINUTE, 30 * MINUTE + 1]);
    assert_eq!(stability(&longer, ms(30 * MINUTE + 1)), Stability::Steady);
    let clean = started(Role::Service, true, &[0, 15 * MINUTE, 30 * MINUTE]);
    assert_eq!(stability(&clean, ms(30 * MINUTE)), Stability::Steady);
}

#[test]
fn a_restart_loop_ends_after_ten_minutes_without_a_start_and_after_fifteen_without_a_crash() {
    let clean = started(Role::Service, true, &[0, MINUTE, 2 * MINUTE]);
    assert_eq!(stability(&clean, ms(12 * MINUTE)), Stability::Restarting);
    assert_eq!(stability(&clean, ms(12 * MINUTE + 1)), Stability::Steady);
    let crashed = started(Role::Service, false, &[0, MINUTE, 2 * MINUTE]);
    assert_eq!(stability(&crashed, ms(17 * MINUTE)), Stability::Restarting);
    assert_eq!(stability(&crashed, ms(17 * MINUTE + 1)), Stability::Steady);
}

#[test]
fn a_restart_loop_is_an_error_from_five_starts_on() {
    let four = started(Role::Service, false, &[0, MINUTE, 2 * MINUTE, 3 * MINUTE]);
    assert_eq!(verdict(&four, ms(3 * MINUTE)), (Stability::Restarting, Health::Warning));
    let five = started(Role::Service, false, &[0, MINUTE, 2 * MINUTE, 3 * MINUTE, 4 * MINUTE]);
    assert_eq!(verdict(&five, ms(4 * MINUTE)), (Stability::Restarting, Health::Error));
}

#[test]
fn starts_before_a_quiet_time_belong_to_no_loop_after_it() {
    let component =
        started(Role::Service, false, &[0, MINUTE, 2 * MINUTE, 40 * MINUTE, 41 * MINUTE]);
    assert_eq!(stability(&component, ms(41 * MINUTE)), Stability::Steady);
    let third = started(
        Role::Service,
        false,
        &[0, MINUTE, 2 * MINUTE, 40 * MINUTE, 41 * MINUTE, 42 * MINUTE],
    );
    let found = third.interruptions.restart_loop(ms(42 * MINUTE)).unwrap();
    assert_eq!((found.starts, found.since, found.last), (3, ms(40 * MINUTE), ms(42 * MINUTE)));
}

#[test]
fn a_restart_loop_tells_how_long_its_processes_ran_and_whether_it_began_with_a_version() {
    let start = |at: i64, ran: i64, stopped_cleanly, new_version| Start {
        at: s(at),
        ran: Span::seconds(ran),
        silence: Span::seconds(5),
        stopped_cleanly,
        new_version,
    };
    let mut component = service("web-1");
    component.interruptions.starts = vec![
        start(0, 864_000, true, true),
        start(30, 25, false, false),
        start(90, 40, false, false),
        start(100, 5, true, false),
    ];
    let found = component.interruptions.restart_loop(s(100)).unwrap();
    assert_eq!((found.starts, found.crashes), (4, 2));
    assert_eq!(found.longest, Span::seconds(40));
    assert!(found.new_version);
    component.interruptions.starts[2].new_version = true;
    assert!(!component.interruptions.restart_loop(s(100)).unwrap().new_version);
}

/// A service with so many gaps of two minutes, one every `every` milliseconds, the last of which ended at noon.
fn with_gaps(count: i64, every: i64) -> Component {
    let mut component = service("web-1");
    for number in (0..count).rev() {
        let end = ms(-number * every);
        component.interruptions.gaps.push(Gap { start: end - Span::minutes(2), end });
    }
    component
}

#[test]
fn five_gaps_within_a_day_make_a_service_flap() {
    let day = 24 * 60 * MINUTE;
    assert_eq!(verdict(&with_gaps(5, MINUTE), NOON), (Stability::Flapping, Health::Warning));
    assert_eq!(verdict(&with_gaps(4, MINUTE), NOON), (Stability::Steady, Health::Ok));
    assert_eq!(stability(&with_gaps(5, day / 4), NOON), Stability::Flapping);
    assert_eq!(
        stability(&with_gaps(5, day / 4), ms(1)),
        Stability::Steady,
        "the first is a day ago"
    );
}

#[test]
fn a_service_flaps_for_an_hour_after_its_last_gap_or_for_twenty_intervals_if_they_are_longer() {
    let component = with_gaps(5, MINUTE);
    assert_eq!(stability(&component, ms(60 * MINUTE)), Stability::Flapping);
    assert_eq!(stability(&component, ms(60 * MINUTE + 1)), Stability::Steady);
    let settings =
        Settings { heartbeat_interval_s: 600, stale_timeout_s: 3_000, ..Settings::default() };
    let flaps = |at| component.interruptions.flapping(&settings, at).is_some();
    assert!(flaps(ms(200 * MINUTE)));
    assert!(!flaps(ms(200 * MINUTE + 1)));
}

#[test]
fn a_web_component_never_flaps() {
    let component = Component { role: Role::Web, ..with_gaps(9, MINUTE) };
    assert_eq!(stability(&component, NOON), Stability::Steady);
}

#[test]
fn as_of_moves_whenever_a_verdict_on_stability_does() {
    let loops = started(Role::Service, false, &[0, MINUTE, 2 * MINUTE]);
    for component in [loops, with_gaps(5, MINUTE), with_gaps(7, 3 * 60 * MINUTE)] {
        let last = component.last_heartbeat;
        let snapshot = snapshot([component.clone()]);
        let mut now = last;
        let mut before = verdict(&component, now).0;
        while let Some(next) =
            snapshot.next_turn(now).filter(|next| *next < last + Span::minutes(30 * 60))
        {
            assert_eq!(
                verdict(&component, next - Span::TICK).0,
                before,
                "nothing turns between turns"
            );
            before = verdict(&component, next).0;
            now = next;
        }
        assert_eq!(before, Stability::Steady);
    }
}

#[test]
fn the_first_heartbeat_ever_is_no_start_and_each_new_boot_is_one() {
    let first = known(&heartbeat("web-1", Role::Service));
    assert!(first.interruptions.is_empty());
    let second = arrive(Some(&present(&first)), &of_boot(2, 1), s(40)).unwrap();
    let third =
        arrive(Some(&present(&second)), &Heartbeat { leaving: true, ..of_boot(2, 2) }, s(45))
            .unwrap();
    let third = arrive(Some(&present(&third)), &of_boot(3, 1), s(50)).unwrap();
    let starts = &third.interruptions.starts;
    assert_eq!(
        starts.iter().map(|start| (start.at, start.ran, start.stopped_cleanly)).collect::<Vec<_>>(),
        [(s(40), Span::ZERO, false), (s(50), Span::seconds(5), true),]
    );
    assert_eq!(third.started_at(), s(50));
    assert!(third.interruptions.gaps.is_empty(), "what ends in a start is no gap");
}

#[test]
fn a_rolling_restart_is_steady_for_every_component() {
    let mut component = known(&heartbeat("web-1", Role::Service));
    component =
        arrive(Some(&present(&component)), &Heartbeat { leaving: true, ..of_boot(1, 2) }, s(10))
            .unwrap();
    component = arrive(Some(&present(&component)), &of_boot(2, 1), s(20)).unwrap();
    assert_eq!(verdict(&component, s(20)), (Stability::Steady, Health::Ok));
}

#[test]
fn the_ten_last_starts_are_kept() {
    let mut component = known(&heartbeat("web-1", Role::Service));
    for number in 2..30 {
        component =
            arrive(Some(&present(&component)), &of_boot(number, 1), s(i64::from(number))).unwrap();
    }
    let starts = &component.interruptions.starts;
    assert_eq!((starts.len(), starts[0].at, starts[9].at), (10, s(20), s(29)));
}

#[test]
fn a_product_that_answers_its_probe_again_has_started() {
    let settings = Settings::default();
    let arrival =
        Arrival { at: s(30), settings: &settings, blind_periods: &[], ends_probe_failure: true };
    let component = receive(Some(&present(&service("web-1"))), &of_boot(1, 2), &arrival).unwrap();
    assert_eq!(component.interruptions.starts.len(), 1);
}

/// The gaps after a heartbeat at noon and the next one of the same process at `at`.
fn gaps_until(at: Timestamp, role: Role, blind_periods: &[BlindPeriod]) -> Vec<Gap> {
    let settings = Settings::default();
    let arrival = Arrival { at, settings: &settings, blind_periods, ends_probe_failure: false };
    let first = if role == Role::Web { web("web-1") } else { service("web-1") };
    let next = Heartbeat { role, ..of_boot(1, 2) };
    receive(Some(&present(&first)), &next, &arrival).unwrap().interruptions.gaps
}

#[test]
fn a_gap_is_longer_than_twice_the_interval() {
    assert_eq!(gaps_until(ms(60_000), Role::Service, &[]), []);
    assert_eq!(gaps_until(ms(60_001), Role::Service, &[]), [Gap { start: NOON, end: ms(60_001) }]);
    assert_eq!(
        gaps_until(ms(60_001), Role::Web, &[]),
        [],
        "a web component reports when it has requests"
    );
}

#[test]
fn a_gap_that_touches_a_blind_period_or_its_grace_does_not_count() {
    let counts = |start, end| !gaps_until(s(100), Role::Service, &[period(start, end)]).is_empty();
    assert!(!counts(50, 51), "within");
    assert!(!counts(100, 110), "at its end");
    assert!(!counts(-70, -60), "the grace of one that ended a minute before");
    assert!(counts(-71, -61), "one that ended earlier");
}

#[test]
fn a_gap_that_begins_with_a_clean_stop_does_not_count() {
    let stopped = Component { stopped: true, ..service("web-1") };
    let next = arrive(Some(&present(&stopped)), &of_boot(1, 2), s(100)).unwrap();
    assert!(next.interruptions.is_empty());
}
