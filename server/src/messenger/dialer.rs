//! The web server's side: dials every service that announces a messenger, again and again, and writes
//! down how it finds it.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use app::cluster::{
    Component, ComponentKey, Heartbeat, Messenger, MessengerFailure, Role, ServerName,
};
use app::protocol::CommandError;
use tokio::net::TcpStream;
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::Interval;

use crate::Site;
use crate::auth::secret::Hash;
use crate::clock::Stopwatch;
use crate::ingest::heartbeat_json;
use crate::messenger::ssrf::{DialLoopback, Place, place};
use crate::messenger::wire::{
    Channel, Message, PATIENCE, Peer, SILENCE, WEB_SIGN_OF_LIFE, WireError, shared_key,
};
use crate::net::back_off::back_off;
use crate::store::MessengerReport;
use crate::telemetry::log_limit::LogLimits;

/// The longest wait between two trials.
const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// How many services are dialled at once.
const AT_ONCE: usize = 64;
/// How long lies between two connections that are opened, to whomever: at most 200 a second.
const BETWEEN_CONNECTIONS: Duration = Duration::from_millis(5);
/// How many keys are tried with one service, each in a connection of its own.
const MAX_KEYS_TRIED: usize = 32;
/// A connection is a good one only if it lasted so long: what ends sooner counts as a failure.
const GOOD_CONNECTION: Duration = Duration::from_secs(10);
/// How long a service is not read after each message: one sends a sign of life every 5 s.
const BETWEEN_MESSAGES: Duration = Duration::from_millis(50);
/// How long it is not read after each heartbeat.
const BETWEEN_HEARTBEATS: Duration = Duration::from_millis(250);
/// How long to gather changes of the cluster, and of what is found, before acting on them.
const GATHERED: Duration = Duration::from_millis(50);
/// How long lies between two reconnects of one service that people ask for.
const BETWEEN_REQUESTS: Duration = Duration::from_secs(5);
/// How long the farewell may take when the process is asked to stop.
const FAREWELL: Duration = Duration::from_secs(2);

type Outcome = Result<(), MessengerFailure>;

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
    here: OnceLock<Here>,
    lines: Mutex<BTreeMap<ComponentKey, Line>>,
    /// What is to be written down.
    found: Mutex<BTreeMap<ComponentKey, MessengerReport>>,
    finding: Notify,
    places: Semaphore,
    /// When the last connection was opened.
    last_connection: tokio::sync::Mutex<Option<Stopwatch>>,
    /// How each service behaved so far, however often its line was replaced.
    records: Mutex<BTreeMap<ComponentKey, Arc<Mutex<Record>>>>,
    /// The services that name an address of this machine, as they last said so over HTTP.
    heard: Mutex<BTreeMap<ComponentKey, Heard>>,
    hearing: Notify,
    logs: Logs,
}

/// What is logged of services, at most once a minute for each.
#[derive(Debug, Default)]
struct Logs {
    forbidden_address: LogLimits<ServerName>,
    foreign_heartbeat: LogLimits<ServerName>,
    failed_writing: LogLimits<()>,
}

impl Default for Dialer {
    fn default() -> Self {
        Self {
            here: OnceLock::new(),
            lines: Mutex::default(),
            found: Mutex::default(),
            finding: Notify::new(),
            places: Semaphore::new(AT_ONCE),
            last_connection: tokio::sync::Mutex::default(),
            records: Mutex::default(),
            heard: Mutex::default(),
            hearing: Notify::new(),
            logs: Logs::default(),
        }
    }
}

/// What makes a line another one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Target {
    address: SocketAddr,
    /// A service that starts anew is dialled anew.
    boot: String,
}

/// What a service said over HTTP of a messenger on this machine.
#[derive(Debug)]
struct Heard {
    target: Target,
    /// Whether it said so directly, and not through a proxy: then it is one of this machine.
    directly: bool,
}

/// A messenger that a heartbeat names.
#[derive(Debug)]
pub(crate) struct Announced {
    key: ComponentKey,
    target: Target,
}

impl Announced {
    /// Those that these heartbeats name.
    pub(crate) fn of_all(heartbeats: &[Heartbeat]) -> Vec<Self> {
        let announced = |heartbeat: &Heartbeat| {
            let address =
                SocketAddr::from((heartbeat.facts.ip.ip()?, heartbeat.facts.messenger_port?));
            (heartbeat.role == Role::Service && !heartbeat.leaving).then(|| Self {
                key: heartbeat.key(),
                target: Target { address, boot: heartbeat.boot_id.clone() },
            })
        };
        heartbeats.iter().filter_map(announced).collect()
    }
}

/// How a service behaved when it was dialled. Who hangs up soon, or starts anew again and again, is dialled
/// ever more seldom.
#[derive(Debug, Default)]
struct Record {
    failures: u32,
    state: LineState,
    /// How long to wait since the last dial or connection was over.
    pause: Option<(Stopwatch, Duration)>,
}

