//! Where the facts are kept: all the SQL there is. Every change is one transaction, stamped by the
//! database's clock, and returns the news a reader has to take in.

mod access;
pub mod beside;
mod examine;
mod file;
mod log;
mod rows;
mod tx;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use app::cluster::boots::{self, Stored};
use app::cluster::silence::KEEP_SPELLS;
use app::cluster::{
    Beat, Blindness, Component, ComponentKey, Heartbeat, KeyCheck, KeyKind, Messenger,
    MessengerFailure, References, ServerName, Settings, Snapshot, Span, Spell, Timestamp,
};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

pub use self::access::Grant;
use self::examine::Damage;
use self::file::DatabaseFile;
use self::tx::Tx;
use crate::access::audit::{Entry, Wanted, Written};
use crate::access::keyring::Keyring;
use crate::clock::{Clock, Stopwatch};
use crate::metrics::{Histogram, SECONDS};

/// How long a tombstone tells a late heartbeat from a new one.
const KEEP_TOMBSTONES: Span = Span::minutes(31 * 24 * 60);

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address of the database is none we know.
    #[error("cannot use the database address {0:?}: it must be sqlite:PATH")]
    Address(String),
    /// There is no such file, and it is not ours to make.
    #[error("there is no database {}; name the one that `serve` uses with --database", .0.display())]
    Absent(PathBuf),
    /// Another process owns the file.
    #[error("{} is in use by another process; an SQLite database serves one `serve` at a time", .0.display())]
    Owned(PathBuf),
    /// The lock file beside the database cannot be made.
    #[error("cannot lock {}: {source}", .path.display())]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The schema could not be brought up to date.
    #[error("cannot bring the database's schema up to date: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The database cannot be read or written.
    #[error("the database cannot be read or written: {0}")]
    Database(#[from] sqlx::Error),
    /// The file was deleted, or moved away.
    #[error("{} is gone; nothing is written to a file that nobody will find again", .0.display())]
    Missing(PathBuf),
    /// The file is another than the one that was opened.
    #[error("{} is another file than the one that was opened; restart to use it", .0.display())]
    Replaced(PathBuf),
    /// What the file holds is not what was written.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// The file cannot be used from the start.
    #[error("cannot use the database {}: {source}; nothing in it was changed. If it is damaged, put a backup in its place", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<StoreError>,
    },
    /// What was read is not what was written.
    #[error("the database holds a row this program cannot read: {0}")]
    Content(#[from] serde_json::Error),
    /// The same of what says who may ask for what.
    #[error("the database holds a {0} this program cannot read")]
    Access(&'static str),
}

impl StoreError {
    /// What is wrong with the database, for those who look at the page.
    pub fn blindness(&self) -> Blindness {
        match self {
            Self::Missing(_) | Self::Absent(_) => Blindness::Missing,
            Self::Replaced(_) => Blindness::Replaced,
            Self::Owned(_) => Blindness::Locked,
            Self::Damaged(_) | Self::Content(_) | Self::Access(_) => Blindness::Corrupt,
            Self::Open { source, .. } => source.blindness(),
            Self::Database(error) => of_sqlite(error),
            Self::Address(_) | Self::Lock { .. } | Self::Migrate(_) => Blindness::Unreachable,
        }
    }
}

/// What `SQLite`'s own result code says. The extended codes keep the primary one in their last byte.
fn of_sqlite(error: &sqlx::Error) -> Blindness {
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<u32>().ok());
    match code.map(|code| code & 0xff) {
        Some(5 | 6) => Blindness::Locked,
        Some(8) => Blindness::ReadOnly,
        Some(11 | 26) => Blindness::Corrupt,
        Some(13) => Blindness::Full,
        _ => Blindness::Unreachable,
    }
}

