//! HTTP/2, for clients that ask for it in the TLS handshake: one connection of a browser carries all its windows, where HTTP/1.1
//! allows six connections. The limits are those of HTTP/1.1, for each stream or for the whole connection.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, Request, Response, Uri, header};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use super::connections::{BusyBody, ConnectionSlot};
use super::listener::{HEADER_READ_TIMEOUT, MAX_REQUEST_HEAD_BYTES, WRITE_TIMEOUT};

/// Requests of one connection at a time: the event streams that one person may read, and some more.
const MAX_CONCURRENT_STREAMS: u32 = 64;
/// How much of a request's body a client may send before it is read; of all its requests together four times that.
const STREAM_WINDOW_BYTES: u32 = 64 << 10;
const CONNECTION_WINDOW_BYTES: u32 = 4 * STREAM_WINDOW_BYTES;
/// How much of a response is buffered for a client that reads slowly.
const MAX_SEND_BUFFER_BYTES: usize = 64 << 10;
/// How many streams that the client has reset wait to be handled. More, and the connection is closed: see "rapid reset",
/// CVE-2023-44487.
const MAX_PENDING_RESETS: usize = 20;
/// How many of the client's errors are answered by a reset before the connection is closed: see CVE-2025-8671.
const MAX_ERROR_RESETS: usize = 100;
/// A client that does not answer a ping within the timeout is gone.
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// After all requests of a connection were answered: how long its client may take to read the last of it.
const LINGER_TIMEOUT: Duration = Duration::from_secs(40);

/// Answers requests until the client closes the connection, has sent none for as long as with HTTP/1.1, does not read its
/// responses, or the process stops.
pub(super) async fn serve<Answering, Answered>(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    service: Answering,
    slot: Arc<ConnectionSlot>,
    mut stopping: watch::Receiver<bool>,
) where
    Answering: Service<
            Request<Incoming>,
            Response = Response<BusyBody>,
            Error = Infallible,
            Future = Answered,
        >,
    Answered: Future<Output = Result<Response<BusyBody>, Infallible>> + Send + 'static,
{
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_CONCURRENT_STREAMS)
        .max_header_list_size(u32::try_from(MAX_REQUEST_HEAD_BYTES).unwrap_or(u32::MAX))
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_send_buf_size(MAX_SEND_BUFFER_BYTES)
        .max_pending_accept_reset_streams(MAX_PENDING_RESETS)
        .max_local_error_reset_streams(MAX_ERROR_RESETS)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        () = slot.stalled_for(WRITE_TIMEOUT) => return,
        () = slot.unused_for(HEADER_READ_TIMEOUT) => {}
        // If the sender is gone, the listener has ended.
        _ = stopping.wait_for(|stopping| *stopping) => {}
    }
    if !slot.was_used() {
        return;
    }
    // The client learns that it must send its next request on another connection.
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        _ = connection => {}
        () = slot.stalled_for(WRITE_TIMEOUT) => {}
        () = slot.unused_for(LINGER_TIMEOUT) => {}
    }
}

/// Gives a request the form that it has with HTTP/1.1: `:authority` becomes its `Host`, whatever else it has as `Host`, and its
/// URI begins with the path.
pub(super) fn normalize<B>(request: &mut Request<B>) {
    if let Some(authority) = request.uri().authority()
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        request.headers_mut().insert(header::HOST, host);
    }
    let path = request.uri().path_and_query().cloned();
    *request.uri_mut() = Uri::from(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_the_host_and_the_path_that_it_would_have_with_http_1() {
        let mut request = Request::get("https://overview.example:8443/a?b=c");
        request = request.header(header::HOST, "other.example").header(header::HOST, "third");
        let mut request = request.body(()).unwrap();
        normalize(&mut request);
        assert_eq!(request.uri(), "/a?b=c");
        let hosts: Vec<_> = request.headers().get_all(header::HOST).iter().collect();
        assert_eq!(hosts, ["overview.example:8443"]);
    }
}
