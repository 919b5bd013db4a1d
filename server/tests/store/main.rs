//! What does the store keep through a restart, and what do readers get of each change?

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing helper fails the test")]

/// The builders of the tests of the rules, under the name that they use.
extern crate app as cluster_overview_app;

mod channels;
mod commands;
#[path = "../../../app/tests/common/mod.rs"]
mod common;
mod component_rows;
mod damage;
mod harness;
mod history;
mod imported_past;
mod incidents;
mod judged_again;
mod moments;
mod people;
mod rejections;
mod restores;
mod schema;
mod several;

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use app::cluster::{
    ComponentKey, DatabaseOutage, Heartbeat, KeyCheck, KeyKind, MessengerFailure, Role, Settings,
    Span,
};
use app::protocol::UserRole;
use cluster_overview::auth::model::{
    Account, EmbedSession, Invitation, Session, Token, TokenOwner, TokenRole,
};
use cluster_overview::auth::secret::SecretHash;
use cluster_overview::live::{LiveState, LiveView};
use cluster_overview::store::admin::AdminStore;
use cluster_overview::store::{AccessChange, LoadedState, MessengerReport, Store, StoreError};

use self::harness::*;

/// Defines each test for both databases.
macro_rules! on_both {
    ($(async fn $test:ident($database:ident) $body:block)*) => {
        mod sqlite {
            use super::*;
            $(#[tokio::test]
            async fn $test() {
                let $database = Database::Sqlite(Folder::new(stringify!($test)));
                $body
            })*
        }
        mod postgres {
            use super::*;
            $(#[tokio::test]
            async fn $test() {
                let $database = Database::Postgres(testkit::postgres().create_database().await);
                $body
            })*
        }
    };
}

