//! What does the store accept of invitations, roles and removals?

use std::slice;

use super::*;

fn account(name: &str, role: UserRole, password: &str) -> Account {
    Account { name: name.to_owned(), role, password: password.to_owned(), invitation: None }
}

async fn is_done(store: &Arc<Store>, changes: &[AccessChange]) -> bool {
    store.change_access(changes, None).await.unwrap().is_some()
}

#[tokio::test]
async fn an_invitation_is_accepted_once_before_its_end_and_not_after_a_newer_one() {
    for database in databases().await {
        let store = Store::open(&database.address()).await.unwrap();
        store.renew_mark().await.unwrap();
        let hour = Span::minutes(60);
        let invitation =
            |code: &str, expires_at| Invitation { hash: SecretHash::new(code), expires_at };
        let set = |code: &str, expires_at| AccessChange::SetInvitation {
            name_key: "bob".to_owned(),
            invitation: invitation(code, expires_at),
        };
        let accept = |name: &str, code: &str| AccessChange::AcceptInvitation {
            name_key: name.to_owned(),
            code: SecretHash::new(code),
            password: "a hash".to_owned(),
        };
        let first = Some(invitation("first", store.now() + hour));
        let bob = Account { invitation: first, ..account("Bob", UserRole::Viewer, "") };
        let invite = AccessChange::InvitePerson(bob);
        assert!(is_done(&store, slice::from_ref(&invite)).await);
        assert!(!is_done(&store, slice::from_ref(&invite)).await, "the name is taken");
        assert!(is_done(&store, &[set("second", store.now() + hour)]).await);
        assert!(!is_done(&store, &[accept("bob", "first")]).await, "replaced");
        assert!(!is_done(&store, &[accept("ann", "second")]).await, "somebody else's");
        assert!(is_done(&store, &[accept("bob", "second")]).await);
        assert!(!is_done(&store, &[accept("bob", "second")]).await, "used");
        assert!(is_done(&store, &[set("third", store.now())]).await);
        assert!(!is_done(&store, &[accept("bob", "third")]).await, "expired");
        assert!(is_done(&store, &[set("fourth", store.now() + hour)]).await);
        assert!(is_done(&store, &[AccessChange::RemoveAccount("bob".to_owned())]).await);
        assert!(!is_done(&store, &[accept("bob", "fourth")]).await, "removed");
        assert!(!is_done(&store, &[set("fifth", store.now() + hour)]).await, "removed");
        assert!(is_done(&store, &[invite]).await, "the name is free again");
    }
}

#[tokio::test]
async fn a_form_creates_something_once() {
    for database in databases().await {
        let store = Store::open(&database.address()).await.unwrap();
        store.renew_mark().await.unwrap();
        let form = AccessChange::UseForm(SecretHash::new("form"));
        assert!(is_done(&store, slice::from_ref(&form)).await);
        assert!(!is_done(&store, &[form]).await);
    }
}

#[tokio::test]
async fn of_two_last_admins_who_remove_each_other_at_the_same_time_one_stays() {
    for database in databases().await {
        let store = Store::open(&database.address()).await.unwrap();
        store.renew_mark().await.unwrap();
        // An admin who has chosen no password does not count.
        for (name, password) in [("ann", "a hash"), ("bob", "a hash"), ("cid", "")] {
            let set = AccessChange::SetAccount(account(name, UserRole::Admin, password));
            assert!(is_done(&store, &[set]).await);
        }
        let remove = |store: Arc<Store>, by: &'static str, name: &'static str| async move {
            let changes = [
                AccessChange::RequireAdmin(TokenOwner::User(by.to_owned())),
                AccessChange::RequireOtherAdmin(name.to_owned()),
                AccessChange::RemoveAccount(name.to_owned()),
            ];
            is_done(&store, &changes).await
        };
        // With PostgreSQL, through two web servers.
        let other = match &database {
            Database::Sqlite(_) => Arc::clone(&store),
            Database::Postgres(address) => Store::open(address).await.unwrap(),
        };
        let (one, two) = tokio::join!(
            tokio::spawn(remove(Arc::clone(&store), "ann", "bob")),
            tokio::spawn(remove(other, "bob", "ann"))
        );
        assert_ne!(one.unwrap(), two.unwrap(), "one of both");
        let accounts = store.load().await.unwrap().auth_cache.accounts;
        assert_eq!(accounts.values().filter(|account| account.has_password()).count(), 1);
        let last = accounts.iter().find(|(_, account)| account.has_password()).unwrap().0.clone();
        let demote = [
            AccessChange::RequireOtherAdmin(last.clone()),
            AccessChange::SetRole { name_key: last, role: UserRole::Viewer },
        ];
        assert!(!is_done(&store, &demote).await, "the last admin stays one");
    }
}
