//! What do events, availability and rehearsals say of a small past?

#![allow(clippy::unwrap_used, reason = "what counts is there, or the test fails")]

mod common;

use cluster_overview_app::cluster::history::{
    Availability, ClusterAim, Event, EventId, Happening, Interval, PulseCause,
};
use cluster_overview_app::cluster::{BlindPeriod, Pulse, Span, Timestamp};
use cluster_overview_app::i18n::Catalog;
use common::past::{Cluster, Kind, Step, What};
use common::{NOON, name, s};

const SERVICE: usize = 0;
const WEB_OF_ANOTHER: usize = 3;

fn until(seconds: i64) -> Interval {
    Interval { from: NOON, until: s(seconds) }
}

/// Steps at these seconds after noon.
fn cluster(steps: &[(i64, What)]) -> Cluster {
    let mut cluster = Cluster::new();
    for (at, what) in steps {
        let after = (s(*at) - cluster.now).0;
        cluster.take(Step { after, what: *what });
    }
    cluster.finish()
}

fn heard(component: usize) -> What {
    What::Heartbeat { component, kind: Kind::Continued }
}

/// A service that is silent from 60 s to 660 s after noon, and speaks for 300 s then.
fn silent_for_ten_minutes() -> Cluster {
    let mut steps = vec![(0, heard(SERVICE)), (30, heard(SERVICE)), (60, heard(SERVICE))];
    steps.extend((660..=960).step_by(30).map(|at| (at, heard(SERVICE))));
    cluster(&steps)
}

fn pulses(events: &[Event]) -> Vec<(Timestamp, Pulse, Option<Span>)> {
    let pulse = |event: &Event| {
        let Happening::Pulse { to, lasted, .. } = event.what else { return None };
        Some((event.at, to, lasted))
    };
    let mut found: Vec<_> = events.iter().filter_map(pulse).collect();
    found.reverse();
    found
}

#[test]
fn a_silence_is_told_when_it_became_late_and_stale_and_how_long_each_lasted() {
    let events = silent_for_ten_minutes().history.events(until(1_000));
    assert_eq!(
        pulses(&events),
        [
            (s(120) + Span::TICK, Pulse::Late, None),
            (s(360) + Span::TICK, Pulse::Stale, Some(Span::seconds(240))),
            (s(660), Pulse::Alive, Some(Span(300_000 - 1))),
        ]
    );
    let said = events.iter().map(|event| Catalog::english().event(event));
    assert!(said.into_iter().any(|said| said == "Stale: silent since 12:01:00Z, limit 5 min"));
}

#[test]
fn a_silence_that_became_stale_is_down_from_its_last_heartbeat_on() {
    let cluster = silent_for_ten_minutes();
    let observed = cluster.history.observations(until(1_000), s(1_000));
    let (_, _, service) = &observed.components[0];
    let availability = Availability::of(service, observed.span);
    let down = Span::seconds(600);
    assert_eq!(
        availability,
        Availability { up: Span::seconds(400), down, ..Availability::default() }
    );
    assert_eq!(availability.hundredths(), Some(4_000));
    let of_cluster = observed.of_cluster(ClusterAim::AnyService);
    assert_eq!(Availability::of(&of_cluster, observed.span), availability);
    let no_web = Availability::of(&observed.of_cluster(ClusterAim::AnyWeb), observed.span);
    assert_eq!(no_web.hundredths(), None);
}

#[test]
fn a_percentage_is_cut_and_100_means_that_nothing_was_down() {
    let of = |up, down, blind| {
        let (up, down, blind) = (Span(up), Span(down), Span(blind));
        Availability { up, down, blind, unknown: Span::ZERO }.hundredths()
    };
    assert_eq!(of(1_000_000_000, 1, 0), Some(9_999));
    assert_eq!(of(1_000_000_000, 0, 5), Some(10_000));
    assert_eq!(of(2, 1, 0), Some(6_666));
    assert_eq!(of(1, 0, 98), Some(10_000));
    assert_eq!(of(1, 0, 100), None, "less than a hundredth was observed");
}

#[test]
fn a_time_in_which_nobody_observed_is_neither_up_nor_down_and_ends_no_pulse() {
    let mut steps = vec![(0, heard(SERVICE)), (10, heard(SERVICE)), (310, What::Blind)];
    steps.extend((320..=620).step_by(30).map(|at| (at, heard(SERVICE))));
    let cluster = cluster(&steps);
    let events = cluster.history.events(until(620));
    assert_eq!(pulses(&events), []);
    assert!(
        events.iter().any(|event| event.what == Happening::Blind { lasted: Span::seconds(300) })
    );
    let observed = cluster.history.observations(until(620), s(620));
    let availability = Availability::of(&observed.components[0].2, observed.span);
    assert_eq!(
        (availability.down, availability.blind),
        (Span::ZERO, Span::seconds(300) - Span::TICK)
    );
    assert_eq!(availability.hundredths(), Some(10_000));
}

