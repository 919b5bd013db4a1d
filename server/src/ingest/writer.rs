//! How are heartbeats written? Waiting requests share one transaction and are answered after its commit.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use app::cluster::{Heartbeat, ServerName, Span, Timestamp};
use tokio::sync::{mpsc, oneshot};

use crate::clock::Stopwatch;
use crate::live::LiveState;
use crate::store::{Receipt, ReceiveOutcome};
use crate::telemetry::heartbeats::{HeartbeatMetrics, RejectReason};

/// A request beyond it is answered with 503 and `Retry-After`.
const MAX_WAITING_REQUESTS: usize = 1_024;
/// In one transaction.
const MAX_BATCH_HEARTBEATS: usize = 4_000;
/// Under load the writer waits for this many requests, or as many as last time, before it begins a transaction.
const TARGET_BATCH_REQUESTS: usize = 16;
/// The longest time that the writer waits for more requests.
const MAX_BATCH_WAIT: Duration = Duration::from_millis(20);

/// Why a request's heartbeats were not stored: none of them was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IngestError {
    #[error("too many heartbeats are waiting to be written")]
    Busy,
    #[error("the overview's database cannot be written at the moment")]
    Blind,
}

/// The result of one request, whose heartbeats are durable.
#[derive(Clone, Debug)]
pub struct IngestOutcome {
    /// One for each heartbeat that was stored, in order.
    pub receipts: Vec<Receipt>,
    /// New servers beyond the limit, each once: their heartbeats were not stored.
    pub over_limit: Vec<ServerName>,
    /// The time of the transaction.
    pub at: Timestamp,
    /// The configured heartbeat interval.
    pub interval: Span,
}

struct Job {
    heartbeats: Vec<Heartbeat>,
    over_limit: Vec<ServerName>,
    answer: oneshot::Sender<Result<IngestOutcome, IngestError>>,
}

/// The queue of the one writer.
#[derive(Clone, Debug)]
pub struct Ingest {
    jobs: mpsc::Sender<Job>,
    live: Arc<LiveState>,
    metrics: Arc<HeartbeatMetrics>,
}

impl Ingest {
    /// Starts the writer. It ends when the last clone of this queue is dropped and the waiting requests are written.
    pub fn start(live: Arc<LiveState>) -> Self {
        let (sender, jobs) = mpsc::channel(MAX_WAITING_REQUESTS);
        let metrics = Arc::new(HeartbeatMetrics::default());
        tokio::spawn(run_writer(jobs, Arc::clone(&live), Arc::clone(&metrics)));
        Self { jobs: sender, live, metrics }
    }

    /// Whether a server of this name would be beyond the limit.
    pub(crate) fn is_full_for(&self, server: &ServerName) -> bool {
        self.live.servers() >= self.max_servers() && !self.live.has_server(server)
    }

    pub(crate) fn max_servers(&self) -> usize {
        self.live.max_servers()
    }

    pub(crate) fn metrics(&self) -> &HeartbeatMetrics {
        &self.metrics
    }

    /// Writes all these heartbeats or none, and returns once they are durable. Those of new servers beyond the limit are
    /// skipped.
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

/// Moves new servers beyond the limit from the heartbeats to `over_limit`.
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
            // The overview's own components are few, and their state must be visible.
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
        // Under load the requests of a few milliseconds share a transaction. A single request does not wait.
        let is_busy = last > 1 && written.elapsed() < MAX_BATCH_WAIT;
        let target = if is_busy { TARGET_BATCH_REQUESTS.max(last) } else { 0 };
        let mut batch = gather_batch(first, &mut jobs, target).await;
        last = batch.len();
        remove_over_limit(&mut batch, &live);
        write_batch(batch, &live, &metrics).await;
        written = Stopwatch::start();
    }
}

/// Collects the requests that wait. If there are fewer than `target`, it waits a short time for more.
async fn gather_batch(first: Job, jobs: &mut mpsc::Receiver<Job>, target: usize) -> Vec<Job> {
    let since = Stopwatch::start();
    let mut heartbeats = first.heartbeats.len();
    let mut batch = vec![first];
    while heartbeats < MAX_BATCH_HEARTBEATS {
        let next = match jobs.try_recv() {
            Ok(next) => next,
            Err(_) if batch.len() < target => {
                let left = MAX_BATCH_WAIT.saturating_sub(since.elapsed());
                let Ok(Some(next)) = tokio::time::timeout(left, jobs.recv()).await else { break };
                next
            }
            Err(_) => break,
        };
        heartbeats += next.heartbeats.len();
        batch.push(next);
    }
    batch
}

/// Writes all heartbeats of these requests in one transaction, and answers the requests.
async fn write_batch(jobs: Vec<Job>, live: &Arc<LiveState>, metrics: &HeartbeatMetrics) {
    let batch: Vec<Heartbeat> =
        jobs.iter().flat_map(|job| job.heartbeats.iter().cloned()).collect();
    let heartbeats = batch.len();
    let received = if batch.is_empty() {
        Ok((Vec::new(), live.now(), live.interval()))
    } else {
        let received = live.change(|store| async move {
            let ReceiveOutcome { receipts, at, interval, commit } = store.receive(batch).await?;
            Ok(((receipts, at, interval), commit))
        });
        received.await
    };
    match received {
        Ok((receipts, at, interval)) => {
            metrics.record_batch(receipts.len(), Receipt::applied(&receipts));
            let mut receipts = receipts.into_iter();
            for Job { heartbeats, over_limit, answer } in jobs {
                if !over_limit.is_empty() {
                    metrics.record_rejection(RejectReason::Full);
                }
                let receipts = receipts.by_ref().take(heartbeats.len()).collect();
                // The request may have been cancelled; its heartbeats are durable anyway.
                let _ = answer.send(Ok(IngestOutcome { receipts, over_limit, at, interval }));
            }
        }
        Err(error) => {
            tracing::error!(%error, heartbeats, "heartbeats could not be written");
            for job in jobs {
                metrics.record_rejection(RejectReason::Blind);
                let _ = job.answer.send(Err(IngestError::Blind));
            }
        }
    }
}

impl IngestOutcome {
    /// When to send the next heartbeat: 0.8 to 1.0 of the interval, at random, so that agents do not send all at the
    /// same time.
    pub fn next_in(&self) -> std::time::Duration {
        let mut random = [0; 4];
        // Without randomness all agents get the same answer, which is better than an error.
        let _ = getrandom::fill(&mut random);
        let spread = i64::from(u32::from_le_bytes(random) % 201);
        let ms = self.interval.0 * (800 + spread) / 1_000;
        std::time::Duration::from_millis(u64::try_from(ms).unwrap_or_default())
    }
}