/// The facts of one cluster in an `SQLite` file owned by this process.
#[derive(Debug)]
pub struct Store {
    pool: SqlitePool,
    clock: Clock,
    /// Part of every cursor: a cursor of another database means nothing here.
    database_id: String,
    /// Up to which commit this process knows what was written: a higher number in the database is
    /// another process's doing.
    known: AtomicI64,
    file: DatabaseFile,
    damage: Arc<Damage>,
    /// How long changes took, from their beginning to their commit.
    durations: Histogram,
    /// Held as long as the store lives.
    _lock: std::fs::File,
}

/// What a transaction changed, for whoever keeps the picture.
#[derive(Clone, Debug, Default)]
pub struct News {
    /// The number of this commit.
    pub commit: i64,
    /// When it was made.
    pub at: Timestamp,
    /// Components of which more than the time changed.
    pub components: Vec<Arc<Component>>,
    /// Components that merely beat again.
    pub beats: Vec<Beat>,
    /// Components that were removed.
    pub removed: Vec<ComponentKey>,
    /// The reference keys, if they changed.
    pub references: Option<References>,
    /// The settings, if they changed.
    pub settings: Option<Settings>,
    /// All spells, if they changed.
    pub spells: Option<Vec<Spell>>,
    /// Everything, where the clock jumped or another process wrote: nothing known so far can be built
    /// upon.
    pub whole: Option<Box<Snapshot>>,
    /// Who may ask for what, if that changed: no reader of the picture hears of it.
    pub keyring: Option<Arc<Keyring>>,
}

impl News {
    /// Whether a reader has anything to take in.
    pub fn is_empty(&self) -> bool {
        self.components.is_empty()
            && self.beats.is_empty()
            && self.removed.is_empty()
            && self.references.is_none()
            && self.settings.is_none()
            && self.spells.is_none()
            && self.whole.is_none()
    }
}

/// What became of one heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// It changed something.
    pub applied: bool,
    /// When the heartbeat that counts came: this one, or the one it did not replace.
    pub received_at: Timestamp,
}

impl Receipt {
    /// How many heartbeats changed something.
    pub fn applied(receipts: &[Self]) -> usize {
        receipts.iter().filter(|receipt| receipt.applied).count()
    }
}

/// Everything there is, as it stands at one commit.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The facts.
    pub snapshot: Snapshot,
    /// Who may ask for what.
    pub keyring: Keyring,
    /// The commit's number.
    pub commit: i64,
}

/// A batch of heartbeats after its commit.
#[derive(Debug)]
pub struct Received {
    /// One for each heartbeat, in order.
    pub receipts: Vec<Receipt>,
    /// The moment of the batch.
    pub at: Timestamp,
    /// The interval in force.
    pub interval: Span,
    /// What changed.
    pub news: News,
}

impl Store {
    /// Opens the database at `sqlite:PATH`, creating the file if there is none, and brings its
    /// schema up to date. The gap since the last process wrote becomes a spell.
    pub async fn open(address: &str) -> Result<Self, StoreError> {
        let path = Self::path(address).ok_or_else(|| StoreError::Address(address.to_owned()))?;
        let lock = lock(&path)?;
        let opened = Self::open_owned(&path, lock).await;
        opened.map_err(|error| StoreError::Open { path, source: Box::new(error) })
    }

    async fn open_owned(path: &Path, lock: std::fs::File) -> Result<Self, StoreError> {
        examine::before_opening(path).await?;
        let options = connection(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(Duration::from_secs(2));
        // One connection: one process writes, and readers are answered from memory.
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_secs(5))
            .connect_with(options)
            .await?;
        sqlx::migrate!("src/store/migrations/sqlite").run(&pool).await?;
        let mark = rows::first_row(&pool).await?;
        let clock = Clock::starting(mark.at);
        let known = AtomicI64::new(mark.commit_no);
        let file = DatabaseFile::opened(path)?;
        let damage = Arc::default();
        let durations = Histogram::new(SECONDS);
        let database_id = mark.database_id;
        Ok(Self { pool, clock, database_id, known, file, damage, durations, _lock: lock })
    }

    /// The file behind an address, if it is one of ours.
    pub fn path(address: &str) -> Option<PathBuf> {
        let path = address.strip_prefix("sqlite:")?;
        let path = path.strip_prefix("//").unwrap_or(path);
        (!path.is_empty() && !path.starts_with(':')).then(|| PathBuf::from(path))
    }

