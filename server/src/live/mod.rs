//! The live picture in memory: one snapshot, what each reader has yet to hear, and when it was blind.

mod refresh;
mod state;

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use app::cluster::{Change, ComponentKey, RejectionReason, ServerName, Snapshot, Span, Timestamp};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, watch};

use self::refresh::ReadinessCheck;
use self::state::Picture;
use crate::auth::audit::AuditEntry;
use crate::auth::cache::AuthCache;
use crate::clock::Stopwatch;
use crate::store::task::run_to_end;
use crate::store::{
    AuthChanges, Commit, CommitId, LoadedState, MessengerReport, Store, StoreError,
};
use crate::telemetry::primitives::Counter;

/// How many changes of people and of servers that enrol may wait for their turn: a client that hangs
/// up leaves one behind, and heartbeats wait for all of them.
const MAX_WAITING_CHANGES: usize = 128;

/// What a reader sees at one look: facts, and the moment they are judged for.
#[derive(Clone, Debug)]
pub struct LiveView {
    /// The facts; components are shared, not copied.
    pub snapshot: Snapshot,
    /// The reader's place: opaque to it.
    pub cursor: String,
    /// The moment.
    pub now: Timestamp,
}

/// The one snapshot that all readers are answered from: no poll costs a query.
#[derive(Debug)]
pub struct LiveState {
    picture: RwLock<Picture>,
    store: Arc<Store>,
    auth_cache: RwLock<Arc<AuthCache>>,
    /// Held from a write until its commit is applied: commits are applied in their order.
    write_lock: Mutex<()>,
    /// The places of those who wait for the write lock, but for heartbeats and marks.
    change_slots: Arc<Semaphore>,
    /// When it was last seen whether others have written.
    last_poll: Mutex<Option<Stopwatch>>,
    /// The last check that `/readyz` asked for.
    readiness: std::sync::Mutex<Option<ReadinessCheck>>,
    /// Tells this process's cursors from those of the other web servers.
    process: u32,
    /// How often the database could not be read or written.
    failures: Counter,
    /// Stirs whenever more than a time has changed.
    changed: watch::Sender<()>,
}

impl LiveState {
    /// The picture as the store has it; blind, as long as a server has not been reached.
    pub async fn load(store: Arc<Store>) -> Result<Arc<Self>, StoreError> {
        let now = store.now();
        let (picture, auth_cache) = match store.load().await {
            Ok(LoadedState { snapshot, auth_cache, commit }) => {
                (Picture::new(snapshot, commit, store.now()), auth_cache)
            }
            Err(error) if store.is_shared() => {
                tracing::error!(%error, "the overview begins without its database");
                let (blind_since, outage) = (Some(now), Some(error.outage()));
                let nothing = Snapshot { blind_since, outage, ..Snapshot::default() };
                (Picture::new(nothing, CommitId::default(), now), AuthCache::default())
            }
            Err(error) => return Err(error),
        };
        Ok(Arc::new(Self {
            picture: RwLock::new(picture),
            store,
            auth_cache: RwLock::new(Arc::new(auth_cache)),
            write_lock: Mutex::new(()),
            change_slots: Arc::new(Semaphore::new(MAX_WAITING_CHANGES)),
            last_poll: Mutex::new(None),
            process: uuid::Uuid::new_v4().as_fields().0,
            readiness: std::sync::Mutex::default(),
            failures: Counter::default(),
            changed: watch::Sender::default(),
        }))
    }

