//! The HTTP client of the overview's API.

mod resolver;

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Uri;
use serde_json::Value;
use ureq::config::Config;
use ureq::unversioned::resolver::Resolver as _;
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use self::resolver::Addresses;
use crate::agent::host;
use crate::files;
use crate::files::reloaded::ReloadedFile;
use crate::net::ca_certificates::{CaCertificates, CaFileError, tls_config};
use crate::store::without_password;
use crate::telemetry::outside_text::one_line;

/// Request and response together.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Of the overview of a whole cluster.
const MAX_OVERVIEW_BYTES: u64 = 256 << 20;
/// Of every other response, errors included.
const MAX_RESPONSE_BYTES: u64 = 64 << 10;

/// Why a request failed. All texts are one line.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("cannot reach {url}: {why}")]
    Unreachable { url: String, why: String },
    #[error(transparent)]
    CaFile(#[from] CaFileError),
    #[error("{url} answered {status}: {detail}")]
    Rejected { url: String, status: u16, detail: String },
}

/// A client of one overview. It keeps connections open between requests.
#[derive(Clone, Debug)]
pub struct Client {
    base: String,
    agent: ureq::Agent,
    addresses: Addresses,
    ca_file: Option<CaFile>,
}

/// The file with the CA certificates, and those in use.
#[derive(Clone)]
struct CaFile {
    file: Arc<ReloadedFile<CaCertificates, CaFileError>>,
    in_use: CaCertificates,
}

impl std::fmt::Debug for CaFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("CaFile").field(&self.file).finish()
    }
}

impl Client {
    /// A client of the overview at this URL. `ca_file`: the CAs to trust; else the public ones.
    pub fn new(overview: &str, ca_file: Option<&Path>) -> Result<Self, ClientError> {
        let ca_file = match ca_file {
            Some(path) => {
                let file = Arc::new(ReloadedFile::open(path, CaCertificates::read)?);
                Some(CaFile { in_use: file.get()?, file })
            }
            None => None,
        };
        let addresses = Addresses::default();
        let agent = agent(ca_file.as_ref().map(|ca_file| &ca_file.in_use), &addresses);
        Ok(Self { base: overview.trim_end_matches('/').to_owned(), agent, addresses, ca_file })
    }

    /// Uses the CA certificates that are in the file now.
    pub fn reload_ca_file(&mut self) {
        let Some(ca_file) = &mut self.ca_file else { return };
        if let Ok(now) = ca_file.file.get()
            && now != ca_file.in_use
        {
            self.agent = agent(Some(&now), &self.addresses);
            ca_file.in_use = now;
        }
    }

    /// The address from which this machine reaches the overview. Resolves its name only if no request has done so. Blocks.
    pub fn own_address(&self) -> Result<IpAddr, ClientError> {
        let peer = self.addresses.first().map_or_else(|| self.resolve(), Ok)?;
        let no_route = || self.unreachable(&format_args!("no route to {}", peer.ip()));
        host::address_towards(peer).ok_or_else(no_route)
    }

    fn resolve(&self) -> Result<SocketAddr, ClientError> {
        let uri: Uri = self.base.parse().map_err(|error| self.unreachable(&error))?;
        let found = self.addresses.resolve(&uri, self.agent.config(), NextTimeout::default());
        let found = found.map_err(|error| self.unreachable(&error))?;
        found.first().copied().ok_or_else(|| self.unreachable(&"its host name has no address"))
    }

    pub fn unreachable(&self, why: &dyn std::fmt::Display) -> ClientError {
        ClientError::Unreachable {
            url: without_password(&self.base),
            why: one_line(&why.to_string()),
        }
    }

    /// Closes all connections. After this machine's address has changed they would only time out.
    pub fn close_connections(&mut self) {
        self.agent = agent_with(self.agent.config().clone(), &self.addresses);
    }

    /// Posts JSON. Blocks.
    pub fn post(&self, path: &str, token: &str, body: &Value) -> Result<Value, ClientError> {
        let url = format!("{}{path}", self.base);
        let answer = self
            .agent
            .post(&url)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .send(body.to_string());
        self.read_response(url, answer, MAX_RESPONSE_BYTES)
    }

    /// Gets JSON. Blocks.
    pub fn get(&self, path: &str, token: Option<&str>) -> Result<Value, ClientError> {
        let url = format!("{}{path}", self.base);
        let mut request = self.agent.get(&url);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        self.read_response(url, request.call(), MAX_OVERVIEW_BYTES)
    }

    fn read_response(
        &self,
        url: String,
        response: Response,
        max_bytes: u64,
    ) -> Result<Value, ClientError> {
        if response.is_err() {
            self.addresses.mark_doubtful();
        }
        read_response(url, response, max_bytes)
    }
}

type Response = Result<axum::http::Response<ureq::Body>, ureq::Error>;

/// `ca_certificates`: the CAs to trust; else the public ones.
fn agent(ca_certificates: Option<&CaCertificates>, addresses: &Addresses) -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .tls_config(tls_config(ca_certificates))
        .timeout_global(Some(REQUEST_TIMEOUT))
        .http_status_as_error(false)
        .max_redirects(0)
        .build();
    agent_with(config, addresses)
}

fn agent_with(config: Config, addresses: &Addresses) -> ureq::Agent {
    ureq::Agent::with_parts(config, DefaultConnector::default(), addresses.clone())
}

/// The JSON body of a successful response of at most `max_bytes`.
fn read_response(url: String, response: Response, max_bytes: u64) -> Result<Value, ClientError> {
    // The URL may contain the password of a proxy.
    let url = without_password(&url);
    let unreachable = |error: &dyn std::fmt::Display| ClientError::Unreachable {
        url: url.clone(),
        why: one_line(&error.to_string()),
    };
    let mut response = response.map_err(|error| unreachable(&error))?;
    let status = response.status();
    let max_bytes = if status.is_success() { max_bytes } else { MAX_RESPONSE_BYTES };
    // One byte more than allowed, so that `read_at_most` sees a body that is too long.
    let reader = response.body_mut().with_config().limit(max_bytes + 1).reader();
    let body = files::read_at_most(reader, max_bytes).map_err(|error| unreachable(&error))?;
    let text = files::text::utf8(&body).unwrap_or_default();
    let value = serde_json::from_str::<Value>(text);
    if status.is_success()
        && let Ok(value) = value
    {
        return Ok(value);
    }
    let detail = value
        .ok()
        .and_then(|problem| problem.get("detail")?.as_str().map(one_line))
        .unwrap_or_else(|| "the response is not from an overview; check the URL".to_owned());
    Err(ClientError::Rejected { url, status: status.as_u16(), detail })
}
