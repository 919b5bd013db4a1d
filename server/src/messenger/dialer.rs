//! The web server's side: dials every service that announces a messenger, again and again, and writes
//! down how it finds it.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use app::api::Refusal;
use app::cluster::{Component, ComponentKey, Messenger, MessengerFailure, Role, ServerName};
use tokio::net::TcpStream;
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::Interval;

use super::target::may_be_dialled;
use super::wire::{
    Channel, Message, PATIENCE, SILENCE, Side, WEB_SIGN_OF_LIFE, WireError, shared_key,
};
use crate::Site;
use crate::access::secret::Hash;
use crate::back_off::back_off;
use crate::clock::Stopwatch;
use crate::intake::parse;
use crate::store::Sighting;

/// The longest wait between two trials.
const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// How many services are dialled at once.
const AT_ONCE: usize = 64;
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
    found: Mutex<BTreeMap<ComponentKey, Sighting>>,
    finding: Notify,
    places: Semaphore,
}

impl Default for Dialer {
    fn default() -> Self {
        Self {
            here: OnceLock::new(),
            lines: Mutex::default(),
            found: Mutex::default(),
            finding: Notify::new(),
            places: Semaphore::new(AT_ONCE),
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

/// The line to one service.
#[derive(Debug)]
struct Line {
    target: Target,
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
    let address = SocketAddr::from((component.ip.ip()?, component.messenger_port?));
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
        let mut facts = self.watch.facts();
        let following = async {
            loop {
                self.follow();
                if facts.changed().await.is_err() {
                    return;
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
        let snapshot = self.watch.snapshot();
        let mut lines = locked(&self.dialer.lines);
        lines.retain(|key, line| {
            let wanted = snapshot.components.get(key).and_then(|component| target(component));
            let bears = *locked(&line.bears);
            wanted.as_ref() == Some(&line.target)
                && bears.is_none_or(|bears| self.borne_by(&key.server).contains(&bears))
        });
        for (key, component) in &snapshot.components {
            match target(component).filter(|target| !self.is_own(target)) {
                Some(target) => {
                    lines.entry(key.clone()).or_insert_with(|| self.line(key, target, here));
                }
                None if component.messengers.iter().any(|seen| seen.seen_by == here.name) => {
                    self.dialer.find(key, None);
                }
                None => {}
            }
        }
    }

    /// Whether it is the service of this very process, of which nobody need tell it.
    fn is_own(&self, target: &Target) -> bool {
        self.own.as_ref().is_some_and(|own| own.is_boot(&target.boot))
    }

    fn line(self: &Arc<Self>, key: &ComponentKey, target: Target, here: &Here) -> Line {
        let (requests, requested) = mpsc::channel(1);
        let bears = Arc::default();
        let caller = Caller {
            site: Arc::clone(self),
            key: key.clone(),
            address: target.address,
            allowed: may_be_dialled(target.address, here.listening),
            bears: Arc::clone(&bears),
            requested,
        };
        let task = tokio::spawn(caller.keep_calling()).abort_handle();
        Line { target, bears, requests, requested: None, task }
    }

    /// What a server's service may bear: its credentials, the newest first, then the join tokens.
    fn borne_by(&self, server: &ServerName) -> Vec<Hash> {
        let now = self.watch.now();
        self.access.borne_by(server, &self.watch.keyring(), now)
    }

    /// Dials a server's service now, and says how this web server finds its messenger by that very
    /// trial.
    pub(crate) async fn reconnect(&self, server: &ServerName) -> Result<Messenger, Refusal> {
        let key = ComponentKey { server: server.clone(), role: Role::Service };
        let (answer, outcome) = oneshot::channel();
        let (requests, port) = {
            let mut lines = locked(&self.dialer.lines);
            let line = lines.get_mut(&key).ok_or(Refusal::NotDialled)?;
            if line.requested.is_some_and(|before| before.elapsed() < BETWEEN_REQUESTS) {
                return Err(Refusal::TooSoon);
            }
            line.requested = Some(Stopwatch::start());
            (line.requests.clone(), line.target.address.port())
        };
        // A line that is given up meanwhile answers nothing.
        requests.send(answer).await.map_err(|_| Refusal::NotDialled)?;
        let failure = outcome.await.map_err(|_| Refusal::NotDialled)?.err();
        self.note().await;
        let name = self.dialer.here.get().map(|here| here.name.clone()).unwrap_or_default();
        let snapshot = self.watch.snapshot();
        let mut seen = snapshot.components.get(&key).into_iter().flat_map(|one| &one.messengers);
        // Since when it is so is what is written down, if that could be.
        let written = seen.find(|seen| seen.seen_by == name && seen.failure == failure);
        let since = written.map_or_else(|| self.watch.now(), |seen| seen.since);
        Ok(Messenger { failure, since, port, seen_by: name })
    }

    /// Writes down what is found, for as long as the process lives. While the database is away it waits.
    async fn keep_noting(&self) {
        loop {
            self.dialer.finding.notified().await;
            tokio::time::sleep(GATHERED).await;
            self.watch.in_sight().await;
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
        match self.watch.note_messengers(sightings, here.name.clone()).await {
            Ok(()) => locked(&self.dialer.found).retain(|key, now| found.get(key) != Some(now)),
            Err(error) => {
                tracing::warn!(%error, "how the messengers are was not written down; trying on");
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
        if !self.watch.is_blind() {
            let _ = tokio::time::timeout(FAREWELL, self.note()).await;
        }
    }
}

impl Dialer {
    fn find(&self, key: &ComponentKey, outcome: Option<Outcome>) {
        let sighting = Sighting { key: key.clone(), outcome };
        locked(&self.found).insert(key.clone(), sighting);
        self.finding.notify_one();
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
    requested: mpsc::Receiver<oneshot::Sender<Outcome>>,
}

impl Caller {
    /// Dials, talks, and dials again.
    async fn keep_calling(mut self) {
        let mut failures = 0;
        let mut asked: Option<oneshot::Sender<Outcome>> = None;
        self.find(Err(MessengerFailure::Connecting));
        loop {
            let dialled = self.dial(asked.is_some()).await;
            let outcome = dialled.as_ref().map(drop).map_err(|failure| *failure);
            self.find(outcome);
            if let Some(asked) = asked.take() {
                // Who asked may have gone.
                let _ = asked.send(outcome);
            }
            match dialled {
                Ok(channel) => {
                    failures = 0;
                    asked = self.talk(channel).await;
                    *locked(&self.bears) = None;
                    self.find(Err(MessengerFailure::Lost));
                }
                Err(_) => failures += 1,
            }
            if asked.is_none() {
                tokio::select! {
                    () = tokio::time::sleep(back_off(failures, LONGEST_WAIT)) => {}
                    request = self.requested.recv() => {
                        asked = request;
                        failures = 0;
                    }
                }
            }
        }
    }

    fn find(&self, outcome: Outcome) {
        self.site.dialer.find(&self.key, Some(outcome));
    }

    /// Tries each key that the service may share. Somebody who waits for it goes first.
    async fn dial(&self, waited_for: bool) -> Result<Channel<TcpStream>, MessengerFailure> {
        if !self.allowed {
            tracing::warn!(
                server = %self.key.server,
                address = %self.address,
                "a service names an address that is not dialled"
            );
            return Err(MessengerFailure::Unreachable);
        }
        let _place = if waited_for { None } else { self.site.dialer.places.acquire().await.ok() };
        let mut failure = MessengerFailure::WrongKey;
        for bears in self.site.borne_by(&self.key.server) {
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

impl Side for Web<'_> {
    const PATIENCE: Duration = SILENCE;

    async fn say(&mut self) -> Message {
        self.signs.tick().await;
        Message::Alive { process: None }
    }

    async fn hear(&mut self, message: Message) {
        match message {
            Message::Beat { heartbeat } => self.site.take_from(self.key, &heartbeat).await,
            Message::Alive { .. } | Message::Unknown => {}
        }
    }
}

impl Site {
    /// Takes in a heartbeat that came by messenger. It speaks for that very component, or for nobody.
    async fn take_from(&self, key: &ComponentKey, heartbeat: &serde_json::Value) {
        match parse::heartbeat(heartbeat) {
            Ok(heartbeat) if heartbeat.key() == *key => {
                // What is not taken comes again by the other road.
                let _ = self.intake.take(vec![heartbeat]).await;
            }
            Ok(_) | Err(_) => {
                tracing::warn!(server = %key.server, "a messenger brought what is no heartbeat of its service");
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
