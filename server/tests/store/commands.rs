//! What do commands write while the overview runs?

use super::*;

#[tokio::test]
async fn a_command_waits_for_a_schema_that_is_being_made_and_says_so_where_nobody_makes_it() {
    let folder = Folder::new("schema");
    std::fs::write(folder.0.join("overview.db"), "").unwrap();
    let (address, other) = (folder.address(), Folder::new("former"));
    std::fs::write(other.0.join("overview.db"), "").unwrap();
    let opening = tokio::spawn(async move { AdminStore::open(&address).await });
    let _owner = Store::open(&folder.address()).await.unwrap();
    assert!(opening.await.unwrap().is_ok(), "the owner has made it meanwhile");
    let refused = AdminStore::open(&other.address()).await.unwrap_err().to_string();
    assert!(refused.contains("start `serve` on it once"), "{refused}");
}

#[tokio::test]
async fn many_commands_beside_a_running_overview_are_read_as_they_come() {
    let folder = Folder::new("beside");
    let store = Store::open(&folder.address()).await.unwrap();
    let live = LiveState::load(Arc::clone(&store)).await.unwrap();
    live.apply(store.receive([beat("a", Role::Web, 1)]).await.unwrap().commit);
    let cursor = live.view().cursor;
    let beside = AdminStore::open(&folder.address()).await.unwrap();
    for name in ["ann", "bob", "cid"] {
        let account =
            Account { name: name.to_owned(), role: UserRole::Viewer, password: String::new() };
        assert!(
            beside.change_access(&[AccessChange::SetAccount(account)], &entry()).await.unwrap()
        );
    }
    live.check_database().await.unwrap();
    assert_eq!(live.auth_cache().accounts.len(), 3);
    assert!(live.changes_since(&cursor).0.is_none_or(|change| !change.whole), "one history");
}
