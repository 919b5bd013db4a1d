//! A consequence is replaced by its cause, and health follows the hints.

mod common;

use cluster_overview_app::cluster::{
    BlindPeriod, Component, Gap, Health, HintId, Interruptions, RejectionReason, Role, Settings,
    Severity, Snapshot, Span, Start, Timestamp,
};
use common::hints::{FAILOVER, crashed_at, dialled, heard, stopped, taking_turns, under};
use common::{address, hints, ids, ms, name, reject, s, service, snapshot, status, web};

fn with_gaps(component: Component, ends: &[i64]) -> Component {
    let gap = |end: &i64| Gap { start: s(end - 70), end: s(*end) };
    let interruptions = Interruptions { starts: Vec::new(), gaps: ends.iter().map(gap).collect() };
    Component { interruptions, ..component }
}

fn refuse(mut snapshot: Snapshot, why: RejectionReason, from: u8, at: Timestamp) -> Snapshot {
    assert!(reject(&mut snapshot, &name("web-1"), why, Some(address(from)), at));
    snapshot
}

#[test]
fn services_that_fell_silent_together_have_one_hint() {
    let silent = under(FAILOVER, snapshot([service("a"), service("b"), service("c")]));
    assert_eq!(ids(&silent, s(301)), [HintId::EveryoneSilent], "no failover-thin either");
    let witnessed = snapshot([service("a"), service("b"), service("c"), heard(web("d"), s(31))]);
    assert_eq!(ids(&under(FAILOVER, witnessed), s(301)), [HintId::ManySilent]);
}

#[test]
fn a_service_that_went_silent_long_before_the_others_keeps_its_own_hint() {
    let long_ago = heard(service("old"), s(-1_000));
    let silent = snapshot([long_ago, service("a"), service("b"), service("c")]);
    assert_eq!(ids(&silent, s(301)), [HintId::EveryoneSilent, HintId::ServiceStale]);
}

#[test]
fn a_duplicate_name_explains_restarts_and_silence() {
    let twin = taking_turns();
    let twin = Component {
        interruptions: crashed_at(service("x"), &[300, 400, 500]).interruptions,
        ..twin
    };
    assert_eq!(ids(&snapshot([twin.clone()]), s(590)), [HintId::DuplicateName]);
    let stale = heard(twin, s(0));
    assert_eq!(ids(&snapshot([stale]), s(590)), [HintId::DuplicateName]);
}

#[test]
fn rejected_heartbeats_explain_a_silence_if_they_come_from_its_address_or_were_accepted_before() {
    let known = snapshot([service("web-1")]);
    let own = refuse(known.clone(), RejectionReason::Token, 1, s(50));
    assert_eq!(ids(&own, s(60)), [], "it is not silent yet");
    assert_eq!(ids(&own, ms(60_001)), [HintId::HeartbeatsRefused]);
    assert_eq!(hints(&own, ms(60_001))[0].severity, Severity::Warning);
    assert_eq!(ids(&own, s(301)), [HintId::HeartbeatsRefused]);
    assert_eq!(hints(&own, s(301))[0].severity, Severity::Error);
    let stranger = refuse(known.clone(), RejectionReason::Token, 9, s(50));
    assert_eq!(ids(&stranger, s(301)), [HintId::ServiceStale]);
    let revoked = refuse(known, RejectionReason::Revoked, 9, s(50));
    assert_eq!(ids(&revoked, s(301)), [HintId::HeartbeatsRefused], "wherever it comes from");
    let stopped = refuse(snapshot([stopped(service("web-1"))]), RejectionReason::Token, 1, s(50));
    assert_eq!(ids(&stopped, s(301)), [HintId::ServiceStopped]);
}

#[test]
fn a_failing_probe_explains_a_silence_and_is_an_error_at_once() {
    let why = RejectionReason::Probe { role: Role::Service, reason: "503".to_owned() };
    let failing = refuse(snapshot([service("web-1"), web("web-1")]), why, 1, s(10));
    for now in [s(10), s(61), s(301)] {
        assert_eq!(ids(&failing, now), [HintId::ProbeFailing]);
        let overview = failing.overview(now);
        assert_eq!(overview.health, Health::Error);
        assert_eq!(status(&overview, "web-1", Role::Service).health, Health::Error);
        assert_eq!(status(&overview, "web-1", Role::Web).health, Health::Ok);
    }
}

