//! The live picture in memory: one snapshot, what each reader has yet to hear, and when it was blind.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use app::cluster::{
    Change, ComponentKey, HeartbeatUpdate, RejectionReason, ServerName, Snapshot, Span, Timestamp,
};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, watch};

use crate::auth::audit::Entry;
use crate::auth::cache::AuthCache;
use crate::clock::Stopwatch;
use crate::store::task::run_to_end;
use crate::store::{
    AuthChanges, Commit, CommitId, History, KEEP_TOKENS, LoadedState, MessengerReport, Store,
    StoreError,
};
use crate::telemetry::primitives::Counter;

/// How often to see whether another process has written, which is to be noticed within two seconds,
/// and whether the mark is due: half of the shortest gap that is a period, so that none comes of a
/// shorter interval that was just set.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// How many removals are remembered for readers that have not heard of them.
const MAX_REMOVED_REMEMBERED: usize = 10_000;
/// How long lies between two glances that are asked for, at least.
const MIN_POLL_INTERVAL: Duration = Duration::from_millis(20);
/// How many changes of people and of servers that enrol may wait for their turn: a client that hangs
/// up leaves one behind, and heartbeats wait for all of them.
const MAX_WAITING_CHANGES: usize = 128;
/// How long the outcome of a readiness check holds.
const READINESS_PERIOD: Duration = Duration::from_secs(1);
/// How long to wait before listening again.
const LISTENER_RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// How often to forget what is past its time.
const HOUSEKEEPING_INTERVAL: Duration = Duration::from_mins(10);

/// Which commit last changed a component: everything about it, and its time alone.
#[derive(Clone, Copy, Debug)]
struct Versions {
    facts: i64,
    beat: i64,
}

#[derive(Debug)]
struct State {
    snapshot: Snapshot,
    /// How many servers are in it.
    servers: usize,
    /// The commit the snapshot stands at.
    commit: CommitId,
    /// The commits before it that readers may stand at.
    history: History,
    /// Readers from before this commit get the whole picture.
    floor: i64,
    versions: BTreeMap<ComponentKey, Versions>,
    /// The same in the order of the commits: a reader costs what changed, not what there is.
    by_commit: BTreeSet<(i64, ComponentKey)>,
    removed: BTreeMap<ComponentKey, i64>,
    settings_at: i64,
    references_at: i64,
    spells_at: i64,
    /// The last moment the database was read and written.
    sight: Timestamp,
    /// How often something came or went that is in no commit, as outage is: part of every cursor.
    generation: u64,
    /// What that was when the refused heartbeats last changed.
    refusals_at: u64,
}

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
    state: RwLock<State>,
    store: Arc<Store>,
    keyring: RwLock<Arc<AuthCache>>,
    /// Held from a write until its commit is applied: commits are applied in their order.
    write_lock: Mutex<()>,
    /// The places of those who wait for the write lock, but for heartbeats and marks.
    places: Arc<Semaphore>,
    /// When it was last seen whether others have written.
    glanced: Mutex<Option<Stopwatch>>,
    /// The last check that `/readyz` asked for.
    readiness: std::sync::Mutex<Option<ReadinessCheck>>,
    /// Tells this process's cursors from those of the other web servers.
    process: u32,
    /// How often the database could not be read or written.
    failures: Counter,
    /// Stirs whenever more than a time has changed.
    facts: watch::Sender<()>,
}

