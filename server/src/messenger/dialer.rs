//! The web server's side: dials every service that announces a messenger, again and again, and writes
//! down how it finds it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use app::cluster::{ComponentKey, Messenger, MessengerFailure, Role, ServerName};
use app::protocol::CommandError;
use tokio::sync::{Notify, Semaphore, mpsc, oneshot, watch};
use tokio::task::AbortHandle;

use crate::auth::Access;
use crate::auth::secret::Hash;
use crate::clock::Stopwatch;
use crate::ingest::{Ingest, heartbeat_json};
use crate::live::LiveState;
use crate::messenger::announcement::{Announced, Heard, Target, dialled_at};
use crate::messenger::connection::Caller;
use crate::messenger::dial_history::Record;
use crate::messenger::ssrf::{DialLoopback, Place, place};
use crate::store::MessengerReport;
use crate::telemetry::log_limit::LogLimits;

/// How many services are dialled at once.
const MAX_DIALS_AT_ONCE: usize = 64;
/// How long lies between two connections that are opened, to whomever: at most 200 a second.
const MIN_CONNECTION_INTERVAL: Duration = Duration::from_millis(5);
/// How long to gather changes of the cluster, and of what is found, before acting on them.
const GATHERING_TIME: Duration = Duration::from_millis(50);
/// How long lies between two reconnects of one service that people ask for.
const MIN_RECONNECT_INTERVAL: Duration = Duration::from_secs(5);
/// How long the farewell may take when the process is asked to stop.
const LAST_REPORT_TIMEOUT: Duration = Duration::from_secs(2);

pub(super) type Outcome = Result<(), MessengerFailure>;

/// From where is dialled.
#[derive(Clone, Debug)]
pub(crate) struct Here {
    /// The web server's name, as the page says it.
    pub(crate) name: String,
    /// Where the overview itself listens.
    pub(crate) listening: SocketAddr,
}

/// All lines to services.
#[derive(Debug)]
pub(crate) struct Dialer {
    live: Arc<LiveState>,
    ingest: Ingest,
    pub(super) access: Arc<Access>,
    /// Which services it dials on its own machine.
    loopback: DialLoopback,
    /// The boot ID of the service in this very process, which it does not dial.
    own_boot: Option<String>,
    here: OnceLock<Here>,
    lines: Mutex<BTreeMap<ComponentKey, Line>>,
    /// What is to be written down.
    found: Mutex<BTreeMap<ComponentKey, MessengerReport>>,
    finding: Notify,
    pub(super) places: Semaphore,
    /// When the last connection was opened.
    last_connection: tokio::sync::Mutex<Option<Stopwatch>>,
    /// How each service behaved so far, however often its line was replaced.
    records: Mutex<BTreeMap<ComponentKey, Arc<Mutex<Record>>>>,
    /// The services that name an address of this machine, as they last said so over HTTP.
    heard: Mutex<BTreeMap<ComponentKey, Heard>>,
    hearing: Notify,
    pub(super) logs: Logs,
}

/// What is logged of services, at most once a minute for each.
#[derive(Debug, Default)]
pub(super) struct Logs {
    pub(super) forbidden_address: LogLimits<ServerName>,
    foreign_heartbeat: LogLimits<ServerName>,
    failed_writing: LogLimits<()>,
}

