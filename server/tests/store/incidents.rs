//! Incidents: kept through a restart, written by one web server, and known to the others.

use app::cluster::{
    Hint, HintId, Incident, IncidentChange, IncidentId, ServerName, Severity, Timestamp,
};
use cluster_overview::store::{IncidentQuery, IncidentRecord};

use super::*;

const KEPT: &str = r#"{"id":"service-stale","severity":"error","server":"web-1","role":"service",
    "since":1,"notes":["SharedAddress"],"args":[["address",{"Text":"10.0.0.1"}]]}"#;

fn silence(server: &str, began: Timestamp) -> Incident {
    let server = ServerName::parse(server).unwrap();
    let (hint, role) = (HintId::ServiceStale, Some(Role::Service));
    Incident::begin(hint, Severity::Error, Some(server), role, began)
}

/// With a picture of all that is in the database, as a web server has it.
async fn opened(database: &Database) -> Arc<Store> {
    let store = Store::open(&database.address()).await.unwrap();
    store.receive([beat("web-1", Role::Web, 1)]).await.unwrap();
    store.load().await.unwrap();
    store
}

async fn live_incidents(store: &Arc<Store>) -> Vec<Incident> {
    let all = store.load().await.unwrap().snapshot.incidents;
    all.iter().map(|incident| incident.as_ref().clone()).collect()
}

/// Each as it is from now on, without another advice.
fn changes(incidents: &[&Incident]) -> Vec<IncidentChange> {
    let change =
        |incident: &&Incident| IncidentChange { incident: (*incident).clone(), hint: None };
    incidents.iter().map(change).collect()
}

async fn by_id(store: &Arc<Store>, id: &IncidentId) -> Incident {
    store.incident(id).await.unwrap().unwrap().incident
}

fn ids(incidents: &[Incident]) -> Vec<&IncidentId> {
    incidents.iter().map(|incident| &incident.id).collect()
}

#[tokio::test]
async fn incidents_are_there_after_a_restart_for_as_long_as_they_may_go_on() {
    for database in databases().await {
        let store = opened(&database).await;
        let now = store.now();
        let open = Incident {
            hint: HintId::HeartbeatsRefused,
            severity: Severity::Warning,
            turns: 3,
            turned: now - Span::seconds(20),
            replaced_by: Some(HintId::ManySilent),
            ..silence("Web-1", now - Span::minutes(50))
        };
        let of_cluster = Incident {
            ended: Some(now - Span::minutes(29)),
            ..app::cluster::Snapshot::default().blindness(now - Span::minutes(40))
        };
        let long_ago = Incident {
            ended: Some(now - Span::minutes(41)),
            ..silence("web-2", now - Span::minutes(45))
        };
        let hint = Hint::from_kept(KEPT).unwrap();
        let mut all = changes(&[&open, &of_cluster, &long_ago]);
        all[0].hint = Some(hint.clone());
        let commit = store.write_incidents(all).await.unwrap().unwrap();
        assert_eq!(commit.incidents.len(), 3);
        drop(store);
        let store = Store::open(&database.address()).await.unwrap();
        let known = live_incidents(&store).await;
        assert!(known.is_sorted_by_key(|incident| &incident.id), "{known:?}");
        assert_eq!(known.len(), 2, "{known:?}");
        assert!(known.contains(&open) && known.contains(&of_cluster), "{known:?}");
        let found = |query: IncidentQuery| {
            let store = Arc::clone(&store);
            async move {
                let found = store.incidents(&query).await.unwrap();
                found.into_iter().map(|record| record.incident).collect::<Vec<_>>()
            }
        };
        let all = IncidentQuery { limit: 10, ..IncidentQuery::default() };
        let latest_first = [&of_cluster.id, &long_ago.id, &open.id];
        assert_eq!(ids(&found(all.clone()).await), latest_first);
        let query = IncidentQuery { open: Some(true), ..all.clone() };
        assert_eq!(found(query).await, std::slice::from_ref(&open));
        let query = IncidentQuery { open: Some(false), limit: 1, ..all.clone() };
        assert_eq!(found(query).await, std::slice::from_ref(&of_cluster));
        let before = Some(of_cluster.id.clone());
        let query = IncidentQuery { before, ..all.clone() };
        assert_eq!(ids(&found(query).await), latest_first[1..]);
        let query = IncidentQuery { server: Some("EB-1".to_owned()), ..all.clone() };
        assert_eq!(ids(&found(query).await), [&open.id]);
        // Of one that is open its urgency now, of one that ended that at its worst.
        let query = IncidentQuery { severity: Some(Severity::Warning), ..all.clone() };
        assert_eq!(ids(&found(query).await), [&open.id]);
        let query = IncidentQuery { severity: Some(Severity::Error), ..all };
        assert_eq!(ids(&found(query).await), [&of_cluster.id, &long_ago.id]);
        assert_eq!(by_id(&store, &long_ago.id).await, long_ago);
        store.write_incidents(changes(&[&open])).await.unwrap().unwrap();
        let kept = store.incident(&open.id).await.unwrap().unwrap();
        assert_eq!(kept, IncidentRecord { incident: open, hint: Some(hint) });
    }
}

#[tokio::test]
async fn an_acknowledgement_stays_while_its_incident_changes_and_an_ended_one_takes_none() {
    for database in databases().await {
        let store = opened(&database).await;
        let began = store.now() - Span::minutes(5);
        let incident = silence("web-1", began);
        store.write_incidents(changes(&[&incident])).await.unwrap().unwrap();
        let by = Some(("ann".to_owned(), "the disk is on its way".to_owned()));
        let acknowledge = async |by: Option<(String, String)>| {
            store.acknowledge_incident(&incident.id, by, &entry()).await.unwrap()
        };
        let (known, commit) = acknowledge(by.clone()).await.unwrap();
        assert_eq!(commit.incidents, [Arc::clone(&known)]);
        let acknowledged = known.acknowledged.as_ref().unwrap();
        assert_eq!((&*acknowledged.by, &*acknowledged.note), ("ann", "the disk is on its way"));
        // Whoever judges may not have seen it yet.
        let worse = Incident { turns: 2, ..incident.clone() };
        store.write_incidents(changes(&[&worse])).await.unwrap().unwrap();
        let stored = by_id(&store, &incident.id).await;
        assert_eq!((stored.turns, stored.acknowledged.is_some()), (2, true));
        let (known, _) = acknowledge(None).await.unwrap();
        assert_eq!(known.acknowledged, None);
        let ended = Incident { ended: Some(store.now()), ..incident.clone() };
        store.write_incidents(changes(&[&ended])).await.unwrap().unwrap();
        assert!(acknowledge(by).await.is_none());
    }
}

#[tokio::test]
async fn another_web_server_gets_what_changed_and_must_look_again_before_it_writes() {
    let database = Database::Postgres(testkit::postgres().create_database().await);
    let stores = [opened(&database).await, opened(&database).await];
    let began = stores[0].now() - Span::minutes(5);
    let [one, other] = ["web-1", "web-2"].map(|server| silence(server, began));
    stores[0].write_incidents(changes(&[&one])).await.unwrap().unwrap();
    let refused = stores[1].write_incidents(changes(&[&other])).await.unwrap();
    assert!(refused.is_none(), "it does not know of the first one");
    let news = stores[1].catch_up().await.unwrap();
    assert_eq!(news.incidents, [Arc::new(one)]);
    assert!(stores[1].write_incidents(changes(&[&other])).await.unwrap().is_some());
}
