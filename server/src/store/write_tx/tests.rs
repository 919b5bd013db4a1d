use std::net::IpAddr;
use std::sync::Arc;

use app::cluster::history::ClusterHistory;
use app::cluster::{
    ComponentFacts, Gap, Heartbeat, Incident, Interruptions, MessengerFailure, Os, Role,
    ServerName, Source,
};

use super::*;
use crate::auth::audit::{Action, Actor};
use crate::store::{HistoryQuery, MessengerReport};

fn heartbeat(boot: char, sequence: i64) -> Heartbeat {
    Heartbeat {
        server: ServerName::parse("web-1").unwrap(),
        role: Role::Service,
        boot_id: format!("{boot}b0e8a6e-3c0a-4d5e-9f7e-3d1b9f0c2a11"),
        sequence,
        sent_at: None,
        leaving: false,
        facts: ComponentFacts {
            product: None,
            version: "1.0".to_owned(),
            os: Os { name: "Debian".to_owned(), version: "12".to_owned() },
            ip: IpAddr::from([10, 0, 0, 1]).into(),
            key_check: None,
            machine_key_check: None,
            messenger_port: Some(33_237),
            source: Source::Node,
        },
    }
}

async fn component(store: &Arc<Store>) -> Component {
    let snapshot = store.load().await.unwrap().snapshot;
    Component::clone(snapshot.components.values().next().unwrap())
}

/// First seen, last heartbeat, return, start, gap, and since when its messenger fails.
fn times(component: &Component) -> [Timestamp; 8] {
    let Component { first_seen, last_heartbeat, boots, messengers, .. } = component;
    let Interruptions { starts, gaps } = &component.interruptions;
    let (returned, messenger) = (boots.current.returned_at.unwrap(), messengers[0].since);
    let (start, gap) = (starts[0].at, gaps[0]);
    [*first_seen, *last_heartbeat, boots.returns[0], returned, start, gap.start, gap.end, messenger]
}

async fn add_gap(store: &Arc<Store>) {
    let mut known = component(store).await;
    known.interruptions.gaps.push(Gap { start: Timestamp(1), end: Timestamp(2) });
    let mut change = store.change().await.unwrap();
    change.write(vec![Upsert { component: Arc::new(known), facts: true }]).await.unwrap();
    store.commit(change).await.unwrap();
}

#[tokio::test]
async fn every_time_moves_with_a_clock_that_is_set_back() {
    let folder = testkit::folder();
    let file = format!("sqlite:{}", folder.join("overview.db").display());
    for address in [file, testkit::postgres().create_database().await] {
        let store = Store::open(&address).await.unwrap();
        let entry = AuditEntry::done(&Actor::command(), Action::Configure, "a test");
        for heartbeat in [heartbeat('a', 1), heartbeat('b', 1), heartbeat('a', 2)] {
            store.receive([heartbeat]).await.unwrap();
        }
        add_gap(&store).await;
        let key = component(&store).await.key();
        let outcome = Some(Err(MessengerFailure::Refused));
        store.note_messengers(&[MessengerReport { key, outcome }], "web-2").await.unwrap();
        store
            .set_settings(Settings { web_window_s: 600, ..Settings::default() }, &entry)
            .await
            .unwrap();
        let history = async || {
            let all = HistoryQuery { from: Timestamp(0), until: store.now(), servers: None };
            store.history(all).await.unwrap()
        };
        let incident = Incident {
            turned: store.now(),
            ..app::cluster::Snapshot::default().blindness(Timestamp(1))
        };
        let change = IncidentChange { incident: incident.clone(), hint: None };
        store.write_incidents(vec![change]).await.unwrap().unwrap();
        let by = Some(("ann".to_owned(), String::new()));
        let known = store.acknowledge_incident(&incident.id, by, &entry).await.unwrap();
        let (incident, _) = known.unwrap();
        let before = component(&store).await;
        let recorded = history().await;
        let mut change = store.change().await.unwrap();
        let at = change.at;
        change.record_clock_jump(Span(-3_600_000), at).await.unwrap();
        change.include_snapshot().await.unwrap();
        store.commit(change).await.unwrap();
        let after = component(&store).await;
        assert_eq!(times(&after), times(&before).map(|time| time + Span(-3_600_000)));
        assert_eq!((after.facts, after.boots.current.id), (before.facts, before.boots.current.id));
        let moved_incident = store.incident(&incident.id).await.unwrap().unwrap().incident;
        assert_eq!(moved_incident.id, incident.id, "its name is for good");
        let times = |incident: &Incident| {
            let acknowledged = incident.acknowledged.as_ref().unwrap().at;
            [incident.began, incident.advised_since, incident.turned, acknowledged]
        };
        let moved_back = times(&incident).map(|time| time + Span(-3_600_000));
        assert_eq!(times(&moved_incident), moved_back);
        let moved = history().await;
        let back = |time: Timestamp| time + Span(-3_600_000);
        assert_eq!(moved.begins, back(recorded.begins));
        let records =
            |history: ClusterHistory| history.components.into_values().next().unwrap().records;
        let (settings, clock_steps) = (moved.settings.clone(), moved.clock_steps.clone());
        let was = recorded.settings.clone();
        let (recorded, moved) = (records(recorded), records(moved));
        assert_eq!(recorded.len(), moved.len());
        for (before, after) in recorded.iter().zip(&moved) {
            assert_eq!((after.at, after.until), (back(before.at), back(before.until)));
            assert_eq!(after.starts.len(), before.starts.len());
        }
        let was = was.iter().map(|(time, settings)| (back(*time), *settings));
        assert_eq!(settings, was.collect::<Vec<_>>());
        assert_eq!(clock_steps, [(back(at), Span(-3_600_000))]);
    }
}
