//! Where the facts are kept: all the SQL there is. Every change is one transaction, stamped by the
//! database's clock, and returns the news a reader has to take in.

mod access;
pub mod admin;
#[cfg(test)]
mod cancellation;
mod commit;
mod commit_token;
mod error;
mod messenger_status;
mod postgres;
mod rows;
mod sql;
mod sqlite;
pub(crate) mod task;
mod tx;
mod write_tx;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use app::cluster::observation::BLIND_PERIOD_RETENTION;
use app::cluster::receive::{self, Stored};
use app::cluster::{
    ComponentKey, Heartbeat, HeartbeatUpdate, KeyCheck, KeyKind, ServerName, Settings, Span,
    Timestamp,
};

use crate::auth::audit::{Entry, Wanted, Written};
use crate::auth::secret::Hash;
pub use crate::store::access::AccessChange;
pub(crate) use crate::store::access::KEEP_TOKENS;
pub use crate::store::commit::{AuthChanges, Commit, LoadedState, Receipt, ReceiveOutcome};
pub use crate::store::commit_token::CommitId;
pub(crate) use crate::store::commit_token::History;
pub use crate::store::error::StoreError;
pub use crate::store::messenger_status::MessengerReport;
pub(crate) use crate::store::postgres::ChangeListener;
use crate::store::postgres::PostgresStore;
use crate::store::rows::{ClusterRow, Upsert};
use crate::store::sqlite::SqliteStore;
use crate::store::task::run_to_end;
use crate::store::tx::Tx;
use crate::store::write_tx::WriteTx;
use crate::telemetry::primitives::{DURATION_BOUNDS_S, Histogram};

/// How many rows of a kind one transaction of the housekeeping deletes.
const MAX_FORGOTTEN_AT_ONCE: u32 = 1_000;
/// How many uses of tokens one transaction writes down.
const MAX_USES_AT_ONCE: usize = 1_000;
/// How long a tombstone tells a late heartbeat from a new one.
const KEEP_TOMBSTONES: Span = Span::minutes(31 * 24 * 60);

/// What runs inside a transaction.
type Within<'t, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 't>>;

/// The facts of one cluster.
///
/// Everything it does runs to its end in a task of its own ([`run_to_end`]): a caller that goes away
/// never cuts a change off in the middle.
#[derive(Debug)]
pub struct Store {
    home: Backend,
    known: Mutex<SyncPoint>,
    /// How long changes took, from their beginning to their commit.
    durations: Histogram,
    /// Whether the database could not be read or written since the last commit.
    was_blind: AtomicBool,
}

/// Which database it is.
#[derive(Debug)]
enum Backend {
    /// A file of this process's own.
    File(Box<SqliteStore>),
    /// A server that several processes share.
    Server(Box<PostgresStore>),
}

/// How much of what was written this process knows.
#[derive(Clone, Debug)]
struct SyncPoint {
    /// Part of every cursor: a cursor of another database means nothing here.
    database_id: String,
    /// All up to this commit; `None` before anything was read.
    commit: Option<CommitId>,
}

/// Where a database stands: what a glance reads.
#[derive(Debug)]
struct Standing {
    database_id: String,
    commit: CommitId,
}

const STANDING: &str = "select database_id, commit_no, commit_token from cluster";

impl Standing {
    fn of((database_id, number, token): (String, i64, i64)) -> Self {
        Self { database_id, commit: CommitId { number, token } }
    }
}

impl Store {
    /// Opens the database at `sqlite:PATH`, creating the file if there is none, or at
    /// `postgres://USER@HOST/DATABASE`, which need not be there yet; brings its schema up to date. The
    /// gap since a process last wrote becomes a period.
    pub async fn open(address: &str) -> Result<Arc<Self>, StoreError> {
        let (home, known) = if postgres::is_address(address) {
            let shared = PostgresStore::at(address)?;
            let known = SyncPoint { database_id: shared.name().to_owned(), commit: None };
            (Backend::Server(Box::new(shared)), known)
        } else {
            let path = Self::path(address)
                .ok_or_else(|| StoreError::Address(without_password(address)))?;
            let (owned, head) = SqliteStore::open(path).await?;
            let known = SyncPoint { database_id: head.database_id, commit: Some(head.commit) };
            (Backend::File(Box::new(owned)), known)
        };
        let durations = Histogram::new(DURATION_BOUNDS_S);
        let was_blind = AtomicBool::new(false);
        Ok(Arc::new(Self { home, known: Mutex::new(known), durations, was_blind }))
    }

