//! What do web servers and readers see after a restore from a backup?

use super::*;

/// Writes until the commit number is higher than this.
async fn write_past(store: &Arc<Store>, live: &LiveState, number: i64) {
    for sequence in 100.. {
        let received = store.receive([beat("later", Role::Web, sequence)]).await.unwrap();
        let commit = received.commit.id;
        live.apply(received.commit);
        if commit.number > number {
            return;
        }
    }
}

#[tokio::test]
async fn a_web_server_that_was_suspended_during_a_restore_uses_nothing_that_it_knew_before() {
    let postgres = testkit::postgres();
    let address = postgres.create_database().await;
    let (one, other) = (Store::open(&address).await.unwrap(), Store::open(&address).await.unwrap());
    let (active, suspended) = (
        LiveState::load(Arc::clone(&one)).await.unwrap(),
        LiveState::load(Arc::clone(&other)).await.unwrap(),
    );
    active.apply(one.receive([beat("a", Role::Web, 1)]).await.unwrap().commit);
    let backup = postgres.back_up(&address);
    active.apply(one.receive([beat("ghost", Role::Web, 1)]).await.unwrap().commit);
    suspended.refresh().await;
    let LiveView { snapshot: mut reader, cursor, .. } = suspended.view();
    assert_eq!(reader.components.len(), 2);
    let before = suspended.view();
    postgres.restore(&backup, &address);
    // The suspended web server gets no notification of the restore.
    active.check_database().await.unwrap();
    let (commit, _) = cursor.split_once('-').unwrap();
    let commit: i64 = commit.split_once('.').unwrap().1.parse().unwrap();
    write_past(&one, &active, commit + 5).await;
    // A reader with a cursor of the suspended one gets everything.
    let change = active.changes_since(&cursor).0.unwrap();
    assert!(change.whole, "its commit was lost by the restore");
    reader.apply(change);
    assert_eq!(reader, active.snapshot());
    // A reader that comes with a cursor from after the restore does not go back in time.
    suspended.catch_up_to(&active.view().cursor).await;
    assert_eq!(suspended.snapshot().components.len(), 2, "a and later, no ghost");
    active.refresh().await;
    assert_eq!(suspended.snapshot(), active.snapshot());
    let (was, now) = (before.snapshot.as_of(before.now), suspended.view());
    assert!(now.snapshot.as_of(now.now) > was, "the picture never goes back in time");
    assert!(suspended.changes_since(&cursor).0.unwrap().whole);
    assert!(!other.is_behind().await.unwrap() && !one.is_behind().await.unwrap());
}

#[tokio::test]
async fn a_restore_into_the_file_of_a_running_overview_is_noticed() {
    let folder = Folder::new("restored-in-place");
    let store = Store::open(&folder.address()).await.unwrap();
    let live = LiveState::load(Arc::clone(&store)).await.unwrap();
    live.apply(store.receive([beat("a", Role::Web, 1)]).await.unwrap().commit);
    let sqlite = |command: String| {
        let mut sqlite = std::process::Command::new("sqlite3");
        sqlite.arg(folder.0.join("overview.db")).arg(command);
        assert!(sqlite.status().unwrap().success());
    };
    let backups = ["one.db", "other.db"].map(|name| folder.0.join(name));
    for (backup, server) in backups.iter().zip(["b", "c"]) {
        // Both backups have the same commit number and different servers.
        let before = folder.0.join("before.db");
        if backup == &backups[0] {
            sqlite(format!(".backup '{}'", before.display()));
        } else {
            sqlite(format!(".restore '{}'", before.display()));
            live.check_database().await.unwrap();
        }
        live.apply(store.receive([beat(server, Role::Web, 1)]).await.unwrap().commit);
        sqlite(format!(".backup '{}'", backup.display()));
    }
    for (backup, server) in backups.iter().zip(["b", "c"]) {
        sqlite(format!(".restore '{}'", backup.display()));
        assert!(store.is_behind().await.unwrap(), "{server}");
        let cursor = live.view().cursor;
        live.check_database().await.unwrap();
        let servers: Vec<String> =
            live.snapshot().components.keys().map(|key| key.server.to_string()).collect();
        assert_eq!(servers, ["a", server]);
        assert!(live.changes_since(&cursor).0.unwrap().whole);
    }
}

#[tokio::test]
async fn a_backup_of_either_database_is_the_whole_cluster() {
    let postgres = testkit::postgres();
    let address = postgres.create_database().await;
    let store = Store::open(&address).await.unwrap();
    store.receive([beat("a", Role::Web, 1), beat("b", Role::Service, 4)]).await.unwrap();
    let before = store.load().await.unwrap();
    let copy = postgres.create_database().await;
    postgres.restore(&postgres.back_up(&address), &copy);
    let restored = Store::open(&copy).await.unwrap().load().await.unwrap();
    assert_eq!((restored.snapshot, restored.commit), (before.snapshot, before.commit));

    let folder = Folder::new("backup");
    let store = Store::open(&folder.address()).await.unwrap();
    store.receive([beat("a", Role::Web, 1), beat("b", Role::Service, 4)]).await.unwrap();
    let before = store.load().await.unwrap();
    let restored = Folder::new("restored");
    // While `serve` runs: the log is part of the database, so the file alone is not copied.
    let mut sqlite = std::process::Command::new("sqlite3");
    sqlite.arg(folder.0.join("overview.db"));
    sqlite.arg(format!(".backup '{}'", restored.0.join("overview.db").display()));
    assert!(sqlite.status().unwrap().success());
    let restored = Store::open(&restored.address()).await.unwrap().load().await.unwrap();
    assert_eq!((restored.snapshot, restored.commit), (before.snapshot, before.commit));
}
