//! The one client of HTTP that all channels use: guarded against private addresses, endless answers and redirects.

use std::fmt::Write as _;
use std::io::{self, ErrorKind, Read as _};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use app::cluster::{Span, Timestamp};
use axum::http::{HeaderMap, Response, StatusCode, Uri};
use tokio_rustls::rustls;
use ureq::config::Config;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use super::address::Url;
use super::failure::{Delivered, DeliveryFailure};
use super::fields::Fields;
use crate::clock;
use crate::files::reloaded::ReloadedFile;
use crate::net::address_scope::may_connect;
use crate::net::ca_certificates::{CaCertificates, CaFileError, tls_config};
use crate::telemetry::outside_text::one_line;

/// From resolving the name to the last byte of the answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
/// No more of an answer is read.
const MAX_ANSWER_BYTES: u64 = 4 << 10;
/// How much of an answer is shown.
const MAX_ANSWER_CHARS: usize = 200;
const MAX_ANSWER_HEAD_BYTES: usize = 16 << 10;
/// Shorter parts of an address occur in any text.
const MIN_SECRET_CHARS: usize = 6;
const USER_AGENT: &str = concat!("cluster-overview/", env!("CARGO_PKG_VERSION"));

/// A request with a body in JSON.
pub(super) struct Post {
    pub(super) url: Url,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
    /// Secrets in the body. An answer may repeat them, as it may repeat the address and the headers.
    pub(super) secrets: Vec<String>,
}

impl Post {
    /// One without a body.
    pub(super) fn empty(url: Url) -> Self {
        Self { url, headers: Vec::new(), body: String::new(), secrets: Vec::new() }
    }

    pub(super) fn json(url: Url, body: &serde_json::Value) -> Self {
        Self { url, headers: Vec::new(), body: body.to_string(), secrets: Vec::new() }
    }
}

#[derive(Clone, Debug)]
pub(super) struct HttpClient {
    allow_private: bool,
    ca_file: Option<CaFile>,
}

pub(super) type CaFile = Arc<ReloadedFile<CaCertificates, CaFileError>>;

/// Reads `ca_file`: the CAs to trust in place of the public ones.
pub(super) fn ca_file(fields: &mut Fields<'_>) -> Option<CaFile> {
    let path: PathBuf = fields.path("ca_file")?;
    match ReloadedFile::open(&path, CaCertificates::read) {
        Ok(file) => Some(Arc::new(file)),
        Err(error) => {
            fields.problem("ca_file", &error.to_string());
            None
        }
    }
}

impl HttpClient {
    /// For an address of which the command line says that it is right.
    pub(super) fn for_private_networks() -> Self {
        Self { allow_private: true, ca_file: None }
    }

    pub(super) fn read(fields: &mut Fields<'_>) -> Self {
        Self { allow_private: fields.allow_private, ca_file: ca_file(fields) }
    }

    /// Sends the request that `make` returns. `make` can block, to read files.
    pub(super) async fn post(
        &self,
        make: impl FnOnce() -> Result<Post, DeliveryFailure> + Send + 'static,
    ) -> Result<Delivered, DeliveryFailure> {
        let client = self.clone();
        let sent = tokio::task::spawn_blocking(move || client.send(&make()?)).await;
        sent.unwrap_or_else(|error| Err(DeliveryFailure::new(format!("internal error: {error}"))))
    }

    fn send(&self, post: &Post) -> Result<Delivered, DeliveryFailure> {
        let ca_certificates = self.ca_file.as_ref().map(|file| file.get()).transpose();
        let ca_certificates =
            ca_certificates.map_err(|error| DeliveryFailure::new(error.to_string()))?;
        let config = ureq::Agent::config_builder()
            .tls_config(tls_config(ca_certificates.as_ref()))
            .timeout_global(Some(REQUEST_TIMEOUT))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_response_header_size(MAX_ANSWER_HEAD_BYTES)
            .user_agent(USER_AGENT)
            // A proxy would resolve the name itself, and could be sent to any address.
            .proxy(None)
            .build();
        let resolver = GuardedResolver { allow_private: self.allow_private };
        let agent = ureq::Agent::with_parts(config, DefaultConnector::default(), resolver);
        let mut request =
            agent.post(post.url.as_uri()).header("content-type", "application/json; charset=utf-8");
        for (name, value) in &post.headers {
            request = request.header(*name, value);
        }
        match request.send(&post.body) {
            Ok(response) => judge(post, response),
            Err(error) => Err(DeliveryFailure::new(format!("{}: {}", post.url, describe(&error)))),
        }
    }
}

