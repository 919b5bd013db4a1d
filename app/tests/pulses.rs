//! Does each pulse change at the right millisecond, with and without blind periods?

mod common;

use cluster_overview_app::cluster::observation::{exceeds_at, silence};
use cluster_overview_app::cluster::{
    BlindPeriod, Component, Health, Pulse, Role, Settings, Snapshot, Span, Timestamp,
};
use common::{
    NOON, arrive, health, ms, of_boot, period, present, pulse, pulse_under, s, service, web,
};
use common::{hints, removed, snapshot};

/// The pulse is `better` up to and including `limit`, and `worse` one millisecond later.
fn assert_changes_after(
    limit: i64,
    better: Pulse,
    worse: Pulse,
    pulse: impl Fn(Timestamp) -> Pulse,
) {
    assert_eq!(pulse(ms(limit)), better, "{limit} ms after the heartbeat");
    assert_eq!(pulse(ms(limit + 1)), worse, "{limit} ms + 1 after the heartbeat");
}

#[test]
fn a_service_is_late_one_millisecond_after_twice_the_interval() {
    assert_changes_after(60_000, Pulse::Alive, Pulse::Late, |now| pulse(&service("a"), &[], now));
}

#[test]
fn a_silent_service_is_stale_one_millisecond_after_the_timeout() {
    assert_changes_after(300_000, Pulse::Late, Pulse::Stale, |now| pulse(&service("a"), &[], now));
}

#[test]
fn a_web_component_is_never_late_and_stale_one_millisecond_after_its_window() {
    assert_changes_after(86_400_000, Pulse::Alive, Pulse::Stale, |now| pulse(&web("a"), &[], now));
    assert_eq!(pulse(&web("a"), &[], ms(60_001)), Pulse::Alive);
    assert_eq!(pulse(&web("a"), &[], ms(300_001)), Pulse::Alive);
}

#[test]
fn a_service_is_not_late_before_twice_its_own_interval() {
    let component = Component { told_interval: Span::seconds(100), ..service("a") };
    assert_changes_after(200_000, Pulse::Alive, Pulse::Late, |now| pulse(&component, &[], now));
    assert_changes_after(300_000, Pulse::Late, Pulse::Stale, |now| pulse(&component, &[], now));
}

#[test]
fn a_service_is_not_stale_before_twice_its_own_interval() {
    let component = Component { told_interval: Span::seconds(200), ..service("a") };
    assert_changes_after(400_000, Pulse::Alive, Pulse::Stale, |now| pulse(&component, &[], now));
}

#[test]
fn a_web_component_is_not_stale_before_twice_its_own_interval() {
    let settings = Settings { web_window_s: 60, ..Settings::default() };
    let component = Component { told_interval: Span::seconds(100), ..web("a") };
    assert_changes_after(200_000, Pulse::Alive, Pulse::Stale, |now| {
        pulse_under(settings, &component, &[], now)
    });
}

#[test]
fn a_service_is_late_by_the_current_interval_if_that_is_longer_than_its_own() {
    let settings = Settings { heartbeat_interval_s: 100, ..Settings::default() };
    assert_changes_after(200_000, Pulse::Alive, Pulse::Late, |now| {
        pulse_under(settings, &service("a"), &[], now)
    });
}

#[test]
fn a_component_that_stopped_cleanly_stays_stopped_however_long_it_is_silent() {
    for component in [service("a"), web("a")] {
        let stopped = Component { stopped: true, ..component };
        for now in [NOON, s(61), s(301), s(86_401)] {
            assert_eq!(pulse(&stopped, &[], now), Pulse::Stopped);
            let is_missed = now > s(300);
            let wanted = if is_missed { Health::Warning } else { Health::Ok };
            assert_eq!(health(&stopped, now), wanted, "a rolling restart stays green");
        }
    }
}

#[test]
fn every_pulse_has_its_health() {
    assert_eq!(health(&service("a"), s(60)), Health::Ok);
    assert_eq!(health(&service("a"), s(61)), Health::Warning);
    assert_eq!(health(&service("a"), s(301)), Health::Error);
    assert_eq!(health(&web("a"), s(86_400)), Health::Ok);
    assert_eq!(health(&web("a"), s(86_401)), Health::Warning);
    assert_eq!(Pulse::Unknown.health(Role::Web), Health::Unknown);
    assert_eq!(Pulse::Unknown.health(Role::Service), Health::Unknown);
}

