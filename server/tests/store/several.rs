//! How do web servers that share a database see each other's changes?

use super::*;

async fn two_stores() -> (Arc<Store>, Arc<Store>) {
    let address = testkit::postgres().create_database().await;
    let (one, other) = (Store::open(&address).await.unwrap(), Store::open(&address).await.unwrap());
    one.renew_mark().await.unwrap();
    other.renew_mark().await.unwrap();
    (one, other)
}

#[tokio::test]
async fn two_writers_wait_for_each_other_so_times_and_commit_numbers_have_the_same_order() {
    let (one, other) = two_stores().await;
    let write = |store: Arc<Store>, name: &'static str| async move {
        let mut commits = Vec::new();
        for sequence in 1..40 {
            // Both write the same component, and one of their own.
            let batch = [beat("both", Role::Web, sequence), beat(name, Role::Web, sequence)];
            let received = store.receive(batch.clone()).await.unwrap();
            commits.push((received.commit.id.number, received.at));
        }
        commits
    };
    let (a, b) = tokio::join!(
        tokio::spawn(write(Arc::clone(&one), "a")),
        tokio::spawn(write(Arc::clone(&other), "b"))
    );
    let mut commits = [a.unwrap(), b.unwrap()].concat();
    commits.sort_unstable();
    let numbers: Vec<i64> = commits.iter().map(|(number, _)| *number).collect();
    let first = numbers[0];
    assert_eq!(
        numbers,
        (first..first + 78).collect::<Vec<_>>(),
        "no number is missing or used twice"
    );
    assert!(commits.is_sorted_by_key(|(_, at)| *at), "a later commit has no earlier time");
}

#[tokio::test]
async fn a_web_server_applies_what_another_wrote_before_its_own_change() {
    let (one, other) = two_stores().await;
    let (here, there) = (
        LiveState::load(Arc::clone(&one)).await.unwrap(),
        LiveState::load(Arc::clone(&other)).await.unwrap(),
    );
    let LiveView { snapshot: mut reader, cursor, .. } = here.view();
    here.apply(
        one.receive([beat("a", Role::Web, 1), beat("b", Role::Web, 1)]).await.unwrap().commit,
    );
    here.apply(one.remove(&[key("b", Role::Web)], &[], Some(&entry())).await.unwrap());
    // The other reads it with its own next change, and so does its reader.
    there.apply(other.receive([beat("c", Role::Web, 1)]).await.unwrap().commit);
    assert_eq!(there.snapshot().components.len(), 2);
    let (change, next, _) = there.changes_since(&cursor);
    reader.apply(change.unwrap());
    assert_eq!(reader, there.snapshot());
    // At the first web server, which is behind, it does not go back in time: that one reads before it answers.
    assert_eq!(here.snapshot().components.len(), 1);
    here.catch_up_to(&next).await;
    if let Some(change) = here.changes_since(&next).0 {
        reader.apply(change);
    }
    assert_eq!(reader, here.snapshot());
    assert_eq!(here.snapshot(), there.snapshot());
    assert!(!one.is_behind().await.unwrap() && !other.is_behind().await.unwrap());
}

#[tokio::test]
async fn another_database_at_the_same_address_replaces_the_picture() {
    let postgres = testkit::postgres();
    let address = postgres.create_database().await;
    let store = Store::open(&address).await.unwrap();
    let live = LiveState::load(Arc::clone(&store)).await.unwrap();
    live.apply(store.receive([beat("a", Role::Web, 1)]).await.unwrap().commit);
    let cursor = live.view().cursor;
    postgres.empty_database(&address).await;
    // At the first check there are no tables; they are created before the next one.
    assert!(live.check_database().await.is_err() && live.is_blind());
    live.check_database().await.unwrap();
    assert!(live.snapshot().components.is_empty(), "it is an empty database");
    assert!(live.changes_since(&cursor).0.unwrap().whole, "readers replace the old picture");
}
