//! What is a channel told, and when? Seconds pass one by one, as for the web server that tells.

#![allow(clippy::unwrap_used, reason = "a test without its incident fails")]

mod common;

use std::sync::Arc;

use cluster_overview_app::cluster::news::{ChannelRules, News, Told};
use cluster_overview_app::cluster::{
    Acknowledgement, Component, HintId, Incident, Role, Severity, Snapshot, Span, Timestamp,
};
use common::hints::heard;
use common::{name, period, s, service, snapshot};

/// A message: when, and of which servers what.
type Message = (i64, Vec<(String, News)>);

/// A cluster, its incidents and one channel.
struct World {
    snapshot: Snapshot,
    rules: ChannelRules,
    told: Told,
    messages: Vec<Message>,
}

impl World {
    fn new(snapshot: Snapshot, rules: ChannelRules) -> Self {
        let told = Told { since: s(-1_000_000), ..Told::default() };
        Self { snapshot, rules, told, messages: Vec::new() }
    }

    /// One with incidents that no rule judges again.
    fn of(incidents: impl IntoIterator<Item = Incident>, rules: ChannelRules) -> Self {
        let mut world = Self::new(snapshot([]), rules);
        world.snapshot.incidents = incidents.into_iter().map(Arc::new).collect();
        world.snapshot.incidents.sort_by(|one, other| one.id.cmp(&other.id));
        world
    }

    fn tell(&mut self, now: Timestamp) {
        let outlook = self.rules.outlook(&self.snapshot.incidents, &self.told, now);
        if outlook.tell.is_empty() {
            return;
        }
        assert!(outlook.next.is_none_or(|next| next > now), "{outlook:?}");
        let of = |id| self.snapshot.incidents.iter().find(|known| known.id == id).unwrap();
        let news: Vec<(&Incident, News)> =
            outlook.tell.into_iter().map(|(id, what)| (of(id).as_ref(), what)).collect();
        let subject = |incident: &Incident| match &incident.server {
            Some(server) => server.to_string(),
            None => incident.hint.as_str().to_owned(),
        };
        let said = news.iter().map(|(incident, what)| (subject(incident), *what)).collect();
        self.messages.push(((now - s(0)).0 / 1_000, said));
        let mut told = self.told.clone();
        told.note(&news, now);
        self.told = told;
    }

    /// Every second from one to another: heartbeats, judgement, messages.
    fn run(
        &mut self,
        seconds: std::ops::Range<i64>,
        mut heartbeats: impl FnMut(i64) -> Vec<Component>,
    ) {
        for second in seconds {
            let now = s(second);
            for component in heartbeats(second) {
                self.snapshot.insert(Arc::new(heard(component, now)));
                self.snapshot.changed_at = now;
            }
            let overview = self.snapshot.overview(now);
            for change in self.snapshot.changed_incidents(&overview, now) {
                let incident = change.incident;
                self.snapshot.incidents.retain(|known| known.id != incident.id);
                self.snapshot.incidents.push(Arc::new(incident));
                self.snapshot.incidents.sort_by(|one, other| one.id.cmp(&other.id));
            }
            self.tell(now);
        }
    }

    /// Every second from one to another, without judgement.
    fn wait(&mut self, seconds: std::ops::Range<i64>) {
        for second in seconds {
            self.tell(s(second));
        }
    }

    fn change(&mut self, server: &str, change: impl FnOnce(&mut Incident)) {
        let known = self.snapshot.incidents.iter_mut();
        let mut found = known.filter(|incident| incident.server == Some(name(server)));
        change(Arc::make_mut(found.next().unwrap()));
    }
}

fn stale(server: &str, began: i64) -> Incident {
    let (hint, role) = (HintId::ServiceStale, Some(Role::Service));
    Incident::begin(hint, Severity::Error, Some(name(server)), role, s(began))
}

fn warning(server: &str, began: i64) -> Incident {
    let hint = HintId::ServiceStopped;
    Incident::begin(hint, Severity::Warning, Some(name(server)), Some(Role::Service), s(began))
}