#[test]
fn a_timestamp_in_the_future_counts_as_now() {
    let ahead = Component { last_heartbeat: s(10_000), ..service("a") };
    assert_eq!(pulse(&ahead, &[], NOON), Pulse::Alive);
    assert_eq!(silence(s(10_000), NOON, &[]), Span::ZERO);
    assert_eq!(silence(s(10_000), NOON, &[period(-50, 20_000)]), Span::ZERO);
}

#[test]
fn silence_is_the_time_without_the_blind_periods() {
    let blind_periods = [period(10, 30), period(50, 60)];
    assert_eq!(silence(NOON, s(100), &blind_periods), Span::seconds(70));
    assert_eq!(
        silence(s(20), s(100), &blind_periods),
        Span::seconds(60),
        "it began within a period"
    );
    assert_eq!(silence(NOON, s(55), &blind_periods), Span::seconds(30), "the period still lasts");
    assert_eq!(
        silence(s(70), s(100), &blind_periods),
        Span::seconds(30),
        "blind periods before do not count"
    );
    assert_eq!(
        silence(NOON, s(5), &blind_periods),
        Span::seconds(5),
        "blind periods to come do not count"
    );
}

#[test]
fn a_blind_period_postpones_staleness_by_its_length() {
    let blind_periods = [period(100, 200)];
    assert_changes_after(400_000, Pulse::Late, Pulse::Stale, |now| {
        pulse(&service("a"), &blind_periods, now)
    });
    assert_changes_after(86_500_000, Pulse::Alive, Pulse::Stale, |now| {
        pulse(&web("a"), &blind_periods, now)
    });
}

#[test]
fn a_blind_period_that_begins_exactly_when_the_pulse_changes_does_not_postpone_it() {
    let limit = Span::seconds(60);
    let from = |start| BlindPeriod { start, end: s(600), clock_set: false };
    assert_eq!(exceeds_at(NOON, limit, &[from(ms(60_001))]), ms(60_001));
    assert_eq!(exceeds_at(NOON, limit, &[from(ms(60_000))]), ms(600_001));
}

#[test]
fn a_stale_component_stays_stale_through_a_blind_period() {
    let blind_periods = [period(301, 10_000)];
    for now in [s(301), s(5_000), s(10_000), s(10_001), s(10_061)] {
        assert_eq!(pulse(&service("a"), &blind_periods, now), Pulse::Stale, "at {now}");
    }
}

#[test]
fn no_component_becomes_late_within_twice_the_interval_after_a_blind_period() {
    let blind_periods = [period(30, 600)];
    for now in [s(599), s(600), s(601), s(635)] {
        assert_eq!(pulse(&service("a"), &blind_periods, now), Pulse::Alive, "at {now}");
    }
    assert_changes_after(660_000, Pulse::Alive, Pulse::Late, |now| {
        pulse(&service("a"), &blind_periods, now)
    });
}

#[test]
fn a_component_that_was_late_before_a_blind_period_stays_late() {
    let blind_periods = [BlindPeriod { start: ms(60_001), end: s(600), clock_set: false }];
    for now in [ms(60_001), s(300), s(600), s(601), s(660), s(661)] {
        assert_eq!(pulse(&service("a"), &blind_periods, now), Pulse::Late, "at {now}");
    }
}

#[test]
fn a_component_that_was_just_on_time_when_a_blind_period_began_gets_twice_the_interval_after_it() {
    let blind_periods = [BlindPeriod { start: ms(60_000), end: s(600), clock_set: false }];
    assert_changes_after(660_000, Pulse::Alive, Pulse::Late, |now| {
        pulse(&service("a"), &blind_periods, now)
    });
}

#[test]
fn after_two_blind_periods_lateness_counts_from_the_end_of_the_second() {
    let blind_periods = [period(50, 100), period(150, 200)];
    for now in [s(100), s(149), s(150), s(200)] {
        assert_eq!(pulse(&service("a"), &blind_periods, now), Pulse::Alive, "at {now}");
    }
    assert_changes_after(260_000, Pulse::Alive, Pulse::Late, |now| {
        pulse(&service("a"), &blind_periods, now)
    });
}

