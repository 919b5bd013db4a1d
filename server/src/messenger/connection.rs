//! One line: dials a service, talks to it, and dials again.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use app::cluster::{ComponentKey, MessengerFailure};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Interval;
use tracing::Instrument as _;

use crate::auth::secret::Hash;
use crate::clock::Stopwatch;
use crate::messenger::dial_history::{LineState, Record};
use crate::messenger::dialer::{Dialer, Outcome, locked};
use crate::messenger::wire::{
    Channel, Message, PATIENCE, Peer, SILENCE, WEB_SIGN_OF_LIFE, WireError, shared_key,
};

/// How many keys are tried with one service, each in a connection of its own.
const MAX_KEYS_TRIED: usize = 32;
/// How long a service is not read after each message: one sends a sign of life every 5 s.
const PAUSE_AFTER_MESSAGE: Duration = Duration::from_millis(50);
/// How long it is not read after each heartbeat.
const PAUSE_AFTER_HEARTBEAT: Duration = Duration::from_millis(250);

/// Numbers the attempts of this process, so that the log lines of one can be found.
static ATTEMPTS: AtomicU64 = AtomicU64::new(1);

/// Who keeps one line.
pub(super) struct Caller {
    pub(super) dialer: Arc<Dialer>,
    pub(super) key: ComponentKey,
    pub(super) address: SocketAddr,
    /// Whether the address is one that is dialled.
    pub(super) allowed: bool,
    pub(super) bears: Arc<Mutex<Option<Hash>>>,
    pub(super) record: Arc<Mutex<Record>>,
    pub(super) requested: mpsc::Receiver<oneshot::Sender<Outcome>>,
}

impl Caller {
    /// Dials, talks, and dials again.
    pub(super) async fn keep_calling(mut self) {
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
            let attempt = ATTEMPTS.fetch_add(1, Ordering::Relaxed);
            let span = tracing::info_span!("dial", server = %self.key.server, address = %self.address, attempt);
            let dialled = self.dial(asked.is_some()).instrument(span).await;
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
        self.dialer.find(&self.key, Some(outcome));
    }

    /// Tries each key that the service may share. Somebody who waits for it goes first.
    async fn dial(&self, waited_for: bool) -> Result<Channel<TcpStream>, MessengerFailure> {
        if !self.allowed {
            let logs = &self.dialer.logs;
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
        let _place = if waited_for { None } else { self.dialer.places.acquire().await.ok() };
        let mut failure = MessengerFailure::WrongKey;
        for bears in self.dialer.access.borne_by(&self.key.server).into_iter().take(MAX_KEYS_TRIED)
        {
            if !waited_for {
                self.dialer.pace().await;
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
        let web = Web { dialer: &self.dialer, key: &self.key, signs };
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
    dialer: &'a Dialer,
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
                self.dialer.take_from(self.key, &heartbeat).await;
                tokio::time::sleep(PAUSE_AFTER_HEARTBEAT).await;
            }
            Message::Alive { .. } | Message::Unknown => {
                tokio::time::sleep(PAUSE_AFTER_MESSAGE).await;
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
