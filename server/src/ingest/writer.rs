//! Heartbeats in: what waits is grouped into one transaction, and answered after its commit.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use app::cluster::{Heartbeat, ServerName, Span, Timestamp};
use tokio::sync::{mpsc, oneshot};

use crate::clock::Stopwatch;
use crate::live::LiveState;
use crate::store::{Receipt, ReceiveOutcome};
use crate::telemetry::heartbeats::{HeartbeatMetrics, RejectReason};

/// How many requests may wait for the writer; one more is told to come back.
const MAX_WAITING_REQUESTS: usize = 1_024;
/// How many heartbeats go into one transaction at most.
const MAX_BATCH_HEARTBEATS: usize = 4_000;

/// While many beat, a transaction is worth so many requests, or as many as there were last time,
const TARGET_BATCH_REQUESTS: usize = 16;
/// but nobody waits for others longer than this.
const MAX_BATCH_WAIT: Duration = Duration::from_millis(20);

/// Why heartbeats were not taken. Nothing of them was stored, or the answer would say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IngestError {
    /// More requests wait than may.
    #[error("too many heartbeats are waiting to be written")]
    Busy,
    /// The database does not take them.
    #[error("the overview's database cannot be written at present")]
    Blind,
}

/// What became of one request's heartbeats, now durable.
#[derive(Clone, Debug)]
pub struct IngestOutcome {
    /// One for each heartbeat that was stored, in order.
    pub receipts: Vec<Receipt>,
    /// New names for which there was no room, each once: nothing of them was stored.
    pub over_limit: Vec<ServerName>,
    /// The moment of the transaction.
    pub at: Timestamp,
    /// The interval in force.
    pub interval: Span,
}

struct Job {
    heartbeats: Vec<Heartbeat>,
    over_limit: Vec<ServerName>,
    answer: oneshot::Sender<Result<IngestOutcome, IngestError>>,
}

/// The door to the one writer.
#[derive(Clone, Debug)]
pub struct Ingest {
    jobs: mpsc::Sender<Job>,
    live: Arc<LiveState>,
    metrics: Arc<HeartbeatMetrics>,
}

impl Ingest {
    /// Starts the writer. It ends, after what already waits, when the last door to it is closed.
    pub fn start(live: Arc<LiveState>) -> Self {
        let (sender, jobs) = mpsc::channel(MAX_WAITING_REQUESTS);
        let metrics = Arc::new(HeartbeatMetrics::default());
        tokio::spawn(run_writer(jobs, Arc::clone(&live), Arc::clone(&metrics)));
        Self { jobs: sender, live, metrics }
    }

    /// Whether there is no room for a server of this name.
    pub(crate) fn is_full_for(&self, server: &ServerName) -> bool {
        self.live.servers() >= self.max_servers() && !self.live.has_server(server)
    }

    /// How many servers it takes in at most.
    pub(crate) fn max_servers(&self) -> usize {
        self.live.max_servers()
    }

    /// What became of all heartbeats so far.
    pub(crate) fn metrics(&self) -> &HeartbeatMetrics {
        &self.metrics
    }

    /// Takes heartbeats, whole or not at all; returns once they are durable.
    pub async fn submit(&self, heartbeats: Vec<Heartbeat>) -> Result<IngestOutcome, IngestError> {
        if self.live.is_write_blocked() {
            self.metrics.record_rejection(RejectReason::Blind);
            return Err(IngestError::Blind);
        }
        let (answer, outcome) = oneshot::channel();
        if self.jobs.try_send(Job { heartbeats, over_limit: Vec::new(), answer }).is_err() {
            self.metrics.record_rejection(RejectReason::Busy);
            return Err(IngestError::Busy);
        }
        outcome.await.unwrap_or(Err(IngestError::Blind))
    }
}

