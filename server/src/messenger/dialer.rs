//! The web server's side: keeps a connection to every service that announces a messenger.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use app::cluster::{ComponentKey, Messenger, MessengerFailure, Role, ServerName};
use app::protocol::CommandError;
use tokio::sync::{Notify, Semaphore, mpsc, oneshot, watch};
use tokio::task::AbortHandle;

use crate::auth::AuthService;
use crate::auth::secret::SecretHash;
use crate::clock::Stopwatch;
use crate::ingest::{Ingest, heartbeat_json};
use crate::live::LiveState;
use crate::messenger::announcement::{
    AnnouncedMessenger, DialTarget, HttpAnnouncement, dial_target,
};
use crate::messenger::connection::ServiceConnection;
use crate::messenger::dial_history::DialHistory;
use crate::messenger::ssrf::{AddressClass, DialLoopback, classify};
use crate::messenger::status_reports::StatusReports;
use crate::telemetry::log_limit::LogLimits;

const MAX_CONCURRENT_DIALS: usize = 64;
/// Between two connections to any services: at most 200 a second.
const MIN_DIAL_INTERVAL: Duration = Duration::from_millis(5);
/// How long to collect changes of the cluster before the connections are compared with it.
const COLLECT_TIME: Duration = Duration::from_millis(50);
/// Between two reconnects of a service that admins ask for.
const MIN_RECONNECT_INTERVAL: Duration = Duration::from_secs(5);
/// For the last status reports when the process stops.
const LAST_REPORT_TIMEOUT: Duration = Duration::from_secs(2);

pub(super) type DialOutcome = Result<(), MessengerFailure>;

/// The web server that dials.
#[derive(Clone, Debug)]
pub(crate) struct LocalWebServer {
    /// Its name on the page.
    pub(crate) name: String,
    /// The address at which the overview listens.
    pub(crate) listening: SocketAddr,
}

/// Dials the messengers of all services.
#[derive(Debug)]
pub(crate) struct Dialer {
    live: Arc<LiveState>,
    ingest: Ingest,
    pub(super) auth: Arc<AuthService>,
    loopback: DialLoopback,
    /// The boot ID of the service in this process, which is not dialled.
    own_boot_id: Option<String>,
    local: OnceLock<LocalWebServer>,
    connections: Mutex<BTreeMap<ComponentKey, ConnectionHandle>>,
    reports: StatusReports,
    pub(super) permits: Semaphore,
    /// When the last connection was opened.
    last_dial: tokio::sync::Mutex<Option<Stopwatch>>,
    histories: Mutex<BTreeMap<ComponentKey, Arc<Mutex<DialHistory>>>>,
    /// The services that announced a messenger on this machine, by their last announcement over HTTP.
    announcements: Mutex<BTreeMap<ComponentKey, HttpAnnouncement>>,
    announcements_changed: Notify,
    forbidden_addresses: LogLimits<ServerName>,
    foreign_heartbeats: LogLimits<ServerName>,
}

/// The connection to one service, as the dialer has it. Dropping it closes the connection.
#[derive(Debug)]
struct ConnectionHandle {
    target: DialTarget,
    /// Whether the SSRF protection permits the address.
    allowed: bool,
    /// The secret of the service while it is connected.
    secret: Arc<Mutex<Option<SecretHash>>>,
    requests: mpsc::Sender<oneshot::Sender<DialOutcome>>,
    last_request: Option<Stopwatch>,
    task: AbortHandle,
}

