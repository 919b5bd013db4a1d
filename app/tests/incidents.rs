//! When does an incident begin, go on, come back and end?

#![allow(clippy::unwrap_used, reason = "a test without its incident fails")]

mod common;

use std::sync::Arc;

use cluster_overview_app::cluster::{
    Advice, BlindPeriod, Component, HintId, Incident, IncidentId, RejectionReason, Role,
    ServerName, Severity, Snapshot, Span, Timestamp, Upkeep,
};
use common::hints::{FAILOVER, dialled, heard, running, under, with_certificate, with_disk};
use common::{name, period, reject, s, service, snapshot, web};

/// A snapshot whose incidents are kept up to date.
struct Watched {
    snapshot: Snapshot,
}

impl Watched {
    fn new(snapshot: Snapshot) -> Self {
        Self { snapshot }
    }

    /// Judges it at this moment. Returns what changed.
    fn judge(&mut self, now: Timestamp) -> Vec<Incident> {
        let overview = self.snapshot.overview(now);
        let changed = self.snapshot.changed_incidents(&overview, now);
        let changed: Vec<Incident> = changed.into_iter().map(|change| change.incident).collect();
        for incident in &changed {
            self.snapshot.incidents.retain(|known| known.id != incident.id);
            self.snapshot.incidents.push(Arc::new(incident.clone()));
        }
        self.snapshot.incidents.sort_by(|one, other| one.id.cmp(&other.id));
        let again = self.snapshot.changed_incidents(&overview, now);
        assert_eq!(again, [], "a second look changes nothing");
        changed
    }

    /// What changed is one incident.
    fn judge_one(&mut self, now: Timestamp) -> Incident {
        let changed = self.judge(now);
        assert_eq!(changed.len(), 1, "{changed:?}");
        changed.into_iter().next().unwrap()
    }

    /// The component's heartbeat comes.
    fn hear(&mut self, component: Component, at: Timestamp) {
        self.snapshot.insert(Arc::new(heard(component, at)));
        self.snapshot.changed_at = at;
    }

    fn open(&self) -> Vec<(HintId, Option<&str>)> {
        let open = self.snapshot.incidents.iter().filter(|incident| incident.is_open());
        open.map(|incident| (incident.hint, incident.server.as_ref().map(ServerName::as_str)))
            .collect()
    }
}

fn after(moment: Timestamp, seconds: i64) -> Timestamp {
    moment + Span::seconds(seconds)
}

/// When a service that was last heard at noon is stale.
fn stale_at(moment: Timestamp) -> Timestamp {
    moment + snapshot([]).settings.stale_timeout() + Span(1)
}

#[test]
fn a_silence_is_one_incident_while_it_gets_worse_and_its_cause_is_found() {
    let mut watched = Watched::new(snapshot([service("web-1")]));
    assert_eq!(watched.judge(s(60)), []);
    let late = watched.judge_one(s(70));
    assert_eq!((late.hint, late.severity), (HintId::ServiceLate, Severity::Warning));
    assert_eq!(late.began, s(60) + Span(1), "when it became late, not when somebody looked");
    let stale = watched.judge_one(s(400));
    assert_eq!((stale.hint, stale.severity), (HintId::ServiceStale, Severity::Error));
    assert_eq!((stale.id, stale.began, stale.turns), (late.id.clone(), late.began, 1));
    let why = RejectionReason::Revoked;
    assert!(reject(&mut watched.snapshot, &name("web-1"), why, None, s(410)));
    let refused = watched.judge_one(s(410));
    assert_eq!((refused.hint, refused.id), (HintId::HeartbeatsRefused, late.id));
}

#[test]
fn it_ends_when_its_last_hint_does_and_keeps_its_worst() {
    let mut watched = Watched::new(snapshot([service("web-1")]));
    watched.judge(s(400));
    watched.hear(service("web-1"), s(500));
    let ended = watched.judge_one(s(507));
    assert_eq!(ended.ended, Some(s(500)), "when it was heard, not when somebody looked");
    assert_eq!((ended.worst, ended.lasted(s(900))), (Severity::Error, s(500) - ended.began));
    assert_eq!(watched.open(), []);
}