fn told(server: &str, news: News) -> (String, News) {
    (server.to_owned(), news)
}

const USUAL: ChannelRules =
    ChannelRules { from: Severity::Warning, after: Span::ZERO, remind: Span::minutes(240) };

#[test]
fn a_silent_service_is_told_half_a_minute_after_it_is_stale_and_its_end_when_that_is_certain() {
    let mut world = World::new(snapshot([service("web-1")]), USUAL);
    world.run(0..1_000, |second| if second == 600 { vec![service("web-1")] } else { Vec::new() });
    // Stale from 300.001 s on, heard again at 600 s, and stale again from 900.001 s on.
    let expected = [
        (331, vec![told("web-1", News::Begun)]),
        (660, vec![told("web-1", News::Ended)]),
        (931, vec![told("web-1", News::Begun)]),
    ];
    assert_eq!(world.messages, expected, "late alone is not told");
}

#[test]
fn what_was_due_for_less_than_half_a_minute_is_not_told() {
    let mut world = World::new(snapshot([service("web-1")]), USUAL);
    world.run(0..600, |second| if second == 329 { vec![service("web-1")] } else { Vec::new() });
    assert_eq!(world.messages, []);
    assert_eq!(world.snapshot.incidents.len(), 1, "it is kept");
}

#[test]
fn fifty_services_that_fall_silent_together_are_one_message_about_their_cause() {
    let servers = (0..50).map(|number| format!("web-{number:02}"));
    let silent = servers
        .enumerate()
        .map(|(place, server)| heard(service(&server), s(i64::try_from(place).unwrap() % 10)));
    let mut world = World::new(snapshot(silent.chain([service("witness")])), USUAL);
    world.run(
        0..1_200,
        |second| {
            if second % 30 == 0 { vec![service("witness")] } else { Vec::new() }
        },
    );
    assert_eq!(world.messages.len(), 1, "{:?}", world.messages);
    assert_eq!(world.messages[0].1, [told("many-silent", News::Begun)]);
}

#[test]
fn a_service_that_turns_every_forty_seconds_for_an_hour_is_three_messages_at_most() {
    let settings = cluster_overview_app::cluster::Settings {
        heartbeat_interval_s: 10,
        stale_timeout_s: 30,
        ..cluster_overview_app::cluster::Settings::default()
    };
    let often = || Component { told_interval: Span::seconds(10), ..service("web-1") };
    let mut world = World::new(Snapshot { settings, ..snapshot([often()]) }, USUAL);
    // It is stale for 40 s, and then for 40 s it is not.
    world.run(0..3_600, |second| {
        if second % 80 <= 10 && second % 10 == 0 { vec![often()] } else { Vec::new() }
    });
    world.run(3_600..9_000, |second| if second % 10 == 0 { vec![often()] } else { Vec::new() });
    let kinds: Vec<News> =
        world.messages.iter().flat_map(|(_, said)| said).map(|one| one.1).collect();
    assert_eq!(kinds, [News::Begun, News::Flapping, News::Ended], "{:?}", world.messages);
    assert!(world.messages[1].0 < 600, "not only at the end: {:?}", world.messages);
}

#[test]
fn one_that_never_lasts_but_comes_again_and_again_is_told_in_the_end() {
    let mut world = World::of([stale("a", 0)], USUAL);
    for turn in 0..3 {
        let at = turn * 40;
        world.change("a", |known| {
            (known.turned, known.advised_since) = (s(at), s(at));
            (known.turns, known.ended) = (u32::try_from(turn).unwrap() + 1, None);
        });
        world.wait(at..at + 20);
        world.change("a", |known| known.ended = Some(s(at + 20)));
        world.wait(at + 20..at + 40);
    }
    assert_eq!(world.messages, [(80, vec![told("a", News::Flapping)])]);
    world.wait(120..2_000);
    assert_eq!(world.messages[1..], [(100 + 240, vec![told("a", News::Ended)])]);
}

