//! Which rows of a component does a heartbeat write?

use app::cluster::{Component, Heartbeat, Os, Source, Timestamp};

use super::*;

/// Makes every write of facts fail.
async fn forbid_facts(database: &Database) {
    let text = match database {
        Database::Sqlite(_) => {
            "create trigger no_insert before insert on components
                 begin select raise(abort, 'facts were written'); end;
             create trigger no_update before update on components
                 begin select raise(abort, 'facts were written'); end"
        }
        Database::Postgres(_) => {
            "create function no_facts() returns trigger language plpgsql as
                 $$ begin raise exception 'facts were written'; end $$;
             create trigger no_facts before insert or update on components
                 for each statement execute function no_facts()"
        }
    };
    execute_all(&database.address(), text).await;
}

async fn web_1(store: &Arc<Store>) -> Component {
    Component::clone(&store.load().await.unwrap().snapshot.components[&key("web-1", Role::Web)])
}

#[tokio::test]
async fn a_heartbeat_that_changes_no_fact_writes_no_fact() {
    for database in databases().await {
        let store = Store::open(&database.address()).await.unwrap();
        let batch =
            |sequence| [beat("web-1", Role::Web, sequence), beat("b", Role::Service, sequence)];
        store.receive(batch(1)).await.unwrap();
        let before = web_1(&store).await;
        forbid_facts(&database).await;
        let commit = store.receive(batch(2)).await.unwrap().commit;
        assert_eq!((commit.heartbeats.len(), commit.components.len()), (2, 0));
        let after = web_1(&store).await;
        assert_eq!((before.boots.current.sequence, after.boots.current.sequence), (1, 2));
        assert!(after.last_heartbeat >= before.last_heartbeat);
        assert_eq!(after.facts, before.facts);
        let another =
            reporting(beat("web-1", Role::Web, 3), |facts| facts.version = "5".to_owned());
        let refused = store.receive([another]).await.unwrap_err().to_string();
        assert!(refused.contains("facts were written"), "{refused}");
    }
}

#[tokio::test]
async fn every_fact_is_read_as_it_was_written_and_a_component_without_a_heartbeat_row_is_damage() {
    for database in databases().await {
        let store = Store::open(&database.address()).await.unwrap();
        let heartbeat = Heartbeat {
            sent_at: Some(Timestamp(store.now().0 + 5_000)),
            ..reporting(beat("web-1", Role::Web, 7), |facts| {
                facts.product = Some("Größe \"<\\'{}[]\u{1f980}".to_owned());
                facts.os = Os { name: "a 'quoted' $1".to_owned(), version: String::new() };
                facts.ip = std::net::IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]).into();
                facts.machine_key_check = KeyCheck::parse(&"0a".repeat(32));
                facts.source = Source::Probe;
            })
        };
        let facts = heartbeat.facts.clone();
        let commit = store.receive([heartbeat]).await.unwrap().commit;
        let stored = web_1(&store).await;
        assert_eq!(*stored.facts, facts);
        assert_eq!(stored, *commit.components[0]);
        execute_all(&database.address(), "delete from last_heartbeats").await;
        let damaged = store.load().await.unwrap_err();
        assert_eq!(damaged.outage(), DatabaseOutage::Corrupt, "{damaged}");
    }
}

#[tokio::test]
async fn an_old_tombstone_is_deleted_together_with_its_last_heartbeat() {
    for database in databases().await {
        let store = Store::open(&database.address()).await.unwrap();
        store.receive([beat("web-1", Role::Web, 1), beat("b", Role::Web, 1)]).await.unwrap();
        store.remove(&[key("web-1", Role::Web)], &[], None).await.unwrap();
        execute_all(
            &database.address(),
            "update components set removed_at = 1 where removed_at > 1",
        )
        .await;
        store.run_housekeeping().await.unwrap();
        let back = store.receive([beat("web-1", Role::Web, 1)]).await.unwrap();
        assert!(back.receipts[0].applied, "its sequence was deleted");
        assert_eq!(store.load().await.unwrap().snapshot.components.len(), 2);
    }
}
