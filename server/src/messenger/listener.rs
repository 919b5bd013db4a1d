//! The service's side: listens for web servers and sends them each heartbeat at once.

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
use crate::auth::secret::SecretHash;
use crate::clock::Stopwatch;
use crate::messenger::wire::{
    Channel, MAX_WEB_SILENCE, Message, Peer, SERVICE_ALIVE_INTERVAL, WireError, shared_key,
};

/// More than there are web servers.
const MAX_CONNECTIONS: usize = 64;
/// How long to wait when no connection can be accepted, for example because too many files are open.
const ACCEPT_RETRY_INTERVAL: Duration = Duration::from_millis(100);
/// How soon a port that another program uses is tried again.
const BIND_RETRY_INTERVAL: Duration = Duration::from_secs(30);

/// What all connections use.
#[derive(Clone, Debug, Default)]
struct Shared {
    keys: Vec<Key>,
    /// The last heartbeat: sent to every connected web server, and to each that connects.
    heartbeat: Option<Arc<Value>>,
}

/// A key that a web server may have.
#[derive(Clone, PartialEq, Eq)]
struct Key([u8; 32]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

/// Accepts web servers until it is dropped.
#[derive(Debug)]
pub struct MessengerListener {
    server: String,
    /// Set once it listens.
    port: Arc<OnceLock<u16>>,
    shared: watch::Sender<Shared>,
    task: JoinHandle<()>,
}

impl MessengerListener {
    /// Listens on this port of all addresses of the machine. A port that another program uses is not an error, because
    /// nothing depends on the messenger: it is tried again until it is free.
    pub async fn open(port: u16, server: &str) -> Self {
        let (shared, receiver) = watch::channel(Shared::default());
        let bound_port = Arc::new(OnceLock::new());
        // Before this function returns, so that the first heartbeat can announce the port.
        let socket = match bind(port, &bound_port).await {
            Ok(socket) => Some(socket),
            Err(error) => {
                tracing::warn!(
                    port,
                    %error,
                    "the service messenger cannot listen on port {port}, so updates arrive with heartbeats only; trying again every 30 s. Free the port, or choose another one with --messenger-port"
                );
                None
            }
        };
        let task = tokio::spawn({
            let bound_port = Arc::clone(&bound_port);
            async move {
                let socket = match socket {
                    Some(socket) => socket,
                    None => bind_when_free(port, &bound_port).await,
                };
                accept_connections(socket, receiver).await;
            }
        });
        Self { server: server.to_owned(), port: bound_port, shared, task }
    }

    /// The port on which it listens; `None` while it does not.
    pub fn port(&self) -> Option<u16> {
        self.port.get().copied()
    }

    /// Replaces all keys: for a service without a secret of its own, which has the keys of the web servers.
    pub(crate) fn set_keys(&self, secrets: &[SecretHash]) {
        let keys = secrets.iter().map(|hash| Key(shared_key(hash, &self.server))).collect();
        self.shared.send_if_modified(|shared| {
            shared.keys = keys;
            // Connected web servers need no message.
            false
        });
    }

    /// Sets the service's secret. Web servers with the former one are still accepted.
    pub fn set_secret(&self, secret: &str) {
        let key = Key(shared_key(&SecretHash::new(secret), &self.server));
        self.shared.send_if_modified(|shared| {
            if shared.keys.first() != Some(&key) {
                shared.keys.retain(|known| *known != key);
                shared.keys.insert(0, key);
                shared.keys.truncate(2);
            }
            false
        });
    }

    /// Sends a heartbeat to every connected web server, and to each that connects later.
    pub fn publish(&self, heartbeat: &Value) {
        self.shared.send_modify(|shared| shared.heartbeat = Some(Arc::new(heartbeat.clone())));
    }
}

impl Drop for MessengerListener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn bind(port: u16, bound_port: &OnceLock<u16>) -> io::Result<TcpListener> {
    let any_address = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
    let socket = match TcpListener::bind(any_address).await {
        // The machine may have no IPv6.
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await?
        }
        bound => bound?,
    };
    let _ = bound_port.set(socket.local_addr()?.port());
    Ok(socket)
}

async fn bind_when_free(port: u16, bound_port: &OnceLock<u16>) -> TcpListener {
    loop {
        tokio::time::sleep(BIND_RETRY_INTERVAL).await;
        if let Ok(socket) = bind(port, bound_port).await {
            tracing::info!(port, "the service messenger listens on port {port} now");
            return socket;
        }
    }
}

/// All connections end when this future is dropped.
async fn accept_connections(socket: TcpListener, shared: watch::Receiver<Shared>) {
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = tokio::task::JoinSet::new();
    let started = Stopwatch::start();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        match socket.accept().await {
            Ok((stream, peer)) => {
                let shared = shared.clone();
                connections.spawn(async move {
                    let error = serve_web_server(stream, shared, started).await;
                    tracing::debug!(%peer, %error, "the connection of a web server ended");
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::debug!(%error, "cannot accept a connection; trying again");
                tokio::time::sleep(ACCEPT_RETRY_INTERVAL).await;
            }
        }
    }
}

async fn serve_web_server(
    stream: TcpStream,
    mut shared: watch::Receiver<Shared>,
    started: Stopwatch,
) -> WireError {
    let _ = stream.set_nodelay(true);
    let keys: Vec<[u8; 32]> = shared.borrow().keys.iter().map(|key| key.0).collect();
    let channel = match Channel::answer(stream, &keys).await {
        Ok(channel) => channel,
        Err(error) => return error,
    };
    // The last heartbeat is sent first.
    shared.mark_changed();
    let alive = tokio::time::interval(SERVICE_ALIVE_INTERVAL);
    channel.run(ServicePeer { shared, alive, started }).await
}

/// The service's side of a connection.
struct ServicePeer {
    shared: watch::Receiver<Shared>,
    alive: Interval,
    started: Stopwatch,
}

impl Peer for ServicePeer {
    const MAX_SILENCE: Duration = MAX_WEB_SILENCE;

    async fn next_message(&mut self) -> Message {
        loop {
            tokio::select! {
                Ok(()) = self.shared.changed() => {
                    let heartbeat = self.shared.borrow_and_update().heartbeat.clone();
                    if let Some(heartbeat) = heartbeat {
                        return Message::Beat { heartbeat: Value::clone(&heartbeat) };
                    }
                }
                _ = self.alive.tick() => {
                    return Message::Alive { process: host::process(self.started) };
                }
            }
        }
    }

    /// A web server only sends that it is alive.
    async fn handle(&mut self, _: Message) {}
}