    /// Runs `work` to its end, alone among everything that writes. All writes to the store happen
    /// in here, until the commit is applied: a removal is never applied before the heartbeat it followed.
    pub(crate) fn with_write_lock<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl Future<Output = T> + Send + 'static,
    ) -> impl Future<Output = T> + Send {
        let live = Arc::clone(self);
        run_to_end(async move {
            let _lock = live.write_lock.lock().await;
            work.await
        })
    }

    /// A place among the changes that wait; to be kept until the change is made.
    pub(crate) fn reserve_change_slot(&self) -> Result<OwnedSemaphorePermit, StoreError> {
        Arc::clone(&self.change_slots).try_acquire_owned().map_err(|_| StoreError::Busy)
    }

    /// Where it reads and writes.
    pub(crate) fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Who may ask for what.
    pub fn auth_cache(&self) -> Arc<AuthCache> {
        Arc::clone(&self.auth_cache.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The last moment the database was read and written.
    pub fn last_readable_at(&self) -> Timestamp {
        self.read(|picture| picture.readable_at)
    }

    /// A copy of the snapshot: components are shared, not copied.
    pub fn snapshot(&self) -> Snapshot {
        self.read(|picture| picture.snapshot.clone())
    }

    /// The heartbeat interval in force.
    pub(crate) fn interval(&self) -> Span {
        self.read(|picture| picture.snapshot.settings.interval())
    }

    /// How many servers there are.
    pub(crate) fn servers(&self) -> usize {
        self.read(|picture| picture.servers)
    }

    /// How many servers this web server takes in at most.
    pub(crate) fn max_servers(&self) -> usize {
        self.read(|picture| picture.snapshot.max_servers).unwrap_or(usize::MAX)
    }

    /// From now on this web server takes in so many servers at most.
    pub(crate) fn set_max_servers(&self, most: usize) {
        let changed = self.write(|picture| {
            let changed = picture.snapshot.max_servers.replace(most) != Some(most);
            picture.generation += u64::from(changed);
            changed
        });
        if changed {
            self.changed.send_replace(());
        }
    }

    /// Whether a server of this name reports.
    pub(crate) fn has_server(&self, server: &ServerName) -> bool {
        self.read(|picture| picture.snapshot.has_server(server))
    }

    /// Hears whenever more than a time has changed in the picture, in who may ask for it, or in whether
    /// anything can be seen.
    pub(crate) fn subscribe(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Looks at the picture without copying it.
    fn read<T>(&self, look: impl FnOnce(&Picture) -> T) -> T {
        look(&self.picture.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, write: impl FnOnce(&mut Picture) -> T) -> T {
        write(&mut self.picture.write().unwrap_or_else(PoisonError::into_inner))
    }

    fn build_cursor(&self, picture: &Picture) -> String {
        let Picture { commit, generation, .. } = picture;
        format!("{}.{commit}.{:08x}.{generation}", self.store.database_id(), self.process)
    }

    fn current_time(&self, picture: &Picture) -> Timestamp {
        picture.judgement_time(self.store.now())
    }

    /// Facts, place and moment, of one look: a moment read apart from the facts could be of another
    /// clock than their stamps.
    pub fn view(&self) -> LiveView {
        self.read(|picture| LiveView {
            snapshot: picture.snapshot.clone(),
            cursor: self.build_cursor(picture),
            now: self.current_time(picture),
        })
    }

    /// Place and moment without the facts: what an answer is held against that was made before.
    pub fn cursor(&self) -> (String, Timestamp) {
        self.read(|picture| (self.build_cursor(picture), self.current_time(picture)))
    }

    /// The moment alone, for what is held against no fact of the picture.
    pub fn now(&self) -> Timestamp {
        self.read(|picture| self.current_time(picture))
    }

    /// What changed since the reader's cursor, `None` if nothing did; its next cursor, and the moment.
    /// A cursor we cannot place gets the whole picture.
    pub fn changes_since(&self, cursor: &str) -> (Option<Change>, String, Timestamp) {
        self.read(|picture| {
            let (current, now) = (self.build_cursor(picture), self.current_time(picture));
            if cursor == current {
                return (None, current, now);
            }
            let place = self.commit_in(cursor).filter(|place| picture.has(*place));
            let change = match place {
                Some(place) => picture.change_since(place.number, self.generation_in(cursor)),
                None => Change::whole(&picture.snapshot),
            };
            (Some(change), current, now)
        })
    }

    /// Whether what changed since a cursor can be told; else a reader gets everything.
    pub(crate) fn knows_cursor(&self, cursor: &str) -> bool {
        let place = self.commit_in(cursor);
        self.read(|picture| place.is_some_and(|place| picture.has(place)))
    }

    /// How often a page asks.
    pub(crate) fn poll_period(&self) -> Duration {
        let period = self.read(|picture| picture.snapshot.settings.poll_period());
        Duration::from_millis(u64::try_from(period.0).unwrap_or_default())
    }

    fn commit_in(&self, cursor: &str) -> Option<CommitId> {
        let mut parts = cursor.split('.');
        (parts.next()? == self.store.database_id()).then_some(())?;
        CommitId::parse(parts.next()?)
    }

    /// How often something that is in no commit had come or gone, if the cursor is one of this process.
    fn generation_in(&self, cursor: &str) -> Option<u64> {
        let mut parts = cursor.split('.').skip(2);
        (parts.next()? == format!("{:08x}", self.process)).then_some(())?;
        parts.next()?.parse().ok()
    }

    fn change_auth_cache(&self, change: impl FnOnce(&mut AuthCache)) {
        let mut auth_cache = self.auth_cache.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut auth_cache));
    }

    /// Writes down when tokens were last used here, and reads when they were used elsewhere since a moment.
    pub(crate) async fn record_token_uses(
        &self,
        uses: Vec<(String, Timestamp)>,
        since: Timestamp,
    ) -> Result<(), StoreError> {
        let found = self.store.record_token_uses(uses, since).await?;
        if !found.is_empty() {
            self.change_auth_cache(|auth_cache| auth_cache.record_token_uses(&found));
        }
        Ok(())
    }

    /// Takes in what a commit changed, and what others had changed before it.
    pub fn apply(&self, mut commit: Commit) {
        if let Some(earlier) = commit.earlier.take() {
            self.apply(*earlier);
        }
        let mut notifies = commit.is_urgent() || self.is_blind();
        if let Some(auth_cache) = commit.auth_cache.take() {
            let mut known = self.auth_cache.write().unwrap_or_else(PoisonError::into_inner);
            match auth_cache {
                AuthChanges::Whole(auth_cache) => *known = Arc::new(*auth_cache),
                AuthChanges::Changes(changes) => Arc::make_mut(&mut known).apply(changes),
            }
        }
        self.write(|picture| {
            if let Some(snapshot) = commit.snapshot {
                picture.replace_snapshot(*snapshot, commit.id, commit.at);
            } else {
                picture.note_readable(commit.at);
                notifies |= picture.note_answered_probes(&commit);
                picture.apply_commit(commit);
            }
        });
        if notifies {
            self.changed.send_replace(());
        }
    }

    /// The database could not be read or written: blind since the last sight of it.
    pub fn go_blind(&self, error: &StoreError) {
        self.failures.add(1);
        self.store.note_blindness();
        let why = Some(error.outage());
        self.write(|picture| {
            let since = picture.snapshot.blind_since.unwrap_or_else(|| {
                // A verdict may have turned after the last sight, and been seen.
                picture.readable_at.max(picture.snapshot.as_of(self.current_time(picture)))
            });
            if picture.snapshot.blind_since != Some(since) || picture.snapshot.outage != why {
                picture.snapshot.blind_since = Some(since);
                picture.snapshot.outage = why;
                picture.generation += 1;
            }
        });
        self.changed.send_replace(());
    }

    /// A heartbeat in this server's name was refused, or not sent. It is told from memory: nobody without a proof
    /// makes the database write.
    pub(crate) fn note_rejected(
        &self,
        server: &ServerName,
        why: RejectionReason,
        from: Option<IpAddr>,
    ) {
        self.write(|picture| {
            let now = self.current_time(picture);
            if picture.snapshot.refuse(server, why, from.map(Into::into), now) {
                picture.note_rejected_changed();
            }
        });
    }

    /// The product of this component answers its probe again.
    pub(crate) fn note_probe_answered(&self, key: &ComponentKey) {
        self.write(|picture| {
            let now = self.current_time(picture);
            if picture.snapshot.answered(key, now) {
                picture.note_rejected_changed();
            }
        });
    }

    /// How often the database could not be read or written.
    pub(crate) fn failures(&self) -> u64 {
        self.failures.get()
    }

    /// Whether the database could be read and written when last tried.
    pub fn is_blind(&self) -> bool {
        self.read(|picture| picture.snapshot.blind_since.is_some())
    }

    /// Makes a change, to its end, and applies what came of it: who waits for it may go away. A change that
    /// found nothing to do brings no commit.
    pub async fn change<T, Made, Committed>(
        self: &Arc<Self>,
        make: impl FnOnce(Arc<Store>) -> Made + Send + 'static,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        Made: Future<Output = Result<(T, Committed), StoreError>> + Send,
        Committed: Into<Option<Commit>>,
    {
        let live = Arc::clone(self);
        self.with_write_lock(async move {
            match make(Arc::clone(&live.store)).await {
                Ok((done, committed)) => {
                    if let Some(commit) = committed.into() {
                        live.apply(commit);
                    }
                    Ok(done)
                }
                Err(error) => {
                    live.go_blind(&error);
                    Err(error)
                }
            }
        })
        .await
    }

    /// Writes an entry of the audit about something that changed nothing else.
    pub(crate) async fn record(self: &Arc<Self>, entry: AuditEntry) -> Result<(), StoreError> {
        let slot = self.reserve_change_slot()?;
        let record = |store: Arc<Store>| async move {
            let _slot = slot;
            Ok(((), store.record(&entry).await?))
        };
        self.change(record).await
    }

    /// Writes down how the web server `seen_by` finds the messengers of services.
    pub(crate) async fn note_messengers(
        self: &Arc<Self>,
        sightings: Vec<MessengerReport>,
        seen_by: String,
    ) -> Result<(), StoreError> {
        let note = |store: Arc<Store>| async move {
            Ok(((), store.note_messengers(&sightings, &seen_by).await?))
        };
        self.change(note).await
    }

    /// Takes in what came of a change by whoever holds the write lock: its commit, or that the database could
    /// not be written.
    pub fn apply_result(&self, changed: Result<Commit, StoreError>) -> Result<(), StoreError> {
        match changed {
            Ok(commit) => {
                self.apply(commit);
                Ok(())
            }
            Err(error) => {
                self.go_blind(&error);
                Err(error)
            }
        }
    }
}