#[test]
fn one_that_comes_back_within_a_quarter_of_an_hour_goes_on_and_a_later_one_is_new() {
    let mut watched = Watched::new(snapshot([service("web-1")]));
    let first = watched.judge_one(s(400));
    watched.hear(service("web-1"), s(500));
    watched.judge(s(500));
    let again = watched.judge_one(s(900));
    assert_eq!((again.id.clone(), again.turns, again.ended), (first.id.clone(), 2, None));
    assert_eq!((again.began, again.turned), (first.began, stale_at(s(500))));
    assert_eq!(again.calm(), Span::seconds(120), "it is believed later each time");
    watched.hear(service("web-1"), s(1_000));
    watched.judge(s(1_000));
    watched.hear(service("web-1"), s(1_900));
    let later = watched.judge_one(s(2_300));
    assert_eq!(later.turns, 1);
    assert_ne!(later.id, first.id);
}

#[test]
fn what_must_be_calm_for_longer_than_a_quarter_of_an_hour_goes_on_for_as_long() {
    let mut watched = Watched::new(snapshot([service("web-1")]));
    let (mut now, mut id) = (s(0), None);
    for turn in 1..=8 {
        let turned = watched.judge_one(after(now, 400));
        assert_eq!((turned.turns, id.get_or_insert(turned.id.clone()) == &turned.id), (turn, true));
        now = after(now, 500);
        watched.hear(service("web-1"), now);
        watched.judge(now);
    }
    let known = &watched.snapshot.incidents[0];
    assert_eq!(known.calm(), Span::minutes(30));
    assert!(known.may_come_back(now + Span::minutes(30)));
    assert!(!known.may_come_back(now + Span::minutes(30) + Span(1)));
}

#[test]
fn a_cause_of_the_cluster_takes_over_what_was_known_and_gives_it_back() {
    let servers = [service("a"), service("b"), service("c"), service("d")];
    let silent_first = heard(servers[0].clone(), s(-20));
    let mut watched = Watched::new(snapshot([
        silent_first,
        servers[1].clone(),
        heard(servers[2].clone(), s(2)),
        heard(servers[3].clone(), s(3)),
    ]));
    let changed = watched.judge(stale_at(s(-20)));
    let own = changed.iter().find(|one| one.hint == HintId::ServiceStale).unwrap();
    watched.judge(s(301));
    watched.judge(s(310));
    let open = watched.snapshot.incidents.iter().filter(|incident| incident.is_open());
    let shown: Vec<&Arc<Incident>> = open.filter(|one| one.replaced_by.is_none()).collect();
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert_eq!(shown[0].hint, HintId::EveryoneSilent);
    let replaced = find(&watched, &own.id);
    assert_eq!((replaced.replaced_by, replaced.ended), (Some(HintId::EveryoneSilent), None));
    for heard_again in &servers[1..] {
        watched.hear(heard_again.clone(), s(400));
    }
    watched.judge(s(400));
    assert_eq!(watched.open(), [(HintId::ServiceStale, Some("a"))]);
    let still_silent = find(&watched, &own.id);
    assert_eq!((still_silent.replaced_by, still_silent.turns), (None, 1), "it never ended");
    let cause = watched.snapshot.incidents.iter().find(|one| one.server.is_none()).unwrap();
    assert_eq!(cause.ended, Some(s(400)));
}

fn find(watched: &Watched, id: &IncidentId) -> Incident {
    let found =
        cluster_overview_app::cluster::incidents::find(&watched.snapshot.incidents, id.as_str());
    found.unwrap().as_ref().clone()
}

#[test]
fn services_that_were_never_told_alone_get_no_incident_beside_their_cause() {
    let mut watched = Watched::new(under(FAILOVER, snapshot([service("a"), service("b")])));
    watched.judge(s(301));
    assert_eq!(watched.open(), [(HintId::EveryoneSilent, None)]);
}