on_both! {
    async fn everything_is_there_after_a_restart(database) {
        let store = Store::open(&database.address()).await.unwrap();
        let settings =
            Settings { automatic_failover: true, stale_timeout_s: 90, ..Settings::default() };
        store.set_settings(settings, &entry()).await.unwrap();
        let batch =
            [beat("web-1", Role::Web, 1), beat("web-2", Role::Service, 1), beat("web-3", Role::Web, 1)];
        store.receive(batch.clone()).await.unwrap();
        store.receive([beat("web-1", Role::Web, 2)]).await.unwrap();
        store.remove(&[key("WEB-3", Role::Web)], &[], Some(&entry())).await.unwrap();
        let before = store.load().await.unwrap();
        drop(store);
        let store = Store::open(&database.address()).await.unwrap();
        let after = store.load().await.unwrap();
        assert_eq!(before.commit, after.commit);
        let (before, after) = (before.snapshot, after.snapshot);
        assert_eq!(before, after);
        assert_eq!(after.settings, settings);
        assert_eq!(after.components.len(), 2);
        let reference = after.references.get(KeyKind::Encryption).unwrap();
        assert!(reference.agreed, "two servers agreed on it");
        let late = store.receive([beat("web-3", Role::Web, 1)]).await.unwrap();
        assert!(!late.receipts[0].applied, "the tombstone is there after the restart");
    }

    async fn a_batch_that_contains_a_component_twice_is_applied_in_order(database) {
        let store = Store::open(&database.address()).await.unwrap();
        let batch = [beat("a", Role::Web, 1), beat("A", Role::Web, 3), beat("a", Role::Web, 2)];
        let received = store.receive(batch.clone()).await.unwrap();
        let applied: Vec<bool> = received.receipts.iter().map(|receipt| receipt.applied).collect();
        assert_eq!(applied, [true, true, false]);
        let LoadedState { snapshot, .. } = store.load().await.unwrap();
        let component = &snapshot.components[&key("a", Role::Web)];
        assert_eq!(component.boots.current.sequence, 3);
        assert_eq!(component.server.as_str(), "a", "shown as first reported");
    }

    async fn the_authentication_cache_is_the_same_after_each_change_as_after_a_full_load(database) {
        let store = Store::open(&database.address()).await.unwrap();
        let live = LiveState::load(Arc::clone(&store)).await.unwrap();
        let ann = |role| AccessChange::SetAccount(Account {
            name: "Ann".to_owned(), role, password: "a hash".to_owned(), invitation: None,
        });
        let session = |number: u8| AccessChange::StartSession {
            hash: SecretHash::new(&number.to_string()),
            session: Session {
                name_key: "ann".to_owned(), signed_in_at: store.now(), last_change_at: store.now(), address: None,
            },
            password: "a hash".to_owned(),
        };
        let (product, code) = (SecretHash::new("product"), SecretHash::new("code"));
        let guest = EmbedSession {
            id: "visit".to_owned(), name: "Bob".to_owned(), role: UserRole::Viewer, token: product,
            created_at: store.now(), redeemed_at: None, last_change_at: store.now(),
        };
        let token = |id: &str, owner| Token {
            id: id.to_owned(), role: TokenRole::User(UserRole::Admin), name: id.to_owned(),
            server: None, created_at: store.now(), created_by: "Ann".to_owned(), owner, address: None,
            expires_at: None, last_used_at: None, revoked_at: None,
        };
        let expires_at = store.now() + Span::minutes(1);
        let invitation = |code: &str| Invitation { hash: SecretHash::new(code), expires_at };
        let bob = Account {
            name: "Bob".to_owned(), role: UserRole::Viewer, password: String::new(), invitation: Some(invitation("one")),
        };
        let invite = |account: &Account| AccessChange::InvitePerson(account.clone());
        let by_ann = token("product", Some(TokenOwner::User("ann".to_owned())));
        let by_token = token("other", Some(TokenOwner::Token("product".to_owned())));
        for changes in [
            vec![ann(UserRole::Admin), session(1), session(2)],
            vec![AccessChange::AddToken(product, by_ann), AccessChange::AddToken(SecretHash::new("other"), by_token)],
            vec![AccessChange::CreateEmbedSession(code, guest), session(3)],
            vec![AccessChange::RedeemEmbedCode { code, session: SecretHash::new("visit") }, AccessChange::EndSession(SecretHash::new("1"))],
            vec![AccessChange::RevokeEmbedSession("visit".to_owned())],
            vec![AccessChange::EndAllSessions("ann".to_owned())],
            vec![ann(UserRole::Admin), session(4)],
            vec![invite(&bob), AccessChange::UseForm(SecretHash::new("form"))],
            vec![AccessChange::SetRole { name_key: "bob".to_owned(), role: UserRole::Admin }],
            vec![AccessChange::SetInvitation { name_key: "bob".to_owned(), invitation: invitation("two") }],
            vec![AccessChange::AcceptInvitation {
                name_key: "bob".to_owned(), code: SecretHash::new("two"), password: "his hash".to_owned(),
            }],
            vec![AccessChange::ChangePassword {
                name_key: "ann".to_owned(), from: "a hash".to_owned(), to: "another".to_owned(), session: SecretHash::new("4"),
            }],
            vec![AccessChange::RequireOtherAdmin("ann".to_owned()), AccessChange::RemoveAccount("ann".to_owned())],
            vec![AccessChange::RemoveAccount("bob".to_owned())],
            vec![invite(&bob)],
            vec![ann(UserRole::Viewer)],
        ] {
            let commit = store.change_access(&changes, Some(&entry())).await.unwrap();
            live.apply(commit.unwrap_or_else(|| panic!("nothing to change: {changes:?}")));
            assert_eq!(*live.auth_cache(), store.load().await.unwrap().auth_cache, "{changes:?}");
        }
        let late = AccessChange::StartSession {
            hash: SecretHash::new("late"),
            session: Session {
                name_key: "ann".to_owned(), signed_in_at: store.now(), last_change_at: store.now(), address: None,
            },
            password: "the hash before".to_owned(),
        };
        assert!(store.change_access(&[late], None).await.unwrap().is_none(), "the password has changed");
    }

    async fn uses_of_tokens_are_written_in_one_batch_and_read_since_a_given_time(database) {
        let store = Store::open(&database.address()).await.unwrap();
        let at = store.now();
        let token = |number: u32| Token {
            id: format!("token-{number}"), role: TokenRole::User(UserRole::Viewer),
            name: "a monitor".to_owned(), server: None, created_at: at, created_by: "Ann".to_owned(),
            owner: None, address: None, expires_at: None, last_used_at: None, revoked_at: None,
        };
        let hash = |number: u32| SecretHash::new(&number.to_string());
        let changes: Vec<AccessChange> =
            (0..5).map(|number| AccessChange::AddToken(hash(number), token(number))).collect();
        store.change_access(&changes, None).await.unwrap().unwrap();
        let (early, late) = (at + Span::seconds(1), at + Span::seconds(2));
        let both = vec![("token-1".to_owned(), late), ("token-3".to_owned(), early)];
        let mut found = store.record_token_uses(both, at).await.unwrap();
        found.sort_by_key(|(_, moment)| *moment);
        assert_eq!(found, [(hash(3), early), (hash(1), late)]);
        // An earlier use that is written later changes nothing.
        let again = store.record_token_uses(vec![("token-1".to_owned(), early)], late).await.unwrap();
        assert_eq!(again, [(hash(1), late)]);
        let auth_cache = store.load().await.unwrap().auth_cache;
        assert_eq!(auth_cache.tokens[&hash(1)].last_used_at, Some(late));
        assert_eq!(auth_cache.tokens[&hash(0)].last_used_at, None);
    }

    async fn a_reader_that_applies_each_change_has_the_same_as_a_new_reader(database) {
        let store = Store::open(&database.address()).await.unwrap();
        let live = LiveState::load(Arc::clone(&store)).await.unwrap();
        let LiveView { snapshot: mut reader, mut cursor, .. } = live.view();
        for step in 1..6 {
            let batch = [beat("web-1", Role::Web, step), beat("web-2", Role::Service, step / 2)];
            live.apply(store.receive(batch.clone()).await.unwrap().commit);
            if step == 3 {
                live.apply(store.remove(&[key("web-1", Role::Web)], &[], Some(&entry())).await.unwrap());
            }
            if step == 4 {
                live.apply(
                    store
                        .set_settings(Settings { web_window_s: 600, ..Settings::default() }, &entry())
                        .await
                        .unwrap(),
                );
            }
            let (change, next, _) = live.changes_since(&cursor);
            let change = change.unwrap();
            assert!(!change.whole, "only what changed is sent");
            reader.apply(change.clone());
            reader.apply(change);
            cursor = next;
            assert_eq!(reader, live.snapshot());
        }
        assert_eq!(live.changes_since(&cursor).0, None, "nothing changed, so nothing is sent");
        assert_eq!(store.load().await.unwrap().snapshot.components, reader.components);
        assert!(live.changes_since("of.another.database").0.unwrap().whole);
    }

    async fn a_messengers_state_is_kept_through_heartbeats_and_a_restart(database) {
        let store = Store::open(&database.address()).await.unwrap();
        let service = key("a", Role::Service);
        let silent = reporting(beat("b", Role::Service, 1), |facts| facts.messenger_port = None);
        store.receive([beat("a", Role::Service, 1), silent]).await.unwrap();
        let report = |key: &ComponentKey, outcome| [MessengerReport { key: key.clone(), outcome }];
        let refused = report(&service, Some(Err(MessengerFailure::Refused)));
        let commit = store.note_messengers(&refused, "web-2").await.unwrap();
        let noted = Arc::clone(&commit.components[0].messengers[0]);
        assert_eq!(noted.failure, Some(MessengerFailure::Refused));
        assert_eq!((noted.port, noted.since), (33_237, commit.at));
        let same = store.note_messengers(&refused, "web-2").await.unwrap();
        assert!(same.is_empty(), "the state is the same");
        let connected = report(&service, Some(Ok(())));
        let commit = store.note_messengers(&connected, "web-1").await.unwrap();
        let seen_by: Vec<&str> =
            commit.components[0].messengers.iter().map(|seen| seen.seen_by.as_str()).collect();
        assert_eq!(seen_by, ["web-1", "web-2"], "one entry for each web server");
        store.note_messengers(&report(&service, None), "web-1").await.unwrap();
        let absent = report(&key("b", Role::Service), Some(Ok(())));
        let none = store.note_messengers(&absent, "web-2").await.unwrap();
        assert!(none.is_empty(), "that service announces no messenger");
        store.receive([beat("a", Role::Service, 2)]).await.unwrap();
        drop(store);
        let store = Store::open(&database.address()).await.unwrap();
        let LoadedState { snapshot, .. } = store.load().await.unwrap();
        assert_eq!(snapshot.components[&service].messengers, [noted]);
    }

    async fn what_another_process_writes_reaches_every_reader_at_the_next_check(database) {
        let store = Store::open(&database.address()).await.unwrap();
        let live = LiveState::load(Arc::clone(&store)).await.unwrap();
        let other =
            reporting(beat("b", Role::Web, 1), |facts| facts.key_check = KeyCheck::parse(&"1a".repeat(32)));
        let batch = [beat("a", Role::Web, 1), beat("c", Role::Web, 1), other];
        live.apply(store.receive(batch.clone()).await.unwrap().commit);
        let LiveView { snapshot: mut reader, cursor, .. } = live.view();
        let accepted = AdminStore::open(&database.address())
            .await
            .unwrap()
            .accept_key(KeyKind::Encryption, "1a1a1a1a")
            .await
            .unwrap();
        assert!(store.is_behind().await.unwrap());
        // A heartbeat between that write and the check hides nothing.
        live.apply(store.receive([beat("a", Role::Web, 2)]).await.unwrap().commit);
        live.check_database().await.unwrap();
        assert!(!store.is_behind().await.unwrap());
        reader.apply(live.changes_since(&cursor).0.unwrap());
        assert_eq!(reader.references.encryption.unwrap().check, accepted.check);
        assert_eq!(reader, live.snapshot());
        let stored = store.load().await.unwrap();
        assert_eq!(stored.snapshot, reader, "including the time of the change");
        let cursor = live.view().cursor;
        live.check_database().await.unwrap();
        assert_eq!(live.changes_since(&cursor).0, None, "noticed once");
    }

    async fn the_first_check_that_two_servers_report_is_the_reference_in_whichever_batch_they_come(database) {
        let store = Store::open(&database.address()).await.unwrap();
        let with_keys = |server: &str, key: &str, machine: &str| reporting(beat(server, Role::Web, 1), |facts| { facts.key_check = KeyCheck::parse(&key.repeat(32)); facts.machine_key_check = KeyCheck::parse(&machine.repeat(32)); });
        let reference = async |kind| {
            let found = store.load().await.unwrap().snapshot.references.get(kind).unwrap();
            (found.check.digits()[..2].to_owned(), found.agreed)
        };
        store.receive([with_keys("a", "1a", "5a"), with_keys("b", "1b", "5b")]).await.unwrap();
        assert_eq!(reference(KeyKind::Encryption).await, ("1a".to_owned(), false));
        store.receive([with_keys("c", "1b", "5c")]).await.unwrap();
        assert_eq!(reference(KeyKind::Encryption).await, ("1b".to_owned(), true));
        assert_eq!(reference(KeyKind::Machine).await, ("5a".to_owned(), false));
        store.receive([with_keys("d", "1d", "5d"), with_keys("e", "1d", "5d")]).await.unwrap();
        assert_eq!(reference(KeyKind::Encryption).await, ("1b".to_owned(), true));
        assert_eq!(reference(KeyKind::Machine).await, ("5d".to_owned(), true));
    }

    async fn a_heartbeat_without_new_facts_is_sent_without_the_facts(database) {
        let store = Store::open(&database.address()).await.unwrap();
        let live = LiveState::load(Arc::clone(&store)).await.unwrap();
        live.apply(store.receive([beat("web-1", Role::Web, 1)]).await.unwrap().commit);
        let cursor = live.view().cursor;
        live.apply(store.receive([beat("web-1", Role::Web, 2)]).await.unwrap().commit);
        let change = live.changes_since(&cursor).0.unwrap();
        assert!(change.components.is_empty());
        assert_eq!(change.heartbeats.len(), 1);
    }
}

#[tokio::test]
async fn a_file_that_is_in_use_cannot_be_opened_a_second_time() {
    let folder = Folder::new("owned");
    let store = Store::open(&folder.address()).await.unwrap();
    assert!(matches!(Store::open(&folder.address()).await, Err(StoreError::InUse(_))));
    drop(store);
    Store::open(&folder.address()).await.unwrap();
}

#[tokio::test]
async fn an_invalid_database_address_is_rejected_with_the_valid_forms() {
    for address in ["overview.db", "mysql://x", "sqlite:", "sqlite::memory:"] {
        let error = Store::open(address).await.unwrap_err();
        assert!(error.to_string().contains("sqlite:PATH"), "{address}: {error}");
    }
}
