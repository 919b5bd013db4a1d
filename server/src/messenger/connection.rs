//! The connection to one service: dials it, exchanges messages, and dials it again.

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

use crate::auth::secret::SecretHash;
use crate::clock::Stopwatch;
use crate::messenger::dial_history::{DialHistory, DialState};
use crate::messenger::dialer::{DialOutcome, Dialer, locked};
use crate::messenger::wire::{
    Channel, IO_TIMEOUT, MAX_SERVICE_SILENCE, Message, Peer, WEB_ALIVE_INTERVAL, WireError,
    shared_key,
};

/// How many secrets are tried with one service, each in a connection of its own.
const MAX_SECRETS_TRIED: usize = 32;
/// How long nothing is read after a message, so that a service cannot flood the web server.
const PAUSE_AFTER_MESSAGE: Duration = Duration::from_millis(50);
const PAUSE_AFTER_HEARTBEAT: Duration = Duration::from_millis(250);

/// Numbers the dials of this process, so that the log lines of one dial can be found.
static DIAL_NUMBER: AtomicU64 = AtomicU64::new(1);

/// The connection to one service.
pub(super) struct ServiceConnection {
    pub(super) dialer: Arc<Dialer>,
    pub(super) key: ComponentKey,
    pub(super) address: SocketAddr,
    /// Whether the SSRF protection permits the address.
    pub(super) allowed: bool,
    /// The secret of the service while it is connected.
    pub(super) secret: Arc<Mutex<Option<SecretHash>>>,
    pub(super) history: Arc<Mutex<DialHistory>>,
    /// Requests to dial at once.
    pub(super) requests: mpsc::Receiver<oneshot::Sender<DialOutcome>>,
}

impl ServiceConnection {
    /// Dials and exchanges messages until it is dropped.
    pub(super) async fn run(mut self) {
        let mut requester: Option<oneshot::Sender<DialOutcome>> = None;
        self.report(Err(MessengerFailure::Connecting));
        // The former connection to this service may not have ended in order.
        locked(&self.history).end();
        loop {
            if requester.is_none() {
                let wait = locked(&self.history).wait();
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    request = self.requests.recv() => {
                        requester = request;
                        locked(&self.history).failures = 0;
                    }
                }
            }
            locked(&self.history).state = DialState::Dialling;
            let attempt = DIAL_NUMBER.fetch_add(1, Ordering::Relaxed);
            let span = tracing::info_span!("dial", server = %self.key.server, address = %self.address, attempt);
            let dialled = self.dial(requester.is_some()).instrument(span).await;
            let outcome = dialled.as_ref().map(drop).map_err(|failure| *failure);
            self.report(outcome);
            if let Some(requester) = requester.take() {
                // It may have gone away.
                let _ = requester.send(outcome);
            }
            if let Ok(channel) = dialled {
                locked(&self.history).state = DialState::Connected(Stopwatch::start());
                requester = self.exchange_messages(channel).await;
                *locked(&self.secret) = None;
                self.report(Err(MessengerFailure::Lost));
            }
            locked(&self.history).end();
        }
    }

    fn report(&self, outcome: DialOutcome) {
        self.dialer.report(&self.key, Some(outcome));
    }

    /// Tries each secret that the service may have. A requested dial does not wait for its turn.
    async fn dial(&self, is_requested: bool) -> Result<Channel<TcpStream>, MessengerFailure> {
        if !self.allowed {
            self.dialer.warn_of_forbidden_address(&self.key, self.address);
            return Err(MessengerFailure::Unreachable);
        }
        let _permit = if is_requested { None } else { self.dialer.permits.acquire().await.ok() };
        let mut failure = MessengerFailure::WrongKey;
        let secrets = self.dialer.auth.candidate_secrets(&self.key.server);
        for secret in secrets.into_iter().take(MAX_SECRETS_TRIED) {
            if !is_requested {
                self.dialer.wait_for_turn().await;
            }
            let stream = connect(self.address).await?;
            match Channel::dial(stream, &shared_key(&secret, self.key.server.as_str())).await {
                Ok(channel) => {
                    *locked(&self.secret) = Some(secret);
                    return Ok(channel);
                }
                Err(error) => {
                    tracing::debug!(server = %self.key.server, %error, "cannot connect to the messenger of a service");
                    failure = wire_failure(&error);
                    if failure != MessengerFailure::WrongKey {
                        break;
                    }
                }
            }
        }
        Err(failure)
    }

    /// Exchanges messages until the connection ends, or somebody asks for a new one.
    async fn exchange_messages(
        &mut self,
        channel: Channel<TcpStream>,
    ) -> Option<oneshot::Sender<DialOutcome>> {
        let peer = WebPeer {
            dialer: &self.dialer,
            key: &self.key,
            alive: tokio::time::interval(WEB_ALIVE_INTERVAL),
        };
        tokio::select! {
            error = channel.run(peer) => {
                tracing::debug!(server = %self.key.server, %error, "the connection to the messenger of a service ended");
                None
            }
            request = self.requests.recv() => request,
        }
    }
}

/// The web server's side of a connection.
struct WebPeer<'a> {
    dialer: &'a Dialer,
    key: &'a ComponentKey,
    alive: Interval,
}

impl Peer for WebPeer<'_> {
    const MAX_SILENCE: Duration = MAX_SERVICE_SILENCE;

    async fn next_message(&mut self) -> Message {
        self.alive.tick().await;
        Message::Alive { process: None }
    }

    async fn handle(&mut self, message: Message) {
        match message {
            Message::Beat { heartbeat } => {
                self.dialer.receive_heartbeat(self.key, &heartbeat).await;
                tokio::time::sleep(PAUSE_AFTER_HEARTBEAT).await;
            }
            Message::Alive { .. } | Message::Unknown => {
                tokio::time::sleep(PAUSE_AFTER_MESSAGE).await;
            }
        }
    }
}

async fn connect(address: SocketAddr) -> Result<TcpStream, MessengerFailure> {
    let connected = tokio::time::timeout(IO_TIMEOUT, TcpStream::connect(address)).await;
    let stream = match connected {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(io_failure(&error)),
        Err(_) => return Err(MessengerFailure::TimedOut),
    };
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

fn io_failure(error: &io::Error) -> MessengerFailure {
    let kind = error.kind();
    if kind == io::ErrorKind::ConnectionRefused {
        MessengerFailure::Refused
    } else if kind == io::ErrorKind::TimedOut {
        MessengerFailure::TimedOut
    } else {
        MessengerFailure::Unreachable
    }
}

fn wire_failure(error: &WireError) -> MessengerFailure {
    match error {
        WireError::TimedOut => MessengerFailure::TimedOut,
        WireError::NotAMessenger => MessengerFailure::NotAMessenger,
        WireError::WrongKey => MessengerFailure::WrongKey,
        WireError::Io(_) | WireError::Gone | WireError::Version(_) | WireError::Protocol(_) => {
            MessengerFailure::Protocol
        }
    }
}