impl Drop for ConnectionHandle {
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
        auth: Arc<AuthService>,
        loopback: DialLoopback,
        own_boot_id: Option<String>,
    ) -> Self {
        Self {
            reports: StatusReports::new(Arc::clone(&live)),
            live,
            ingest,
            auth,
            loopback,
            own_boot_id,
            local: OnceLock::new(),
            connections: Mutex::default(),
            permits: Semaphore::new(MAX_CONCURRENT_DIALS),
            last_dial: tokio::sync::Mutex::default(),
            histories: Mutex::default(),
            announcements: Mutex::default(),
            announcements_changed: Notify::new(),
            forbidden_addresses: LogLimits::default(),
            foreign_heartbeats: LogLimits::default(),
        }
    }

    /// Dials services until the process is asked to stop.
    pub(crate) async fn run(
        self: Arc<Self>,
        local: LocalWebServer,
        mut stopping: watch::Receiver<bool>,
    ) {
        let name = local.name.clone();
        if self.local.set(local).is_err() {
            // It is running already.
            return;
        }
        let mut facts = self.live.subscribe();
        let keep_connected = async {
            loop {
                self.update_connections();
                tokio::select! {
                    changed = facts.changed() => {
                        if changed.is_err() {
                            return;
                        }
                    }
                    () = self.announcements_changed.notified() => {}
                }
                tokio::time::sleep(COLLECT_TIME).await;
            }
        };
        tokio::select! {
            () = async { tokio::join!(keep_connected, self.reports.run_writer(&name)); } => {}
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
    }

    /// Opens and closes connections, so that there is one for each service that announces a messenger.
    fn update_connections(self: &Arc<Self>) {
        let Some(local) = self.local.get() else { return };
        let snapshot = self.live.snapshot();
        let mut connections = locked(&self.connections);
        connections.retain(|key, connection| {
            let target = snapshot.components.get(key).and_then(|component| dial_target(component));
            let secret = *locked(&connection.secret);
            let is_valid =
                |secret: SecretHash| self.auth.candidate_secrets(&key.server).contains(&secret);
            target.as_ref() == Some(&connection.target) && secret.is_none_or(is_valid)
        });
        locked(&self.histories).retain(|key, _| snapshot.components.contains_key(key));
        locked(&self.announcements).retain(|key, _| snapshot.components.contains_key(key));
        for (key, component) in &snapshot.components {
            if connections.contains_key(key) {
                continue;
            }
            let target = dial_target(component).filter(|target| !self.is_own_service(target));
            let decided =
                target.and_then(|target| Some((self.may_dial(key, &target, local)?, target)));
            match decided {
                Some((allowed, target)) => {
                    connections.insert(key.clone(), self.open_connection(key, target, allowed));
                }
                None if component.messengers.iter().any(|seen| seen.seen_by == local.name) => {
                    self.report(key, None);
                }
                None => {}
            }
        }
    }

    /// Whether the SSRF protection permits a target. `None` if that is not known yet: an address of this machine counts
    /// only after the service has announced it here.
    fn may_dial(
        &self,
        key: &ComponentKey,
        target: &DialTarget,
        local: &LocalWebServer,
    ) -> Option<bool> {
        match (classify(target.address, local.listening), self.loopback) {
            (AddressClass::OtherMachine, _) | (AddressClass::ThisMachine, DialLoopback::All) => {
                Some(true)
            }
            (AddressClass::Forbidden, _) | (AddressClass::ThisMachine, DialLoopback::None) => {
                Some(false)
            }
            (AddressClass::ThisMachine, DialLoopback::Own) => {
                let announcements = locked(&self.announcements);
                let announced = announcements.get(key).filter(|known| known.target == *target);
                announced.map(|announced| announced.directly)
            }
        }
    }

    /// Notes which services announced over HTTP that their messenger is on this machine, and whether the requests came
    /// directly. Their heartbeats have been accepted.
    pub(crate) fn note_announcements(
        &self,
        announced: Vec<AnnouncedMessenger>,
        directly: impl FnOnce() -> bool,
    ) {
        let Some(local) = self.local.get() else { return };
        if announced.is_empty() || self.loopback != DialLoopback::Own {
            return;
        }
        let directly = directly();
        let snapshot = self.live.snapshot();
        let mut connections = locked(&self.connections);
        let mut announcements = locked(&self.announcements);
        for AnnouncedMessenger { key, target } in announced {
            // The decision stands unless this announcement permits more.
            let decided = connections.get(&key).filter(|known| known.target == target);
            if decided.is_some_and(|known| known.allowed || !directly) {
                continue;
            }
            // A replayed heartbeat may announce an older target.
            let current = snapshot.components.get(&key).and_then(|known| dial_target(known));
            if current.as_ref() == Some(&target)
                && classify(target.address, local.listening) == AddressClass::ThisMachine
            {
                connections.remove(&key);
                announcements.insert(key, HttpAnnouncement { target, directly });
                self.announcements_changed.notify_one();
            }
        }
    }

    fn is_own_service(&self, target: &DialTarget) -> bool {
        self.own_boot_id.as_ref() == Some(&target.boot_id)
    }

    fn open_connection(
        self: &Arc<Self>,
        key: &ComponentKey,
        target: DialTarget,
        allowed: bool,
    ) -> ConnectionHandle {
        let (sender, requests) = mpsc::channel(1);
        let secret = Arc::default();
        let history = Arc::clone(locked(&self.histories).entry(key.clone()).or_default());
        let connection = ServiceConnection {
            dialer: Arc::clone(self),
            key: key.clone(),
            address: target.address,
            allowed,
            secret: Arc::clone(&secret),
            history,
            requests,
        };
        let task = tokio::spawn(connection.run()).abort_handle();
        ConnectionHandle { target, allowed, secret, requests: sender, last_request: None, task }
    }

    /// Dials a server's service at once and returns the state of its messenger after that.
    pub(crate) async fn reconnect(&self, server: &ServerName) -> Result<Messenger, CommandError> {
        let key = ComponentKey { server: server.clone(), role: Role::Service };
        let (answer, outcome) = oneshot::channel();
        let (requests, port) = {
            let mut connections = locked(&self.connections);
            let connection = connections.get_mut(&key).ok_or(CommandError::NotDialled)?;
            let last = connection.last_request;
            if last.is_some_and(|last| last.elapsed() < MIN_RECONNECT_INTERVAL) {
                return Err(CommandError::TooSoon);
            }
            connection.last_request = Some(Stopwatch::start());
            (connection.requests.clone(), connection.target.address.port())
        };
        // A connection that is closed meanwhile answers nothing.
        requests.send(answer).await.map_err(|_| CommandError::NotDialled)?;
        let failure = outcome.await.map_err(|_| CommandError::NotDialled)?.err();
        let seen_by = self.local.get().map(|local| local.name.clone()).unwrap_or_default();
        self.reports.write(&seen_by).await;
        let snapshot = self.live.snapshot();
        let mut states = snapshot.components.get(&key).into_iter().flat_map(|one| &one.messengers);
        // The database knows since when the messenger has been in this state, if it could be written.
        let written = states.find(|state| state.seen_by == seen_by && state.failure == failure);
        let since = written.map_or_else(|| self.live.now(), |state| state.since);
        Ok(Messenger { failure, since, port, seen_by })
    }

    /// Closes all connections and withdraws this web server's status reports.
    pub(crate) async fn stop(&self) {
        let handles = std::mem::take(&mut *locked(&self.connections));
        // Collecting the keys drops the handles: no connection reports anything after this.
        let keys: Vec<ComponentKey> = handles.into_keys().collect();
        for key in &keys {
            self.report(key, None);
        }
        if let Some(local) = self.local.get().filter(|_| !self.live.is_blind()) {
            let written = self.reports.write(&local.name);
            let _ = tokio::time::timeout(LAST_REPORT_TIMEOUT, written).await;
        }
    }

    pub(super) fn report(&self, key: &ComponentKey, outcome: Option<DialOutcome>) {
        self.reports.add(key, outcome);
    }

    /// Waits until one more connection may be opened.
    pub(super) async fn wait_for_turn(&self) {
        let mut last = self.last_dial.lock().await;
        if let Some(last) = *last {
            tokio::time::sleep(MIN_DIAL_INTERVAL.saturating_sub(last.elapsed())).await;
        }
        *last = Some(Stopwatch::start());
    }

    pub(super) fn warn_of_forbidden_address(&self, key: &ComponentKey, address: SocketAddr) {
        if let Some(left_out) = self.forbidden_addresses.check(key.server.clone()) {
            tracing::warn!(
                server = %key.server,
                %address,
                left_out,
                "the messenger of this service is not dialled, because its address is not permitted; if it is on this machine, see --dial-loopback"
            );
        }
    }

    /// Stores a heartbeat that came by messenger, if it is one of the service at the other end.
    pub(super) async fn receive_heartbeat(
        &self,
        key: &ComponentKey,
        heartbeat: &serde_json::Value,
    ) {
        match heartbeat_json::parse_heartbeat(heartbeat) {
            Ok(heartbeat) if heartbeat.key() == *key => {
                // If it is rejected: the service sends it over HTTP as well.
                let _ = self.ingest.submit(vec![heartbeat]).await;
            }
            Ok(_) | Err(_) => {
                if let Some(left_out) = self.foreign_heartbeats.check(key.server.clone()) {
                    tracing::warn!(
                        server = %key.server,
                        left_out,
                        "ignoring a message of a messenger that is not a heartbeat of its service"
                    );
                }
            }
        }
    }
}