/// What an answer means.
fn judge(post: &Post, mut response: Response<ureq::Body>) -> Result<Delivered, DeliveryFailure> {
    let status = response.status();
    let mut body = Vec::new();
    let reader = response.body_mut().with_config().limit(MAX_ANSWER_BYTES + 1).reader();
    // The status says whether it arrived, even if the rest of the answer never comes.
    let _ = reader.take(MAX_ANSWER_BYTES).read_to_end(&mut body);
    let answer = answer_line(post, &String::from_utf8_lossy(&body));
    let mut said = format!("{} answered {}", post.url, status.as_u16());
    if status.is_redirection() {
        let target = redirect_target(post, response.headers());
        return Err(DeliveryFailure::new(format!(
            "{said}, a redirect to {target}. Redirects are not followed; change the address of the channel"
        )));
    }
    if !answer.is_empty() {
        // Writing to a string cannot fail.
        let _ = write!(said, ": {answer}");
    }
    match status {
        _ if status.is_success() => Ok(Delivered::new(&said)),
        StatusCode::GONE => Err(DeliveryFailure::gone(said)),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            let pause = retry_after(response.headers(), clock::wall());
            Err(DeliveryFailure::new(said).with_pause(pause))
        }
        _ => Err(DeliveryFailure::new(said)),
    }
}

/// The beginning of an answer as one line, without the secrets of the request that it may repeat.
fn answer_line(post: &Post, answer: &str) -> String {
    let mut line = answer.to_owned();
    for secret in secrets(post) {
        line = line.replace(&secret, "…");
    }
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    one_line(&line.chars().take(MAX_ANSWER_CHARS).collect::<String>())
}

/// What an answer could repeat of a request: the path, its parts, and the values of headers; the longest first.
fn secrets(post: &Post) -> Vec<String> {
    let uri = post.url.as_uri();
    let path = uri.path_and_query().map_or("", |path| path.as_str());
    let parts = path.split(['/', '?', '&', '=']);
    let values = post.headers.iter().flat_map(|(_, value)| value.split(' '));
    let mut secrets: Vec<String> = [path, uri.path()]
        .into_iter()
        .chain(parts)
        .chain(values)
        .chain(post.secrets.iter().map(String::as_str))
        .filter(|part| part.len() >= MIN_SECRET_CHARS)
        .map(str::to_owned)
        .collect();
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets
}

fn redirect_target(post: &Post, headers: &HeaderMap) -> String {
    let location = headers.get("location").and_then(|value| value.to_str().ok());
    match location.map(|location| Url::parse(location, true)) {
        Some(Ok(url)) => url.to_string(),
        Some(Err(_)) => format!("another path of {}", post.url),
        None => "an address that it does not name".to_owned(),
    }
}

/// The pause that an answer asks for: in seconds, or until a moment.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Span> {
    let value = headers.get("retry-after")?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(Span::seconds(i64::from(seconds)));
    }
    let until = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
    Some(Timestamp(until.as_millisecond()) - now)
}

/// Why there was no answer. It names nothing of the address.
#[expect(clippy::wildcard_enum_match_arm, reason = "errors of other crates have many cases")]
fn describe(error: &ureq::Error) -> String {
    if let ureq::Error::Other(other) = error
        && let Some(refused) = other.downcast_ref::<ForbiddenAddress>()
    {
        return refused.to_string();
    }
    if let ureq::Error::Io(error) = error {
        return describe_io(error);
    }
    match error {
        ureq::Error::Timeout(_) => {
            format!("no complete answer within {} s", REQUEST_TIMEOUT.as_secs())
        }
        ureq::Error::HostNotFound => HOST_NOT_FOUND.to_owned(),
        ureq::Error::Rustls(error) => describe_tls(error),
        ureq::Error::ConnectionFailed => "the connection failed".to_owned(),
        ureq::Error::LargeResponseHeader(..) => {
            format!("the head of its answer is longer than {} kB", MAX_ANSWER_HEAD_BYTES >> 10)
        }
        ureq::Error::Protocol(error) => format!("its answer is not HTTP: {error}"),
        other => other.to_string(),
    }
}

const HOST_NOT_FOUND: &str = "its host name cannot be resolved";

/// Why a connection failed.
#[expect(clippy::wildcard_enum_match_arm, reason = "errors of other crates have many cases")]
pub(super) fn describe_io(error: &io::Error) -> String {
    if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return describe_tls(error);
    }
    match error.kind() {
        ErrorKind::ConnectionRefused => "the connection was refused".to_owned(),
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => {
            "the connection was closed before an answer came".to_owned()
        }
        ErrorKind::TimedOut => "the connection timed out".to_owned(),
        _ if error.to_string().contains("lookup address") => {
            format!("{HOST_NOT_FOUND}: {error}")
        }
        _ => error.to_string(),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "errors of other crates have many cases")]