/// What was under way with a service when it was last looked at.
#[derive(Clone, Copy, Debug, Default)]
enum LineState {
    #[default]
    Idle,
    Dialling,
    Connected(Stopwatch),
}

impl Record {
    /// The dial or the connection is over, if there was one.
    fn over(&mut self) {
        match std::mem::take(&mut self.state) {
            LineState::Idle => return,
            LineState::Connected(since) if since.elapsed() >= GOOD_CONNECTION => self.failures = 0,
            LineState::Dialling | LineState::Connected(_) => self.failures += 1,
        }
        self.pause = Some((Stopwatch::start(), back_off(self.failures, LONGEST_WAIT)));
    }

    /// How long to wait before it is dialled.
    fn wait(&self) -> Duration {
        self.pause.map_or(Duration::ZERO, |(since, pause)| pause.saturating_sub(since.elapsed()))
    }
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

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where a service is dialled, if it is.
fn target(component: &Component) -> Option<Target> {
    let address = SocketAddr::from((component.facts.ip.ip()?, component.facts.messenger_port?));
    (component.role == Role::Service && !component.stopped)
        .then(|| Target { address, boot: component.boots.current.id.clone() })
}

impl Site {
    /// Dials services from here, until it is asked to stop.
    pub(crate) async fn keep_dialling(self: Arc<Self>, here: Here) {
        if self.dialer.here.set(here).is_err() {
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
                    () = self.dialer.hearing.notified() => {}
                }
                tokio::time::sleep(GATHERED).await;
            }
        };
        let mut stopping = self.stopping.subscribe();
        tokio::select! {
            () = async { tokio::join!(following, self.keep_noting()); } => {}
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
    }

    /// Has a line to every service that wants one, and to no other.
    fn follow(self: &Arc<Self>) {
        let Some(here) = self.dialer.here.get() else { return };
        let snapshot = self.live.snapshot();
        let mut lines = locked(&self.dialer.lines);
        lines.retain(|key, line| {
            let wanted = snapshot.components.get(key).and_then(|component| target(component));
            let bears = *locked(&line.bears);
            wanted.as_ref() == Some(&line.target)
                && bears.is_none_or(|bears| self.borne_by(&key.server).contains(&bears))
        });
        locked(&self.dialer.records).retain(|key, _| snapshot.components.contains_key(key));
        locked(&self.dialer.heard).retain(|key, _| snapshot.components.contains_key(key));
        for (key, component) in &snapshot.components {
            if lines.contains_key(key) {
                continue;
            }
            let target = target(component).filter(|target| !self.is_own(target));
            let judged =
                target.and_then(|target| Some((self.may_dial(key, &target, here)?, target)));
            match judged {
                Some((allowed, target)) => {
                    lines.insert(key.clone(), self.line(key, target, allowed));
                }
                None if component.messengers.iter().any(|seen| seen.seen_by == here.name) => {
                    self.dialer.find(key, None);
                }
                None => {}
            }
        }
    }