impl LiveState {
    /// The picture as the store has it; blind, as long as a server has not been reached.
    pub async fn load(store: Arc<Store>) -> Result<Arc<Self>, StoreError> {
        let now = store.now();
        let (state, keyring) = match store.load().await {
            Ok(LoadedState { snapshot, keyring, commit }) => {
                (State::cursor_at(snapshot, commit, store.now()), keyring)
            }
            Err(error) if store.is_shared() => {
                tracing::error!(%error, "the overview begins without its database");
                let (blind_since, outage) = (Some(now), Some(error.outage()));
                let nothing = Snapshot { blind_since, outage, ..Snapshot::default() };
                (State::cursor_at(nothing, CommitId::default(), now), AuthCache::default())
            }
            Err(error) => return Err(error),
        };
        Ok(Arc::new(Self {
            state: RwLock::new(state),
            store,
            keyring: RwLock::new(Arc::new(keyring)),
            write_lock: Mutex::new(()),
            places: Arc::new(Semaphore::new(MAX_WAITING_CHANGES)),
            glanced: Mutex::new(None),
            process: uuid::Uuid::new_v4().as_fields().0,
            readiness: std::sync::Mutex::default(),
            failures: Counter::default(),
            facts: watch::Sender::default(),
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
    pub(crate) fn place(&self) -> Result<OwnedSemaphorePermit, StoreError> {
        Arc::clone(&self.places).try_acquire_owned().map_err(|_| StoreError::Busy)
    }

    /// Where it reads and writes.
    pub(crate) fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Who may ask for what.
    pub fn keyring(&self) -> Arc<AuthCache> {
        Arc::clone(&self.keyring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The last moment the database was read and written.
    pub fn last_sight(&self) -> Timestamp {
        self.read(|state| state.sight)
    }

    /// A copy of the snapshot: components are shared, not copied.
    pub fn snapshot(&self) -> Snapshot {
        self.read(|state| state.snapshot.clone())
    }

    /// The heartbeat interval in force.
    pub(crate) fn interval(&self) -> Span {
        self.read(|state| state.snapshot.settings.interval())
    }

    /// How many servers there are.
    pub(crate) fn servers(&self) -> usize {
        self.read(|state| state.servers)
    }

    /// How many servers this web server takes in at most.
    pub(crate) fn max_servers(&self) -> usize {
        self.read(|state| state.snapshot.max_servers).unwrap_or(usize::MAX)
    }

    /// From now on this web server takes in so many servers at most.
    pub(crate) fn limit_servers(&self, most: usize) {
        let changed = self.write(|state| {
            let changed = state.snapshot.max_servers.replace(most) != Some(most);
            state.generation += u64::from(changed);
            changed
        });
        if changed {
            self.facts.send_replace(());
        }
    }

    /// Whether a server of this name reports.
    pub(crate) fn knows(&self, server: &ServerName) -> bool {
        self.read(|state| state.snapshot.has_server(server))
    }

    /// Hears whenever more than a time has changed in the picture, in who may ask for it, or in whether
    /// anything can be seen.
    pub(crate) fn facts(&self) -> watch::Receiver<()> {
        self.facts.subscribe()
    }

    /// Looks at the state without copying it.
    fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, write: impl FnOnce(&mut State) -> T) -> T {
        write(&mut self.state.write().unwrap_or_else(PoisonError::into_inner))
    }

    fn cursor_of(&self, state: &State) -> String {
        let State { commit, generation, .. } = state;
        format!("{}.{commit}.{:08x}.{generation}", self.store.database_id(), self.process)
    }

    /// The moment for which this picture can be judged. A process that slept has seen nothing since
    /// its last sight, and must call nobody silent for it: beyond the gap that is a period its time
    /// stands still, until it has looked again and written the period down. While the database's clock
    /// is being set back, it is still the last sight's.
    fn moment_of(&self, state: &State) -> Timestamp {
        let now = self.store.now();
        if state.snapshot.blind_since.is_some() {
            return now;
        }
        let watched = state.snapshot.settings.mark_period().times(2);
        now.clamp(state.sight, state.sight + watched)
    }

    /// Facts, place and moment, of one look: a moment read apart from the facts could be of another
    /// clock than their stamps.
    pub fn view(&self) -> LiveView {
        self.read(|state| LiveView {
            snapshot: state.snapshot.clone(),
            cursor: self.cursor_of(state),
            now: self.moment_of(state),
        })
    }

    /// Place and moment without the facts: what an answer is held against that was made before.
    pub fn cursor(&self) -> (String, Timestamp) {
        self.read(|state| (self.cursor_of(state), self.moment_of(state)))
    }

    /// The moment alone, for what is held against no fact of the picture.
    pub fn now(&self) -> Timestamp {
        self.read(|state| self.moment_of(state))
    }

    /// What changed since the reader's cursor, `None` if nothing did; its next cursor, and the moment.
    /// A cursor we cannot place gets the whole picture.
    pub fn since(&self, cursor: &str) -> (Option<Change>, String, Timestamp) {
        self.read(|state| {
            let (current, now) = (self.cursor_of(state), self.moment_of(state));
            if cursor == current {
                return (None, current, now);
            }
            let place = self.commit_in(cursor).filter(|place| state.has(*place));
            let change = match place {
                Some(place) => state.change_since(place.number, self.generation_in(cursor)),
                None => Change::whole(&state.snapshot),
            };
            (Some(change), current, now)
        })
    }

    /// Whether what changed since a cursor can be told; else a reader gets everything.
    pub(crate) fn places(&self, cursor: &str) -> bool {
        let place = self.commit_in(cursor);
        self.read(|state| place.is_some_and(|place| state.has(place)))
    }

    /// How often a page asks.
    pub(crate) fn poll_period(&self) -> Duration {
        let period = self.read(|state| state.snapshot.settings.poll_period());
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

    /// Reads what other web servers wrote if a reader has seen more of it than this one knows, or of another
    /// history: nobody is led back in time by a balancer.
    pub async fn reach(self: &Arc<Self>, cursor: &str) {
        let Some(seen) = self.commit_in(cursor) else { return };
        if !self.can_ask_others() {
            return;
        }
        if self.is_behind(seen.number) {
            let live = Arc::clone(self);
            self.with_write_lock(async move {
                if live.is_behind(seen.number) {
                    live.catch_up().await;
                }
            })
            .await;
        } else if !self.read(|state| state.has(seen)) {
            self.refresh().await;
        }
    }

    fn is_behind(&self, commit: i64) -> bool {
        self.read(|state| commit > state.commit.number)
    }

    /// Reads what other web servers wrote, if anything: for whoever brings no cursor, but may have seen
    /// or done something elsewhere a moment ago. However many ask, the database is asked so often at
    /// most.
    pub async fn refresh(self: &Arc<Self>) {
        if !self.can_ask_others() {
            return;
        }
        let (live, asked) = (Arc::clone(self), Stopwatch::start());
        // To its end: those who wait for it rely on it, though who began it has gone.
        run_to_end(async move { live.poll(asked).await }).await;
    }

    /// Looks whether others have written, unless somebody has since this was asked for.
    async fn poll(self: &Arc<Self>, asked: Stopwatch) {
        let mut glanced = self.glanced.lock().await;
        if let Some(last) = *glanced {
            if last.elapsed() < asked.elapsed() {
                return;
            }
            tokio::time::sleep(MIN_POLL_INTERVAL.saturating_sub(last.elapsed())).await;
        }
        *glanced = Some(Stopwatch::start());
        if !matches!(self.store.is_behind().await, Ok(false)) {
            self.catch_up_in_turn().await;
        }
    }

    /// Reads what other web servers wrote, if there are any, for a caller that holds the write lock and is about
    /// to decide on it.
    pub(crate) async fn catch_up_with_others(&self) {
        if self.can_ask_others() {
            self.catch_up().await;
        }
    }

    /// Whether others may have written, and the database can tell. While it cannot, nobody waits for
    /// it: it is looked for all the time.
    fn can_ask_others(&self) -> bool {
        self.store.is_shared() && !self.is_blind()
    }

    /// Whether there is no use in trying to write: it is looked for all the time, and whoever waits for
    /// a server that does not answer keeps others waiting.
    pub(crate) fn is_write_blocked(&self) -> bool {
        self.store.is_shared() && self.is_blind()
    }

    /// Who is blind sees again by a change, which writes down since when nobody watched; not by reading.
    async fn catch_up(&self) {
        if self.is_blind() {
            return;
        }
        // The failure is told on the page; who asked goes on with what is known.
        let _ = self.apply_result(self.store.catch_up().await);
    }

    async fn catch_up_in_turn(self: &Arc<Self>) {
        let live = Arc::clone(self);
        self.with_write_lock(async move { live.catch_up().await }).await;
    }

    /// Hears of what other web servers wrote, for as long as the process lives. What is not heard is
    /// found by looking.
    pub async fn run_change_listener(self: &Arc<Self>) {
        loop {
            match self.listen_until_silent().await {
                Ok(()) => return,
                Err(error) if !self.is_blind() => {
                    tracing::warn!(%error, "other web servers are heard later for a while");
                }
                Err(_) => {}
            }
            tokio::time::sleep(LISTENER_RETRY_INTERVAL).await;
        }
    }

    async fn listen_until_silent(self: &Arc<Self>) -> Result<(), StoreError> {
        let Some(mut ears) = self.store.listen().await? else { return Ok(()) };
        loop {
            // What was told before is not heard again: so it looks first.
            self.catch_up_in_turn().await;
            ears.heard().await?;
        }
    }

    fn change_keyring(&self, change: impl FnOnce(&mut AuthCache)) {
        let mut keyring = self.keyring.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut keyring));
    }

    /// Writes down when tokens were last used here, and reads when they were used elsewhere since a moment.
    pub(crate) async fn note_uses(
        &self,
        uses: Vec<(String, Timestamp)>,
        since: Timestamp,
    ) -> Result<(), StoreError> {
        let found = self.store.note_uses(uses, since).await?;
        if !found.is_empty() {
            self.change_keyring(|keyring| keyring.note_uses(&found));
        }
        Ok(())
    }

    /// Keeps house now and then, for as long as the process lives.
    pub async fn run_housekeeping(&self) {
        loop {
            if let Err(error) = self.store.run_housekeeping().await {
                tracing::warn!(%error, "what is past its time was not forgotten");
            }
            let now = self.now();
            self.change_keyring(|keyring| keyring.purge(now, KEEP_TOKENS));
            tokio::time::sleep(HOUSEKEEPING_INTERVAL).await;
        }
    }

    /// Takes in what a commit changed, and what others had changed before it.
    pub fn apply(&self, mut news: Commit) {
        if let Some(earlier) = news.earlier.take() {
            self.apply(*earlier);
        }
        let mut stirs = news.is_urgent() || self.is_blind();
        if let Some(keyring) = news.keyring.take() {
            let mut known = self.keyring.write().unwrap_or_else(PoisonError::into_inner);
            match keyring {
                AuthChanges::Whole(keyring) => *known = Arc::new(*keyring),
                AuthChanges::Changes(changes) => Arc::make_mut(&mut known).apply(changes),
            }
        }
        self.write(|state| {
            if let Some(snapshot) = news.whole {
                let generation = state.generation;
                let rejected = std::mem::take(&mut state.snapshot.rejected);
                let max_servers = state.snapshot.max_servers;
                *state = State { generation, ..State::cursor_at(*snapshot, news.commit, news.at) };
                state.snapshot.rejected = rejected;
                state.snapshot.max_servers = max_servers;
                state.rejected_changed();
            } else {
                state.note_readable(news.at);
                stirs |= state.note_answered_probes(&news);
                state.take(news);
            }
        });
        if stirs {
            self.facts.send_replace(());
        }
    }

    /// The database could not be read or written: blind since the last sight of it.
    pub fn go_blind(&self, error: &StoreError) {
        self.failures.add(1);
        self.store.note_blindness();
        let why = Some(error.outage());
        self.write(|state| {
            let since = state.snapshot.blind_since.unwrap_or_else(|| {
                // A verdict may have turned after the last sight, and been seen.
                state.sight.max(state.snapshot.as_of(self.moment_of(state)))
            });
            if state.snapshot.blind_since != Some(since) || state.snapshot.outage != why {
                state.snapshot.blind_since = Some(since);
                state.snapshot.outage = why;
                state.generation += 1;
            }
        });
        self.facts.send_replace(());
    }

    /// A heartbeat in this server's name was refused, or not sent. It is told from memory: nobody without a proof
    /// makes the database write.
    pub(crate) fn refused(&self, server: &ServerName, why: RejectionReason, from: Option<IpAddr>) {
        self.write(|state| {
            let now = self.moment_of(state);
            if state.snapshot.refuse(server, why, from.map(Into::into), now) {
                state.rejected_changed();
            }
        });
    }

    /// The product of this component answers its probe again.
    pub(crate) fn probe_answered(&self, key: &ComponentKey) {
        self.write(|state| {
            let now = self.moment_of(state);
            if state.snapshot.answered(key, now) {
                state.rejected_changed();
            }
        });
    }

    /// How often the database could not be read or written.
    pub(crate) fn failures(&self) -> u64 {
        self.failures.get()
    }

    /// Whether the database could be read and written when last tried.
    pub fn is_blind(&self) -> bool {
        self.read(|state| state.snapshot.blind_since.is_some())
    }

    /// Waits until the database can be read and written.
    pub async fn wait_until_readable(&self) {
        while self.is_blind() {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Makes a change, to its end, and applies what came of it: who waits for it may go away. A change that
    /// found nothing to do brings no news.
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
                    if let Some(news) = committed.into() {
                        live.apply(news);
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
    pub(crate) async fn record(self: &Arc<Self>, entry: Entry) -> Result<(), StoreError> {
        let place = self.place()?;
        let record = |store: Arc<Store>| async move {
            let _place = place;
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

    /// Takes in what came of a change by whoever holds the write lock: its news, or that the database could
    /// not be written.
    pub fn apply_result(&self, changed: Result<Commit, StoreError>) -> Result<(), StoreError> {
        match changed {
            Ok(news) => {
                self.apply(news);
                Ok(())
            }
            Err(error) => {
                self.go_blind(&error);
                Err(error)
            }
        }
    }

    /// Renews the mark once and takes in what came of it.
    pub async fn check_database(self: &Arc<Self>) -> Result<(), StoreError> {
        let live = Arc::clone(self);
        self.with_write_lock(async move {
            let before = live.read(|state| state.snapshot.outage);
            let looked = if live.is_blind() {
                live.store.regain_sight().await
            } else {
                live.store.renew_mark().await
            };
            let looked = live.apply_result(looked);
            if let Err(error) = &looked
                && before != Some(error.outage())
            {
                tracing::error!(%error, "the overview is blind");
            }
            looked
        })
        .await
    }

    /// Whether the database can be read and written, by a check of its own. However many ask, there is one
    /// check a second at most: all who ask meanwhile get its outcome.
    pub(crate) async fn is_ready(self: &Arc<Self>) -> bool {
        let mut outcome = {
            let mut last = self.readiness.lock().unwrap_or_else(PoisonError::into_inner);
            match &*last {
                Some(check) if !check.is_outdated() => check.outcome.clone(),
                _ => last.insert(ReadinessCheck::start(self)).outcome.clone(),
            }
        };
        // A check that ended without an outcome ended with the process.
        let was_ready =
            outcome.wait_for(Option::is_some).await.is_ok_and(|ready| *ready == Some(true));
        was_ready && !self.is_blind()
    }

    /// How long the mark may stand before it is renewed.
    fn time_to_mark(&self) -> Duration {
        let period = self.read(|state| state.snapshot.settings.mark_period().half());
        Duration::from_millis(u64::try_from(period.0).unwrap_or(0).max(100))
    }

    /// Looks again and again, for as long as the process lives: often enough that no period is seen
    /// where somebody watches, and within a second of the database's return or of another process's
    /// writing.
    pub async fn run_database_checks(self: &Arc<Self>) {
        let mut unmarked = Duration::ZERO;
        loop {
            let nap = self.time_to_mark().min(POLL_INTERVAL);
            tokio::time::sleep(nap).await;
            unmarked += nap;
            let was_blind = self.is_blind();
            if unmarked < self.time_to_mark() && !was_blind {
                // A poll reads one number; if even that fails, looking says what there is to say.
                match self.store.is_behind().await {
                    Ok(false) => continue,
                    // What stands in a shared database was dated by whoever wrote it.
                    Ok(true) if self.store.is_shared() => {
                        self.catch_up_in_turn().await;
                        continue;
                    }
                    Ok(true) | Err(_) => {}
                }
            }
            unmarked = Duration::ZERO;
            // The failure is told where it happens.
            if self.check_database().await.is_ok() && was_blind {
                tracing::info!("the overview sees again");
            }
        }
    }
}

/// A check whether the database can be read and written, for all who ask while it is new.
#[derive(Debug)]
struct ReadinessCheck {
    started: Stopwatch,
    outcome: watch::Receiver<Option<bool>>,
}

impl ReadinessCheck {
    fn start(live: &Arc<LiveState>) -> Self {
        let (sender, outcome) = watch::channel(None);
        let live = Arc::clone(live);
        tokio::spawn(async move { sender.send_replace(Some(live.check_database().await.is_ok())) });
        Self { started: Stopwatch::start(), outcome }
    }

    /// One that has not ended yet is still of use, however slow the disk is.
    fn is_outdated(&self) -> bool {
        self.outcome.borrow().is_some() && self.started.elapsed() >= READINESS_PERIOD
    }
}

impl State {
    fn cursor_at(snapshot: Snapshot, at: CommitId, now: Timestamp) -> Self {
        let commit = at.number;
        Self {
            servers: snapshot.count_servers(),
            snapshot,
            commit: at,
            history: History::starting_at(at),
            floor: commit,
            versions: BTreeMap::new(),
            by_commit: BTreeSet::new(),
            removed: BTreeMap::new(),
            settings_at: commit,
            references_at: commit,
            spells_at: commit,
            sight: now,
            generation: 0,
            refusals_at: 0,
        }
    }

    /// Whether what changed since this commit can be told.
    fn has(&self, commit: CommitId) -> bool {
        self.floor <= commit.number && self.history.has(commit)
    }

    fn note_readable(&mut self, at: Timestamp) {
        self.sight = self.sight.max(at);
        self.snapshot.outage = None;
        if self.snapshot.blind_since.take().is_some() {
            self.generation += 1;
        }
    }

    fn take(&mut self, news: Commit) {
        let commit = news.commit.number;
        if commit >= self.commit.number {
            self.commit = news.commit;
        }
        for passed in news.passed.iter().chain([&news.commit]) {
            self.history.add(*passed);
        }
        self.snapshot.changed_at = self.snapshot.changed_at.max(news.changed_at);
        if news.is_empty() {
            return;
        }
        for component in &news.components {
            let key = component.key();
            self.removed.remove(&key);
            self.age(key, |_| Versions { facts: commit, beat: commit });
        }
        for beat in &news.heartbeats {
            let floor = self.floor;
            self.age(beat.key(), |versions| Versions {
                facts: versions.map_or(floor, |versions| versions.facts),
                beat: commit,
            });
        }
        for key in &news.removed {
            if let Some(versions) = self.versions.remove(key) {
                self.by_commit.remove(&(versions.beat, key.clone()));
            }
            self.removed.insert(key.clone(), commit);
        }
        if self.removed.len() > MAX_REMOVED_REMEMBERED {
            // Whoever has not heard of them by now gets the whole picture.
            self.floor = commit;
            self.removed.clear();
        }
        if news.settings.is_some() {
            self.settings_at = commit;
        }
        if news.references.is_some() {
            self.references_at = commit;
        }
        if news.blind_periods.is_some() {
            self.spells_at = commit;
        }
        let facts = news.components.iter().map(|component| &component.server);
        let touched: BTreeSet<ServerName> =
            facts.chain(news.removed.iter().map(|key| &key.server)).cloned().collect();
        let count = |snapshot: &Snapshot| {
            touched.iter().filter(|server| snapshot.has_server(server)).count()
        };
        self.servers -= count(&self.snapshot);
        self.snapshot.apply(Change {
            blind_since: self.snapshot.blind_since,
            outage: self.snapshot.outage,
            max_servers: self.snapshot.max_servers,
            rejected: None,
            changed_at: self.snapshot.changed_at,
            whole: false,
            settings: news.settings,
            references: news.references,
            blind_periods: news.blind_periods,
            components: news.components,
            heartbeats: news.heartbeats,
            removed: news.removed,
        });
        self.servers += count(&self.snapshot);
    }

    /// Whoever heartbeats again answers its probes, and who was removed is not asked; whether that was in doubt.
    fn note_answered_probes(&mut self, news: &Commit) -> bool {
        if self.snapshot.rejected.is_empty() {
            return false;
        }
        let facts = news.components.iter().map(|component| component.key());
        let heard = facts.chain(news.heartbeats.iter().map(HeartbeatUpdate::key));
        let heard = heard.chain(news.removed.iter().cloned());
        // Each is asked: several may have been in doubt.
        let answered = heard.filter(|key| self.snapshot.answered(key, news.at)).count();
        if answered > 0 {
            self.rejected_changed();
        }
        answered > 0
    }

    fn rejected_changed(&mut self) {
        self.generation += 1;
        self.refusals_at = self.generation;
    }

    /// A commit changed a component.
    fn age(&mut self, key: ComponentKey, next: impl FnOnce(Option<Versions>) -> Versions) {
        let before = self.versions.get(&key).copied();
        if let Some(before) = before {
            self.by_commit.remove(&(before.beat, key.clone()));
        }
        let next = next(before);
        self.by_commit.insert((next.beat, key.clone()));
        self.versions.insert(key, next);
    }

    fn change_since(&self, since: i64, generation: Option<u64>) -> Change {
        let snapshot = &self.snapshot;
        let mut change = Change {
            blind_since: snapshot.blind_since,
            outage: snapshot.outage,
            max_servers: snapshot.max_servers,
            rejected: generation
                .is_none_or(|generation| generation < self.refusals_at)
                .then(|| snapshot.rejected.clone()),
            changed_at: snapshot.changed_at,
            settings: (self.settings_at > since).then_some(snapshot.settings),
            references: (self.references_at > since).then_some(snapshot.references),
            blind_periods: (self.spells_at > since).then(|| snapshot.blind_periods.clone()),
            ..Change::default()
        };
        let later = self.by_commit.iter().rev().take_while(|(commit, _)| *commit > since);
        for (_, key) in later {
            let Some(component) = snapshot.components.get(key) else { continue };
            if self.versions.get(key).is_some_and(|versions| versions.facts > since) {
                change.components.push(Arc::clone(component));
            } else {
                change.heartbeats.push(HeartbeatUpdate::of(component));
            }
        }
        change.removed = self
            .removed
            .iter()
            .filter(|(_, at)| **at > since)
            .map(|(key, _)| key.clone())
            .collect();
        change
    }
}
