//! What is in the database if a caller goes away at any await of any change?

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use app::cluster::Source;
use app::cluster::{
    ComponentFacts, ComponentKey, Heartbeat, KeyCheck, KeyKind, Os, Role, ServerName, Settings,
};
use app::protocol::UserRole;

use crate::auth::audit::{Action, Actor, AuditEntry, AuditQuery};
use crate::auth::model::Account;
use crate::clock::Stopwatch;
use crate::store::fold::{fold_heartbeats, record_removal};
use crate::store::{AccessChange, Commit, Database, Store, StoreError, access, rows};
use crate::store::{access_rows, audit, component_row};

/// More than any change needs.
const MAX_POLLS: usize = 2_000;

#[derive(Clone, Copy, Debug)]
enum Cancellation {
    /// As soon as the work is pending.
    AtOnce,
    /// When the work was woken, before it is polled again.
    WhenWoken,
}

/// Polls `work` this many times and drops it. Returns its result if it ended before.
async fn poll_at_most<T>(
    work: impl Future<Output = T>,
    polls: usize,
    cancellation: Cancellation,
) -> Option<T> {
    let (mut work, mut left) = (pin!(work), polls);
    std::future::poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match (work.as_mut().poll(context), cancellation) {
            (Poll::Ready(done), _) => Poll::Ready(Some(done)),
            (Poll::Pending, Cancellation::AtOnce) if left == 0 => Poll::Ready(None),
            (Poll::Pending, _) => Poll::Pending,
        }
    })
    .await
}

/// Everything that writes or reads.
#[derive(Clone, Copy, Debug)]
enum Work {
    Receive,
    Configure,
    Remove,
    AccessChange,
    AcceptKey,
    RenewMark,
    Load,
    Audit,
}

impl Work {
    const ALL: [Self; 8] = [
        Self::Receive,
        Self::Configure,
        Self::Remove,
        Self::AccessChange,
        Self::AcceptKey,
        Self::RenewMark,
        Self::Load,
        Self::Audit,
    ];

    /// Does it without the task that protects it.
    async fn unprotected(self, store: &Store, number: u32) -> Result<(), StoreError> {
        if matches!(self, Self::Load | Self::Audit) {
            return self.read(store).await;
        }
        if matches!(self, Self::RenewMark) {
            return store.write_mark().await.map(drop);
        }
        let mut change = store.change().await?;
        match self {
            Self::Receive => {
                fold_heartbeats(&mut change, &[beat("web-1", number), beat("web-2", number)])
                    .await?;
            }
            Self::Configure => {
                change.set_settings(settings(number)).await?;
                change.record(&entry()).await?;
            }
            Self::Remove => {
                let commit = change.commit_no();
                let keys = [key("web-1"), key("web-2")];
                record_removal(&mut change, &keys).await?;
                component_row::remove(&mut change.tx, &keys, change.at, commit).await?;
                change.record(&entry()).await?;
            }
            Self::AccessChange => {
                let account = Account {
                    name: format!("ann-{number}"),
                    role: UserRole::Viewer,
                    password: String::new(),
                    invitation: None,
                };
                let commit = change.commit_no();
                let grant = AccessChange::SetAccount(account);
                access::change_access(&mut change.tx, &grant, change.at, commit).await?;
                change.changes_access = true;
                change.record(&entry()).await?;
            }
            Self::AcceptKey => {
                let mut references = rows::references(&mut change.tx).await?;
                references.accept(KeyKind::Encryption, key_check(number));
                change.set_references(references).await?;
                change.record(&entry()).await?;
            }
            Self::RenewMark | Self::Load | Self::Audit => {}
        }
        store.commit(change).await.map(drop)
    }

    async fn read(self, store: &Store) -> Result<(), StoreError> {
        let mut tx = store.begin_read().await?;
        let cluster = rows::cluster_row(&mut tx, None).await?;
        if matches!(self, Self::Load) {
            rows::snapshot(&mut tx, &cluster).await?;
            access_rows::auth_cache(&mut tx).await?;
        } else {
            let query = AuditQuery { limit: 10, ..AuditQuery::default() };
            audit::audit(&mut tx, &query).await?;
        }
        tx.rollback().await
    }

