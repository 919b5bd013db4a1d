//! The listener: accepts connections, with or without TLS, and closes those that make no progress.
//!
//! A client that sends nothing, sends too slowly or does not read its response costs one connection for some seconds. When all
//! connections are in use, the one that has been idle longest is closed for the next.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio_io_timeout::TimeoutStream;

use super::connections::{BusyBody, BusyGuard, ConnectionControl, ConnectionSlot, Connections};
use super::http2;
use super::tls::{self, Tls};
use crate::auth::origin::OverTls;
use crate::auth::proxy::trusted::TrustedProxies;
use crate::telemetry::log_limit::LogLimit;

/// The limit of open connections, if the system allows as many files.
const MAX_CONNECTIONS: usize = 16_384;
/// Files that are not connections: the database, its log, the listener, and a reserve.
const RESERVED_FILES: u64 = 64;
const MAX_REQUEST_HEADERS: usize = 100;
/// Request line and headers together.
pub(super) const MAX_REQUEST_HEAD_BYTES: usize = 16 << 10;
/// How many connections may wait to be accepted: after a restart all agents connect at once, and the system resets some of
/// those that do not fit.
const ACCEPT_BACKLOG: u32 = 4_096;
/// How long to wait after the system could not accept a connection, for example because it has no more files.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);
/// Also for the next request on a connection that is kept open.
pub(super) const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(10);
const TLS_HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client may take to read any part of a response.
pub(super) const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long requests may take to finish after the process was asked to stop.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub struct Listener {
    pub socket: TcpListener,
    /// `None`: connections are plain HTTP.
    pub tls: Option<Tls>,
}

impl From<TcpListener> for Listener {
    fn from(socket: TcpListener) -> Self {
        Self { socket, tls: None }
    }
}

/// Listens on this address. All agents of a large cluster can connect at once.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A new process can use the port at once after the old one has ended.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(ACCEPT_BACKLOG)
}

impl Listener {
    /// Serves `router` until `shutdown`. Then it accepts no more connections and finishes the requests that it has.
    pub(crate) async fn serve(
        self,
        router: Router,
        limits: ConnectionLimits,
        shutdown: impl Future<Output = ()>,
    ) {
        let Self { socket, tls } = self;
        let connections = Connections::new(limits);
        let graceful = GracefulShutdown::new();
        // For connections with HTTP/2, which close also for other reasons.
        let stopping = watch::Sender::new(false);
        let ends = Ends { graceful: &graceful, stopping: &stopping };
        tokio::select! {
            () = accept_connections(&socket, tls.as_ref(), &router, &connections, ends) => {}
            () = tls::reload_certificates(tls.as_ref()) => {}
            () = shutdown => {}
        }
        drop(socket);
        stopping.send_replace(true);
        if tokio::time::timeout(SHUTDOWN_TIMEOUT, graceful.shutdown()).await.is_err() {
            tracing::warn!(
                "requests were still running {} s after the process was asked to stop; they are cut off",
                SHUTDOWN_TIMEOUT.as_secs()
            );
        }
    }
}

/// How connections learn that the process stops.
#[derive(Clone, Copy)]
struct Ends<'a> {
    graceful: &'a GracefulShutdown,
    stopping: &'a watch::Sender<bool>,
}

/// Accepts connections and serves each in a task of its own. Ends only when it is dropped.
async fn accept_connections(
    socket: &TcpListener,
    tls: Option<&Tls>,
    router: &Router,
    connections: &Arc<Connections>,
    ends: Ends<'_>,
) {
    static ACCEPT_ERRORS: LogLimit = LogLimit::new();
    loop {
        match socket.accept().await {
            Ok((stream, peer)) => {
                let Some(slot) = connections.acquire_slot(peer.ip()).await else { return };
                let slot = Arc::new(slot);
                let connection = Connection {
                    peer,
                    router: router.clone(),
                    slot: Arc::clone(&slot),
                    stopping: ends.stopping.subscribe(),
                };
                let (tls, watcher) = (tls.cloned(), ends.graceful.watcher());
                tokio::spawn(async move {
                    tokio::select! {
                        () = connection.serve(stream, tls, watcher) => {}
                        () = slot.close_requested() => {}
                    }
                });
            }
            // The client has closed the connection already.
            Err(error) if is_client_error(&error) => {}
            Err(error) => {
                if let Some(left_out) = ACCEPT_ERRORS.check() {
                    tracing::warn!(
                        %error,
                        left_out,
                        "cannot accept connections; idle ones are closed to make room. If this repeats, raise the limit of \
                         open files (LimitNOFILE)"
                    );
                }
                connections.close_oldest();
                tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
            }
        }
    }
}