#[test]
fn restarts_explain_silence_and_silence_explains_gaps_and_the_messenger() {
    let crashing = crashed_at(service("web-1"), &[-90, -60, -30]);
    assert_eq!(ids(&snapshot([crashing.clone()]), s(61)), [HintId::ServiceRestarting]);
    assert_eq!(ids(&snapshot([crashing]), s(301)), [HintId::ServiceRestarting]);
    let flapping = with_gaps(service("web-1"), &[-400, -300, -200, -100, 0]);
    assert_eq!(ids(&snapshot([flapping.clone()]), s(10)), [HintId::ServiceFlapping]);
    assert_eq!(ids(&snapshot([flapping.clone()]), s(61)), [HintId::ServiceLate]);
    assert_eq!(ids(&snapshot([flapping]), s(301)), [HintId::ServiceStale]);
    let unreachable =
        dialled(Role::Service, Some(cluster_overview_app::cluster::MessengerFailure::Refused));
    assert_eq!(ids(&unreachable, s(61)), [HintId::ServiceLate, HintId::MessengerUnreachable]);
    assert_eq!(ids(&unreachable, s(301)), [HintId::ServiceStale]);
}

#[test]
fn nothing_is_green_above_a_warning_and_an_info_changes_nothing() {
    let thin = under(FAILOVER, snapshot([service("a")])).overview(s(0));
    assert_eq!((thin.health, thin.servers[0].health), (Health::Warning, Health::Ok));
    let tight = Settings { stale_timeout_s: 60, ..Settings::default() };
    let tight = under(tight, snapshot([service("a")]));
    assert_eq!(ids(&tight, s(0)), [HintId::TimersTight]);
    assert_eq!(tight.overview(s(0)).health, Health::Ok);
    let five = [-150, -120, -90, -60, -30];
    let crashing = snapshot([crashed_at(service("a"), &five), service("b")]).overview(s(0));
    let healths: Vec<Health> = crashing.servers.iter().map(|server| server.health).collect();
    assert_eq!((crashing.health, healths), (Health::Error, vec![Health::Error, Health::Ok]));
}

#[test]
fn a_rolling_restart_raises_nothing() {
    // One start of each server, a minute apart, each after a clean stop.
    let servers = (0..4_i64).map(|number| {
        let start = Start {
            at: s(60 * number),
            ran: Span::seconds(86_400),
            silence: Span::seconds(20),
            stopped_cleanly: true,
            new_version: false,
        };
        let interruptions = Interruptions { starts: vec![start], gaps: Vec::new() };
        Component { interruptions, ..heard(service(&format!("s{number}")), s(200)) }
    });
    let rolled = snapshot(servers);
    assert_eq!(ids(&rolled, s(200)), []);
    assert_eq!(rolled.overview(s(200)).health, Health::Ok);
    // Stopped for as long as a restart takes: green as well.
    let restarting = snapshot([stopped(service("a")), service("b")]);
    assert_eq!(restarting.overview(s(60)).health, Health::Ok);
}

#[test]
fn a_scale_down_with_clean_stops_is_no_silence() {
    let stopped = (0..4).map(|number| stopped(service(&format!("pod-{number}"))));
    let scaled = snapshot(stopped.chain([heard(service("web-1"), s(290))]));
    let found = ids(&scaled, s(300));
    assert_eq!(found, []);
    assert!(!ids(&scaled, s(301)).contains(&HintId::ManySilent));
}

#[test]
fn a_blind_overview_says_only_that_it_is_blind() {
    let blind = Snapshot {
        blind_since: Some(s(300)),
        ..under(FAILOVER, snapshot([service("a"), service("b"), web("c")]))
    };
    assert_eq!(ids(&blind, s(400)), [HintId::OverviewBlind]);
    assert_eq!(blind.overview(s(400)).health, Health::Unknown);
}

#[test]
fn two_domains_with_equal_host_names_are_two_machines() {
    let at = |server: &str, number: u8, component: fn(&str) -> Component| {
        common::with_facts(component(server), |facts| facts.ip = address(number))
    };
    let two = snapshot([at("app.eu.example", 1, web), at("app.us.example", 2, service)]);
    assert_eq!(ids(&two, s(0)), [], "their addresses differ");
    let both_web = snapshot([at("app.eu.example", 1, web), at("app.us.example", 1, web)]);
    assert_eq!(ids(&both_web, s(0)), [], "they have a role in common");
    let one = snapshot([at("app.eu.example", 1, web), at("app.us.example", 1, service)]);
    assert_eq!(ids(&one, s(0)), [HintId::SameMachine]);
    let three = [at("app.a", 1, web), at("app.b", 1, service), at("app.c", 1, service)];
    assert_eq!(ids(&snapshot(three), s(0)), [], "three names at one address are a router's");
}

#[test]
fn a_clock_that_was_set_is_no_blindness() {
    let hour = |clock_set| BlindPeriod { start: s(-4_000), end: s(-400), clock_set };
    let period =
        |clock_set| Snapshot { blind_periods: vec![hour(clock_set)], ..snapshot([service("a")]) };
    assert_eq!(ids(&period(true), s(0)), []);
    assert_eq!(ids(&period(false), s(0)), [HintId::OverviewUnsteady]);
}
