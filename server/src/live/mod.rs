//! What is the live picture, and how is it read and changed? One snapshot in memory answers all readers.

mod incident_report;
mod incidents;
mod refresh;
mod rejections;
mod state;
mod upkeep;

pub(crate) use self::incident_report::IncidentReport;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use app::cluster::{Change, ServerName, Snapshot, Span, Timestamp};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, watch};

use self::refresh::ReadinessCheck;
use self::rejections::RejectionQueue;
use self::state::Picture;
use crate::auth::audit::AuditEntry;
use crate::auth::cache::AuthCache;
use crate::clock::Stopwatch;
use crate::store::task::run_to_end;
use crate::store::{
    AuthChanges, Commit, CommitId, LoadedState, MessengerReport, Store, StoreError,
};
use crate::telemetry::primitives::Counter;

/// How many changes by people and by servers that enrol may wait for the write lock: each one is made even if its
/// client disconnects, and heartbeats wait for it.
const MAX_WAITING_CHANGES: usize = 128;

/// The facts, and the time for which they are judged.
#[derive(Clone, Debug)]
pub struct LiveView {
    /// Components are shared, not copied.
    pub snapshot: Snapshot,
    /// Opaque to readers.
    pub cursor: String,
    pub now: Timestamp,
}

/// The one snapshot from which all readers are answered, so that no poll needs a query.
#[derive(Debug)]
pub struct LiveState {
    picture: RwLock<Picture>,
    store: Arc<Store>,
    auth_cache: RwLock<Arc<AuthCache>>,
    /// Held from a write until its commit is applied, so that commits are applied in their order.
    write_lock: Mutex<()>,
    /// One permit for each change that waits for the write lock, except for heartbeats and marks.
    change_slots: Arc<Semaphore>,
    /// When the database was last asked whether others have written.
    last_poll: Mutex<Option<Stopwatch>>,
    /// The last check for `/readyz`.
    readiness: std::sync::Mutex<Option<ReadinessCheck>>,
    /// Distinguishes this process's cursors from those of other web servers.
    process: u32,
    failures: Counter,
    rejections: RejectionQueue,
    /// Notified whenever more than heartbeat times changed.
    changed: watch::Sender<()>,
    /// Whether this web server does what only one may do.
    leads: watch::Sender<bool>,
    /// Whether the picture has what the overview needs itself.
    upkeep_known: watch::Sender<bool>,
    /// The channels that somebody paused, and until when.
    paused_channels: RwLock<Vec<(String, Timestamp)>>,
}