#[test]
fn a_messenger_that_cannot_be_reached_waits_behind_the_silence_that_explains_it() {
    use cluster_overview_app::cluster::MessengerFailure;
    let mut watched = Watched::new(dialled(Role::Service, Some(MessengerFailure::Refused)));
    let messenger = watched.judge_one(s(1));
    assert_eq!(messenger.hint, HintId::MessengerUnreachable);
    watched.judge(s(301));
    let waiting = find(&watched, &messenger.id);
    assert_eq!((waiting.replaced_by, waiting.ended), (Some(HintId::ServiceStale), None));
    let component = watched.snapshot.components.values().next().unwrap().as_ref().clone();
    watched.hear(component, s(320));
    watched.judge(s(320));
    assert_eq!(watched.open(), [(HintId::MessengerUnreachable, Some("web-1"))]);
    assert_eq!(find(&watched, &messenger.id).replaced_by, None);
}

#[test]
fn two_troubles_of_the_overview_itself_are_two_incidents() {
    let upkeep =
        Upkeep { disk: with_disk(1, 100).upkeep.disk, ..with_certificate(s(3_600)).upkeep };
    let mut watched = Watched::new(Snapshot { upkeep, ..snapshot([service("a"), web("a")]) });
    watched.judge(s(1));
    let mut open = watched.open();
    open.sort();
    assert_eq!(open, [(HintId::CertificateExpiring, None), (HintId::DiskLow, None)]);
}

#[test]
fn going_blind_ends_nothing_and_the_blindness_is_an_incident_of_its_own_once_it_is_over() {
    let mut watched = Watched::new(snapshot([service("web-1"), service("web-2")]));
    watched.hear(service("web-2"), s(290));
    let stale = watched.judge_one(s(310));
    watched.snapshot.blind_since = Some(s(320));
    assert_eq!(watched.judge(s(900)), []);
    watched.snapshot.blind_since = None;
    watched.snapshot.blind_periods = vec![period(320, 920)];
    watched.snapshot.changed_at = s(920);
    let changed = watched.judge(s(921));
    let [unsteady, blind] = &changed[..] else { panic!("{changed:?}") };
    assert_eq!(unsteady.hint, HintId::OverviewUnsteady);
    assert_eq!(
        (blind.hint, blind.began, blind.ended),
        (HintId::OverviewBlind, s(320), Some(s(920)))
    );
    let open = [(HintId::ServiceStale, Some("web-1")), (HintId::OverviewUnsteady, None)];
    assert_eq!(watched.open(), open, "web-2 had no chance");
    assert_eq!(find(&watched, &stale.id), stale);
    watched.snapshot.blind_periods.push(period(1_000, 1_060));
    watched.hear(service("web-2"), s(1_061));
    let again = watched.judge_one(s(1_061));
    assert_eq!((&again.id, again.turns, again.ended), (&blind.id, 2, Some(s(1_060))));
}

#[test]
fn a_blind_period_of_long_ago_and_one_in_which_the_clock_was_set_are_no_incidents() {
    let long_ago = period(0, 60);
    let clock_set = BlindPeriod { clock_set: true, ..period(1_000, 1_010) };
    let blind_periods = vec![long_ago, clock_set];
    let quiet = Snapshot { blind_periods, ..snapshot([heard(service("a"), s(1_100))]) };
    assert_eq!(Watched::new(quiet).judge(s(1_101)), []);
}

#[test]
fn who_judges_seldom_finds_the_same_incidents_with_the_same_beginnings() {
    let mut often = Watched::new(snapshot([service("a"), heard(service("b"), s(100)), web("c")]));
    let mut seldom = Watched::new(often.snapshot.clone());
    for second in 1..=1_000 {
        often.judge(s(second));
    }
    seldom.judge(s(1_000));
    let beginnings = |watched: &Watched| -> Vec<(Option<ServerName>, HintId, u32)> {
        let all = watched.snapshot.incidents.iter().filter(|one| one.replaced_by.is_none());
        all.map(|one| (one.server.clone(), one.hint, one.turns)).collect()
    };
    assert_eq!(beginnings(&often), beginnings(&seldom));
}