    /// Names the database in cursors.
    pub fn database_id(&self) -> &str {
        &self.database_id
    }

    /// How long changes took, from their beginning to their commit.
    pub(crate) fn durations(&self) -> &Histogram {
        &self.durations
    }

    /// Now, by the database's clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Everything, and the number of the commit it stands at.
    pub async fn load(&self) -> Result<Loaded, StoreError> {
        let mut tx = self.begin().await?;
        let commit = rows::head(&mut tx).await?.commit_no;
        let snapshot = rows::snapshot(&mut tx).await?;
        let keyring = access::keyring(&mut tx).await?;
        self.known.store(commit, Ordering::Release);
        Ok(Loaded { snapshot, keyring, commit })
    }

    /// Whether another process has written what this one does not know.
    pub async fn is_behind(&self) -> Result<bool, StoreError> {
        self.file.check()?;
        self.damage.check()?;
        Ok(!self.knows(rows::commit_no(&self.pool).await?))
    }

    fn knows(&self, commit: i64) -> bool {
        self.known.load(Ordering::Acquire) == commit
    }

    /// Takes a batch of heartbeats in, in order, whole or not at all.
    pub async fn receive(&self, batch: &[Heartbeat]) -> Result<Received, StoreError> {
        let mut change = self.change().await?;
        let told = change.head.settings.interval();
        let keys = batch.iter().map(Heartbeat::key);
        let mut stored = rows::stored(&mut change.tx, keys).await?;
        let before = stored.clone();
        let receipts = batch
            .iter()
            .map(|heartbeat| {
                let known = stored.get(&heartbeat.key());
                match boots::receive(known, heartbeat, change.at, told) {
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
        let changed = differences(&before, &stored);
        if !changed.is_empty() {
            rows::upsert(&mut change.tx, &changed).await?;
            change.learn_references(&changed).await?;
        }
        for component in changed {
            match before.get(&component.key()) {
                Some(Stored::Present(old)) if Beat::is_all_between(old, &component) => {
                    change.news.beats.push(Beat::of(&component));
                }
                _ => change.news.components.push(component),
            }
        }
        let at = change.at;
        Ok(Received { receipts, at, interval: told, news: self.commit(change).await? })
    }

    /// Puts new settings in force.
    pub async fn set_settings(
        &self,
        settings: Settings,
        entry: &Entry,
    ) -> Result<News, StoreError> {
        let mut change = self.change().await?;
        rows::set_settings(&mut change.tx, &settings).await?;
        change.news.settings = Some(settings);
        change.record(entry).await?;
        self.commit(change).await
    }

    /// Removes these components; each leaves a tombstone. A server that goes as a whole takes its
    /// credentials with it.
    pub async fn remove(
        &self,
        keys: &[ComponentKey],
        whole: Option<&ServerName>,
        entry: &Entry,
    ) -> Result<News, StoreError> {
        let mut change = self.change().await?;
        rows::remove(&mut change.tx, keys, change.at).await?;
        change.news.removed = keys.to_vec();
        if let Some(server) = whole {
            change.regrant |= access::revoke_credentials(&mut change.tx, server, change.at).await?;
        }
        change.record(entry).await?;
        self.commit(change).await
    }

    /// Changes who may ask for what, all of it or nothing, and writes down who did it. `None` if one
    /// of the changes found nothing to change.
    pub async fn grant(
        &self,
        grants: &[Grant],
        entry: Option<&Entry>,
    ) -> Result<Option<News>, StoreError> {
        let mut change = self.change().await?;
        for grant in grants {
            if !access::grant(&mut change.tx, grant, change.at).await? {
                return change.tx.rollback().await.map(|()| None);
            }
        }
        change.regrant = true;
        if let Some(entry) = entry {
            change.record(entry).await?;
        }
        self.commit(change).await.map(Some)
    }

    /// Writes a line of the audit that tells of something refused.
    pub async fn record(&self, entry: &Entry) -> Result<News, StoreError> {
        let mut change = self.change().await?;
        change.record(entry).await?;
        self.commit(change).await
    }

    /// Lines of the audit, newest first.
    pub async fn audit(&self, wanted: &Wanted) -> Result<Vec<Written>, StoreError> {
        let mut tx = self.begin().await?;
        let lines = access::audit(&mut tx, wanted).await?;
        tx.rollback().await?;
        Ok(lines)
    }

    /// Notes how a service's messenger is, as the web server `seen_by` finds it: why it cannot be
    /// reached, or `None` while connected. Nothing changes where it was so before, or where the
    /// component is not there or announces no messenger.
    pub async fn note_messenger(
        &self,
        key: &ComponentKey,
        failure: Option<MessengerFailure>,
        seen_by: &str,
    ) -> Result<News, StoreError> {
        let mut change = self.change().await?;
        let stored = rows::stored(&mut change.tx, std::iter::once(key.clone())).await?;
        if let Some(Stored::Present(component)) = stored.get(key)
            && let Some(port) = component.messenger_port
        {
            let same = |known: &Messenger| known.failure == failure && known.port == port;
            if !component.messenger.as_ref().is_some_and(same) {
                let since = change.at;
                let messenger = Messenger { failure, since, port, seen_by: seen_by.to_owned() };
                let mut next = Component::clone(component);
                next.messenger = Some(messenger);
                change.news.components = vec![Arc::new(next)];
                rows::upsert(&mut change.tx, &change.news.components).await?;
            }
        }
        self.commit(change).await
    }

    /// Makes this check the one all others are held against.
    pub async fn accept_key(
        &self,
        kind: KeyKind,
        check: KeyCheck,
        entry: &Entry,
    ) -> Result<News, StoreError> {
        let mut change = self.change().await?;
        let mut references = rows::references(&mut change.tx).await?;
        references.accept(kind, check);
        rows::set_references(&mut change.tx, &references).await?;
        change.news.references = Some(references);
        change.record(entry).await?;
        self.commit(change).await
    }

    /// Renews the observer's mark, so that no spell is seen where somebody watches; forgets what is
    /// past its time, and lets the clock follow the wall clock when it must. What another process
    /// wrote counts as written now, when it was noticed.
    pub async fn renew_mark(&self) -> Result<News, StoreError> {
        if let Some(jump) = self.clock.jump_due() {
            return self.jump(jump).await;
        }
        let mut change = self.change().await?;
        rows::forget(&mut change.tx, change.at - KEEP_TOMBSTONES, change.at - KEEP_SPELLS).await?;
        change.regrant = access::forget(&mut change.tx, change.at).await?;
        if !self.knows(change.head.commit_no) {
            change.see_whole().await?;
        }
        self.commit(change).await
    }

    /// The clock jumps, and no verdict with it: forward the jump is a spell of its length, backward
    /// every stamp goes back with it. Nobody may judge the old picture by the new clock: between the
    /// two the moment is the last sight's.
    async fn jump(&self, by: Span) -> Result<News, StoreError> {
        let mut change = self.change().await?;
        let from = change.at;
        if by > Span::ZERO {
            rows::add_spell(&mut change.tx, Spell { start: from, end: from + by }).await?;
        } else {
            rows::shift_all(&mut change.tx, by).await?;
        }
        change.at = from + by;
        change.see_whole().await?;
        let news = self.commit(change).await?;
        self.clock.jump(by);
        tracing::warn!(by_ms = by.0, "the clock was set; verdicts do not move with it");
        Ok(news)
    }

    async fn begin(&self) -> Result<Tx, StoreError> {
        self.file.check()?;
        self.examine_if_suspected().await;
        self.damage.check()?;
        Tx::begin(&self.pool, "begin immediate", &self.damage).await
    }

    /// Begins a change: the mark is renewed, and a gap before it is written down as a spell.
    async fn change(&self) -> Result<Changing, StoreError> {
        let watch = Stopwatch::start();
        let mut tx = self.begin().await?;
        let head = rows::head(&mut tx).await?;
        let at = self.clock.now();
        let mut news = News { at, commit: head.commit_no, ..News::default() };
        if at - head.mark_at > head.settings.mark_period().times(2) {
            rows::add_spell(&mut tx, Spell { start: head.mark_at, end: at }).await?;
            news.spells = Some(rows::spells(&mut tx).await?);
        }
        Ok(Changing { tx, head, at, news, watch, regrant: false })
    }

    /// Ends a change: its news are numbered if anybody can see them.
    async fn commit(&self, change: Changing) -> Result<News, StoreError> {
        let Changing { mut tx, head, at, mut news, watch, regrant } = change;
        if regrant {
            news.keyring = Some(Arc::new(access::keyring(&mut tx).await?));
        }
        let visible = !news.is_empty();
        if visible {
            news.commit += 1;
        }
        news.at = at;
        if let Some(snapshot) = &mut news.whole {
            snapshot.changed_at = at;
        }
        rows::close(&mut tx, at, news.commit, visible).await?;
        tx.commit().await?;
        self.durations.observe(watch.elapsed().as_secs_f64());
        // Who was behind before this change still is, unless it saw everything.
        if self.knows(head.commit_no) || news.whole.is_some() {
            self.known.store(news.commit, Ordering::Release);
        }
        Ok(news)
    }
}

/// A transaction under way.
struct Changing {
    tx: Tx,
    head: rows::Head,
    at: Timestamp,
    news: News,
    watch: Stopwatch,
    /// It changes who may ask for what.
    regrant: bool,
}

impl Changing {
    /// Lets the news be everything there is, as it stands in this transaction.
    async fn see_whole(&mut self) -> Result<(), StoreError> {
        self.news.whole = Some(Box::new(rows::snapshot(&mut self.tx).await?));
        self.regrant = true;
        Ok(())
    }

    /// Writes a line of the audit.
    async fn record(&mut self, entry: &Entry) -> Result<(), StoreError> {
        self.regrant |= access::record(&mut self.tx, entry, self.at).await?;
        Ok(())
    }

    /// Lets the references learn from what was just reported, while they are not yet agreed on.
    async fn learn_references(&mut self, changed: &[Arc<Component>]) -> Result<(), StoreError> {
        let known = rows::references(&mut self.tx).await?;
        let teaches = |component: &Arc<Component>| {
            KeyKind::ALL.into_iter().any(|kind| {
                kind.of(component).is_some() && !known.of(kind).is_some_and(|known| known.agreed)
            })
        };
        if !changed.iter().any(teaches) {
            return Ok(());
        }
        let everyone = rows::all_components(&mut self.tx).await?;
        let mut learned = known;
        for component in changed {
            learned.learn(component, everyone.iter());
        }
        if learned != known {
            rows::set_references(&mut self.tx, &learned).await?;
            self.news.references = Some(learned);
        }
        Ok(())
    }
}

/// The components that are not as they were.
fn differences(
    before: &HashMap<ComponentKey, Stored>,
    after: &HashMap<ComponentKey, Stored>,
) -> Vec<Arc<Component>> {
    let mut changed: Vec<Arc<Component>> = after
        .iter()
        .filter(|(key, stored)| before.get(*key) != Some(*stored))
        .filter_map(|(_, stored)| match stored {
            Stored::Present(component) => Some(Arc::clone(component)),
            Stored::Removed(_) => None,
        })
        .collect();
    changed.sort_by_key(|component| component.key());
    changed
}

/// What every connection to a database has in common.
fn connection(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
}

/// Takes the file beside the database that says who owns it; the system frees it when we die.
fn lock(path: &Path) -> Result<std::fs::File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let path_of_lock = PathBuf::from(name);
    let failed = |source| StoreError::Lock { path: path_of_lock.clone(), source };
    let file = std::fs::File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path_of_lock)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::Owned(path.to_owned())),
        Err(std::fs::TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// The name of a server as the key of its rows.
fn server_key(server: &ServerName) -> String {
    server.folded()
}
