//! Which heartbeats count: replays, restarts, duplicate names, removals, rows of one's own.

#![allow(clippy::unwrap_used, reason = "what counts is there, or the test fails")]

mod common;

use std::sync::Arc;

use cluster_overview_app::cluster::Source;
use cluster_overview_app::cluster::boot::DUPLICATE_WINDOW;
use cluster_overview_app::cluster::receive::receive;
use cluster_overview_app::cluster::{
    BootMatch, Boots, Component, Heartbeat, HintId, Messenger, MessengerFailure, Role, Settings,
    Skew, Span, Timestamp,
};
use common::{
    NOON, arrival, arrive, boot, heartbeat, known, ms, of_boot, present, removed, reporting, s,
    service, snapshot,
};

fn take(component: &Component, beat: &Heartbeat, stamp: Timestamp) -> Option<Component> {
    arrive(Some(&present(component)), beat, stamp)
}

fn bring_back(gone: &Component, beat: &Heartbeat, stamp: Timestamp) -> Option<Component> {
    arrive(Some(&removed(gone)), beat, stamp)
}

/// A component whose current boot is the second and whose former is the first, both at sequence 5.
fn restarted() -> Component {
    let first = known(&of_boot(1, 5));
    take(&first, &of_boot(2, 5), s(1)).unwrap()
}

/// `web-1` after one return at each of these moments; its two boots take turns.
fn returns(moments: &[Timestamp]) -> Component {
    let mut component = restarted();
    for (turn, moment) in (0_i64..).zip(moments) {
        let number = if turn % 2 == 0 { 1 } else { 2 };
        component = take(&component, &of_boot(number, 6 + turn), *moment).unwrap();
    }
    component
}

fn is_duplicate(component: &Component, now: Timestamp) -> bool {
    let heard = Component { last_heartbeat: now, ..component.clone() };
    common::ids(&snapshot([heard]), now).contains(&HintId::DuplicateName)
}

#[test]
fn a_heartbeat_of_a_higher_sequence_counts() {
    let next = take(&known(&of_boot(1, 5)), &of_boot(1, 6), s(30)).unwrap();
    assert_eq!(next.last_heartbeat, s(30));
    assert_eq!(next.first_seen, NOON);
    assert_eq!(next.boots.current.sequence, 6);
    assert_eq!(next.boots.former, []);
}

#[test]
fn a_replayed_heartbeat_changes_nothing() {
    let component = known(&of_boot(1, 5));
    assert_eq!(component.boots.classify(&of_boot(1, 5).boot(), false), BootMatch::Unchanged);
    assert_eq!(take(&component, &of_boot(1, 5), s(30)), None);
}

#[test]
fn a_reordered_heartbeat_changes_nothing() {
    let component = known(&of_boot(1, 5));
    assert_eq!(take(&component, &of_boot(1, 4), s(30)), None);
}

#[test]
fn a_replayed_leaving_heartbeat_does_not_stop_a_component_again() {
    let leaving = Heartbeat { leaving: true, ..of_boot(1, 5) };
    assert_eq!(take(&known(&of_boot(1, 5)), &leaving, s(30)), None);
}

#[test]
fn a_new_leaving_heartbeat_stops_a_component_and_a_later_heartbeat_starts_it() {
    let leaving = Heartbeat { leaving: true, ..of_boot(1, 6) };
    let stopped = take(&known(&of_boot(1, 5)), &leaving, s(30)).unwrap();
    assert!(stopped.stopped);
    assert!(!take(&stopped, &of_boot(2, 1), s(40)).unwrap().stopped);
}

#[test]
fn a_new_boot_is_a_start_whatever_its_sequence() {
    let restarted = take(&known(&of_boot(1, 5)), &of_boot(2, 0), s(30)).unwrap();
    assert_eq!(restarted.boots.current.id, boot(2));
    assert_eq!(
        restarted.boots.former.first().map(|former| (former.id.clone(), former.sequence)),
        Some((boot(1), 5))
    );
    assert!(restarted.boots.returns.is_empty());
}

#[test]
fn a_replay_from_the_former_boot_changes_nothing() {
    assert_eq!(take(&restarted(), &of_boot(1, 5), s(30)), None);
    assert_eq!(take(&restarted(), &of_boot(1, 4), s(30)), None);
}

#[test]
fn a_late_leaving_heartbeat_of_the_former_boot_changes_nothing() {
    let leaving = Heartbeat { leaving: true, ..of_boot(1, 6) };
    assert_eq!(take(&restarted(), &leaving, s(30)), None);
}

#[test]
fn a_higher_heartbeat_of_the_former_boot_makes_it_current_again() {
    let back = take(&restarted(), &of_boot(1, 6), s(30)).unwrap();
    assert_eq!(back.boots.current.id, boot(1));
    assert_eq!(back.boots.former.first().map(|former| former.sequence), Some(5));
    assert_eq!(back.boots.returns, [s(30)]);
    assert_eq!(take(&back, &of_boot(2, 5), s(31)), None, "its highest sequence is remembered");
}