pub(super) fn describe_tls(error: &rustls::Error) -> String {
    let advice = match error {
        rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer) => {
            "; if its certificate is from a CA of your own, name that with ca_file"
        }
        rustls::Error::InvalidMessage(_) => {
            "; it seems to speak no TLS on this port: check the port and the encryption"
        }
        _ => "",
    };
    format!("TLS failed: {error}{advice}")
}

/// A name whose addresses are all forbidden.
#[derive(Debug, thiserror::Error)]
#[error(
    "it has the address {0}, which a channel may not connect to. If it is a receiver in a private network, set allow_private = true"
)]
pub(super) struct ForbiddenAddress(IpAddr);

/// Those addresses of a host that a channel may connect to.
pub(super) fn permitted(
    found: impl IntoIterator<Item = SocketAddr>,
    allow_private: bool,
) -> Result<Vec<SocketAddr>, Option<ForbiddenAddress>> {
    let (permitted, forbidden): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|address| may_connect(address.ip(), allow_private));
    if permitted.is_empty() {
        return Err(forbidden.first().map(|address| ForbiddenAddress(address.ip())));
    }
    Ok(permitted)
}

/// Resolves a name for the very connection that is opened, so that a name cannot change in between.
#[derive(Debug)]
struct GuardedResolver {
    allow_private: bool,
}

impl Resolver for GuardedResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = DefaultResolver::default().resolve(uri, config, timeout)?;
        let addresses =
            permitted(found.iter().copied(), self.allow_private).map_err(|refused| {
                refused.map_or(ureq::Error::HostNotFound, |refused| {
                    ureq::Error::Other(Box::new(refused))
                })
            })?;
        let mut resolved = self.empty();
        for address in addresses {
            resolved.push(address);
        }
        Ok(resolved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(url: &str, headers: &[(&'static str, &str)]) -> Post {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Post { url: Url::parse(url, true).unwrap(), headers, body: String::new(), secrets: vec![] }
    }

    #[test]
    fn an_answer_is_shown_in_one_line_without_secrets() {
        let post = post(
            "https://hooks.example/services/T0123456/secret-part?code=another-secret",
            &[("authorization", "Bearer tk_secret")],
        );
        let answer = "Cannot POST /services/T0123456/secret-part?code=another-secret\r\n\u{1b}[31m\
                      T0123456 secret-part another-secret tk_secret\u{202e}";
        let shown = answer_line(&post, answer);
        assert_eq!(shown, "Cannot POST … \u{fffd}[31m… … … …\u{fffd}");
        assert_eq!(answer_line(&post, &"x".repeat(900)).chars().count(), MAX_ANSWER_CHARS);
    }

    #[test]
    fn a_redirect_is_named_without_its_path() {
        let post = post("https://hooks.example/secret", &[]);
        let target = |location: &'static str| {
            let headers = [("location".parse().unwrap(), location.parse().unwrap())];
            redirect_target(&post, &headers.into_iter().collect())
        };
        assert_eq!(target("https://other.example/secret?a"), "https://other.example");
        assert_eq!(target("/elsewhere"), "another path of https://hooks.example");
        assert_eq!(redirect_target(&post, &HeaderMap::new()), "an address that it does not name");
    }

    #[test]
    fn a_pause_is_given_in_seconds_or_as_a_moment() {
        // 2026-11-22 12:00:00 UTC
        let now = Timestamp(1_795_348_800_000);
        for (value, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Sun, 22 Nov 2026 12:00:30 GMT", Some(30)),
            ("Sun, 22 Nov 2026 11:00:00 GMT", Some(-3_600)),
            ("-1", None),
            ("soon", None),
            ("99999999999999", None),
        ] {
            let headers = [("retry-after".parse().unwrap(), value.parse().unwrap())];
            let found = retry_after(&headers.into_iter().collect(), now);
            assert_eq!(found, seconds.map(Span::seconds), "{value}");
        }
        let failure = DeliveryFailure::new("busy").with_pause(Some(Span::seconds(1_000_000)));
        let day = Span::minutes(24 * 60);
        assert_eq!(failure.next_try, crate::notify::NextTry::NotBefore(day));
    }

    #[test]
    fn only_permitted_addresses_of_a_name_are_used() {
        let found = ["10.0.0.1:443", "8.8.8.8:443"].map(|address| address.parse().unwrap());
        assert_eq!(permitted(found, false).unwrap(), found[1..]);
        assert_eq!(permitted(found, true).unwrap(), found);
        let refused = permitted(found[..1].to_vec(), false).unwrap_err().unwrap().to_string();
        assert!(refused.contains("10.0.0.1") && refused.contains("allow_private"), "{refused}");
        assert!(permitted([], true).unwrap_err().is_none());
    }
}
