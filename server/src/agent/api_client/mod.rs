//! How this program asks an overview over HTTP.

mod resolver;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::http::Uri;
use serde_json::Value;
use ureq::config::Config;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::resolver::Resolver as _;
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use self::resolver::Addresses;
use crate::agent::host;
use crate::files;
use crate::files::kept::Kept;
use crate::store::without_password;
use crate::telemetry::outside_text::one_line;

/// How long a request may take, its answer included.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest picture of a cluster that is read.
const MAX_PICTURE_BYTES: u64 = 256 << 20;
/// The largest of all other answers: to a heartbeat, an enrolment, and every refusal.
const MAX_ANSWER_BYTES: u64 = 64 << 10;

/// Why there was no good answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nothing answered.
    #[error("cannot reach {url}: {why}")]
    Unreachable {
        /// What was asked.
        url: String,
        /// Why, in one line.
        why: String,
    },
    /// The certificates to trust cannot be had.
    #[error("cannot use the certificates in {}: {why}", .path.display())]
    Trust {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The answer was a refusal.
    #[error("{url} answered {status}: {detail}")]
    Refused {
        /// What was asked.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What the answer says about it, in one line.
        detail: String,
    },
}

/// The certificates to trust, as a file holds them.
#[derive(Clone, PartialEq)]
struct Trusted(Vec<Vec<u8>>);

impl Trusted {
    fn read(path: &Path) -> Result<Self, ClientError> {
        let unusable = |why: String| ClientError::Trust { path: path.to_owned(), why };
        let pem = files::read_pem(path).map_err(|error| unusable(error.to_string()))?;
        let mut found = Vec::new();
        for item in parse_pem(&pem) {
            if let PemItem::Certificate(certificate) =
                item.map_err(|error| unusable(error.to_string()))?
            {
                found.push(certificate.der().to_vec());
            }
        }
        if found.is_empty() {
            return Err(unusable("it holds no certificate".to_owned()));
        }
        Ok(Self(found))
    }

    fn certificates(&self) -> Vec<Certificate<'static>> {
        self.0.iter().map(|der| Certificate::from_der(der).to_owned()).collect()
    }
}

/// One overview, asked again and again over kept connections.
#[derive(Clone, Debug)]
pub struct Client {
    base: String,
    agent: ureq::Agent,
    addresses: Addresses,
    trust: Option<Trust>,
}

/// The file with the certificates to trust, and those in use.
#[derive(Clone)]
struct Trust {
    file: Arc<Kept<Trusted, ClientError>>,
    in_use: Trusted,
}

impl std::fmt::Debug for Trust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Trust").field(&self.file).finish()
    }
}

impl Client {
    /// The overview at this address; over TLS, with a certificate that one of this file vouches for, or
    /// one of those that browsers trust.
    pub fn new(overview: &str, trusted: Option<&Path>) -> Result<Self, ClientError> {
        let trust = match trusted {
            Some(path) => {
                let file = Arc::new(Kept::open(path, Trusted::read)?);
                Some(Trust { in_use: file.get()?, file })
            }
            None => None,
        };
        let addresses = Addresses::default();
        let agent = agent(trust.as_ref().map(|trust| &trust.in_use), &addresses);
        Ok(Self { base: overview.trim_end_matches('/').to_owned(), agent, addresses, trust })
    }

    /// Trusts the certificates that are in the file now.
    pub fn renew_trust(&mut self) {
        let Some(trust) = &mut self.trust else { return };
        if let Ok(now) = trust.file.get()
            && now != trust.in_use
        {
            self.agent = agent(Some(&now), &self.addresses);
            trust.in_use = now;
        }
    }

    /// From which address this machine reaches the overview. Its name is looked up only if no request did. Blocks.
    pub fn own_address(&self) -> Result<IpAddr, ClientError> {
        let peer = self.addresses.first().map_or_else(|| self.look_up(), Ok)?;
        let no_route = || self.unreachable(&format_args!("no route to {}", peer.ip()));
        host::address_towards(peer).ok_or_else(no_route)
    }

    fn look_up(&self) -> Result<SocketAddr, ClientError> {
        let uri: Uri = self.base.parse().map_err(|error| self.unreachable(&error))?;
        let found = self.addresses.resolve(&uri, self.agent.config(), NextTimeout::default());
        let found = found.map_err(|error| self.unreachable(&error))?;
        found.first().copied().ok_or_else(|| self.unreachable(&"its name has no address"))
    }

    /// That nothing answered, and why.
    pub fn unreachable(&self, why: &dyn std::fmt::Display) -> ClientError {
        ClientError::Unreachable {
            url: without_password(&self.base),
            why: one_line(&why.to_string()),
        }
    }

    /// Gives up the kept connections: who has another address now is not answered over them, and would
    /// wait in vain.
    pub fn hang_up(&mut self) {
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
        self.understand(url, answer, MAX_ANSWER_BYTES)
    }

    /// Gets JSON. Blocks.
    pub fn get(&self, path: &str, token: Option<&str>) -> Result<Value, ClientError> {
        let url = format!("{}{path}", self.base);
        let mut request = self.agent.get(&url);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        self.understand(url, request.call(), MAX_PICTURE_BYTES)
    }

    fn understand(&self, url: String, answer: Outcome, most: u64) -> Result<Value, ClientError> {
        if answer.is_err() {
            self.addresses.doubt();
        }
        understand(url, answer, most)
    }
}

/// What came of a request.
type Outcome = Result<axum::http::Response<ureq::Body>, ureq::Error>;

/// What requests are sent with: it trusts these certificates, or those that browsers trust.
fn agent(trusted: Option<&Trusted>, addresses: &Addresses) -> ureq::Agent {
    let tls = TlsConfig::builder();
    let tls = match trusted {
        Some(trusted) => tls.root_certs(RootCerts::Specific(Arc::new(trusted.certificates()))),
        None => tls,
    };
    let config = ureq::Agent::config_builder()
        .tls_config(tls.build())
        .timeout_global(Some(REQUEST_TIMEOUT))
        .http_status_as_error(false)
        .max_redirects(0)
        .build();
    agent_with(config, addresses)
}

fn agent_with(config: Config, addresses: &Addresses) -> ureq::Agent {
    ureq::Agent::with_parts(config, DefaultConnector::default(), addresses.clone())
}

/// What an answer says. A good one may have so many bytes.
fn understand(url: String, answer: Outcome, most: u64) -> Result<Value, ClientError> {
    // A proxy's password may stand in the address.
    let url = without_password(&url);
    let unreachable = |error: &dyn std::fmt::Display| ClientError::Unreachable {
        url: url.clone(),
        why: one_line(&error.to_string()),
    };
    let mut answer = answer.map_err(|error| unreachable(&error))?;
    let status = answer.status();
    let most = if status.is_success() { most } else { MAX_ANSWER_BYTES };
    // One byte more than may be read, so that too much is told from just enough.
    let reader = answer.body_mut().with_config().limit(most + 1).reader();
    let body = files::read_at_most(reader, most).map_err(|error| unreachable(&error))?;
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
        .unwrap_or_else(|| "no explanation; is this the overview's address?".to_owned());
    Err(ClientError::Refused { url, status: status.as_u16(), detail })
}