#[test]
fn a_goodbye_a_start_an_upgrade_and_a_removal_are_events_with_their_cause() {
    let kind = |kind| What::Heartbeat { component: SERVICE, kind };
    let cluster = cluster(&[
        (0, heard(SERVICE)),
        (30, kind(Kind::Leaving)),
        (90, kind(Kind::Upgraded)),
        (200, What::Removal { component: SERVICE }),
    ]);
    let mut events = cluster.history.events(until(1_000));
    events.reverse();
    let kinds: Vec<_> = events.iter().map(|event| (event.at, event.kind().as_str())).collect();
    assert_eq!(
        kinds,
        [
            (s(0), "first_seen"),
            (s(30), "pulse"),
            (s(90), "pulse"),
            (s(90), "start"),
            (s(90), "version"),
            (s(150) + Span::TICK, "pulse"),
            (s(200), "removed"),
        ]
        .map(|(at, kind)| (at, kind))
    );
    let cause = |at: usize| {
        let Happening::Pulse { why, to, .. } = events[at].what else { return None };
        Some((why, to))
    };
    assert_eq!(cause(1), Some((PulseCause::Goodbye, Pulse::Stopped)));
    assert_eq!(cause(2), Some((PulseCause::Start, Pulse::Alive)));
}

#[test]
fn a_clock_that_was_set_is_an_event_with_its_direction() {
    let mut history = cluster(&[(0, heard(SERVICE)), (30, heard(SERVICE))]).history;
    history.clock_steps.push((s(10), Span::seconds(-3_600)));
    let forward = BlindPeriod { start: s(20), end: s(25), clock_set: true };
    history.blind_periods.push(forward);
    let clock = |event: &Event| {
        let Happening::Clock { by } = event.what else { return None };
        Some((event.at, by, Catalog::english().event(event)))
    };
    let found: Vec<_> = history.events(until(30)).iter().filter_map(clock).collect();
    let said = [
        (s(20), Span::seconds(5), "The clock was set forward by 5 s".to_owned()),
        (s(10), Span::seconds(-3_600), "The clock was set back by 1 h".to_owned()),
    ];
    assert_eq!(found, said);
}

#[test]
fn a_changed_timeout_turns_a_pulse_and_is_its_cause() {
    let cluster = cluster(&[
        (0, heard(SERVICE)),
        (150, What::Settings { interval_s: 30, more_s: 60 }),
        (200, heard(SERVICE)),
    ]);
    let events = cluster.history.events(until(200));
    let stale = events.iter().find_map(|event| {
        let Happening::Pulse { to: Pulse::Stale, why, .. } = event.what else { return None };
        Some((event.at, why))
    });
    assert_eq!(stale, Some((s(150), PulseCause::Settings)));
}

#[test]
fn a_timeout_is_rehearsed_on_the_silences_that_there_were() {
    let history = silent_for_ten_minutes().history;
    let times = |stale_timeout_s| {
        let timeouts = history.settings_at(s(0)).into();
        let counts = history.rehearse(
            cluster_overview_app::cluster::history::Timeouts { stale_timeout_s, ..timeouts },
            until(1_000),
        );
        counts.get(&name("app-1")).copied().unwrap_or_default()
    };
    assert_eq!([times(300), times(599), times(600), times(60)], [1, 1, 0, 1]);
}

#[test]
fn a_web_window_is_rehearsed_down_to_the_silences_that_are_recorded() {
    let history = cluster(&[(0, heard(WEB_OF_ANOTHER))]).history;
    assert_eq!(history.min_web_window(until(1_000)), Span::minutes(60));
}

#[test]
fn the_id_of_an_event_is_found_again_from_its_text() {
    for event in silent_for_ten_minutes().history.events(until(1_000)) {
        assert_eq!(EventId::parse(&event.id().to_string()), Some(event.id()));
        assert_eq!(event.id().at(), event.at);
    }
    assert_eq!(EventId::parse("soon"), None);
}

