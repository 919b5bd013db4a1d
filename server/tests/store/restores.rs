//! What remains after a restore from a backup?

use super::*;

/// Grows past what was known before a restore.
async fn grow_past(store: &Arc<Store>, live: &LiveState, number: i64) {
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
async fn a_web_server_that_slept_through_a_restore_takes_nothing_it_knew_for_true() {
    let postgres = testkit::postgres();
    let address = postgres.create_database().await;
    let (one, other) = (Store::open(&address).await.unwrap(), Store::open(&address).await.unwrap());
    let (awake, asleep) = (
        LiveState::load(Arc::clone(&one)).await.unwrap(),
        LiveState::load(Arc::clone(&other)).await.unwrap(),
    );
    awake.apply(one.receive([beat("a", Role::Web, 1)]).await.unwrap().commit);
    let backup = postgres.back_up(&address);
    awake.apply(one.receive([beat("ghost", Role::Web, 1)]).await.unwrap().commit);
    asleep.refresh().await;
    let LiveView { snapshot: mut reader, cursor, .. } = asleep.view();
    assert_eq!(reader.components.len(), 2);
    let before = asleep.view();
    postgres.restore(&backup, &address);
    // Neither who was awake nor who begins afterwards says anything of it to who slept.
    awake.check_database().await.unwrap();
    let (commit, _) = cursor.split_once('-').unwrap();
    let commit: i64 = commit.split_once('.').unwrap().1.parse().unwrap();
    grow_past(&one, &awake, commit + 5).await;
    // A reader who comes from the one that sleeps gets everything.
    let change = awake.changes_since(&cursor).0.unwrap();
    assert!(change.whole, "its place is in another history");
    reader.apply(change);
    assert_eq!(reader, awake.snapshot());
    // And one who comes from the restored history to it is not led back.
    asleep.catch_up_to(&awake.view().cursor).await;
    assert_eq!(asleep.snapshot().components.len(), 2, "a and later, no ghost");
    awake.refresh().await;
    assert_eq!(asleep.snapshot(), awake.snapshot());
    let (was, now) = (before.snapshot.as_of(before.now), asleep.view());
    assert!(now.snapshot.as_of(now.now) > was, "the picture never goes back in time");
    assert!(asleep.changes_since(&cursor).0.unwrap().whole);
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
        // Both backups stand at commits of one number, and hold different servers.
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