    /// Does it like any other caller.
    async fn protected(self, store: &Arc<Store>, number: u32) -> Result<(), StoreError> {
        let done: Result<Commit, StoreError> = match self {
            Self::Receive => store
                .receive([beat("web-1", number), beat("web-2", number)])
                .await
                .map(|received| received.commit),
            Self::Configure => store.set_settings(settings(number), &entry()).await,
            Self::Remove => store.remove(&[key("web-1"), key("web-2")], &[], Some(&entry())).await,
            Self::AccessChange => {
                let account = Account {
                    name: format!("ann-{number}"),
                    role: UserRole::Viewer,
                    password: String::new(),
                    invitation: None,
                };
                let granted =
                    store.change_access(&[AccessChange::SetAccount(account)], Some(&entry())).await;
                granted.map(Option::unwrap)
            }
            Self::AcceptKey => {
                store.accept_key(KeyKind::Encryption, key_check(number), &entry()).await
            }
            Self::RenewMark => store.renew_mark().await,
            Self::Load => return store.load().await.map(drop),
            Self::Audit => {
                let query = AuditQuery { limit: 10, ..AuditQuery::default() };
                return store.audit(&query).await.map(drop);
            }
        };
        done.map(drop)
    }
}

fn key(server: &str) -> ComponentKey {
    ComponentKey { server: ServerName::parse(server).unwrap(), role: Role::Service }
}

fn beat(server: &str, sequence: u32) -> Heartbeat {
    Heartbeat {
        server: ServerName::parse(server).unwrap(),
        role: Role::Service,
        boot_id: "0b0e8a6e-3c0a-4d5e-9f7e-3d1b9f0c2a11".to_owned(),
        sequence: i64::from(sequence),
        sent_at: None,
        leaving: false,
        facts: ComponentFacts {
            product: None,
            version: "1.0".to_owned(),
            os: Os { name: "Debian GNU/Linux".to_owned(), version: "12".to_owned() },
            ip: std::net::IpAddr::from([10, 0, 0, 1]).into(),
            key_check: None,
            machine_key_check: None,
            messenger_port: None,
            source: Source::Node,
        },
    }
}

/// Settings of which all values follow from one number.
fn settings(number: u32) -> Settings {
    let seconds = 10 + number % 1_000;
    Settings {
        heartbeat_interval_s: seconds,
        stale_timeout_s: 3 * seconds,
        web_window_s: 100 * seconds,
        ..Settings::default()
    }
}

fn key_check(number: u32) -> KeyCheck {
    KeyCheck::parse(&format!("{number:064x}")).unwrap()
}

fn entry() -> AuditEntry {
    AuditEntry::done(&Actor::command(), Action::Configure, "a test")
}

/// Both servers have the same sequence, and the settings belong together.
async fn check_no_partial_change(store: &Arc<Store>, context: &str) {
    let snapshot = store.load().await.unwrap_or_else(|error| panic!("{context}: {error}")).snapshot;
    let sequences: Vec<i64> =
        snapshot.components.values().map(|component| component.boots.current.sequence).collect();
    assert!(
        sequences.is_empty() || sequences.len() == 2 && sequences[0] == sequences[1],
        "{context}: {sequences:?}"
    );
    let Settings { heartbeat_interval_s, stale_timeout_s, web_window_s, .. } = snapshot.settings;
    let together = (stale_timeout_s, web_window_s)
        == (3 * heartbeat_interval_s, 100 * heartbeat_interval_s)
        || snapshot.settings == Settings::default();
    assert!(together, "{context}: {:?}", snapshot.settings);
}