#[test]
fn seven_former_boots_are_known_and_the_one_before_is_forgotten() {
    let eighth = (3..=8).fold(restarted(), |known, number| {
        take(&known, &of_boot(number, 1), s(10 * i64::from(number))).unwrap()
    });
    assert_eq!(eighth.boots.current.id, boot(8));
    assert_eq!(eighth.boots.former.first().map(|former| former.id.clone()), Some(boot(7)));
    assert!(eighth.boots.returns.is_empty());
    let of_first = |boots: &Boots| boots.classify(&of_boot(1, 6).boot(), false);
    assert_eq!(of_first(&eighth.boots), BootMatch::Returned);
    let ninth = take(&eighth, &of_boot(9, 1), s(90)).unwrap();
    assert_eq!(of_first(&ninth.boots), BootMatch::Started);
}

#[test]
fn two_returns_are_not_a_duplicate_name_and_three_are() {
    assert!(!is_duplicate(&returns(&[s(10), s(20)]), s(20)));
    assert!(is_duplicate(&returns(&[s(10), s(20), s(30)]), s(30)));
}

#[test]
fn three_returns_are_a_duplicate_name_only_within_ten_minutes() {
    let last = s(10) + DUPLICATE_WINDOW;
    assert!(is_duplicate(&returns(&[s(10), s(20), last]), last));
    assert!(!is_duplicate(&returns(&[s(10), s(20), last + Span::TICK]), last + Span::TICK));
    assert_eq!(DUPLICATE_WINDOW, Span::minutes(10));
}

#[test]
fn a_duplicate_name_is_gone_ten_minutes_after_the_last_return() {
    let twice = returns(&[s(10), s(20), s(30)]);
    assert!(is_duplicate(&twice, s(630)));
    assert!(!is_duplicate(&twice, s(630) + Span::TICK));
    assert_eq!(twice.boots.duplicate_until(), Some(s(630) + Span::TICK));
    assert_eq!(returns(&[s(10), s(20)]).boots.duplicate_until(), None);
}

#[test]
fn a_duplicate_name_lasts_while_returns_come_within_ten_minutes_of_each_other() {
    let latched = returns(&[s(10), s(20), s(30), s(30 + 590), s(30 + 2 * 590)]);
    assert!(is_duplicate(&latched, s(30 + 2 * 590)));
    let apart = returns(&[s(10), s(20), s(30), s(30 + 590), s(30 + 590 + 601)]);
    assert!(!is_duplicate(&apart, s(30 + 590 + 601)), "one gap was longer than ten minutes");
}

#[test]
fn an_ordinary_heartbeat_does_not_end_a_duplicate_name() {
    let twice = returns(&[s(10), s(20), s(30)]);
    let on = take(&twice, &of_boot(1, 100), s(40)).unwrap();
    assert!(is_duplicate(&on, s(40)));
}

#[test]
fn a_removed_component_does_not_come_back_with_an_older_or_equal_heartbeat() {
    let gone = restarted();
    for late in [of_boot(2, 5), of_boot(2, 4), of_boot(1, 5), of_boot(1, 4)] {
        assert_eq!(bring_back(&gone, &late, s(60)), None, "{late:?}");
    }
}

#[test]
fn a_removed_component_that_beats_on_comes_back_and_it_is_said() {
    let back = bring_back(&restarted(), &of_boot(2, 6), s(60)).unwrap();
    assert_eq!(back.came_back, Some(s(60)));
    assert_eq!(back.first_seen, s(60), "first again after a removal");
    assert_eq!(back.boots.current.sequence, 6);
    assert!(common::ids(&snapshot([back.clone()]), s(60)).contains(&HintId::CameBack));
    let on = take(&back, &of_boot(2, 7), s(90)).unwrap();
    assert_eq!(on.came_back, Some(s(60)), "the next heartbeat does not silence it");
}

#[test]
fn a_removed_component_that_was_restarted_comes_without_a_word() {
    let new = bring_back(&restarted(), &of_boot(3, 1), s(60)).unwrap();
    assert_eq!(new.came_back, None);
    assert_eq!(new.boots.former, []);
    assert_eq!(new.first_seen, s(60));
    let back = bring_back(&restarted(), &of_boot(2, 6), s(60)).unwrap();
    let restarted = take(&back, &of_boot(3, 1), s(90)).unwrap();
    assert_eq!(restarted.came_back, None, "a restart after the return ends it");
}

#[test]
fn a_leaving_heartbeat_does_not_bring_a_removed_component_back() {
    let leaving = |number| Heartbeat { leaving: true, ..of_boot(number, 6) };
    assert_eq!(bring_back(&restarted(), &leaving(2), s(60)), None);
    assert_eq!(bring_back(&restarted(), &leaving(1), s(60)), None);
}