    /// The file behind an address, if it is a file's.
    pub fn path(address: &str) -> Option<PathBuf> {
        sqlite::path(address)
    }

    /// The file beside this database in which `serve` keeps the join token.
    pub fn join_token_file(database: &Path) -> PathBuf {
        sqlite::join_token_file(database)
    }

    /// Fails if this process may not use the files of this database.
    pub fn check_owner(address: &str) -> Result<(), StoreError> {
        Self::path(address).map_or(Ok(()), |path| sqlite::check_owner(&path))
    }

    /// Names the cluster's database, whether it can be reached or not.
    pub fn name(&self) -> String {
        match &self.home {
            Backend::File(_) => self.database_id(),
            Backend::Server(shared) => Hash::of(shared.name()).to_hex(),
        }
    }

    /// Names the database in cursors.
    pub fn database_id(&self) -> String {
        self.known().database_id.clone()
    }

    /// Whether other processes write to it too.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self.home, Backend::Server(_))
    }

    /// How long changes took, from their beginning to their commit.
    pub(crate) fn durations(&self) -> &Histogram {
        &self.durations
    }

    /// How often a connection was found inside an earlier transaction, and replaced.
    pub(crate) fn replaced_connections(&self) -> u64 {
        match &self.home {
            Backend::File(owned) => owned.replaced_connections.get(),
            Backend::Server(shared) => shared.replaced_connections.get(),
        }
    }

    /// Now, by the database's clock.
    pub fn now(&self) -> Timestamp {
        match &self.home {
            Backend::File(owned) => owned.clock.now(),
            Backend::Server(shared) => shared.clock.now(),
        }
    }

    /// Everything, and the number of the commit it stands at.
    pub async fn load(self: &Arc<Self>) -> Result<LoadedState, StoreError> {
        let everything = self.read(|tx| {
            Box::pin(async move {
                let head = rows::head(tx, None).await?;
                let snapshot = rows::snapshot(tx, &head).await?;
                Ok((head, snapshot, access::keyring(tx).await?))
            })
        });
        let (head, snapshot, keyring) = everything.await?;
        self.knows_all_of(&head, head.commit);
        Ok(LoadedState { snapshot, keyring, commit: head.commit })
    }

    /// Whether another process has written what this one does not know.
    pub async fn is_behind(self: &Arc<Self>) -> Result<bool, StoreError> {
        let store = Arc::clone(self);
        run_to_end(async move {
            let known = store.known().clone();
            let standing = match &store.home {
                Backend::File(owned) => owned.standing().await?,
                Backend::Server(shared) => shared.standing().await?,
            };
            Ok(known.database_id != standing.database_id || known.commit != Some(standing.commit))
        })
        .await
    }

    /// What others have written since this process last knew. Somebody watched until the mark they left:
    /// whether anybody has since, only a change can tell. Where the database is of another history, a change is made,
    /// so that every web server sees when.
    pub async fn catch_up(self: &Arc<Self>) -> Result<Commit, StoreError> {
        let store = Arc::clone(self);
        let caught_up = self.read(move |tx| {
            Box::pin(async move {
                let head = rows::head(tx, store.known_number()).await?;
                if store.is_of_another_history(&head) {
                    return Ok(None);
                }
                let since = store.known_of(&head);
                let news = write_tx::since(tx, &head, since, head.mark_at).await?;
                Ok(Some((head, news)))
            })
        });
        let Some((head, news)) = caught_up.await? else { return self.renew_mark().await };
        self.knows_all_of(&head, head.commit);
        let (at, commit) = (head.mark_at, head.commit);
        Ok(news.unwrap_or(Commit { commit, at, ..Commit::default() }))
    }

    /// What hears other web servers write; `None` where there are none.
    pub(crate) async fn listen(self: &Arc<Self>) -> Result<Option<ChangeListener>, StoreError> {
        let store = Arc::clone(self);
        run_to_end(async move {
            match &store.home {
                Backend::File(_) => Ok(None),
                Backend::Server(shared) => shared.listen().await.map(Some),
            }
        })
        .await
    }

    /// How long a file's write-ahead log is.
    pub(crate) fn log_bytes(&self) -> u64 {
        match &self.home {
            Backend::File(owned) => owned.log_bytes(),
            Backend::Server(_) => 0,
        }
    }

    /// Keeps a file's write-ahead log short, for as long as the process lives.
    pub async fn run_checkpoints(&self) {
        if let Backend::File(owned) = &self.home {
            owned.run_checkpoints().await;
        }
    }

    /// Closes the database: nothing is read or written any more.
    pub async fn close(&self) {
        match &self.home {
            Backend::File(owned) => owned.close().await,
            Backend::Server(shared) => shared.close().await,
        }
    }

    /// Reads a file again and again, for as long as the process lives or until it is damaged. A server
    /// looks after its own.
    pub async fn run_integrity_checks(&self) {
        if let Backend::File(owned) = &self.home {
            owned.run_integrity_checks().await;
        }
    }

    fn known(&self) -> MutexGuard<'_, SyncPoint> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of the commit up to which this process knows everything, if it knows anything.
    fn known_number(&self) -> Option<i64> {
        self.known().commit.map(|commit| commit.number)
    }

    /// Up to which commit of this very history this process knows everything; `head` was asked for its number.
    fn known_of(&self, head: &ClusterRow) -> Option<CommitId> {
        let known = self.known();
        known.commit.filter(|commit| known.database_id == head.database_id && head.has(*commit))
    }

    /// Whether the database is not a later state of the one that was known.
    fn is_of_another_history(&self, head: &ClusterRow) -> bool {
        self.known_number().is_some() && self.known_of(head).is_none()
    }

    /// Notes that the database could not be read or written: the next commit is one that readers see, for the
    /// picture has changed twice.
    pub(crate) fn note_blindness(&self) {
        self.was_blind.store(true, Ordering::Relaxed);
    }

    fn was_blind(&self) -> bool {
        self.was_blind.load(Ordering::Relaxed)
    }

    fn knows_all_of(&self, head: &ClusterRow, commit: CommitId) {
        let database_id = head.database_id.clone();
        *self.known() = SyncPoint { database_id, commit: Some(commit) };
    }

    /// Takes a batch of heartbeats in, in order, whole or not at all.
    pub async fn receive(
        self: &Arc<Self>,
        batch: impl Into<Arc<[Heartbeat]>>,
    ) -> Result<ReceiveOutcome, StoreError> {
        let batch: Arc<[Heartbeat]> = batch.into();
        let received = self.write(move |change| {
            Box::pin(async move {
                let receipts = take_in(change, &batch).await?;
                Ok((receipts, change.at, change.head.settings.interval()))
            })
        });
        let ((receipts, at, interval), news) = received.await?;
        Ok(ReceiveOutcome { receipts, at, interval, news })
    }

    /// Puts new settings in force.
    pub async fn set_settings(
        self: &Arc<Self>,
        settings: Settings,
        entry: &Entry,
    ) -> Result<Commit, StoreError> {
        let entry = entry.clone();
        let written = self.write(move |change| {
            Box::pin(async move {
                rows::set_settings(&mut change.tx, &settings).await?;
                change.news.settings = Some(settings);
                change.record(&entry).await
            })
        });
        written.await.map(|((), news)| news)
    }

    /// Removes these components; each leaves a tombstone. Servers that go as a whole take their credentials
    /// with them.
    pub async fn remove(
        self: &Arc<Self>,
        keys: &[ComponentKey],
        whole: &[ServerName],
        entry: Option<&Entry>,
    ) -> Result<Commit, StoreError> {
        let (keys, whole, entry) = (keys.to_vec(), whole.to_vec(), entry.cloned());
        let written = self.write(move |change| {
            Box::pin(async move {
                let (at, commit) = (change.at, change.commit_no());
                rows::remove(&mut change.tx, &keys, at, commit).await?;
                change.news.removed = keys;
                change.regrant |=
                    access::revoke_credentials(&mut change.tx, &whole, at, commit).await?;
                match &entry {
                    Some(entry) => change.record(entry).await,
                    None => Ok(()),
                }
            })
        });
        written.await.map(|((), news)| news)
    }

    /// Changes who may ask for what, all of it or nothing, and writes down who did it. `None` if one
    /// of the changes found nothing to change.
    pub async fn grant(
        self: &Arc<Self>,
        grants: &[AccessChange],
        entry: Option<&Entry>,
    ) -> Result<Option<Commit>, StoreError> {
        let (store, grants, entry) = (Arc::clone(self), grants.to_vec(), entry.cloned());
        run_to_end(async move {
            let mut change = store.change().await?;
            for grant in &grants {
                let commit = change.commit_no();
                if !access::grant(&mut change.tx, grant, change.at, commit).await? {
                    return change.tx.rollback().await.map(|()| None);
                }
            }
            change.regrant = true;
            if let Some(entry) = &entry {
                change.record(entry).await?;
            }
            store.commit(change).await.map(Some)
        })
        .await
    }

    /// Writes a line of the audit that tells of something refused.
    pub async fn record(self: &Arc<Self>, entry: &Entry) -> Result<Commit, StoreError> {
        let entry = entry.clone();
        let written =
            self.write(move |change| Box::pin(async move { change.record(&entry).await }));
        written.await.map(|((), news)| news)
    }

    /// Lines of the audit, newest first.
    pub async fn audit(self: &Arc<Self>, wanted: &Wanted) -> Result<Vec<Written>, StoreError> {
        let wanted = wanted.clone();
        self.read(move |tx| Box::pin(async move { access::audit(tx, &wanted).await })).await
    }

    /// Notes how the web server `seen_by` finds the messengers of services. Nothing changes where it
    /// found them so before, or where the component is not there or announces no messenger.
    pub async fn note_messengers(
        self: &Arc<Self>,
        sightings: &[MessengerReport],
        seen_by: &str,
    ) -> Result<Commit, StoreError> {
        let (sightings, seen_by) = (sightings.to_vec(), seen_by.to_owned());
        let written = self.write(move |change| {
            Box::pin(async move { note_sightings(change, &sightings, &seen_by).await })
        });
        written.await.map(|((), news)| news)
    }

    /// Makes this check the one all others are held against.
    pub async fn accept_key(
        self: &Arc<Self>,
        kind: KeyKind,
        check: KeyCheck,
        entry: &Entry,
    ) -> Result<Commit, StoreError> {
        let entry = entry.clone();
        let written = self.write(move |change| {
            Box::pin(async move {
                let mut references = rows::references(&mut change.tx).await?;
                references.accept(kind, check);
                rows::set_references(&mut change.tx, &references).await?;
                change.news.references = Some(references);
                change.record(&entry).await
            })
        });
        written.await.map(|((), news)| news)
    }

    /// Renews the observer's mark, so that no period is seen where somebody watches, and lets an own
    /// clock follow the wall clock when it must.
    pub async fn renew_mark(self: &Arc<Self>) -> Result<Commit, StoreError> {
        let store = Arc::clone(self);
        run_to_end(async move { store.mark().await }).await
    }

    /// Renews the mark after the database could not be read or written, once there is room for what is
    /// to come. A server whose disk is full still takes what fits into the gaps of its files, as a mark
    /// does: whoever took that for sight would call those silent whose heartbeats do not fit.
    pub async fn regain_sight(self: &Arc<Self>) -> Result<Commit, StoreError> {
        let store = Arc::clone(self);
        run_to_end(async move {
            if let Backend::Server(shared) = &store.home {
                shared.find_room().await?;
            }
            store.mark().await
        })
        .await
    }

    async fn mark(&self) -> Result<Commit, StoreError> {
        if let Backend::File(owned) = &self.home
            && let Some(jump) = owned.clock.jump_due()
        {
            return self.jump(owned, jump).await;
        }
        let change = self.change().await?;
        self.commit(change).await
    }

    /// Forgets what is past its time, unless another web server is at it: in small transactions, which
    /// heartbeats need not wait for. What is over proves nothing any more, so nobody needs to hear of it.
    pub async fn run_housekeeping(self: &Arc<Self>) -> Result<(), StoreError> {
        let store = Arc::clone(self);
        run_to_end(async move {
            while store.forget_some().await? {}
            Ok(())
        })
        .await
    }

    /// Forgets a few rows of each kind; whether there may be more.
    async fn forget_some(&self) -> Result<bool, StoreError> {
        let tx = match &self.home {
            Backend::File(owned) => Some(owned.begin().await?),
            Backend::Server(shared) => shared.run_housekeeping().await?,
        };
        let Some(mut tx) = tx else { return Ok(false) };
        let at = self.now();
        let tombstones = at - KEEP_TOMBSTONES;
        let more_facts =
            rows::forget(&mut tx, tombstones, at - BLIND_PERIOD_RETENTION, MAX_FORGOTTEN_AT_ONCE)
                .await?;
        let more_proofs = access::forget(&mut tx, at, MAX_FORGOTTEN_AT_ONCE).await?;
        tx.commit().await?;
        Ok(more_facts || more_proofs)
    }

    /// Writes down when tokens were last used, and reads which ones were used since a moment, at any web
    /// server. No change waits for it.
    pub async fn note_uses(
        self: &Arc<Self>,
        uses: Vec<(String, Timestamp)>,
        since: Timestamp,
    ) -> Result<Vec<(Hash, Timestamp)>, StoreError> {
        let store = Arc::clone(self);
        let written = run_to_end(async move {
            for some in uses.chunks(MAX_USES_AT_ONCE) {
                let mut tx = match &store.home {
                    Backend::File(owned) => owned.begin().await?,
                    Backend::Server(shared) => shared.begin().await?,
                };
                access::note_uses(&mut tx, some).await?;
                tx.commit().await?;
            }
            Ok::<_, StoreError>(())
        });
        written.await?;
        self.read(move |tx| Box::pin(async move { access::uses_since(tx, since).await })).await
    }

    /// A file's clock jumps, and no verdict with it: forward the jump is a period of its length,
    /// backward every stamp goes back with it. Nobody may judge the old picture by the new clock:
    /// between the two the moment is the last sight's.
    async fn jump(&self, owned: &SqliteStore, by: Span) -> Result<Commit, StoreError> {
        let mut change = self.change().await?;
        let from = change.at;
        change.clock_was_set(by, from).await?;
        change.at = from + by;
        change.see_whole().await?;
        let news = self.commit(change).await?;
        owned.clock.jump(by);
        tracing::warn!(by_ms = by.0, "the clock was set; verdicts do not move with it");
        Ok(news)
    }

    /// Reads within one transaction: everything stands at one commit.
    async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Tx) -> Within<'_, T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = Arc::clone(self);
        run_to_end(async move {
            let mut tx = store.look().await?;
            let found = work(&mut tx).await;
            let found = store.noted(found).await?;
            tx.rollback().await?;
            Ok(found)
        })
        .await
    }

    /// Begins to read.
    async fn look(&self) -> Result<Tx, StoreError> {
        match &self.home {
            Backend::File(owned) => owned.look().await,
            Backend::Server(shared) => shared.look().await,
        }
    }

    /// Makes one change, to its end.
    async fn write<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut WriteTx) -> Within<'_, T> + Send + 'static,
    ) -> Result<(T, Commit), StoreError> {
        let store = Arc::clone(self);
        run_to_end(async move {
            let mut change = store.change().await?;
            let done = work(&mut change).await?;
            Ok((done, store.commit(change).await?))
        })
        .await
    }

    /// Begins a change: what others wrote is read, the mark is renewed, and a gap before it is written
    /// down as a period.
    async fn change(&self) -> Result<WriteTx, StoreError> {
        let changing = match &self.home {
            Backend::File(owned) => Box::pin(WriteTx::of_file(owned, self)).await,
            Backend::Server(shared) => Box::pin(WriteTx::of_server(shared, self)).await,
        };
        self.noted(changing).await
    }

    /// Ends a change: its news are numbered if anybody wants to hear of them.
    async fn commit(&self, change: WriteTx) -> Result<Commit, StoreError> {
        let live = change.live;
        let (head, news) = Box::pin(change.commit(self.is_shared())).await?;
        self.durations.observe(live.elapsed().as_secs_f64());
        self.knows_all_of(&head, news.commit);
        self.was_blind.store(false, Ordering::Relaxed);
        Ok(news)
    }

    /// Notes what an error says about the database, and passes it on.
    async fn noted<T>(&self, done: Result<T, StoreError>) -> Result<T, StoreError> {
        if let (Err(error), Backend::Server(shared)) = (&done, &self.home) {
            shared.suspect(error).await;
        }
        done
    }
}