#[test]
fn what_begins_within_half_a_minute_is_told_together_and_the_next_message_waits() {
    let mut world = World::of([stale("a", 0), stale("b", 20), stale("c", 29)], USUAL);
    world.wait(0..100);
    let all = ["a", "b", "c"].map(|server| told(server, News::Begun)).to_vec();
    assert_eq!(world.messages, [(59, all)]);
    world.snapshot.incidents.push(Arc::new(stale("d", 100)));
    world.wait(100..600);
    assert_eq!(world.messages[1..], [(59 + 300, vec![told("d", News::Begun)])]);
}

#[test]
fn an_error_after_warnings_and_the_last_end_do_not_wait() {
    let mut world = World::of([warning("a", 0)], USUAL);
    world.wait(0..60);
    world.snapshot.incidents.push(Arc::new(stale("b", 60)));
    world.wait(60..120);
    assert_eq!(world.messages[1..], [(90, vec![told("b", News::Begun)])]);
    world.change("b", |known| known.ended = Some(s(120)));
    world.wait(120..200);
    assert_eq!(world.messages.len(), 2, "a is still open, so the end of b can wait");
    world.change("a", |known| known.ended = Some(s(200)));
    world.wait(200..300);
    let both = vec![told("a", News::Ended), told("b", News::Ended)];
    assert_eq!(world.messages[2..], [(260, both)]);
}

#[test]
fn a_warning_that_becomes_an_error_is_told_once_more() {
    let mut world = World::of([warning("a", 0)], USUAL);
    world.wait(0..60);
    let worse = |known: &mut Incident| {
        (known.severity, known.worst, known.advised_since) =
            (Severity::Error, Severity::Error, s(60));
    };
    world.change("a", worse);
    world.wait(60..1_000);
    world.change("a", |known| known.severity = Severity::Warning);
    world.wait(1_000..2_000);
    world.change("a", |known| known.severity = Severity::Error);
    world.wait(2_000..3_000);
    assert_eq!(world.messages[1..], [(90, vec![told("a", News::Worse)])]);
}

#[test]
fn a_channel_for_errors_hears_of_no_warning() {
    let rules = ChannelRules { from: Severity::Error, ..USUAL };
    let mut world = World::of([warning("a", 0), stale("b", 0)], rules);
    world.wait(0..1_000);
    assert_eq!(world.messages, [(30, vec![told("b", News::Begun)])]);
}

#[test]
fn an_open_error_is_told_again_every_four_hours_until_somebody_takes_care_of_it() {
    let mut world = World::of([stale("a", 0), warning("b", 0)], USUAL);
    world.wait(0..30_000);
    let reminder = vec![told("a", News::Reminder)];
    assert_eq!(world.messages[1..], [(14_430, reminder.clone()), (28_830, reminder)]);
    let acknowledged = Acknowledgement { by: "ann".into(), at: s(30_000), note: String::new() };
    world.change("a", |known| known.acknowledged = Some(acknowledged));
    world.wait(30_000..60_000);
    assert_eq!(world.messages.len(), 3);
    let never = ChannelRules { remind: Span::ZERO, ..USUAL };
    let mut world = World::of([stale("a", 0)], never);
    world.wait(0..30_000);
    assert_eq!(world.messages.len(), 1);
}

#[test]
fn a_channel_that_comes_in_later_hears_only_of_errors_that_nobody_takes_care_of() {
    let later = ChannelRules { after: Span::minutes(10), ..USUAL };
    let acknowledged = Incident {
        acknowledged: Some(Acknowledgement { by: "ann".into(), at: s(5), note: String::new() }),
        ..stale("b", 0)
    };
    let short = Incident { ended: Some(s(500)), ..stale("c", 0) };
    let mut world = World::of([stale("a", 0), acknowledged, short, warning("d", 0)], later);
    world.wait(0..2_000);
    assert_eq!(world.messages, [(600, vec![told("a", News::Begun)])]);
    world.change("a", |known| known.ended = Some(s(2_000)));
    world.wait(2_000..2_100);
    assert_eq!(world.messages[1..], [(2_060, vec![told("a", News::Ended)])]);
}