#[test]
fn a_component_that_was_late_before_the_first_of_two_blind_periods_stays_late() {
    let blind_periods = [period(61, 100), period(110, 150)];
    for now in [s(61), s(100), s(110), s(155), s(211)] {
        assert_eq!(pulse(&service("a"), &blind_periods, now), Pulse::Late, "at {now}");
    }
}

#[test]
fn a_component_that_became_late_between_two_blind_periods_stays_late() {
    let blind_periods =
        [period(10, 20), BlindPeriod { start: ms(80_001), end: s(200), clock_set: false }];
    assert_changes_after(80_000, Pulse::Alive, Pulse::Late, |now| {
        pulse(&service("a"), &blind_periods, now)
    });
    assert_eq!(pulse(&service("a"), &blind_periods, s(201)), Pulse::Late);
}

#[test]
fn a_blind_period_before_the_last_heartbeat_has_no_effect() {
    let component = Component { last_heartbeat: s(100), ..service("a") };
    let blind_periods = [period(50, 100)];
    assert_changes_after(160_000, Pulse::Alive, Pulse::Late, |now| {
        pulse(&component, &blind_periods, now)
    });
}

#[test]
fn while_the_observer_is_blind_every_pulse_and_health_is_unknown() {
    let stopped = Component { stopped: true, ..service("c") };
    let silent = Component { last_heartbeat: s(-400), ..service("b") };
    let mut blind = snapshot([web("a"), service("a"), silent, stopped]);
    blind.blind_since = Some(s(10));
    let overview = blind.overview(s(20));
    assert_eq!(overview.health, Health::Unknown);
    assert_eq!(overview.blind_since, Some(s(10)));
    assert!(overview.servers.iter().all(|server| server.health == Health::Unknown));
    for status in overview.components() {
        assert_eq!((status.pulse, status.health), (Pulse::Unknown, Health::Unknown));
    }
    assert_eq!(overview.counts.unknown, 4);
    assert_eq!(overview.counts.alive + overview.counts.stale + overview.counts.stopped, 0);
    assert_eq!(overview, blind.overview(s(100_000)), "the unknown state does not change");
}

#[test]
fn an_empty_cluster_is_unknown_too_while_the_observer_is_blind() {
    let blind = Snapshot { blind_since: Some(NOON), ..snapshot([]) };
    assert_eq!(blind.overview(s(1)).health, Health::Unknown);
    assert_eq!(snapshot([]).overview(s(1)).health, Health::Ok);
}

/// Checks that as-of changes at exactly these turns.
fn assert_turns(snapshot: &Snapshot, from: Timestamp, turns: &[Timestamp]) {
    let mut now = from;
    let mut as_of = snapshot.as_of(now);
    for turn in turns {
        assert_eq!(snapshot.next_turn(now), Some(*turn), "after {now}");
        assert_eq!(snapshot.as_of(*turn - Span::TICK), as_of, "just before {turn}");
        assert_eq!(snapshot.as_of(*turn), *turn);
        assert_eq!(snapshot.overview(*turn).as_of, *turn);
        now = *turn;
        as_of = *turn;
    }
    assert_eq!(snapshot.next_turn(now), None, "after {now}");
    assert_eq!(snapshot.as_of(now + Span::minutes(1_000_000)), as_of);
}

#[test]
fn as_of_moves_exactly_when_a_pulse_turns() {
    assert_turns(&snapshot([service("a")]), NOON, &[ms(60_001), ms(300_001)]);
    assert_turns(&snapshot([web("a")]), NOON, &[ms(86_400_001)]);
}

#[test]
fn as_of_moves_when_the_extra_time_after_a_blind_period_ends() {
    let mut after_blindness = snapshot([service("a")]);
    after_blindness.blind_periods = vec![period(60, 600)];
    let late = ms(660_001);
    assert_eq!(after_blindness.as_of(late), late);
    assert_ne!(
        after_blindness.overview(late).servers,
        after_blindness.overview(late - Span::TICK).servers,
        "the verdict changes there"
    );
    assert_eq!(after_blindness.next_turn(late), Some(ms(840_001)));
}