#[test]
fn a_span_that_ends_in_a_silence_knows_what_became_of_it() {
    let cluster = silent_for_ten_minutes();
    let down = |until: i64, now: i64| {
        let span = Interval { from: NOON, until: s(until) };
        let observed = cluster.history.observations(span, s(now));
        Availability::of(&observed.components[0].2, span).down
    };
    assert_eq!(down(120, 1_000), Span::seconds(60), "it became stale, which was known later");
    assert_eq!(down(120, 300), Span::ZERO, "at that time it was late, and could still report");
}

#[test]
fn a_web_component_without_requests_leaves_its_server_up_but_a_stopped_one_does_not() {
    const WEB: usize = 2;
    let down = |last: Kind| {
        let mut steps = vec![(0, heard(SERVICE)), (0, heard(WEB))];
        steps.push((10, What::Settings { interval_s: 30, more_s: 0 }));
        steps.push((20, What::Heartbeat { component: WEB, kind: last }));
        steps.extend((30..=600).step_by(30).map(|at| (at, heard(SERVICE))));
        let observed = cluster(&steps).history.observations(until(600), s(600));
        let down = |observations: &_| Availability::of(observations, observed.span).down;
        let of_server = down(&observed.by_server()[&name("app-1")]);
        assert_eq!(down(&observed.of_cluster(ClusterAim::All)), of_server);
        of_server
    };
    assert_eq!(down(Kind::Continued), Span::ZERO);
    assert_eq!(down(Kind::Leaving), Span::seconds(580));
}

#[test]
fn before_the_record_and_without_any_component_nothing_is_known() {
    let mut history = silent_for_ten_minutes().history;
    history.begins = s(30);
    let observed = history.observations(until(60), s(1_000));
    let availability = Availability::of(&observed.components[0].2, observed.span);
    assert_eq!((availability.up, availability.unknown), (Span::seconds(30), Span::seconds(30)));
    let nobody = Availability::of(&observed.of_cluster(ClusterAim::AnyWeb), observed.span);
    assert_eq!(nobody, Availability { unknown: Span::seconds(60), ..Availability::default() });
}

#[test]
fn what_turns_at_the_first_moment_of_a_span_belongs_to_it() {
    let kind = |kind| What::Heartbeat { component: SERVICE, kind };
    let cluster = cluster(&[(0, heard(SERVICE)), (30, kind(Kind::Leaving))]);
    let events = cluster.history.events(Interval { from: s(30), until: s(40) });
    assert_eq!(pulses(&events), [(s(30), Pulse::Stopped, None)]);
}

#[test]
fn a_component_whose_records_were_deleted_is_unknown_before_and_no_hint_is_about_it() {
    let mut cluster = silent_for_ten_minutes();
    let at = s(600);
    let hints = |cluster: &Cluster| {
        let snapshot = cluster.history.snapshot(at);
        let overview = snapshot.overview(at);
        let pulse = overview.servers[0].components[0].pulse;
        let hints = snapshot.hints(&overview).into_iter();
        let about_it = hints.filter(|hint| hint.server.is_some()).count();
        (pulse, overview.counts.unknown, about_it)
    };
    assert_eq!(hints(&cluster), (Pulse::Stale, 0, 1));
    let history = cluster.history.components.values_mut().next().unwrap();
    history.complete_since = Some(s(660));
    assert_eq!(hints(&cluster), (Pulse::Unknown, 1, 0));
    let snapshot = cluster.history.snapshot(at);
    let overview = snapshot.overview(at);
    let why = Catalog::english().why(&overview.servers[0].components[0], &snapshot, at);
    assert!(why.starts_with("Its records before"), "{why}");
}

#[test]
fn of_a_past_moment_a_web_component_proves_nothing_without_a_record_of_its_heartbeats() {
    let others = [0, 1];
    let mut steps: Vec<(i64, What)> = Vec::new();
    for at in (0..=60).step_by(30) {
        steps.extend(others.map(|component| (at, heard(component))));
        steps.push((at, heard(WEB_OF_ANOTHER)));
    }
    // It was heard once more, after both services had gone: but within a silence that is too short to be recorded.
    let hint = |heard_again: i64| {
        let mut steps = steps.clone();
        steps.push((heard_again, heard(WEB_OF_ANOTHER)));
        let snapshot = cluster(&steps).history.snapshot(s(600));
        let hints = snapshot.hints(&snapshot.overview(s(600))).into_iter();
        hints.map(|hint| hint.id.as_str()).find(|id| id.ends_with("-silent"))
    };
    assert_eq!(hint(700), Some("everyone-silent"));
    assert_eq!(hint(500), Some("many-silent"), "the silence that goes on says when it was heard");
}
