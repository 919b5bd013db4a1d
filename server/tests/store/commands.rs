//! What do commands write while the overview runs?

use super::*;

#[tokio::test]
async fn a_command_waits_while_the_schema_is_created_and_fails_with_advice_if_nobody_creates_it() {
    let folder = Folder::new("schema");
    std::fs::write(folder.0.join("overview.db"), "").unwrap();
    let (address, other) = (folder.address(), Folder::new("former"));
    std::fs::write(other.0.join("overview.db"), "").unwrap();
    let opening = tokio::spawn(async move { AdminStore::open(&address).await });
    let _owner = Store::open(&folder.address()).await.unwrap();
    assert!(opening.await.unwrap().is_ok(), "the owner has created it meanwhile");
    let refused = AdminStore::open(&other.address()).await.unwrap_err().to_string();
    assert!(refused.contains("start `serve` on it once"), "{refused}");
}

#[tokio::test]
async fn a_running_overview_reads_what_several_commands_write() {
    let folder = Folder::new("commands");
    let store = Store::open(&folder.address()).await.unwrap();
    let live = LiveState::load(Arc::clone(&store)).await.unwrap();
    live.apply(store.receive([beat("a", Role::Web, 1)]).await.unwrap().commit);
    let cursor = live.view().cursor;
    let command = AdminStore::open(&folder.address()).await.unwrap();
    for name in ["ann", "bob", "cid"] {
        let account = Account {
            name: name.to_owned(),
            role: UserRole::Viewer,
            password: String::new(),
            invitation: None,
        };
        assert!(
            command.change_access(&[AccessChange::SetAccount(account)], &entry()).await.unwrap()
        );
    }
    live.check_database().await.unwrap();
    assert_eq!(live.auth_cache().accounts.len(), 3);
    assert!(live.changes_since(&cursor).0.is_none_or(|change| !change.whole), "the same database");
}