#[test]
fn as_of_moves_when_a_stopped_component_gets_its_hint() {
    let stopped = snapshot([Component { stopped: true, ..web("a") }]);
    assert_turns(&stopped, NOON, &[ms(300_001)]);
    assert!(hints(&stopped, ms(300_000)).is_empty());
    assert!(!hints(&stopped, ms(300_001)).is_empty());
}

#[test]
fn as_of_moves_when_a_return_after_a_removal_is_an_hour_old() {
    let back = arrive(Some(&removed(&service("web-1"))), &of_boot(1, 2), s(9));
    let heard = Component { last_heartbeat: s(3_590), ..back.unwrap() };
    let back = snapshot([heard]);
    let end = s(9) + Span::minutes(60) + Span::TICK;
    assert_eq!(back.next_turn(s(3_600)), Some(end));
    assert_eq!(back.as_of(end), end);
    assert_ne!(hints(&back, end - Span::TICK), hints(&back, end));
}

#[test]
fn as_of_moves_when_a_duplicate_name_is_unique_again() {
    let mut component = service("web-1");
    for (second, number) in [(1, 2), (2, 1), (3, 2), (4, 1)] {
        let beat = of_boot(number, second + 1);
        component = arrive(Some(&present(&component)), &beat, s(second)).unwrap();
    }
    let end = s(4) + Span::minutes(10) + Span::TICK;
    let heard = Component { last_heartbeat: s(590), ..component };
    let doubled = snapshot([heard]);
    assert_eq!(doubled.next_turn(s(590)), Some(end));
    assert_ne!(hints(&doubled, end - Span::TICK), hints(&doubled, end));
}

#[test]
fn as_of_is_never_before_the_last_change_of_a_fact() {
    let changed = Snapshot { changed_at: s(70), ..snapshot([service("a")]) };
    assert_eq!(changed.as_of(s(70)), s(70));
    assert_eq!(changed.as_of(ms(300_001)), ms(300_001));
}

#[test]
fn while_blind_as_of_is_the_beginning_of_blindness_and_nothing_changes() {
    let blind = Snapshot { blind_since: Some(s(10)), ..snapshot([service("a")]) };
    assert_eq!(blind.as_of(s(1_000)), s(10));
    assert_eq!(blind.overview(s(1_000)).as_of, s(10));
    assert_eq!(blind.next_turn(s(10)), None);
}

#[test]
fn a_change_of_settings_lists_the_components_that_would_be_stale_immediately() {
    let today = snapshot([
        service("fresh"),
        Component { last_heartbeat: s(-150), ..service("tardy") },
        Component { last_heartbeat: s(-400), ..service("lost") },
        Component { last_heartbeat: s(-500), stopped: true, ..service("stopped") },
        Component { last_heartbeat: s(-7_200), ..web("tardy") },
    ]);
    let key = |server: &str, role| cluster_overview_app::cluster::ComponentKey {
        server: common::name(server),
        role,
    };
    let now = Settings::default();
    assert!(today.degraded_by(&now, NOON).is_empty(), "the same settings change nothing");
    assert_eq!(
        today.degraded_by(&Settings { stale_timeout_s: 120, ..now }, NOON),
        [(key("tardy", Role::Service), Pulse::Stale)]
    );
    assert_eq!(
        today.degraded_by(&Settings { web_window_s: 3_600, ..now }, NOON),
        [(key("tardy", Role::Web), Pulse::Stale)]
    );
    assert!(today.degraded_by(&Settings { stale_timeout_s: 150, ..now }, NOON).is_empty());
    assert!(
        today.degraded_by(&Settings { stale_timeout_s: 3_600, ..now }, NOON).is_empty(),
        "improvements are not listed"
    );
}

#[test]
fn a_change_of_settings_still_uses_the_interval_that_a_component_has() {
    let component =
        Component { told_interval: Span::seconds(100), last_heartbeat: s(-150), ..service("a") };
    let tight = Settings { heartbeat_interval_s: 1, stale_timeout_s: 2, ..Settings::default() };
    assert!(snapshot([component]).degraded_by(&tight, NOON).is_empty());
}
