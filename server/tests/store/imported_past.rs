//! Can a new database get the past that another one recorded?

use app::cluster::history::ClusterHistory;
use app::cluster::{BlindPeriod, Timestamp};
use cluster_overview::auth::audit::AuditQuery;
use cluster_overview::store::{HistoryQuery, ImportedPast};

use super::*;
use crate::history::{DAY_MS, let_time_pass, with_boot};

/// All that is recorded.
async fn whole_history(store: &Arc<Store>) -> ClusterHistory {
    let all = HistoryQuery { from: Timestamp(0), until: store.now(), servers: None };
    store.history(all).await.unwrap()
}

/// What a database recorded a day ago: a gap, another key and other settings, a removal and a blind period.
async fn recorded_past() -> ImportedPast {
    let database = Database::Sqlite(Folder::new("recorded"));
    let store = Store::open(&database.address()).await.unwrap();
    store.receive([beat("a", Role::Service, 1), beat("b", Role::Web, 1)]).await.unwrap();
    let_time_pass(&database, 10 * 60_000).await;
    store
        .receive([beat("a", Role::Service, 2), with_boot(2, beat("b", Role::Web, 1))])
        .await
        .unwrap();
    let settings = Settings { stale_timeout_s: 90, ..Settings::default() };
    store.set_settings(settings, &entry()).await.unwrap();
    let_time_pass(&database, 20_000).await;
    let removed = store.load().await.unwrap().snapshot.components[&key("b", Role::Web)].clone();
    store.remove(&[key("b", Role::Web)], &[], None).await.unwrap();
    let removed_at = store.now() + Span(-DAY_MS);
    let_time_pass(&database, DAY_MS).await;
    let present = store.load().await.unwrap().snapshot.components.values().cloned().collect();
    let mut history = whole_history(&store).await;
    let end = history.begins + Span::minutes(2);
    let period = BlindPeriod { start: history.begins + Span::minutes(1), end, clock_set: false };
    history.blind_periods = vec![period];
    ImportedPast {
        removed: vec![(removed, removed_at)],
        audit: vec![(removed_at, entry())],
        present,
        history,
    }
}

#[tokio::test]
async fn a_new_database_gets_a_past_that_another_one_recorded_and_goes_on_from_it() {
    let past = recorded_past().await;
    for database in databases().await {
        let store = Store::open(&database.address()).await.unwrap();
        store.import_past(past.clone()).await.unwrap();
        assert_eq!(whole_history(&store).await, past.history);
        let snapshot = store.load().await.unwrap().snapshot;
        let (_, settings) = past.history.settings.last().unwrap();
        assert_eq!(snapshot.settings, *settings);
        assert_eq!(snapshot.references, past.history.references.last().unwrap().1);
        assert_eq!(snapshot.blind_periods, past.history.blind_periods);
        assert_eq!(snapshot.components.len(), 1);
        let audit = store.audit(&AuditQuery { limit: 10, ..AuditQuery::default() }).await.unwrap();
        assert_eq!(audit.iter().map(|one| one.at).collect::<Vec<_>>(), [past.removed[0].1]);
        let late = with_boot(2, beat("b", Role::Web, 1));
        let received = store.receive([beat("a", Role::Service, 3), late]).await.unwrap();
        let applied: Vec<bool> = received.receipts.iter().map(|one| one.applied).collect();
        assert_eq!(applied, [true, false], "a late heartbeat does not bring back what was removed");
        let counts = "select count(*) from recorded_components r where record_count =
             (select count(*) from component_history h where h.component = r.id)";
        assert_eq!(number(&database.address(), counts).await, 2);
    }
}

#[tokio::test]
async fn a_past_is_not_imported_into_a_database_that_has_components() {
    let past = recorded_past().await;
    for database in databases().await {
        let store = Store::open(&database.address()).await.unwrap();
        store.receive([beat("c", Role::Service, 1)]).await.unwrap();
        let before = whole_history(&store).await;
        let refused = store.import_past(past.clone()).await.unwrap_err();
        assert!(matches!(refused, StoreError::NotNew), "{refused}");
        store.remove(&[key("c", Role::Service)], &[], None).await.unwrap();
        assert!(store.import_past(past.clone()).await.is_err(), "it had one");
        assert_eq!(whole_history(&store).await.begins, before.begins);
    }
}
