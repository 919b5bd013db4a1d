//! HTTP/2 over TLS: one connection carries many requests, within the limits of HTTP/1.1.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use app::packed::unpack;
use app::protocol::OverviewDelta;
use axum::body::Bytes;
use axum::http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use testkit::Folder;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::harness::{Running, folder, heartbeat};
use crate::tls::Pair;

/// Longer than every limit of a connection.
const DEADLINE: Duration = Duration::from_mins(1);

/// How much of a response a client takes before it has read the first of it.
const WINDOW_BYTES: u32 = 16 << 10;

/// An overview with a certificate, and the folder of its files.
struct Encrypted {
    overview: Running,
    token: String,
    pair: Pair,
    runtime: Runtime,
    _folder: Folder,
}

/// A connection with HTTP/2.
struct Client {
    requests: SendRequest<Full<Bytes>>,
    closed: JoinHandle<()>,
    url: String,
    token: String,
}

impl Encrypted {
    fn start() -> Self {
        let folder = folder();
        let pair = Pair::in_folder(&folder);
        let overview = Running::encrypted(&pair.certificate, &pair.key);
        let token = overview.token("viewer");
        overview.beat(&heartbeat("web-1", "web", 1));
        let runtime = Runtime::new().unwrap();
        Self { overview, token, pair, runtime, _folder: folder }
    }

    fn connect(&self) -> Client {
        let (url, token) = (self.overview.url.clone(), self.token.clone());
        self.runtime.block_on(Client::connect(url, token, &self.pair.certificate))
    }
}

impl Client {
    async fn connect(url: String, token: String, trusted: &Path) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(trusted).unwrap()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let stream = TcpStream::connect(url.trim_start_matches("https://")).await.unwrap();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let mut client = Builder::new(TokioExecutor::new());
        client.initial_stream_window_size(WINDOW_BYTES);
        let (requests, connection) = client.handshake(TokioIo::new(stream)).await.unwrap();
        // How it ends does not matter, only that it does.
        let closed = tokio::spawn(async { drop(connection.await) });
        Self { requests, closed, url, token }
    }

    async fn request(&mut self, method: &str, path: &str, body: &str) -> Response<Incoming> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .body(Full::from(body.to_owned()))
            .unwrap();
        self.requests.ready().await.unwrap();
        timeout(DEADLINE, self.requests.send_request(request)).await.unwrap().unwrap()
    }

    async fn poll(&mut self) -> OverviewDelta {
        let answer = self.request("POST", "/fn/overview", r#"{"cursor":""}"#).await;
        assert_eq!(answer.status(), StatusCode::OK);
        unpack(&text(answer.collect().await.unwrap().to_bytes())).unwrap()
    }
}

fn text(bytes: Bytes) -> String {
    String::from_utf8(bytes.into()).unwrap()
}

/// Reads an event stream until it has sent this text.
async fn read_until(stream: &mut Response<Incoming>, wanted: &str) {
    let mut read = String::new();
    while !read.contains(wanted) {
        let frame = timeout(DEADLINE, stream.frame()).await.unwrap();
        let frame = frame.unwrap_or_else(|| panic!("the stream ended: {read}")).unwrap();
        read += &text(frame.into_data().unwrap());
    }
}

#[test]
fn twenty_windows_of_one_browser_are_live_on_one_connection_and_polls_are_answered() {
    let encrypted = Encrypted::start();
    let Encrypted { overview, runtime, .. } = &encrypted;
    let mut client = encrypted.connect();
    let cursor = runtime.block_on(client.poll()).cursor;
    let mut streams = Vec::new();
    for _ in 0..20 {
        let path = format!("/api/v1/stream?cursor={cursor}");
        let mut stream = runtime.block_on(client.request("GET", &path, ""));
        assert_eq!(stream.status(), StatusCode::OK);
        runtime.block_on(read_until(&mut stream, "event: update"));
        streams.push(stream);
    }
    overview.beat(&heartbeat("web-2", "web", 1));
    for stream in &mut streams {
        runtime.block_on(read_until(stream, "web-2"));
    }
    let change = runtime.block_on(client.poll()).change.unwrap();
    assert!(change.components.iter().any(|component| component.server.as_str() == "web-2"));
    // A client with HTTP/1.1 sees the same overview.
    assert_eq!(overview.get("/healthz").status, 200);

    let Encrypted { overview, runtime, .. } = encrypted;
    let stopping = std::thread::spawn(move || overview.end());
    for stream in &mut streams {
        runtime.block_on(read_until(stream, "event: bye"));
    }
    drop(streams);
    runtime.block_on(async { timeout(DEADLINE, client.closed).await }).unwrap().unwrap();
    stopping.join().unwrap();
}

#[test]
fn a_connection_without_requests_is_closed_as_with_http_1() {
    let encrypted = Encrypted::start();
    let mut client = encrypted.connect();
    encrypted.runtime.block_on(client.poll());
    encrypted.runtime.block_on(async { timeout(DEADLINE, client.closed).await }).unwrap().unwrap();
    let unused = encrypted.connect();
    encrypted.runtime.block_on(async { timeout(DEADLINE, unused.closed).await }).unwrap().unwrap();
}

#[test]
fn a_client_that_does_not_read_its_stream_loses_the_connection() {
    let encrypted = Encrypted::start();
    let Encrypted { overview, runtime, .. } = &encrypted;
    let mut client = encrypted.connect();
    let cursor = runtime.block_on(client.poll()).cursor;
    let path = format!("/api/v1/stream?cursor={cursor}");
    let unread = runtime.block_on(client.request("GET", &path, ""));
    assert_eq!(unread.status(), StatusCode::OK);
    // Several times more than the client takes.
    for round in 0..5 {
        let many: Vec<_> =
            (0..40).map(|number| heartbeat(&format!("pod-{round}-{number}"), "web", 1)).collect();
        assert_eq!(overview.beat(&serde_json::json!(many)).status, 200);
        // So that each round is an event of its own, which the stream sends.
        std::thread::sleep(Duration::from_millis(200));
    }
    runtime.block_on(async { timeout(DEADLINE, client.closed).await }).unwrap().unwrap();
    drop(unread);
}

#[test]
fn too_many_or_too_large_headers_are_rejected() {
    let encrypted = Encrypted::start();
    let mut client = encrypted.connect();
    let rejected = |count: usize, value: String| {
        let mut request = Request::get(format!("{}/healthz", encrypted.overview.url));
        for number in 0..count {
            request = request.header(format!("x-{number}"), &value);
        }
        let request = request.body(Full::<Bytes>::default()).unwrap();
        let answer = client.requests.send_request(request);
        encrypted.runtime.block_on(async { timeout(DEADLINE, answer).await }).unwrap()
    };
    let mut rejected = rejected;
    let many = rejected(150, "x".to_owned()).unwrap();
    assert_eq!(many.status(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    let large = rejected(1, "x".repeat(20 << 10));
    assert!(large.is_err() || large.unwrap().status() == 431);
    assert_eq!(rejected(1, "x".to_owned()).unwrap().status(), StatusCode::OK);
}