#[test]
fn a_removed_component_has_no_incident_any_more() {
    let mut watched = Watched::new(snapshot([service("web-1"), heard(service("b"), s(390))]));
    watched.judge(s(400));
    watched.snapshot.components.retain(|key, _| key.server != name("web-1"));
    watched.snapshot.changed_at = s(410);
    assert_eq!(watched.judge_one(s(411)).ended, Some(s(410)));
}

#[test]
fn an_incident_is_found_by_its_id_and_no_other_text_is_one() {
    let incident = Watched::new(snapshot([service("web-1")])).judge_one(s(400));
    assert_eq!(IncidentId::parse(incident.id.as_str()), Some(incident.id));
    for text in
        ["", "-", "1", "1-2", "x-0123456789abcdef", "-0123456789abcdef", "1-0123456789abcdeg"]
    {
        assert_eq!(IncidentId::parse(text), None, "{text}");
    }
}

/// What is advised at a moment about every known incident: its id, and the servers it is about.
fn advice(watched: &Watched, now: Timestamp) -> Vec<Option<(HintId, Vec<String>)>> {
    let incidents: Vec<&Incident> = watched.snapshot.incidents.iter().map(Arc::as_ref).collect();
    let advice = watched.snapshot.advice(&incidents, now).into_iter();
    advice
        .map(|advice| {
            let Advice { hint, servers } = advice?;
            Some((hint.id, servers.iter().map(ToString::to_string).collect()))
        })
        .collect()
}

#[test]
fn an_open_incident_has_the_advice_of_now_and_an_ended_or_replaced_one_has_none() {
    let mut watched = Watched::new(snapshot([service("a"), heard(service("b"), s(390))]));
    watched.judge(s(70));
    let one = |hint| vec![Some((hint, vec!["a".to_owned()]))];
    assert_eq!(advice(&watched, s(70)), one(HintId::ServiceLate));
    assert_eq!(advice(&watched, s(400)), one(HintId::ServiceStale), "though nobody judged yet");
    watched.judge(s(400));
    watched.snapshot.blind_since = Some(s(401));
    assert_eq!(advice(&watched, s(900)), one(HintId::ServiceStale), "as it was last known");
    watched.snapshot.blind_since = None;
    watched.hear(service("a"), s(410));
    watched.judge(s(411));
    assert_eq!(advice(&watched, s(411)), [None]);

    let mut watched = Watched::new(snapshot([service("a"), service("b"), service("c")]));
    watched.judge(s(70));
    watched.judge(s(400));
    let names = ["a", "b", "c"].map(str::to_owned).to_vec();
    let mut found = advice(&watched, s(400));
    found.sort();
    assert_eq!(found, [None, None, None, Some((HintId::EveryoneSilent, names))]);
}

#[test]
fn advice_about_the_cluster_names_all_servers_it_is_about() {
    let (old, new) = (running("b", "1.0"), running("c", "9.0"));
    let mut watched = Watched::new(snapshot([service("a"), old, new, service("d"), service("e")]));
    watched.judge(s(1));
    let names = ["b", "c"].map(str::to_owned).to_vec();
    assert_eq!(advice(&watched, s(1)), [Some((HintId::VersionSkew, names))]);
    let reason = "connection refused".to_owned();
    let why = RejectionReason::Probe { role: Role::Web, reason };
    let mut watched = Watched::new(snapshot([service("a")]));
    assert!(reject(&mut watched.snapshot, &name("new-1"), why, None, s(1)));
    watched.judge(s(2));
    let names = vec!["new-1".to_owned()];
    assert_eq!(advice(&watched, s(2)), [Some((HintId::NotReportedYet, names))]);
}

#[test]
fn an_end_is_certain_when_it_has_been_calm_for_long_enough() {
    let mut watched = Watched::new(snapshot([service("web-1")]));
    watched.judge(s(400));
    watched.hear(service("web-1"), s(410));
    let ended = watched.judge_one(s(410));
    assert!(!ended.is_open());
    assert!(!ended.is_over(s(410) + Span::seconds(59)));
    assert!(ended.is_over(s(410) + Span::seconds(60)));
}