#[test]
fn what_ended_before_it_could_be_told_is_told_all_the_same() {
    let mut world = World::of([stale("a", 0)], USUAL);
    world.wait(0..60);
    let short = Incident { ended: Some(s(120)), ..stale("b", 60) };
    world.snapshot.incidents.push(Arc::new(short));
    world.wait(60..1_000);
    assert_eq!(world.messages[1..], [(330, vec![told("b", News::Ended)])]);
    let mut new = World::of([Incident { ended: Some(s(90)), ..stale("b", 0) }], USUAL);
    new.told.since = s(100);
    new.wait(100..1_000);
    assert_eq!(new.messages, [], "a new channel does not hear what was before it");
}

#[test]
fn what_is_replaced_by_its_cause_is_not_told_and_its_end_only_if_its_beginning_was() {
    let replaced =
        |incident: Incident| Incident { replaced_by: Some(HintId::EveryoneSilent), ..incident };
    let mut world = World::of([stale("a", 0), replaced(stale("b", 0))], USUAL);
    world.wait(0..60);
    world.change("a", |known| known.replaced_by = Some(HintId::EveryoneSilent));
    world.wait(60..1_000);
    assert_eq!(world.messages, [(30, vec![told("a", News::Begun)])]);
    for server in ["a", "b"] {
        world.change(server, |known| {
            (known.ended, known.replaced_by) = (Some(s(1_000)), None);
        });
    }
    world.change("b", |known| known.replaced_by = Some(HintId::EveryoneSilent));
    world.wait(1_000..2_000);
    assert_eq!(world.messages[1..], [(1_060, vec![told("a", News::Ended)])]);
}

#[test]
fn a_blind_overview_says_afterwards_for_how_long_it_was() {
    let mut world = World::new(snapshot([service("web-1")]), USUAL);
    world.run(0..100, |second| if second % 30 == 0 { vec![service("web-1")] } else { Vec::new() });
    world.snapshot.blind_periods = vec![period(100, 700)];
    world.snapshot.changed_at = s(700);
    world.run(
        700..1_100,
        |second| if second % 30 == 0 { vec![service("web-1")] } else { Vec::new() },
    );
    let expected = [
        (730, vec![told("overview-unsteady", News::Begun)]),
        (1_030, vec![told("overview-blind", News::Ended)]),
    ];
    assert_eq!(world.messages, expected);
}

#[test]
fn when_a_common_cause_is_over_those_that_recover_a_little_later_are_not_told_alone() {
    let servers = || (0..6).map(|number| format!("web-{number}"));
    let silent = servers().map(|server| service(&server));
    let mut world = World::new(snapshot(silent.chain([service("witness")])), USUAL);
    // All stop at 0 s. Half of them are back at 600 s, and the others 20 s later.
    let is_back = |place: usize, second: i64| second >= 600 + if place < 3 { 0 } else { 20 };
    world.run(0..1_200, |second| {
        if second % 10 != 0 {
            return Vec::new();
        }
        let back = servers().enumerate().filter(|(place, _)| is_back(*place, second));
        back.map(|(_, server)| service(&server)).chain([service("witness")]).collect()
    });
    let said: Vec<_> = world.messages.iter().flat_map(|(_, said)| said.clone()).collect();
    let expected = [told("many-silent", News::Begun), told("many-silent", News::Ended)];
    assert_eq!(said, expected, "{:?}", world.messages);
}

