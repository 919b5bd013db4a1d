//! How is the picture kept up to date? By other web servers' commits, checks of the database, and housekeeping.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::LiveState;
use crate::clock::Stopwatch;
use crate::store::task::run_to_end;
use crate::store::{StoreError, TOKEN_RETENTION};

/// How often to check whether another process has written, which must be noticed within two seconds, and whether the
/// mark is due. Half of the shortest `Settings::max_mark_age`, so that the mark does not get too old when the heartbeat
/// interval is made shorter.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// The shortest time between two polls of the database on behalf of readers.
const MIN_POLL_INTERVAL: Duration = Duration::from_millis(20);
/// The same for an SQLite file, which this process alone writes but for the commands of an admin.
const MIN_FILE_POLL_INTERVAL: Duration = Duration::from_millis(100);
const READINESS_CACHE_LIFETIME: Duration = Duration::from_secs(1);
const LISTENER_RETRY_INTERVAL: Duration = Duration::from_secs(1);
const HOUSEKEEPING_INTERVAL: Duration = Duration::from_mins(10);

impl LiveState {
    /// Waits until the database can be read and written.
    pub async fn wait_until_readable(&self) {
        while self.is_blind() {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Reads what other web servers wrote if the reader's cursor is newer than this picture, or from before a restore.
    /// So a reader never goes back in time when a load balancer sends it to another web server.
    pub async fn catch_up_to(self: &Arc<Self>, cursor: &str) {
        let Some(seen) = self.commit_in(cursor) else { return };
        if !self.can_read_others() {
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
        } else if !self.read(|picture| picture.has_commit(seen)) {
            self.refresh().await;
        }
    }

    fn is_behind(&self, commit: i64) -> bool {
        self.read(|picture| commit > picture.commit.number)
    }

    /// Reads what other web servers wrote: for readers without a cursor, who may just have seen or changed something at
    /// another web server. Concurrent callers share one query.
    pub async fn refresh(self: &Arc<Self>) {
        if self.can_read_others() {
            self.poll_to_end().await;
        }
    }

    /// Looks whether a token or a session that is not known was created a moment ago: at another web server, or by a
    /// command on this machine. Concurrent callers share one query, and the next one waits, so that a stranger who sends
    /// unknown tokens cannot make the database work.
    pub(crate) async fn look_for_credentials(self: &Arc<Self>) {
        if !self.is_blind() {
            self.poll_to_end().await;
        }
    }

    /// Other callers wait for this poll, even if the one that began it goes away.
    async fn poll_to_end(self: &Arc<Self>) {
        let (live, requested) = (Arc::clone(self), Stopwatch::start());
        run_to_end(async move { live.poll(requested).await }).await;
    }

    /// Checks whether others have written, unless another caller has done so since the request.
    async fn poll(self: &Arc<Self>, requested: Stopwatch) {
        let mut last_poll = self.last_poll.lock().await;
        if let Some(last) = *last_poll {
            if last.elapsed() < requested.elapsed() {
                return;
            }
            let is_shared = self.store.is_shared();
            let interval = if is_shared { MIN_POLL_INTERVAL } else { MIN_FILE_POLL_INTERVAL };
            tokio::time::sleep(interval.saturating_sub(last.elapsed())).await;
        }
        *last_poll = Some(Stopwatch::start());
        let is_behind = self.store.is_behind().await;
        if self.store.is_shared() {
            if !matches!(is_behind, Ok(false)) {
                self.catch_up_locked().await;
            }
        } else if matches!(is_behind, Ok(true)) {
            // The owner of an SQLite file sets the time of a command's commit, so it writes. A failure is logged, and
            // shown on the page.
            let _ = self.check_database().await;
        }
    }

    /// Reads what other web servers wrote, before a decision that depends on it. The caller must hold the write lock.
    pub(crate) async fn catch_up_with_others(&self) {
        if self.can_read_others() {
            self.catch_up().await;
        }
    }

    /// Whether there are other web servers and the database can be read. During an outage nobody waits for the
    /// database: `run_database_checks` tries it all the time.
    fn can_read_others(&self) -> bool {
        self.store.is_shared() && !self.is_blind()
    }

    /// Whether a write would only wait for a PostgreSQL server that does not answer. `run_database_checks` tries it all
    /// the time.
    pub(crate) fn is_write_blocked(&self) -> bool {
        self.store.is_shared() && self.is_blind()
    }

    /// Reads what others wrote. Not while blind: only a write ends that, because it records the blind period.
    async fn catch_up(&self) {
        if self.is_blind() {
            return;
        }
        // A failure is shown on the page; the caller continues with the current picture.
        let _ = self.apply_result(self.store.catch_up().await);
    }

    async fn catch_up_locked(self: &Arc<Self>) {
        let live = Arc::clone(self);
        self.with_write_lock(async move { live.catch_up().await }).await;
    }

    /// Listens to notifications of other web servers until the process ends. Commits that were missed are found by
    /// polling.
    pub async fn run_change_listener(self: &Arc<Self>) {
        loop {
            match self.listen_until_error().await {
                Ok(()) => return,
                Err(error) if !self.is_blind() => {
                    tracing::warn!(%error, "cannot listen to other web servers; their changes are shown up to two seconds later until the connection works again");
                }
                Err(_) => {}
            }
            tokio::time::sleep(LISTENER_RETRY_INTERVAL).await;
        }
    }

    async fn listen_until_error(self: &Arc<Self>) -> Result<(), StoreError> {
        let Some(mut listener) = self.store.listen().await? else { return Ok(()) };
        loop {
            // Notifications from before `listen` are lost, so read first.
            self.catch_up_locked().await;
            listener.wait_for_change().await?;
        }
    }

    /// Deletes expired rows regularly, until the process ends.
    pub async fn run_housekeeping(&self) {
        loop {
            if let Err(error) = self.store.run_housekeeping().await {
                tracing::warn!(%error, "expired rows could not be deleted; the next attempt is in ten minutes");
            }
            let now = self.now();
            self.change_auth_cache(|auth_cache| auth_cache.purge(now, TOKEN_RETENTION));
            tokio::time::sleep(HOUSEKEEPING_INTERVAL).await;
        }
    }

    /// Renews the mark once, and applies the result.
    pub async fn check_database(self: &Arc<Self>) -> Result<(), StoreError> {
        let live = Arc::clone(self);
        self.with_write_lock(async move {
            let before = live.read(|picture| picture.snapshot.outage);
            let checked = if live.is_blind() {
                live.store.renew_mark_after_outage().await
            } else {
                live.store.renew_mark().await
            };
            let checked = live.apply_result(checked);
            if let Err(error) = &checked
                && before != Some(error.outage())
            {
                tracing::error!(%error, "the overview is blind");
            }
            checked
        })
        .await
    }

    /// Whether the database can be read and written now. There is at most one check a second: concurrent callers share
    /// its outcome.
    pub(crate) async fn is_ready(self: &Arc<Self>) -> bool {
        let mut outcome = {
            let mut last = self.readiness.lock().unwrap_or_else(PoisonError::into_inner);
            match &*last {
                Some(check) if !check.is_outdated() => check.outcome.clone(),
                _ => last.insert(ReadinessCheck::start(self)).outcome.clone(),
            }
        };
        // A check ends without an outcome only when the process ends.
        let was_ready =
            outcome.wait_for(Option::is_some).await.is_ok_and(|ready| *ready == Some(true));
        was_ready && !self.is_blind()
    }

    /// How often the mark is renewed.
    fn mark_interval(&self) -> Duration {
        let period = self.read(|picture| picture.snapshot.settings.mark_period().half());
        Duration::from_millis(u64::try_from(period.0).unwrap_or(0).max(100))
    }

    /// Renews the mark and checks for commits of others until the process ends: often enough that there is no gap while
    /// it runs, and that the end of an outage or another process's commit is noticed within a second.
    pub async fn run_database_checks(self: &Arc<Self>) {
        let mut since_mark = Duration::ZERO;
        loop {
            let pause = self.mark_interval().min(POLL_INTERVAL);
            tokio::time::sleep(pause).await;
            since_mark += pause;
            let was_blind = self.is_blind();
            if since_mark < self.mark_interval() && !was_blind {
                // If even this one query fails, `check_database` reports the error.
                match self.store.is_behind().await {
                    Ok(false) => continue,
                    // On PostgreSQL the writer has already set the time of its commit.
                    Ok(true) if self.store.is_shared() => {
                        self.catch_up_locked().await;
                        continue;
                    }
                    Ok(true) | Err(_) => {}
                }
            }
            since_mark = Duration::ZERO;
            // `check_database` logs a failure.
            if self.check_database().await.is_ok() && was_blind {
                tracing::info!("the overview can use its database again");
            }
        }
    }
}

/// A check whether the database can be read and written, shared by concurrent callers.
#[derive(Debug)]
pub(super) struct ReadinessCheck {
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

    /// A check that has not ended is never outdated, however slow the disk is.
    fn is_outdated(&self) -> bool {
        self.outcome.borrow().is_some() && self.started.elapsed() >= READINESS_CACHE_LIFETIME
    }
}