#[test]
fn a_row_of_the_overviews_own_steps_aside_for_a_node() {
    for source in [Source::Own, Source::Observer] {
        let own = known(&reporting(of_boot(1, 50), |facts| facts.source = source));
        let node = take(&own, &of_boot(2, 1), s(30)).unwrap();
        assert_eq!(node.facts.source, Source::Node);
        assert_eq!(node.boots.former, [], "its boots are no part of the node's");
        assert_eq!(node.first_seen, s(30));
    }
}

#[test]
fn a_row_of_the_overviews_own_never_displaces_a_node() {
    for source in [Source::Own, Source::Observer] {
        let own = reporting(of_boot(2, 99), |facts| facts.source = source);
        assert_eq!(take(&known(&of_boot(1, 1)), &own, s(30)), None);
    }
}

#[test]
fn a_row_of_the_overviews_own_goes_on_like_any_other() {
    let own = |sequence| reporting(of_boot(1, sequence), |facts| facts.source = Source::Own);
    let on = take(&known(&own(1)), &own(2), s(30)).unwrap();
    assert_eq!((on.first_seen, on.last_heartbeat), (NOON, s(30)));
    assert_eq!(take(&on, &own(2), s(60)), None);
}

#[test]
fn a_server_is_shown_as_first_reported_and_is_one_in_any_case() {
    let shout = Heartbeat { server: common::name("WEB-1"), ..of_boot(1, 2) };
    let next = take(&known(&of_boot(1, 1)), &shout, s(30)).unwrap();
    assert_eq!(next.server.as_str(), "web-1");
    assert_eq!(shout.key(), of_boot(1, 1).key());
}

#[test]
fn the_two_last_clock_skews_are_kept() {
    let sent = |sequence, ahead: Option<i64>| Heartbeat {
        sent_at: ahead.map(|ahead| s(sequence) + Span(ahead)),
        ..of_boot(1, sequence)
    };
    let first = known(&Heartbeat { sent_at: Some(ms(700)), ..of_boot(1, 0) });
    assert_eq!(first.skew, Some(Skew { last: Span(700), before: None }));
    let second = take(&first, &sent(1, Some(-800)), s(1)).unwrap();
    assert_eq!(second.skew, Some(Skew { last: Span(-800), before: Some(Span(700)) }));
    let silent = take(&second, &sent(2, None), s(2)).unwrap();
    assert_eq!(silent.skew, None);
    let third = take(&silent, &sent(3, Some(900)), s(3)).unwrap();
    assert_eq!(third.skew, Some(Skew { last: Span(900), before: None }), "not two in a row");
}

#[test]
fn a_skew_is_steady_only_as_far_as_two_heartbeats_agree() {
    let steady =
        |last, before: Option<i64>| Skew { last: Span(last), before: before.map(Span) }.steady();
    assert_eq!(steady(5_000, None), Span::ZERO);
    assert_eq!(steady(5_000, Some(3_000)), Span(3_000));
    assert_eq!(steady(3_000, Some(5_000)), Span(3_000));
    assert_eq!(steady(-3_000, Some(-5_000)), Span(-3_000));
    assert_eq!(steady(5_000, Some(-5_000)), Span::ZERO);
}

#[test]
fn the_messengers_state_survives_a_heartbeat_while_a_messenger_listens() {
    let seen = vec![Arc::new(Messenger {
        failure: Some(MessengerFailure::Refused),
        since: NOON,
        port: 33_237,
        seen_by: "web-2".into(),
    })];
    let listening =
        |sequence, port| reporting(of_boot(1, sequence), |facts| facts.messenger_port = port);
    let dialled = Component { messengers: seen.clone(), ..known(&listening(1, Some(33_237))) };
    let on = take(&dialled, &listening(2, Some(33_237)), s(1)).unwrap();
    assert_eq!(on.messengers, seen);
    assert_eq!(take(&dialled, &listening(2, None), s(1)).unwrap().messengers, []);
}

#[test]
fn a_heartbeat_brings_every_fact_up_to_date() {
    let beat = reporting(Heartbeat { sequence: 2, ..heartbeat("web-1", Role::Service) }, |facts| {
        facts.version = "2026.3".into();
        facts.product = Some("ProGet".into());
        facts.ip = common::address(9);
        facts.key_check = Some(common::key(3));
    });
    let settings = Settings { heartbeat_interval_s: 7, ..Settings::default() };
    let next =
        receive(Some(&present(&service("web-1"))), &beat, &arrival(s(5), &settings)).unwrap();
    assert_eq!(next.facts.version, "2026.3");
    assert_eq!(next.facts.product.as_deref(), Some("ProGet"));
    assert_eq!(
        (next.facts.ip.clone(), next.boots.current.ip),
        (common::address(9), common::address(9))
    );
    assert_eq!(next.facts.key_check, Some(common::key(3)));
    assert_eq!(next.told_interval, Span::seconds(7));
}