/// Folds a batch into what is stored.
async fn take_in(change: &mut WriteTx, batch: &[Heartbeat]) -> Result<Vec<Receipt>, StoreError> {
    let interval = change.head.settings.interval();
    let keys: Vec<ComponentKey> = batch.iter().map(Heartbeat::key).collect();
    let mut stored = rows::stored(&mut change.tx, &keys).await?;
    let before = stored.clone();
    let receipts = batch
        .iter()
        .map(|heartbeat| {
            let known = stored.get(&heartbeat.key());
            match receive::receive(known, heartbeat, change.at, interval) {
                Some(next) => {
                    stored.insert(next.key(), Stored::Present(Arc::new(next)));
                    Receipt { applied: true, received_at: change.at }
                }
                None => Receipt {
                    applied: false,
                    received_at: known.map_or(change.at, Stored::last_heartbeat),
                },
            }
        })
        .collect();
    change.write(differences(&before, &stored)).await?;
    Ok(receipts)
}

async fn note_sightings(
    change: &mut WriteTx,
    sightings: &[MessengerReport],
    seen_by: &str,
) -> Result<(), StoreError> {
    let keys: Vec<ComponentKey> = sightings.iter().map(|seen| seen.key.clone()).collect();
    let stored = rows::stored(&mut change.tx, &keys).await?;
    let mut next: BTreeMap<&ComponentKey, Upsert> = BTreeMap::new();
    for sighting in sightings {
        if let Some(Stored::Present(component)) = stored.get(&sighting.key)
            && let Some(component) = sighting.by(seen_by, component, change.at)
        {
            let component = Arc::new(component);
            next.insert(&sighting.key, Upsert { component, facts: true });
        }
    }
    change.write(next.into_values().collect()).await
}