    /// Whether a service may be dialled there. `None` where nobody can say yet: an address of this machine means
    /// nothing until the service has said here that it has it.
    fn may_dial(&self, key: &ComponentKey, target: &Target, here: &Here) -> Option<bool> {
        match (place(target.address, here.listening), self.dial_loopback) {
            (Place::Elsewhere, _) | (Place::ThisMachine, DialLoopback::All) => Some(true),
            (Place::Forbidden, _) | (Place::ThisMachine, DialLoopback::None) => Some(false),
            (Place::ThisMachine, DialLoopback::Own) => {
                let heard = locked(&self.dialer.heard);
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
        let Some(here) = self.dialer.here.get() else { return };
        if announced.is_empty() || self.dial_loopback != DialLoopback::Own {
            return;
        }
        let directly = directly();
        let snapshot = self.live.snapshot();
        let mut lines = locked(&self.dialer.lines);
        let mut heard = locked(&self.dialer.heard);
        for Announced { key, target } in announced {
            // It is judged already, and nothing better was said.
            let known = lines.get(&key).filter(|line| line.target == target);
            if known.is_some_and(|line| line.allowed || !directly) {
                continue;
            }
            // A replay, say: the picture knows better.
            let is_current = snapshot
                .components
                .get(&key)
                .and_then(|known| crate::messenger::dialer::target(known))
                == Some(target.clone());
            if is_current && place(target.address, here.listening) == Place::ThisMachine {
                lines.remove(&key);
                heard.insert(key, Heard { target, directly });
                self.dialer.hearing.notify_one();
            }
        }
    }

    /// Whether it is the service of this very process, of which nobody need tell it.
    fn is_own(&self, target: &Target) -> bool {
        self.own.as_ref().is_some_and(|own| own.is_boot(&target.boot))
    }

    fn line(self: &Arc<Self>, key: &ComponentKey, target: Target, allowed: bool) -> Line {
        let (requests, requested) = mpsc::channel(1);
        let bears = Arc::default();
        let record = Arc::clone(locked(&self.dialer.records).entry(key.clone()).or_default());
        let caller = Caller {
            site: Arc::clone(self),
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

    /// What a server's service may bear: its credentials, the newest first, then the join tokens.
    fn borne_by(&self, server: &ServerName) -> Vec<Hash> {
        let now = self.live.now();
        self.access.borne_by(server, &self.live.keyring(), now)
    }

    /// Dials a server's service now, and says how this web server finds its messenger by that very
    /// trial.
    pub(crate) async fn reconnect(&self, server: &ServerName) -> Result<Messenger, CommandError> {
        let key = ComponentKey { server: server.clone(), role: Role::Service };
        let (answer, outcome) = oneshot::channel();
        let (requests, port) = {
            let mut lines = locked(&self.dialer.lines);
            let line = lines.get_mut(&key).ok_or(CommandError::NotDialled)?;
            if line.requested.is_some_and(|before| before.elapsed() < BETWEEN_REQUESTS) {
                return Err(CommandError::TooSoon);
            }
            line.requested = Some(Stopwatch::start());
            (line.requests.clone(), line.target.address.port())
        };
        // A line that is given up meanwhile answers nothing.
        requests.send(answer).await.map_err(|_| CommandError::NotDialled)?;
        let failure = outcome.await.map_err(|_| CommandError::NotDialled)?.err();
        self.note().await;
        let name = self.dialer.here.get().map(|here| here.name.clone()).unwrap_or_default();
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
            self.dialer.finding.notified().await;
            tokio::time::sleep(GATHERED).await;
            self.live.wait_until_readable().await;
            self.note().await;
        }
    }

    async fn note(&self) {
        let Some(here) = self.dialer.here.get() else { return };
        // What is not written yet stays: who waits for this may go away.
        let found = locked(&self.dialer.found).clone();
        if found.is_empty() {
            return;
        }
        let sightings = found.values().cloned().collect();
        match self.live.note_messengers(sightings, here.name.clone()).await {
            Ok(()) => locked(&self.dialer.found).retain(|key, now| found.get(key) != Some(now)),
            Err(error) => {
                if let Some(left_out) = self.dialer.logs.failed_writing.check(()) {
                    tracing::warn!(%error, left_out, "how the messengers are was not written down; trying on");
                }
                self.dialer.finding.notify_one();
            }
        }
    }

    /// Hangs up, and has no word on messengers any more.
    pub(crate) async fn hang_up(&self) {
        let keys: Vec<ComponentKey> =
            std::mem::take(&mut *locked(&self.dialer.lines)).into_keys().collect();
        for key in keys {
            self.dialer.find(&key, None);
        }
        if !self.live.is_blind() {
            let _ = tokio::time::timeout(FAREWELL, self.note()).await;
        }
    }
}

impl Dialer {
    fn find(&self, key: &ComponentKey, outcome: Option<Outcome>) {
        let sighting = MessengerReport { key: key.clone(), outcome };
        locked(&self.found).insert(key.clone(), sighting);
        self.finding.notify_one();
    }

    /// Waits until one more connection may be opened.
    async fn pace(&self) {
        let mut last = self.last_connection.lock().await;
        if let Some(last) = *last {
            tokio::time::sleep(BETWEEN_CONNECTIONS.saturating_sub(last.elapsed())).await;
        }
        *last = Some(Stopwatch::start());
    }
}

/// Who keeps one line.
struct Caller {
    site: Arc<Site>,
    key: ComponentKey,
    address: SocketAddr,
    /// Whether the address is one that is dialled.
    allowed: bool,
    bears: Arc<Mutex<Option<Hash>>>,
    record: Arc<Mutex<Record>>,
    requested: mpsc::Receiver<oneshot::Sender<Outcome>>,
}

impl Caller {
    /// Dials, talks, and dials again.
    async fn keep_calling(mut self) {
        let mut asked: Option<oneshot::Sender<Outcome>> = None;
        self.find(Err(MessengerFailure::Connecting));
        // What the former line to this service had under way is over.
        locked(&self.record).over();
        loop {
            if asked.is_none() {
                let wait = locked(&self.record).wait();
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    request = self.requested.recv() => {
                        asked = request;
                        locked(&self.record).failures = 0;
                    }
                }
            }
            locked(&self.record).state = LineState::Dialling;
            let dialled = self.dial(asked.is_some()).await;
            let outcome = dialled.as_ref().map(drop).map_err(|failure| *failure);
            self.find(outcome);
            if let Some(asked) = asked.take() {
                // Who asked may have gone.
                let _ = asked.send(outcome);
            }
            if let Ok(channel) = dialled {
                locked(&self.record).state = LineState::Connected(Stopwatch::start());
                asked = self.talk(channel).await;
                *locked(&self.bears) = None;
                self.find(Err(MessengerFailure::Lost));
            }
            locked(&self.record).over();
        }
    }

    fn find(&self, outcome: Outcome) {
        self.site.dialer.find(&self.key, Some(outcome));
    }

    /// Tries each key that the service may share. Somebody who waits for it goes first.
    async fn dial(&self, waited_for: bool) -> Result<Channel<TcpStream>, MessengerFailure> {
        if !self.allowed {
            let logs = &self.site.dialer.logs;
            if let Some(left_out) = logs.forbidden_address.check(self.key.server.clone()) {
                tracing::warn!(
                    server = %self.key.server,
                    address = %self.address,
                    left_out,
                    "a service names an address that is not dialled; for one on this machine see --dial-loopback"
                );
            }
            return Err(MessengerFailure::Unreachable);
        }
        let _place = if waited_for { None } else { self.site.dialer.places.acquire().await.ok() };
        let mut failure = MessengerFailure::WrongKey;
        for bears in self.site.borne_by(&self.key.server).into_iter().take(MAX_KEYS_TRIED) {
            if !waited_for {
                self.site.dialer.pace().await;
            }
            let stream = connect(self.address).await?;
            match Channel::dial(stream, &shared_key(&bears, self.key.server.as_str())).await {
                Ok(channel) => {
                    *locked(&self.bears) = Some(bears);
                    return Ok(channel);
                }
                Err(error) => {
                    tracing::debug!(server = %self.key.server, %error, "no line");
                    failure = reason(&error);
                    if failure != MessengerFailure::WrongKey {
                        break;
                    }
                }
            }
        }
        Err(failure)
    }

    /// Talks until the line breaks, or somebody asks for another.
    async fn talk(&mut self, channel: Channel<TcpStream>) -> Option<oneshot::Sender<Outcome>> {
        let signs = tokio::time::interval(WEB_SIGN_OF_LIFE);
        let web = Web { site: &self.site, key: &self.key, signs };
        tokio::select! {
            over = channel.talk(web) => {
                tracing::debug!(server = %self.key.server, %over, "a line is over");
                None
            }
            request = self.requested.recv() => request,
        }
    }
}

/// The web server's side of one line.
struct Web<'a> {
    site: &'a Site,
    key: &'a ComponentKey,
    signs: Interval,
}

impl Peer for Web<'_> {
    const PATIENCE: Duration = SILENCE;