/// An accepted connection.
struct Connection {
    peer: SocketAddr,
    router: Router,
    slot: Arc<ConnectionSlot>,
    stopping: watch::Receiver<bool>,
}

impl Connection {
    async fn serve(self, stream: TcpStream, tls: Option<Tls>, watcher: Watcher) {
        // Responses are small and must not wait for more data.
        let _ = stream.set_nodelay(true);
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(WRITE_TIMEOUT));
        let stream: Pin<Box<_>> = Box::pin(stream);
        // Boxed separately, so that a plain connection does not need the memory of a TLS one.
        match tls {
            None => Box::pin(self.serve_http(stream, None, watcher)).await,
            Some(tls) => Box::pin(self.serve_tls(stream, &tls, watcher)).await,
        }
    }

    /// Closes the connection if the handshake fails: nothing can be sent to the client then.
    async fn serve_tls(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        tls: &Tls,
        watcher: Watcher,
    ) {
        let handshake = tls.acceptor().accept(stream);
        if let Ok(Ok(stream)) = tokio::time::timeout(TLS_HANDSHAKE_TIMEOUT, handshake).await {
            if stream.get_ref().1.alpn_protocol() == Some(tls::HTTP_2) {
                self.serve_http2(stream, watcher).await;
            } else {
                self.serve_http(stream, Some(OverTls), watcher).await;
            }
        }
    }

    /// Answers requests with HTTP/2.
    async fn serve_http2(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        watcher: Watcher,
    ) {
        let (slot, stopping) = (Arc::clone(&self.slot), self.stopping.clone());
        let service = self.service(Some(OverTls), BusyBody::watched, http2::normalize);
        // While it exists, the listener waits for this connection.
        let _watcher = watcher;
        http2::serve(stream, service, slot, stopping).await;
    }

    /// Answers requests with HTTP/1.1 until either side closes the connection.
    async fn serve_http(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        tls: Option<OverTls>,
        watcher: Watcher,
    ) {
        let service = self.service(tls, BusyBody::new, |_| {});
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_READ_TIMEOUT)
            .max_headers(MAX_REQUEST_HEADERS)
            .max_buf_size(MAX_REQUEST_HEAD_BYTES)
            .serve_connection(TokioIo::new(stream), service);
        // hyper has answered a malformed request itself, where an answer was possible.
        let _ = watcher.watch(connection).await;
    }

    /// Passes requests to the router. The connection is busy until the response has been sent.
    fn service(
        self,
        tls: Option<OverTls>,
        busy_body: fn(Body, BusyGuard) -> BusyBody,
        normalize: fn(&mut Request<Body>),
    ) -> impl Service<
        Request<Incoming>,
        Response = Response<BusyBody>,
        Error = Infallible,
        Future = impl Future<Output = Result<Response<BusyBody>, Infallible>> + Send + 'static,
    > {
        let Self { peer, router, slot, .. } = self;
        service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            normalize(&mut request);
            request.extensions_mut().insert(ConnectInfo(peer));
            request.extensions_mut().insert(ConnectionControl::new(&slot));
            if let Some(tls) = tls {
                request.extensions_mut().insert(tls);
            }
            let busy = slot.begin_request();
            let too_many = request.headers().len() > MAX_REQUEST_HEADERS;
            let mut router = router.clone();
            async move {
                let response = if too_many {
                    // With HTTP/1.1 hyper has answered already.
                    let mut response = Response::new(Body::empty());
                    *response.status_mut() = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
                    response
                } else {
                    // A router is always ready.
                    tower::Service::call(&mut router, request).await?
                };
                Ok(response.map(|body| busy_body(body, busy)))
            }
        })
    }
}

#[derive(Debug)]
pub(crate) struct ConnectionLimits {
    pub(crate) max_connections: usize,
    /// Their connections are from many clients, so they have no limit for each address.
    pub(crate) proxies: TrustedProxies,
}

/// Raises the limit of open files as far as the system allows, and returns how many connections fit.
pub(crate) fn max_connections() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let files = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    let connections = files.map_or(u64::MAX, |files| files.saturating_sub(RESERVED_FILES).max(1));
    usize::try_from(connections).unwrap_or(usize::MAX).min(MAX_CONNECTIONS)
}

fn is_client_error(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
    )
}