/// The line to one service.
#[derive(Debug)]
struct Line {
    target: Target,
    /// Whether the address is one that is dialled.
    allowed: bool,
    /// What the service bears that is connected.
    bears: Arc<Mutex<Option<Hash>>>,
    requests: mpsc::Sender<oneshot::Sender<Outcome>>,
    requested: Option<Stopwatch>,
    task: AbortHandle,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Dialer {
    pub(crate) fn new(
        live: Arc<LiveState>,
        ingest: Ingest,
        access: Arc<Access>,
        loopback: DialLoopback,
        own_boot: Option<String>,
    ) -> Self {
        Self {
            live,
            ingest,
            access,
            loopback,
            own_boot,
            here: OnceLock::new(),
            lines: Mutex::default(),
            found: Mutex::default(),
            finding: Notify::new(),
            places: Semaphore::new(MAX_DIALS_AT_ONCE),
            last_connection: tokio::sync::Mutex::default(),
            records: Mutex::default(),
            heard: Mutex::default(),
            hearing: Notify::new(),
            logs: Logs::default(),
        }
    }

    /// Dials services from here, until it is asked to stop.
    pub(crate) async fn run(self: Arc<Self>, here: Here, mut stopping: watch::Receiver<bool>) {
        if self.here.set(here).is_err() {
            // It does so already.
            return;
        }
        let mut facts = self.live.facts();
        let following = async {
            loop {
                self.follow();
                tokio::select! {
                    changed = facts.changed() => {
                        if changed.is_err() {
                            return;
                        }
                    }
                    () = self.hearing.notified() => {}
                }
                tokio::time::sleep(GATHERING_TIME).await;
            }
        };
        tokio::select! {
            () = async { tokio::join!(following, self.keep_noting()); } => {}
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
    }

    /// Has a line to every service that wants one, and to no other.
    fn follow(self: &Arc<Self>) {
        let Some(here) = self.here.get() else { return };
        let snapshot = self.live.snapshot();
        let mut lines = locked(&self.lines);
        lines.retain(|key, line| {
            let wanted = snapshot.components.get(key).and_then(|component| dialled_at(component));
            let bears = *locked(&line.bears);
            wanted.as_ref() == Some(&line.target)
                && bears.is_none_or(|bears| self.access.borne_by(&key.server).contains(&bears))
        });
        locked(&self.records).retain(|key, _| snapshot.components.contains_key(key));
        locked(&self.heard).retain(|key, _| snapshot.components.contains_key(key));
        for (key, component) in &snapshot.components {
            if lines.contains_key(key) {
                continue;
            }
            let target = dialled_at(component).filter(|target| !self.is_own(target));
            let judged =
                target.and_then(|target| Some((self.may_dial(key, &target, here)?, target)));
            match judged {
                Some((allowed, target)) => {
                    lines.insert(key.clone(), self.line(key, target, allowed));
                }
                None if component.messengers.iter().any(|seen| seen.seen_by == here.name) => {
                    self.find(key, None);
                }
                None => {}
            }
        }
    }

    /// Whether a service may be dialled there. `None` where nobody can say yet: an address of this machine means
    /// nothing until the service has said here that it has it.
    fn may_dial(&self, key: &ComponentKey, target: &Target, here: &Here) -> Option<bool> {
        match (place(target.address, here.listening), self.loopback) {
            (Place::Elsewhere, _) | (Place::ThisMachine, DialLoopback::All) => Some(true),
            (Place::Forbidden, _) | (Place::ThisMachine, DialLoopback::None) => Some(false),
            (Place::ThisMachine, DialLoopback::Own) => {
                let heard = locked(&self.heard);
                heard.get(key).filter(|heard| heard.target == *target).map(|heard| heard.directly)
            }
        }
    }

    /// Notes which services said over HTTP that their messenger is on this machine, and whether they said so
    /// directly. Their heartbeats have been taken.
    pub(crate) fn heard_of_messengers(
        &self,
        announced: Vec<Announced>,
        directly: impl FnOnce() -> bool,
    ) {
        let Some(here) = self.here.get() else { return };
        if announced.is_empty() || self.loopback != DialLoopback::Own {
            return;
        }
        let directly = directly();
        let snapshot = self.live.snapshot();
        let mut lines = locked(&self.lines);
        let mut heard = locked(&self.heard);
        for Announced { key, target } in announced {
            // It is judged already, and nothing better was said.
            let known = lines.get(&key).filter(|line| line.target == target);
            if known.is_some_and(|line| line.allowed || !directly) {
                continue;
            }
            // A replay, say: the picture knows better.
            let is_current = snapshot.components.get(&key).and_then(|known| dialled_at(known))
                == Some(target.clone());
            if is_current && place(target.address, here.listening) == Place::ThisMachine {
                lines.remove(&key);
                heard.insert(key, Heard { target, directly });
                self.hearing.notify_one();
            }
        }
    }

    /// Whether it is the service of this very process, of which nobody need tell it.
    fn is_own(&self, target: &Target) -> bool {
        self.own_boot.as_ref() == Some(&target.boot)
    }

    fn line(self: &Arc<Self>, key: &ComponentKey, target: Target, allowed: bool) -> Line {
        let (requests, requested) = mpsc::channel(1);
        let bears = Arc::default();
        let record = Arc::clone(locked(&self.records).entry(key.clone()).or_default());
        let caller = Caller {
            dialer: Arc::clone(self),
            key: key.clone(),
            address: target.address,
            allowed,
            bears: Arc::clone(&bears),
            record,
            requested,
        };
        let task = tokio::spawn(caller.keep_calling()).abort_handle();
        Line { target, allowed, bears, requests, requested: None, task }
    }

    /// Dials a server's service now, and says how this web server finds its messenger by that very
    /// trial.
    pub(crate) async fn reconnect(&self, server: &ServerName) -> Result<Messenger, CommandError> {
        let key = ComponentKey { server: server.clone(), role: Role::Service };
        let (answer, outcome) = oneshot::channel();
        let (requests, port) = {
            let mut lines = locked(&self.lines);
            let line = lines.get_mut(&key).ok_or(CommandError::NotDialled)?;
            if line.requested.is_some_and(|before| before.elapsed() < MIN_RECONNECT_INTERVAL) {
                return Err(CommandError::TooSoon);
            }
            line.requested = Some(Stopwatch::start());
            (line.requests.clone(), line.target.address.port())
        };
        // A line that is given up meanwhile answers nothing.
        requests.send(answer).await.map_err(|_| CommandError::NotDialled)?;
        let failure = outcome.await.map_err(|_| CommandError::NotDialled)?.err();
        self.note().await;
        let name = self.here.get().map(|here| here.name.clone()).unwrap_or_default();
        let snapshot = self.live.snapshot();
        let mut seen = snapshot.components.get(&key).into_iter().flat_map(|one| &one.messengers);
        // Since when it is so is what is written down, if that could be.
        let written = seen.find(|seen| seen.seen_by == name && seen.failure == failure);
        let since = written.map_or_else(|| self.live.now(), |seen| seen.since);
        Ok(Messenger { failure, since, port, seen_by: name })
    }

    /// Writes down what is found, for as long as the process lives. While the database is away it waits.
    async fn keep_noting(&self) {
        loop {
            self.finding.notified().await;
            tokio::time::sleep(GATHERING_TIME).await;
            self.live.wait_until_readable().await;
            self.note().await;
        }
    }

    async fn note(&self) {
        let Some(here) = self.here.get() else { return };
        // What is not written yet stays: who waits for this may go away.
        let found = locked(&self.found).clone();
        if found.is_empty() {
            return;
        }
        let sightings = found.values().cloned().collect();
        match self.live.note_messengers(sightings, here.name.clone()).await {
            Ok(()) => locked(&self.found).retain(|key, now| found.get(key) != Some(now)),
            Err(error) => {
                if let Some(left_out) = self.logs.failed_writing.check(()) {
                    tracing::warn!(%error, left_out, "how the messengers are was not written down; trying on");
                }
                self.finding.notify_one();
            }
        }
    }

    /// Hangs up, and has no word on messengers any more.
    pub(crate) async fn hang_up(&self) {
        let keys: Vec<ComponentKey> =
            std::mem::take(&mut *locked(&self.lines)).into_keys().collect();
        for key in keys {
            self.find(&key, None);
        }
        if !self.live.is_blind() {
            let _ = tokio::time::timeout(LAST_REPORT_TIMEOUT, self.note()).await;
        }
    }
}

impl Dialer {
    pub(super) fn find(&self, key: &ComponentKey, outcome: Option<Outcome>) {
        let sighting = MessengerReport { key: key.clone(), outcome };
        locked(&self.found).insert(key.clone(), sighting);
        self.finding.notify_one();
    }

    /// Waits until one more connection may be opened.
    pub(super) async fn pace(&self) {
        let mut last = self.last_connection.lock().await;
        if let Some(last) = *last {
            tokio::time::sleep(MIN_CONNECTION_INTERVAL.saturating_sub(last.elapsed())).await;
        }
        *last = Some(Stopwatch::start());
    }
}

impl Dialer {
    /// Takes in a heartbeat that came by messenger. It speaks for that very component, or for nobody.
    pub(super) async fn take_from(&self, key: &ComponentKey, heartbeat: &serde_json::Value) {
        match heartbeat_json::heartbeat(heartbeat) {
            Ok(heartbeat) if heartbeat.key() == *key => {
                // What is not taken comes again by the other road.
                let _ = self.ingest.take(vec![heartbeat]).await;
            }
            Ok(_) | Err(_) => {
                let logs = &self.logs;
                if let Some(left_out) = logs.foreign_heartbeat.check(key.server.clone()) {
                    tracing::warn!(
                        server = %key.server,
                        left_out,
                        "a messenger brought what is no heartbeat of its service"
                    );
                }
            }
        }
    }
}
