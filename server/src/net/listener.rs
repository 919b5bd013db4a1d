//! The listener: takes connections, with TLS or without, and gives up on those that give nothing.
//!
//! A client that says nothing, says it too slowly, or does not read its answer costs one connection for
//! some seconds. When all are in use, the one that has been idle longest is closed for the next.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_io_timeout::TimeoutStream;
use tower::Service as _;

use super::connections::{Answered, Connections, Place, Room};
use super::tls::{self, Tls};
use crate::auth::origin::OverTls;
use crate::auth::proxy::trusted::Proxies;
use crate::telemetry::log_limit::LogLimit;

/// The most connections at once, if the system allows as many.
const MOST_CONNECTIONS: usize = 16_384;
/// Files that are not connections: the database, the journal, the listener, what is yet to come.
const OTHER_FILES: u64 = 64;
/// How many header lines a request may have, and how long all of them may be.
const MOST_HEADERS: usize = 100;
const LARGEST_HEAD: usize = 16 << 10;
/// How many connections may wait to be taken, if the system allows it: whoever finds no room is cut off
/// now and then, and after a restart all come at once.
const WAITING: u32 = 4_096;
/// How long to wait when the system has no more files for connections.
const BREATH: Duration = Duration::from_millis(100);
/// How long a client is waited for: for the head of a request, also of the next one on a kept
/// connection; for its part of opening TLS; for taking something of its answer; and, when the process
/// is asked to stop, for the requests under way.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where connections come in.
#[derive(Debug)]
pub struct Listener {
    /// The socket.
    pub socket: TcpListener,
    /// What they are encrypted with, if they are.
    pub tls: Option<Tls>,
}

impl From<TcpListener> for Listener {
    fn from(socket: TcpListener) -> Self {
        Self { socket, tls: None }
    }
}

/// Listens at this address, with room for all agents of a large cluster at once.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // The port of a process that has just ended can be taken over.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING)
}

impl Listener {
    /// Serves `router` until `shutdown`; then takes no more connections and finishes the requests it
    /// has.
    pub(crate) async fn serve(
        self,
        router: Router,
        limits: Limits,
        shutdown: impl Future<Output = ()>,
    ) {
        let Self { socket, tls } = self;
        let connections = Connections::new(limits);
        let graceful = GracefulShutdown::new();
        tokio::select! {
            () = take_all(&socket, tls.as_ref(), &router, &connections, &graceful) => {}
            () = tls::renewed(tls.as_ref()) => {}
            () = shutdown => {}
        }
        drop(socket);
        if tokio::time::timeout(PATIENCE, graceful.shutdown()).await.is_err() {
            tracing::warn!("some requests were not finished in time");
        }
    }
}

/// Takes one connection after the other, and finds a place for each. Never ends by itself.
async fn take_all(
    socket: &TcpListener,
    tls: Option<&Tls>,
    router: &Router,
    connections: &Arc<Connections>,
    graceful: &GracefulShutdown,
) {
    static NOT_TAKEN: LogLimit = LogLimit::new();
    loop {
        match socket.accept().await {
            Ok((stream, peer)) => {
                let Some(place) = connections.place(peer.ip()).await else { return };
                let place = Arc::new(place);
                let connection =
                    Connection { peer, router: router.clone(), place: Arc::clone(&place) };
                let (tls, watcher) = (tls.cloned(), graceful.watcher());
                tokio::spawn(async move {
                    tokio::select! {
                        () = connection.open(stream, tls, watcher) => {}
                        () = place.closed() => {}
                    }
                });
            }
            // A client that has gone already is no trouble of ours.
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                if let Some(left_out) = NOT_TAKEN.check() {
                    tracing::warn!(%error, left_out, "cannot accept a connection; trying again");
                }
                connections.close_oldest();
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

/// One connection, and who answers what comes on it.
struct Connection {
    peer: SocketAddr,
    router: Router,
    place: Arc<Place>,
}

impl Connection {
    async fn open(self, stream: TcpStream, tls: Option<Tls>, watcher: Watcher) {
        // Answers are small and wanted now.
        let _ = stream.set_nodelay(true);
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(PATIENCE));
        let stream: Pin<Box<_>> = Box::pin(stream);
        // Each in a box of its own: a connection in plain text does not carry the room that TLS takes.
        match tls {
            None => Box::pin(self.answer(stream, None, watcher)).await,
            Some(tls) => Box::pin(self.open_tls(stream, &tls, watcher)).await,
        }
    }

    /// Who does not finish opening TLS is not answered: there is no way to say anything.
    async fn open_tls(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        tls: &Tls,
        watcher: Watcher,
    ) {
        let opened = tokio::time::timeout(PATIENCE, tls.acceptor().accept(stream)).await;
        if let Ok(Ok(stream)) = opened {
            self.answer(stream, Some(OverTls), watcher).await;
        }
    }

    /// Answers what comes, until either side has enough.
    async fn answer(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        tls: Option<OverTls>,
        watcher: Watcher,
    ) {
        let Self { peer, router, place } = self;
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            request.extensions_mut().insert(Room::new(&place));
            if let Some(tls) = tls {
                request.extensions_mut().insert(tls);
            }
            let busy = place.busy();
            // A router is always ready.
            let answer = router.clone().call(request);
            async move { answer.await.map(|answer| answer.map(|body| Answered::new(body, busy))) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(PATIENCE)
            .max_headers(MOST_HEADERS)
            .max_buf_size(LARGEST_HEAD)
            .serve_connection(TokioIo::new(stream), service);
        // A client that breaks off, or speaks something else, is told so by hyper where it can be told.
        let _ = watcher.watch(connection).await;
    }
}

/// How many connections there may be, and who may have many.
#[derive(Debug)]
pub(crate) struct Limits {
    /// How many at once.
    pub(crate) connections: usize,
    /// Whose connections are many people's.
    pub(crate) proxies: Proxies,
}

/// How many connections there may be: as many as the system gives files for, up to a limit. The
/// process asks for all that it may have.
pub(crate) fn places() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let files = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    let places = files.map_or(u64::MAX, |files| files.saturating_sub(OTHER_FILES).max(1));
    usize::try_from(places).unwrap_or(usize::MAX).min(MOST_CONNECTIONS)
}

fn is_the_clients(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
    )
}