impl LiveState {
    /// Loads the picture from the store. It is blind while a PostgreSQL server cannot be reached.
    pub async fn load(store: Arc<Store>) -> Result<Arc<Self>, StoreError> {
        let now = store.now();
        let (picture, auth_cache) = match store.load().await {
            Ok(LoadedState { snapshot, auth_cache, commit }) => {
                (Picture::new(snapshot, commit, store.now()), auth_cache)
            }
            Err(error) if store.is_shared() => {
                tracing::error!(%error, "the overview starts without its database and tries to reach it again");
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
            rejections: RejectionQueue::default(),
            changed: watch::Sender::default(),
            leads: watch::Sender::default(),
            upkeep_known: watch::Sender::default(),
            paused_channels: RwLock::default(),
        }))
    }

    /// Runs `work` to its end while it holds the write lock. All writes to the store must happen in here until their
    /// commit is applied, so that commits are applied in their order.
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

    /// Reserves one of the [`MAX_WAITING_CHANGES`]. The permit must be kept until the change is made.
    pub(crate) fn reserve_change_slot(&self) -> Result<OwnedSemaphorePermit, StoreError> {
        Arc::clone(&self.change_slots).try_acquire_owned().map_err(|_| StoreError::Busy)
    }

    pub(crate) fn store(&self) -> &Arc<Store> {
        &self.store
    }

    pub fn auth_cache(&self) -> Arc<AuthCache> {
        Arc::clone(&self.auth_cache.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// When the database could last be read and written.
    pub fn last_readable_at(&self) -> Timestamp {
        self.read(|picture| picture.readable_at)
    }

    pub fn snapshot(&self) -> Snapshot {
        self.read(|picture| picture.snapshot.clone())
    }

    pub(crate) fn interval(&self) -> Span {
        self.read(|picture| picture.snapshot.settings.interval())
    }

    pub(crate) fn servers(&self) -> usize {
        self.read(|picture| picture.servers)
    }

    pub(crate) fn max_servers(&self) -> usize {
        self.read(|picture| picture.snapshot.max_servers).unwrap_or(usize::MAX)
    }

    pub(crate) fn set_max_servers(&self, max: usize) {
        let changed = self.write(|picture| {
            let changed = picture.snapshot.max_servers.replace(max) != Some(max);
            picture.generation += u64::from(changed);
            changed
        });
        if changed {
            self.changed.send_replace(());
        }
    }

    pub(crate) fn has_server(&self, server: &ServerName) -> bool {
        self.read(|picture| picture.snapshot.has_server(server))
    }

    /// Notified whenever more than heartbeat times changed in the picture or in the authentication cache, or the
    /// overview became blind or readable.
    pub(crate) fn subscribe(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Reads the picture without copying it.
    fn read<T>(&self, read: impl FnOnce(&Picture) -> T) -> T {
        read(&self.picture.read().unwrap_or_else(PoisonError::into_inner))
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

    /// Snapshot, cursor and time, read together: after a jump of the clock, a time that was read later would not match
    /// the facts.
    pub fn view(&self) -> LiveView {
        self.read(|picture| LiveView {
            snapshot: picture.snapshot.clone(),
            cursor: self.build_cursor(picture),
            now: self.current_time(picture),
        })
    }

    /// Cursor and time without the snapshot, to check whether an earlier answer is still valid.
    pub fn cursor(&self) -> (String, Timestamp) {
        self.read(|picture| (self.build_cursor(picture), self.current_time(picture)))
    }

    /// The time alone, for whatever is not compared with facts of the picture.
    pub fn now(&self) -> Timestamp {
        self.read(|picture| self.current_time(picture))
    }

    /// What changed since the reader's cursor, or `None`; the next cursor; and the time. With an unknown cursor, the
    /// whole picture.
    pub fn changes_since(&self, cursor: &str) -> (Option<Change>, String, Timestamp) {
        self.read(|picture| {
            let (current, now) = (self.build_cursor(picture), self.current_time(picture));
            if cursor == current {
                return (None, current, now);
            }
            let known = self.commit_in(cursor).filter(|commit| picture.has_commit(*commit));
            let change = match known {
                Some(commit) => picture.change_since(commit.number, self.generation_in(cursor)),
                None => Change::whole(&picture.snapshot),
            };
            (Some(change), current, now)
        })
    }

    /// Whether the changes since this cursor are known. Otherwise its reader gets the whole picture.
    pub(crate) fn knows_cursor(&self, cursor: &str) -> bool {
        let commit = self.commit_in(cursor);
        self.read(|picture| commit.is_some_and(|commit| picture.has_commit(commit)))
    }

    /// The generation in a cursor, if it is one of this process.
    fn generation_in(&self, cursor: &str) -> Option<u64> {
        let mut parts = cursor.split('.').skip(2);
        (parts.next()? == format!("{:08x}", self.process)).then_some(())?;
        parts.next()?.parse().ok()
    }

    pub(crate) fn poll_period(&self) -> Duration {
        let period = self.read(|picture| picture.snapshot.settings.poll_period());
        Duration::from_millis(u64::try_from(period.0).unwrap_or_default())
    }

    fn commit_in(&self, cursor: &str) -> Option<CommitId> {
        let mut parts = cursor.split('.');
        (parts.next()? == self.store.database_id()).then_some(())?;
        CommitId::parse(parts.next()?)
    }

    fn change_auth_cache(&self, change: impl FnOnce(&mut AuthCache)) {
        let mut auth_cache = self.auth_cache.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut auth_cache));
    }

    /// Writes when tokens were last used here, and reads which ones were used at other web servers since `since`.
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

    /// Applies a commit, and before it what others had changed.
    pub fn apply(&self, mut commit: Commit) {
        if let Some(earlier) = commit.earlier.take() {
            self.apply(*earlier);
        }
        let notifies = commit.is_urgent() || self.is_blind();
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
                picture.note_incidents(commit.incidents);
            } else {
                picture.note_readable(commit.at);
                picture.apply_commit(commit);
            }
        });
        if notifies {
            self.changed.send_replace(());
        }
    }

    /// After a failed read or write: the overview is blind since the database could last be read.
    pub fn go_blind(&self, error: &StoreError) {
        self.failures.add(1);
        self.store.note_blindness();
        let outage = Some(error.outage());
        self.write(|picture| {
            let since = picture.snapshot.blind_since.unwrap_or_else(|| {
                // Readers may have seen verdicts that changed since then.
                picture.readable_at.max(picture.snapshot.as_of(self.current_time(picture)))
            });
            if picture.snapshot.blind_since != Some(since) || picture.snapshot.outage != outage {
                picture.snapshot.blind_since = Some(since);
                picture.snapshot.outage = outage;
                picture.generation += 1;
            }
        });
        self.changed.send_replace(());
    }

    pub(crate) fn failures(&self) -> u64 {
        self.failures.get()
    }

    /// Whether the last read or write failed.
    pub fn is_blind(&self) -> bool {
        self.read(|picture| picture.snapshot.blind_since.is_some())
    }

    /// Makes a change to its end, even if the caller goes away, and applies its commit. `make` returns no commit if it
    /// found nothing to change.
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

    /// Writes an audit entry about something that changed nothing else.
    pub(crate) async fn record(self: &Arc<Self>, entry: AuditEntry) -> Result<(), StoreError> {
        let slot = self.reserve_change_slot()?;
        let record = |store: Arc<Store>| async move {
            let _slot = slot;
            Ok(((), store.record(&entry).await?))
        };
        self.change(record).await
    }

    /// Writes in which state the web server `seen_by` finds the messengers of services.
    pub(crate) async fn note_messengers(
        self: &Arc<Self>,
        reports: Vec<MessengerReport>,
        seen_by: String,
    ) -> Result<(), StoreError> {
        let note = |store: Arc<Store>| async move {
            Ok(((), store.note_messengers(&reports, &seen_by).await?))
        };
        self.change(note).await
    }

    /// Applies the result of a change: its commit, or its failure. The caller must hold the write lock.
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