#[test]
fn one_that_stays_silent_when_a_common_cause_is_over_is_told() {
    let servers = || (0..6).map(|number| format!("web-{number}"));
    let silent = servers().map(|server| service(&server));
    let mut world = World::new(snapshot(silent.chain([service("witness")])), USUAL);
    world.run(0..1_200, |second| {
        if second % 10 != 0 {
            return Vec::new();
        }
        let back = servers().skip(1).filter(|_| second >= 600);
        back.map(|server| service(&server)).chain([service("witness")]).collect()
    });
    let alone = world.messages.iter().find(|(_, said)| said.contains(&told("web-0", News::Begun)));
    assert!((630..=632).contains(&alone.unwrap().0), "{:?}", world.messages);
}

#[test]
fn what_comes_back_is_told_only_to_channels_that_want_it() {
    let is_back = |known: &mut Incident| {
        (known.turned, known.advised_since) = (s(700), s(700));
        (known.turns, known.ended) = (2, None);
    };
    let later = ChannelRules { after: Span::minutes(10), ..USUAL };
    let mut world = World::of([stale("a", 0)], later);
    world.wait(0..601);
    world.change("a", |known| known.ended = Some(s(601)));
    world.wait(601..700);
    world.change("a", is_back);
    world.wait(700..2_000);
    let expected = [
        (600, vec![told("a", News::Begun)]),
        (661, vec![told("a", News::Ended)]),
        (1_300, vec![told("a", News::Begun)]),
    ];
    assert_eq!(world.messages, expected, "again after ten minutes");

    let errors = ChannelRules { from: Severity::Error, ..USUAL };
    let mut world = World::of([stale("a", 0)], errors);
    world.wait(0..400);
    world.change("a", |known| known.ended = Some(s(400)));
    world.wait(400..700);
    world.change("a", is_back);
    world.change("a", |known| known.severity = Severity::Warning);
    world.wait(700..2_000);
    assert_eq!(world.messages.len(), 2, "it came back as a warning: {:?}", world.messages);
}

#[test]
fn what_came_back_as_a_warning_and_becomes_an_error_again_is_told() {
    let mut world = World::of([stale("a", 0)], USUAL);
    world.wait(0..400);
    world.change("a", |known| known.ended = Some(s(400)));
    world.wait(400..700);
    world.change("a", |known| {
        (known.turned, known.advised_since) = (s(700), s(700));
        (known.turns, known.ended, known.severity) = (2, None, Severity::Warning);
    });
    world.wait(700..1_100);
    world.change("a", |known| (known.severity, known.advised_since) = (Severity::Error, s(1_100)));
    world.wait(1_100..1_500);
    let expected = [
        (30, vec![told("a", News::Begun)]),
        (460, vec![told("a", News::Ended)]),
        (760, vec![told("a", News::Begun)]),
        (1_130, vec![told("a", News::Worse)]),
    ];
    assert_eq!(world.messages, expected);
}

#[test]
fn one_that_came_and_went_while_nothing_could_be_told_is_told_with_its_end() {
    let came_and_went = Incident {
        turns: 4,
        turned: s(100),
        advised_since: s(100),
        ended: Some(s(110)),
        ..stale("a", 0)
    };
    let mut world = World::of([came_and_went], USUAL);
    world.wait(2_000..4_000);
    assert_eq!(world.messages, [(2_000, vec![told("a", News::Ended)])], "not that it flaps");
}

#[test]
fn that_a_channel_failed_is_told_while_it_fails_and_its_end_only_to_those_who_know() {
    let failing = Incident::begin(HintId::ChannelFailing, Severity::Warning, None, None, s(0));
    let mut knows = World::of([failing.clone()], USUAL);
    knows.wait(0..400);
    let ended = Incident { ended: Some(s(400)), ..failing };
    knows.snapshot.incidents = vec![Arc::new(ended.clone())];
    knows.wait(400..1_000);
    let expected = [
        (30, vec![told("channel-failing", News::Begun)]),
        (460, vec![told("channel-failing", News::Ended)]),
    ];
    assert_eq!(knows.messages, expected);
    let mut failed_itself = World::of([ended], USUAL);
    failed_itself.wait(400..1_000);
    assert_eq!(failed_itself.messages, []);
}
