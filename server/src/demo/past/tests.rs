use app::cluster::history::ClusterHistory;
use app::cluster::{HintId, Span, Timestamp};

use super::*;
use crate::demo::servers;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// The beginning of a day, and the end of another one.
const ENDS: [Timestamp; 2] = [Timestamp(20_500 * DAY_MS), Timestamp(20_501 * DAY_MS - 1)];

fn hints(history: &ClusterHistory, at: Timestamp) -> Vec<HintId> {
    let snapshot = history.snapshot(at);
    snapshot.hints(&snapshot.overview(at)).iter().map(|hint| hint.id).collect()
}

#[test]
fn it_is_the_same_every_time() {
    let [now, _] = ENDS;
    let (first, second) = (simulate(now).unwrap(), simulate(now).unwrap());
    assert_eq!(first.history, second.history);
}

/// The first round begins without faults.
#[test]
fn at_its_end_all_servers_of_the_demo_are_there_and_nothing_is_wrong() {
    for now in ENDS {
        let history = simulate(now).unwrap().history;
        let snapshot = history.snapshot(now);
        let expected: Vec<(&str, &str)> = servers::components()
            .filter(|(server, _)| server.permanent)
            .map(|(server, role)| (server.name, role.as_str()))
            .collect();
        let mut shown: Vec<(&str, &str)> = snapshot
            .components
            .keys()
            .map(|key| (key.server.as_str(), key.role.as_str()))
            .collect();
        shown.sort_by_key(|one| expected.iter().position(|other| other == one));
        assert_eq!(shown, expected);
        for minutes in 0..60 {
            let at = now - Span::minutes(minutes);
            let hints = hints(&history, at);
            assert!(hints.is_empty(), "{minutes} min before the end: {hints:?}");
        }
        for (key, component) in &snapshot.components {
            let server = servers::SERVERS.iter().find(|one| one.name == key.server.as_str());
            let facts = server.unwrap().heartbeat(key.server.clone(), key.role).facts;
            assert_eq!(*component.facts, facts);
        }
    }
}

#[test]
fn each_minute_of_it_shows_the_hints_of_its_incidents_and_no_others() {
    for now in ENDS {
        let history = simulate(now).unwrap().history;
        let mut shown = Vec::new();
        for minutes in 1..(now - history.begins).0 / Span::minutes(1).0 {
            for hint in hints(&history, history.begins + Span::minutes(minutes)) {
                if !shown.contains(&hint) {
                    shown.push(hint);
                }
            }
        }
        let expected = [
            HintId::ServiceLate,
            HintId::ServiceStale,
            HintId::ServiceFlapping,
            HintId::ServiceStopped,
            HintId::VersionSkew,
            HintId::ServiceRestarting,
            HintId::OverviewBlind,
            HintId::OverviewUnsteady,
        ];
        assert_eq!(shown, expected);
    }
}
