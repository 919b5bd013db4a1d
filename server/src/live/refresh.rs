//! How the picture is kept up to date: other web servers' commits, the database's health, and what is past its time.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::LiveState;
use crate::clock::Stopwatch;
use crate::store::task::run_to_end;
use crate::store::{StoreError, TOKEN_RETENTION};

/// How often to see whether another process has written, which is to be noticed within two seconds,
/// and whether the mark is due: half of the shortest gap that is a period, so that none comes of a
/// shorter interval that was just set.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// How long lies between two glances that are asked for, at least.
const MIN_POLL_INTERVAL: Duration = Duration::from_millis(20);
/// How long the outcome of a readiness check holds.
const READINESS_CACHE_LIFETIME: Duration = Duration::from_secs(1);
/// How long to wait before listening again.
const LISTENER_RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// How often to forget what is past its time.
const HOUSEKEEPING_INTERVAL: Duration = Duration::from_mins(10);

impl LiveState {
    /// Waits until the database can be read and written.
    pub async fn wait_until_readable(&self) {
        while self.is_blind() {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Reads what other web servers wrote if a reader has seen more of it than this one knows, or of another
    /// history: nobody is led back in time by a balancer.
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
        } else if !self.read(|picture| picture.has(seen)) {
            self.refresh().await;
        }
    }

    fn is_behind(&self, commit: i64) -> bool {
        self.read(|picture| commit > picture.commit.number)
    }

    /// Reads what other web servers wrote, if anything: for whoever brings no cursor, but may have seen
    /// or done something elsewhere a moment ago. However many ask, the database is asked so often at
    /// most.
    pub async fn refresh(self: &Arc<Self>) {
        if !self.can_read_others() {
            return;
        }
        let (live, asked) = (Arc::clone(self), Stopwatch::start());
        // To its end: those who wait for it rely on it, though who began it has gone.
        run_to_end(async move { live.poll(asked).await }).await;
    }

    /// Looks whether others have written, unless somebody has since this was asked for.
    async fn poll(self: &Arc<Self>, asked: Stopwatch) {
        let mut last_poll = self.last_poll.lock().await;
        if let Some(last) = *last_poll {
            if last.elapsed() < asked.elapsed() {
                return;
            }
            tokio::time::sleep(MIN_POLL_INTERVAL.saturating_sub(last.elapsed())).await;
        }
        *last_poll = Some(Stopwatch::start());
        if !matches!(self.store.is_behind().await, Ok(false)) {
            self.catch_up_locked().await;
        }
    }

    /// Reads what other web servers wrote, if there are any, for a caller that holds the write lock and is about
    /// to decide on it.
    pub(crate) async fn catch_up_with_others(&self) {
        if self.can_read_others() {
            self.catch_up().await;
        }
    }

    /// Whether others may have written, and the database can tell. While it cannot, nobody waits for
    /// it: it is checked for all the time.
    fn can_read_others(&self) -> bool {
        self.store.is_shared() && !self.is_blind()
    }

    /// Whether there is no use in trying to write: it is checked for all the time, and whoever waits for
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

    async fn catch_up_locked(self: &Arc<Self>) {
        let live = Arc::clone(self);
        self.with_write_lock(async move { live.catch_up().await }).await;
    }

    /// Hears of what other web servers wrote, for as long as the process lives. What is not heard is
    /// found by looking.
    pub async fn run_change_listener(self: &Arc<Self>) {
        loop {
            match self.listen_until_error().await {
                Ok(()) => return,
                Err(error) if !self.is_blind() => {
                    tracing::warn!(%error, "other web servers are heard later for a while");
                }
                Err(_) => {}
            }
            tokio::time::sleep(LISTENER_RETRY_INTERVAL).await;
        }
    }

    async fn listen_until_error(self: &Arc<Self>) -> Result<(), StoreError> {
        let Some(mut listener) = self.store.listen().await? else { return Ok(()) };
        loop {
            // What was told before is not heard again: so it looks first.
            self.catch_up_locked().await;
            listener.wait_for_change().await?;
        }
    }

    /// Keeps house now and then, for as long as the process lives.
    pub async fn run_housekeeping(&self) {
        loop {
            if let Err(error) = self.store.run_housekeeping().await {
                tracing::warn!(%error, "what is past its time was not forgotten");
            }
            let now = self.now();
            self.change_auth_cache(|auth_cache| auth_cache.purge(now, TOKEN_RETENTION));
            tokio::time::sleep(HOUSEKEEPING_INTERVAL).await;
        }
    }

    /// Renews the mark once and takes in what came of it.
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
    fn mark_interval(&self) -> Duration {
        let period = self.read(|picture| picture.snapshot.settings.mark_period().half());
        Duration::from_millis(u64::try_from(period.0).unwrap_or(0).max(100))
    }

    /// Looks again and again, for as long as the process lives: often enough that no period is seen
    /// where somebody watches, and within a second of the database's return or of another process's
    /// writing.
    pub async fn run_database_checks(self: &Arc<Self>) {
        let mut since_mark = Duration::ZERO;
        loop {
            let pause = self.mark_interval().min(POLL_INTERVAL);
            tokio::time::sleep(pause).await;
            since_mark += pause;
            let was_blind = self.is_blind();
            if since_mark < self.mark_interval() && !was_blind {
                // A poll reads one number; if even that fails, looking says what there is to say.
                match self.store.is_behind().await {
                    Ok(false) => continue,
                    // What stands in a shared database was dated by whoever wrote it.
                    Ok(true) if self.store.is_shared() => {
                        self.catch_up_locked().await;
                        continue;
                    }
                    Ok(true) | Err(_) => {}
                }
            }
            since_mark = Duration::ZERO;
            // The failure is told where it happens.
            if self.check_database().await.is_ok() && was_blind {
                tracing::info!("the overview sees again");
            }
        }
    }
}

/// A check whether the database can be read and written, for all who ask while it is new.
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

    /// One that has not ended yet is still of use, however slow the disk is.
    fn is_outdated(&self) -> bool {
        self.outcome.borrow().is_some() && self.started.elapsed() >= READINESS_CACHE_LIFETIME
    }
}
