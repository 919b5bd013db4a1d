//! Does the past say what the page said then? Random clusters are judged with every heartbeat, and again from what was
//! recorded.

#![allow(clippy::unwrap_used, reason = "what counts is there, or the test fails")]

mod common;

use std::collections::BTreeSet;

use cluster_overview_app::cluster::history::{
    Availability, ComponentHistory, Event, Interval, PastState,
};
use cluster_overview_app::cluster::{ComponentKey, Pulse, Snapshot, Span, Timestamp};
use common::past::{COMPONENTS, Cluster, Step, moment_between, step};
use common::{NOON, heartbeat, ms};
use proptest::prelude::*;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..120)
}

fn cluster(steps: Vec<Step>) -> Cluster {
    let mut cluster = Cluster::new();
    for step in steps {
        cluster.take(step);
    }
    cluster.finish()
}

/// The cluster as it was after this part of its steps.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a random step"
)]
fn first_part(steps: &[Step], part: f64) -> Cluster {
    cluster(steps[..(steps.len() as f64 * part) as usize].to_vec())
}

/// The moment between noon and `until` at this part of the way.
fn within(until: Timestamp, part: f64) -> Timestamp {
    moment_between(NOON, until, part)
}

/// Its pulse, or that it was not there.
fn pulse_then(cluster: &Cluster, key: &ComponentKey, moment: Timestamp) -> PastState {
    let known = cluster.known_at(moment);
    let Some(component) = known.components.get(key) else { return PastState::Absent };
    if cluster.history.blind_period_at(moment).is_some() {
        return PastState::Pulse(Pulse::Unknown);
    }
    PastState::Pulse(component.pulse(&known.settings, &known.blind_periods, moment))
}

// `PROPTEST_CASES=5000` judges 100,000 moments and more.
proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_past_has_the_pulses_that_were_judged_with_every_heartbeat(
        steps in steps(),
        moments in prop::collection::vec(0.0..1.0_f64, 20),
    ) {
        let cluster = cluster(steps);
        let length = cluster.now - NOON + Span::seconds(400);
        let whole = Interval { from: NOON, until: NOON + length + Span::TICK };
        for (server, role) in COMPONENTS {
            let key = heartbeat(server, role).key();
            let nothing = ComponentHistory::default();
            let component = cluster.history.components.get(&key).unwrap_or(&nothing);
            let timeline = cluster.history.timeline(role, component, whole);
            for part in &moments {
                let moment = within(NOON + length, *part);
                let expected = pulse_then(&cluster, &key, moment);
                let segment = timeline
                    .iter()
                    .find(|segment| segment.from <= moment && moment < segment.until);
                prop_assert_eq!(segment.unwrap().state, expected, "{} at {:?}", server, moment - NOON);
                let past = cluster.history.snapshot(moment);
                let in_picture = past.components.get(&key).map(|component| {
                    component.pulse(&past.settings, &past.blind_periods, moment)
                });
                match expected {
                    PastState::Pulse(Pulse::Unknown) => prop_assert!(past.blind_since.is_some()),
                    PastState::Pulse(pulse) => prop_assert_eq!(in_picture, Some(pulse)),
                    PastState::Absent | PastState::Forgotten => prop_assert_eq!(in_picture, None),
                }
            }
        }
    }

    #[test]
    fn the_past_has_the_starts_the_gaps_and_the_facts_to_the_minute(steps in steps()) {
        let cluster = cluster(steps);
        let length = cluster.now - NOON;
        for part in 0..20 {
            // When a minute is over, all is known that was recorded in it.
            let moment = ms((length.0 * part / 20) / 60_000 * 60_000);
            let (known, past) = (cluster.known_at(moment), cluster.history.snapshot(moment));
            let keys = |snapshot: &Snapshot| snapshot.components.keys().cloned().collect::<Vec<_>>();
            prop_assert_eq!(keys(known), keys(&past));
            for (key, component) in &known.components {
                let then = &past.components[key];
                prop_assert_eq!(&then.facts, &component.facts);
                prop_assert_eq!(then.first_seen, component.first_seen);
                prop_assert_eq!(then.came_back, component.came_back);
                prop_assert_eq!(&then.interruptions, &component.interruptions);
                prop_assert_eq!(&then.boots.returns, &component.boots.returns);
                prop_assert_eq!(then.boots.duplicate, component.boots.duplicate);
            }
        }
    }

    #[test]
    fn every_moment_of_a_span_counts_once_for_availability(steps in steps()) {
        let cluster = cluster(steps);
        let span = Interval { from: NOON, until: cluster.now + Span::seconds(400) };
        let observed = cluster.history.observations(span, span.until);
        let components = observed.components.iter().map(|(_, _, observed)| observed.clone());
        for observations in components.chain(observed.by_server().into_values()) {
            let Availability { up, down, blind, unknown } = Availability::of(&observations, span);
            prop_assert_eq!(Span(up.0 + down.0 + blind.0 + unknown.0), span.length());
        }
    }

    #[test]
    fn no_event_disappears_whatever_happens_afterwards(
        steps in steps(),
        part in 0.0..1.0_f64,
    ) {
        let half_way = first_part(&steps, part);
        let ids = |cluster: &Cluster, until: Timestamp| -> BTreeSet<_> {
            let span = Interval { from: NOON, until: until + Span::TICK };
            cluster.history.events(span).iter().map(Event::id).collect()
        };
        let now = half_way.now;
        let later = ids(&cluster(steps), now);
        let seen = ids(&half_way, now);
        let lost: Vec<_> = seen.difference(&later).collect();
        prop_assert!(lost.is_empty(), "{lost:?}");
    }

    #[test]
    fn an_event_has_one_id_and_is_the_same_in_every_span_that_has_it(
        steps in steps(),
        part in 0.0..1.0_f64,
    ) {
        let cluster = cluster(steps);
        let until = cluster.now + Span::seconds(400);
        let whole = cluster.history.events(Interval { from: NOON, until });
        let ids: BTreeSet<_> = whole.iter().map(Event::id).collect();
        prop_assert_eq!(ids.len(), whole.len());
        let later = cluster.history.events(Interval { from: within(until, part), until });
        let expected: Vec<_> =
            whole.into_iter().filter(|event| event.at >= within(until, part)).collect();
        prop_assert_eq!(later, expected);
    }
}