/// A database's address without the password it may hold.
pub(crate) fn without_password(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let rest = match rest.split_once('?') {
        Some((place, query)) => format!("{place}?{}", query_without_password(query)),
        None => rest.to_owned(),
    };
    let person = rest.rsplit_once('@');
    match person.and_then(|(person, place)| Some((person.split_once(':')?.0, place))) {
        Some((name, place)) => format!("{scheme}://{name}:…@{place}"),
        None => format!("{scheme}://{rest}"),
    }
}

/// PostgreSQL's addresses may name the password among their parameters.
fn query_without_password(query: &str) -> String {
    let shown = |part: &str| match part.split_once('=') {
        Some((name, value)) if name.eq_ignore_ascii_case("password") && !value.is_empty() => {
            format!("{name}=…")
        }
        _ => part.to_owned(),
    };
    query.split('&').map(shown).collect::<Vec<_>>().join("&")
}

/// A name for a new database: 64 random bits.
fn new_id() -> String {
    let mut id = uuid::Uuid::new_v4().simple().to_string();
    id.truncate(16);
    id
}

/// The components that are not as they were, by key.
fn differences(
    before: &HashMap<ComponentKey, Stored>,
    after: &HashMap<ComponentKey, Stored>,
) -> Vec<Upsert> {
    let mut changed: Vec<Upsert> = after
        .iter()
        .filter_map(|(key, stored)| {
            let known = before.get(key);
            let Stored::Present(component) = stored else { return None };
            let facts = match known {
                _ if known == Some(stored) => return None,
                Some(Stored::Present(old)) => !HeartbeatUpdate::is_only_difference(old, component),
                Some(Stored::Removed(_)) | None => true,
            };
            Some(Upsert { component: Arc::clone(component), facts })
        })
        .collect();
    changed.sort_by_key(|write| write.component.key());
    changed
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn an_address_is_told_without_its_password() {
        for (address, told) in [
            ("sqlite:overview.db", "sqlite:overview.db"),
            ("postgres://ann@db/overview", "postgres://ann@db/overview"),
            ("postgres://ann:secret@db/overview", "postgres://ann:…@db/overview"),
            ("postgres://ann:s@cr:et@db:5432/overview", "postgres://ann:…@db:5432/overview"),
            ("mysql://ann:secret@db", "mysql://ann:…@db"),
            ("postgres://db/o?password=secret", "postgres://db/o?password=…"),
            ("postgres://ann@db:5432/o?password=s@:e", "postgres://ann@db:5432/o?password=…"),
            (
                "postgres:///o?host=/run&password=secret&user=ann",
                "postgres:///o?host=/run&password=…&user=ann",
            ),
            ("postgres://ann:a@db/o?Password=b", "postgres://ann:…@db/o?Password=…"),
            ("postgres://ann@db/o?password=", "postgres://ann@db/o?password="),
            ("mysql://db/o?password=secret", "mysql://db/o?password=…"),
        ] {
            assert_eq!(without_password(address), told);
        }
    }
}