/// Cancels each kind of work at its n-th poll, for every n until it ends.
async fn cancel_everywhere(store: Arc<Store>) {
    let mut number = 0;
    for cancellation in [Cancellation::AtOnce, Cancellation::WhenWoken] {
        for work in Work::ALL {
            let mut ended = false;
            for polls in 0..MAX_POLLS {
                number += 1;
                let context = format!("{work:?}, cancelled {cancellation:?} at poll {polls}");
                let done =
                    poll_at_most(work.unprotected(&store, number), polls, cancellation).await;
                ended = match done {
                    None => false,
                    Some(Ok(())) => true,
                    Some(Err(error)) => panic!("{context}: {error}"),
                };
                number += 1;
                let next = store.receive([beat("web-1", number), beat("web-2", number)]).await;
                let next = next.unwrap_or_else(|error| panic!("{context}, and then: {error}"));
                assert!(next.receipts.iter().all(|receipt| receipt.applied), "{context}");
                check_no_partial_change(&store, &context).await;
                if ended {
                    break;
                }
            }
            assert!(ended, "{work:?} never ended within {MAX_POLLS} polls");
        }
    }
    assert_eq!(store.replaced_connections(), 0, "no connection was returned inside a transaction");
}

/// A caller that has polled once may go away: the change is made all the same. One after the other, because each goes on in
/// a task of its own, and the components that one receives another removes.
async fn complete_without_caller(store: Arc<Store>) {
    for (number, work) in (1..).zip(Work::ALL) {
        let asked = poll_at_most(work.protected(&store, number), 1, Cancellation::AtOnce).await;
        assert!(asked.is_none(), "{work:?} ended at the first poll");
        let waiting = Stopwatch::start();
        while !is_complete(&store, work, number).await {
            assert!(waiting.elapsed() < Duration::from_secs(10), "{work:?} was never made");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Whether the change of [`Work::protected`] can be read.
async fn is_complete(store: &Arc<Store>, work: Work, number: u32) -> bool {
    let loaded = store.load().await.unwrap();
    match work {
        Work::Receive => loaded.snapshot.components.len() == 2,
        Work::Configure => loaded.snapshot.settings == settings(number),
        Work::Remove => loaded.snapshot.components.is_empty(),
        Work::AccessChange => loaded.auth_cache.accounts.contains_key(&format!("ann-{number}")),
        Work::AcceptKey => {
            let accepted = loaded.snapshot.references.get(KeyKind::Encryption);
            accepted.is_some_and(|reference| reference.check == key_check(number))
        }
        Work::RenewMark | Work::Load | Work::Audit => true,
    }
}

/// A connection that was returned inside a transaction is replaced, and that transaction is rolled back.
async fn replace_open_connection(store: Arc<Store>) {
    store.receive([beat("web-1", 1), beat("web-2", 1)]).await.unwrap();
    let mut tx = match &store.database {
        Database::Sqlite(sqlite) => sqlite.begin_write().await.unwrap(),
        Database::Postgres(postgres) => postgres.begin_write().await.unwrap(),
    };
    let left_open = AuditEntry { outcome: "left open".to_owned(), ..entry() };
    audit::record(&mut tx, &left_open, store.now(), 0).await.unwrap();
    tx.leave_open();
    let before = store.replaced_connections();
    // A pool with several connections may use another one first.
    for number in 2..40 {
        let received = store.receive([beat("web-1", number), beat("web-2", number)]).await.unwrap();
        assert!(received.receipts.iter().all(|receipt| receipt.applied));
    }
    assert_eq!(store.replaced_connections(), before + 1, "counted once");
    let query = AuditQuery { limit: 10, ..AuditQuery::default() };
    assert!(store.audit(&query).await.unwrap().is_empty(), "it was rolled back");
}

macro_rules! on_both {
    ($($test:ident => $check:ident,)*) => {
        mod sqlite {
            use super::*;
            $(#[tokio::test]
            async fn $test() {
                let folder = testkit::folder();
                let file = folder.join("overview.db");
                $check(Store::open(&format!("sqlite:{}", file.display())).await.unwrap()).await;
            })*
        }
        mod postgres {
            use super::*;
            $(#[tokio::test]
            async fn $test() {
                let address = testkit::postgres().create_database().await;
                $check(Store::open(&address).await.unwrap()).await;
            })*
        }
    };
}

on_both! {
    a_change_cancelled_at_any_await_is_not_made_in_part_and_the_next_one_succeeds => cancel_everywhere,
    a_change_is_made_although_its_caller_went_away => complete_without_caller,
    a_connection_returned_inside_a_transaction_is_replaced => replace_open_connection,
}
