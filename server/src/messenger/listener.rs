//! The service's side: listens, and says at once what the web servers would hear later.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::Interval;

use crate::agent::host;
use crate::auth::secret::Hash;
use crate::clock::Stopwatch;
use crate::messenger::wire::{
    Channel, Message, Peer, SIGN_OF_LIFE, WEB_SILENCE, WireError, shared_key,
};

/// How many may be connected at once: more than there are web servers.
const MOST_CONNECTIONS: usize = 64;
/// How long to wait when the system has no more files for connections.
const BREATH: Duration = Duration::from_millis(100);

/// How soon a port that was taken is tried again.
const BIND_RETRY_INTERVAL: Duration = Duration::from_secs(30);

/// What every connection is told.
#[derive(Clone, Debug, Default)]
struct Told {
    /// What the service bears, and bore before.
    keys: Vec<Key>,
    /// What is to be said at once, and to whoever connects.
    heartbeat: Option<Arc<Value>>,
}

/// A key that web servers may share.
#[derive(Clone, PartialEq, Eq)]
struct Key([u8; 32]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

/// A service's voice. Web servers are not heard any more when it is dropped.
#[derive(Debug)]
pub struct MessengerListener {
    server: String,
    /// Where it listens, once it does.
    port: Arc<OnceLock<u16>>,
    told: watch::Sender<Told>,
    listening: JoinHandle<()>,
}

impl MessengerListener {
    /// Listens at a port of every address of this machine, for the service of this server. Nothing depends on it, so
    /// a port that is taken is no failure: it is tried again until it is free.
    pub async fn open(port: u16, server: &str) -> Self {
        let (told, tell) = watch::channel(Told::default());
        let listens_at = Arc::new(OnceLock::new());
        // At once, so that the first heartbeat announces a port that is free.
        let socket = match bind(port, &listens_at).await {
            Ok(socket) => Some(socket),
            Err(error) => {
                tracing::warn!(
                    port,
                    %error,
                    "the service messenger cannot listen, so news come with heartbeats only; it is tried again every 30 s. Free the port or choose another with --messenger-port"
                );
                None
            }
        };
        let listening = tokio::spawn({
            let listens_at = Arc::clone(&listens_at);
            async move {
                let socket = match socket {
                    Some(socket) => socket,
                    None => bind_when_free(port, &listens_at).await,
                };
                listen(socket, tell).await;
            }
        });
        Self { server: server.to_owned(), port: listens_at, told, listening }
    }

    /// Where it listens, if it does.
    pub fn port(&self) -> Option<u16> {
        self.port.get().copied()
    }

    /// From now on these are the keys, whatever they were: for a service that bears nothing, and shares
    /// what the web servers know.
    pub(crate) fn share(&self, known: &[Hash]) {
        let keys = known.iter().map(|hash| Key(shared_key(hash, &self.server))).collect();
        self.told.send_if_modified(|told| {
            told.keys = keys;
            false
        });
    }

    /// From now on the service bears this secret. Whoever dials with the former one is still answered.
    pub fn bear(&self, secret: &str) {
        let key = Key(shared_key(&Hash::of(secret), &self.server));
        self.told.send_if_modified(|told| {
            if told.keys.first() != Some(&key) {
                told.keys.retain(|known| *known != key);
                told.keys.insert(0, key);
                told.keys.truncate(2);
            }
            // Nobody who is connected has to hear of it.
            false
        });
    }

    /// Says this heartbeat to every web server that is connected, and to each that connects.
    pub fn say(&self, heartbeat: &Value) {
        self.told.send_modify(|told| told.heartbeat = Some(Arc::new(heartbeat.clone())));
    }
}

impl Drop for MessengerListener {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// A socket at this port of every address of this machine; its port is noted.
async fn bind(port: u16, listens_at: &OnceLock<u16>) -> io::Result<TcpListener> {
    let everywhere = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
    let socket = match TcpListener::bind(everywhere).await {
        // A machine without IPv6.
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await?
        }
        bound => bound?,
    };
    let _ = listens_at.set(socket.local_addr()?.port());
    Ok(socket)
}

async fn bind_when_free(port: u16, listens_at: &OnceLock<u16>) -> TcpListener {
    loop {
        tokio::time::sleep(BIND_RETRY_INTERVAL).await;
        if let Ok(socket) = bind(port, listens_at).await {
            tracing::info!(port, "the service messenger listens now");
            return socket;
        }
    }
}

/// Takes one connection after the other; all of them end with it.
async fn listen(socket: TcpListener, told: watch::Receiver<Told>) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut connections = tokio::task::JoinSet::new();
    let since = Stopwatch::start();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match socket.accept().await {
            Ok((stream, peer)) => {
                let told = told.clone();
                connections.spawn(async move {
                    let over = converse(stream, told, since).await;
                    tracing::debug!(%peer, %over, "a web server's connection is over");
                    drop(place);
                });
            }
            Err(error) => {
                tracing::debug!(%error, "cannot take a connection; trying on");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

async fn converse(
    stream: TcpStream,
    mut told: watch::Receiver<Told>,
    since: Stopwatch,
) -> WireError {
    let _ = stream.set_nodelay(true);
    let keys: Vec<[u8; 32]> = told.borrow().keys.iter().map(|key| key.0).collect();
    let channel = match Channel::answer(stream, &keys).await {
        Ok(channel) => channel,
        Err(error) => return error,
    };
    told.mark_changed();
    channel.talk(Service { told, signs: tokio::time::interval(SIGN_OF_LIFE), since }).await
}

/// What one web server is told.
struct Service {
    told: watch::Receiver<Told>,
    signs: Interval,
    since: Stopwatch,
}

impl Peer for Service {
    const PATIENCE: Duration = WEB_SILENCE;

    async fn say(&mut self) -> Message {
        loop {
            tokio::select! {
                Ok(()) = self.told.changed() => {
                    let heartbeat = self.told.borrow_and_update().heartbeat.clone();
                    if let Some(heartbeat) = heartbeat {
                        return Message::Beat { heartbeat: Value::clone(&heartbeat) };
                    }
                }
                _ = self.signs.tick() => {
                    return Message::Alive { process: host::process(self.since) };
                }
            }
        }
    }

    /// A web server only says that it lives.
    async fn hear(&mut self, _: Message) {}
}
