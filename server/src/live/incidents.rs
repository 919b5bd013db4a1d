//! When are incidents judged? On every change and at every turn, by the one web server that leads.

use std::sync::Arc;
use std::time::Duration;

use app::cluster::{Incident, IncidentChange, Judgement};
use tokio::sync::watch;

use super::LiveState;
use crate::store::StoreError;

/// How often a web server that does not lead tries to.
const ELECTION_INTERVAL: Duration = Duration::from_secs(2);
/// The longest time between two judgements. It only matters to what no turn announces.
const MAX_WAIT: Duration = Duration::from_secs(10);
/// The shortest: heartbeats that arrive one after another are judged together.
const MIN_WAIT: Duration = Duration::from_millis(100);

impl LiveState {
    /// Judges incidents whenever this web server leads, until the process ends.
    pub(crate) async fn run_incident_judge(self: &Arc<Self>) {
        // A certificate that expires, say, is not well because nobody has read it yet.
        self.wait_for_upkeep().await;
        loop {
            self.wait_until_readable().await;
            // A failure is noticed by `run_database_checks`, which says so.
            if let Ok(Some(mut leadership)) = self.store.try_to_lead().await {
                self.leads.send_replace(true);
                tokio::select! {
                    () = leadership.wait_until_lost() => {}
                    () = self.judge_incidents() => {}
                }
                self.leads.send_replace(false);
            }
            tokio::time::sleep(ELECTION_INTERVAL).await;
        }
    }

    /// Whether this web server is the one that judges incidents, and tells of them.
    pub(crate) fn leads(&self) -> watch::Receiver<bool> {
        self.leads.subscribe()
    }

    pub(crate) fn incidents(&self) -> Vec<Arc<Incident>> {
        self.read(|picture| picture.snapshot.incidents.clone())
    }

    /// Judges again and again, until the incidents cannot be written.
    async fn judge_incidents(self: &Arc<Self>) {
        let mut changes = self.subscribe();
        let mut judgement = Judgement::default();
        loop {
            changes.mark_unchanged();
            match self.write_changed_incidents(&mut judgement).await {
                // Another web server has changed some.
                Ok(false) => {
                    tokio::time::sleep(MIN_WAIT).await;
                    continue;
                }
                Ok(true) => {}
                Err(error) => {
                    tracing::warn!(%error, "incidents could not be written; they are judged again soon");
                    return;
                }
            }
            tokio::time::sleep(MIN_WAIT).await;
            let wait = self.time_until_turn(&judgement).saturating_sub(MIN_WAIT);
            tokio::select! {
                closed = changes.changed() => if closed.is_err() { return },
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Returns whether they are up to date: not if others have changed some meanwhile.
    async fn write_changed_incidents(
        self: &Arc<Self>,
        judgement: &mut Judgement,
    ) -> Result<bool, StoreError> {
        let live = Arc::clone(self);
        let mut taken = std::mem::take(judgement);
        // Judging a large cluster takes long.
        let judged = tokio::task::spawn_blocking(move || {
            let (known, changed) = live.find_changed_incidents(&mut taken);
            (known, changed, taken)
        });
        let Ok((known, changed, used)) = judged.await else { return Ok(true) };
        *judgement = used;
        if changed.is_empty() {
            return Ok(true);
        }
        let live = Arc::clone(self);
        self.with_write_lock(async move {
            // Somebody may have acknowledged one here while they were judged.
            if live.incidents() != known {
                return Ok(false);
            }
            let written = live.store.write_incidents(changed).await?;
            let is_written = written.is_some();
            match written {
                Some(commit) => live.apply(commit),
                None => live.catch_up_with_others().await,
            }
            Ok(is_written)
        })
        .await
    }

    /// The incidents that were known, and how they change.
    fn find_changed_incidents(
        &self,
        judgement: &mut Judgement,
    ) -> (Vec<Arc<Incident>>, Vec<IncidentChange>) {
        let view = self.view();
        judgement.update(&view.snapshot, view.now);
        let changed = view.snapshot.changed_incidents(judgement.overview(), view.now);
        (view.snapshot.incidents, changed)
    }

    /// Until time alone may change what is due.
    fn time_until_turn(&self, judgement: &Judgement) -> Duration {
        let until = judgement.overview().next_turn.map(|turn| turn - self.now());
        let until = until.map(|until| u64::try_from(until.0 + 1).unwrap_or_default());
        until.map_or(MAX_WAIT, Duration::from_millis).min(MAX_WAIT)
    }
}