    async fn say(&mut self) -> Message {
        self.signs.tick().await;
        Message::Alive { process: None }
    }

    async fn hear(&mut self, message: Message) {
        match message {
            Message::Beat { heartbeat } => {
                self.site.take_from(self.key, &heartbeat).await;
                tokio::time::sleep(BETWEEN_HEARTBEATS).await;
            }
            Message::Alive { .. } | Message::Unknown => {
                tokio::time::sleep(BETWEEN_MESSAGES).await;
            }
        }
    }
}

impl Site {
    /// Takes in a heartbeat that came by messenger. It speaks for that very component, or for nobody.
    async fn take_from(&self, key: &ComponentKey, heartbeat: &serde_json::Value) {
        match heartbeat_json::heartbeat(heartbeat) {
            Ok(heartbeat) if heartbeat.key() == *key => {
                // What is not taken comes again by the other road.
                let _ = self.intake.take(vec![heartbeat]).await;
            }
            Ok(_) | Err(_) => {
                let logs = &self.dialer.logs;
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

async fn connect(address: SocketAddr) -> Result<TcpStream, MessengerFailure> {
    let connected = tokio::time::timeout(PATIENCE, TcpStream::connect(address)).await;
    let stream = match connected {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(of_io(&error)),
        Err(_) => return Err(MessengerFailure::TimedOut),
    };
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// Why a connection could not be made.
fn of_io(error: &io::Error) -> MessengerFailure {
    let kind = error.kind();
    if kind == io::ErrorKind::ConnectionRefused {
        MessengerFailure::Refused
    } else if kind == io::ErrorKind::TimedOut {
        MessengerFailure::TimedOut
    } else {
        MessengerFailure::Unreachable
    }
}

fn reason(error: &WireError) -> MessengerFailure {
    match error {
        WireError::TimedOut => MessengerFailure::TimedOut,
        WireError::NotAMessenger => MessengerFailure::NotAMessenger,
        WireError::WrongKey => MessengerFailure::WrongKey,
        WireError::Io(_) | WireError::Gone | WireError::Version(_) | WireError::Protocol(_) => {
            MessengerFailure::Protocol
        }
    }
}
