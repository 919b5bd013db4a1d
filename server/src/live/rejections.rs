//! Which rejected heartbeats and failing probes are written to the database, and how often?
//!
//! A stranger can cause them, so they wait in a bounded queue, and all of it is one transaction a second at most.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use app::cluster::reject::MAX_REJECTED;
use app::cluster::{RejectedHeartbeat, RejectionReason, Role, ServerName};
use tokio::sync::Notify;

use crate::live::LiveState;

const MIN_WRITE_INTERVAL: Duration = Duration::from_secs(1);

/// By server, and by the component whose probe fails.
type Runs = BTreeMap<(ServerName, Option<Role>), RejectedHeartbeat>;

/// Runs that are to be written.
#[derive(Debug, Default)]
pub(super) struct RejectionQueue {
    waiting: Mutex<Runs>,
    added: Notify,
}

impl RejectionQueue {
    fn waiting(&self) -> MutexGuard<'_, Runs> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn next_batch(&self) -> Vec<RejectedHeartbeat> {
        loop {
            self.added.notified().await;
            let batch = std::mem::take(&mut *self.waiting());
            if !batch.is_empty() {
                return batch.into_values().collect();
            }
        }
    }
}

impl LiveState {
    /// Notes that a heartbeat in this server's name was rejected, or not sent. It is written soon after, if it is news.
    pub(crate) fn note_rejected(
        &self,
        server: &ServerName,
        why: RejectionReason,
        from: Option<IpAddr>,
    ) {
        let explains =
            |run: &RejectedHeartbeat| self.read(|picture| picture.snapshot.explains_silence(run));
        let Some(run) = self.read(|picture| {
            picture.snapshot.reject(server, why, from.map(Into::into), self.current_time(picture))
        }) else {
            return;
        };
        let explained = explains(&run);
        let mut waiting = self.rejections.waiting();
        let key = (run.server.clone(), run.why.probed());
        let replaces = match waiting.get(&key) {
            Some(before) => explained && !explains(before),
            None => waiting.len() < MAX_REJECTED,
        };
        if replaces {
            waiting.insert(key, run);
            self.rejections.added.notify_one();
        }
    }

    /// Writes rejected heartbeats and failing probes until the process ends. While the database cannot be written, they
    /// wait.
    pub async fn run_rejection_writer(self: &Arc<Self>) {
        loop {
            let runs = self.rejections.next_batch().await;
            self.wait_until_readable().await;
            let written = self.change(move |store| async move {
                let commit = store.write_rejections(runs).await?;
                Ok(((), commit))
            });
            // The page says so, and the next of them are written again.
            let _ = written.await;
            tokio::time::sleep(MIN_WRITE_INTERVAL).await;
        }
    }
}