/// Leaves out the heartbeats of new servers for which there is no room.
fn remove_over_limit(jobs: &mut [Job], live: &LiveState) {
    let heartbeats: usize = jobs.iter().map(|job| job.heartbeats.len()).sum();
    let mut room = live.max_servers().saturating_sub(live.servers());
    if heartbeats <= room {
        return;
    }
    let mut admitted: HashSet<ServerName> = HashSet::new();
    for Job { heartbeats, over_limit, .. } in jobs {
        heartbeats.retain(|heartbeat| {
            let server = &heartbeat.server;
            // The overview's own components are few, and its page is where to see what is wrong.
            let is_own = heartbeat.facts.source.is_own();
            if is_own || admitted.contains(server) || live.has_server(server) {
                return true;
            }
            if room > 0 {
                room -= 1;
                admitted.insert(server.clone());
                return true;
            }
            if !over_limit.contains(server) {
                over_limit.push(server.clone());
            }
            false
        });
    }
}

async fn run_writer(
    mut jobs: mpsc::Receiver<Job>,
    live: Arc<LiveState>,
    metrics: Arc<HeartbeatMetrics>,
) {
    let (mut last, mut written) = (0, Stopwatch::start());
    while let Some(first) = jobs.recv().await {
        // While many beat, those of a few milliseconds share a transaction. Who comes alone does not wait.
        let is_busy = last > 1 && written.elapsed() < MAX_BATCH_WAIT;
        let target = if is_busy { TARGET_BATCH_REQUESTS.max(last) } else { 0 };
        let arrived = Stopwatch::start();
        let mut gathered = first.heartbeats.len();
        let mut waiting = vec![first];
        while gathered < MAX_BATCH_HEARTBEATS {
            let next = match jobs.try_recv() {
                Ok(next) => next,
                Err(_) if waiting.len() < target => {
                    let left = MAX_BATCH_WAIT.saturating_sub(arrived.elapsed());
                    let Ok(Some(next)) = tokio::time::timeout(left, jobs.recv()).await else {
                        break;
                    };
                    next
                }
                Err(_) => break,
            };
            gathered += next.heartbeats.len();
            waiting.push(next);
        }
        last = waiting.len();
        remove_over_limit(&mut waiting, &live);
        let batch: Vec<Heartbeat> =
            waiting.iter().flat_map(|job| job.heartbeats.iter().cloned()).collect();
        let heartbeats = batch.len();
        let received = if batch.is_empty() {
            Ok((Vec::new(), live.now(), live.interval()))
        } else {
            let received = live.change(|store| async move {
                let ReceiveOutcome { receipts, at, interval, commit } =
                    store.receive(batch).await?;
                Ok(((receipts, at, interval), commit))
            });
            received.await
        };
        written = Stopwatch::start();
        match received {
            Ok((receipts, at, interval)) => {
                metrics.record_batch(receipts.len(), Receipt::applied(&receipts));
                let mut receipts = receipts.into_iter();
                for Job { heartbeats, over_limit, answer } in waiting {
                    if !over_limit.is_empty() {
                        metrics.record_rejection(RejectReason::Full);
                    }
                    let receipts = receipts.by_ref().take(heartbeats.len()).collect();
                    // Whoever asked may have gone; what it said is durable all the same.
                    let _ = answer.send(Ok(IngestOutcome { receipts, over_limit, at, interval }));
                }
            }
            Err(error) => {
                tracing::error!(%error, heartbeats, "heartbeats could not be written");
                for job in waiting {
                    metrics.record_rejection(RejectReason::Blind);
                    let _ = job.answer.send(Err(IngestError::Blind));
                }
            }
        }
    }
}

impl IngestOutcome {
    /// When the sender should beat again: 0.8 to 1.0 of the interval, at random, so that a thousand
    /// agents never beat in step.
    pub fn next_in(&self) -> std::time::Duration {
        let mut random = [0; 4];
        // Without randomness every agent is told the same: tolerable, and better than an error.
        let _ = getrandom::fill(&mut random);
        let spread = i64::from(u32::from_le_bytes(random) % 201);
        let ms = self.interval.0 * (800 + spread) / 1_000;
        std::time::Duration::from_millis(u64::try_from(ms).unwrap_or_default())
    }
}
