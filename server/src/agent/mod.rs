//! The agent: sends the heartbeats of one component until it is asked to stop, and reports that it stops.

mod agent_auth;
pub mod api_client;
pub mod credential_file;
pub mod health_probe;
pub mod host;
mod log;

use std::future::Future;
use std::net::IpAddr;
use std::time::Duration;

use app::cluster::{Os, Role};
use serde_json::{Value, json};

pub use crate::agent::agent_auth::{AgentAuth, AgentAuthError};
use crate::agent::api_client::{Client, ClientError};
use crate::agent::credential_file::Credential;
use crate::agent::health_probe::{Healthy, Probe, Unhealthy};
use crate::agent::log::AgentLog;
use crate::clock;
use crate::files::key::KeyFile;
use crate::http::api::dto;
use crate::messenger::MessengerListener;
use crate::net::back_off::back_off;

/// The heartbeat interval until the overview has answered.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(30);
/// Limits of the interval that an answer sets.
const MIN_INTERVAL: Duration = Duration::from_millis(500);
const MAX_INTERVAL: Duration = Duration::from_hours(1);
/// How often to check whether the server's address has changed.
const ADDRESS_CHECK_PERIOD: Duration = Duration::from_secs(5);

/// What the agent reports about its component.
#[derive(Clone, Debug)]
pub struct Facts {
    pub server: String,
    pub role: Role,
    pub product: Option<String>,
    pub version: String,
    /// Whether the version comes from an option. Then the answer of a health probe does not change it.
    pub is_version_fixed: bool,
    pub os: Os,
    /// From an option; else the agent finds it out.
    pub ip: Option<IpAddr>,
    pub key_file: Option<KeyFile>,
}

impl Facts {
    /// Adds what the product said about itself. Options take precedence.
    fn update(&mut self, Healthy { product, version }: Healthy) {
        self.product = self.product.take().or(product);
        if let Some(version) = version.filter(|_| !self.is_version_fixed) {
            self.version = version;
        }
    }
}

/// Sends the heartbeats of one component.
pub struct Agent {
    client: Client,
    auth: AgentAuth,
    facts: Facts,
    messenger: Option<MessengerListener>,
    probe: Option<Probe>,
    boot_id: String,
    sequence: i64,
    /// The address in the last heartbeat.
    address: Option<IpAddr>,
    log: AgentLog,
}

impl std::fmt::Debug for Agent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Agent").field("facts", &self.facts).finish_non_exhaustive()
    }
}

impl Agent {
    /// An agent with a boot ID of its own. `messenger`: for a service that listens for the web servers.
    pub fn new(
        client: Client,
        auth: AgentAuth,
        facts: Facts,
        messenger: Option<MessengerListener>,
    ) -> Self {
        let boot_id = uuid::Uuid::new_v4().hyphenated().to_string();
        Self {
            client,
            auth,
            facts,
            messenger,
            probe: None,
            boot_id,
            sequence: 0,
            address: None,
            log: AgentLog::default(),
        }
    }

    /// Sends heartbeats only while this health probe succeeds.
    #[must_use]
    pub fn with_probe(self, probe: Probe) -> Self {
        Self { probe: Some(probe), ..self }
    }

    /// Sends heartbeats until `shutdown`, then reports that the component stops.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) {
        tokio::pin!(shutdown);
        let mut interval = DEFAULT_INTERVAL;
        let mut failures = 0;
        loop {
            let wait = match self.send_heartbeat(false).await {
                Ok(next) => {
                    if failures > 0 || self.sequence == 1 {
                        self.log.accepted(&self.facts.server);
                    }
                    failures = 0;
                    interval = next;
                    next
                }
                Err(error) => {
                    failures += 1;
                    self.log.failed(&error, failures);
                    back_off(failures, interval)
                }
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.address_changed() => {}
                () = &mut shutdown => break,
            }
        }
        if let Err(error) = self.send_heartbeat(true).await {
            tracing::warn!(
                %error,
                "cannot report that this component stops; the overview will show it as stale after the stale timeout"
            );
        }
    }

    /// Sends one heartbeat. Returns when to send the next.
    async fn send_heartbeat(&mut self, leaving: bool) -> Result<Duration, AgentError> {
        self.client.reload_ca_file();
        if self.auth.needs_credential() && !leaving {
            self.enrol().await?;
        }
        if let Some(probe) = self.probe.clone().filter(|_| !leaving) {
            match probe.check(self.facts.role).await {
                Ok(healthy) => self.facts.update(healthy),
                Err(unhealthy) => return Err(self.report_probe_failure(unhealthy).await),
            }
        }
        let address = self.current_address().await?;
        if self.address.is_some_and(|before| before != address) {
            self.client.close_connections();
        }
        // Texts and numbers: nothing that JSON cannot represent.
        let body = serde_json::to_value(self.heartbeat(leaving, address)).unwrap_or_default();
        self.sequence += 1;
        if let Some(messenger) = &self.messenger {
            messenger.set_secret(&self.auth.secret()?);
            // The messenger carries only what the web servers do not know yet.
            if leaving || self.address != Some(address) {
                messenger.publish(&body);
            }
        }
        self.address = Some(address);
        let answer = match self.post("/api/v1/heartbeats", body).await {
            // The credential was revoked, or belongs to another server. The agent enrols again if it has a join token.
            Err(error) if error.is_unauthorized() => {
                self.auth.discard_credential();
                return Err(error);
            }
            answer => answer?,
        };
        let next = answer.get("next_in_ms").and_then(Value::as_u64);
        let next = next.map_or(DEFAULT_INTERVAL, Duration::from_millis);
        Ok(next.clamp(MIN_INTERVAL, MAX_INTERVAL))
    }

    /// Reports to the overview why there is no heartbeat, if it can be reached.
    async fn report_probe_failure(&self, unhealthy: Unhealthy) -> AgentError {
        let Facts { server, role, .. } = &self.facts;
        let body = json!({"server": server, "role": role, "reason": unhealthy.to_string()});
        // An overview of an older version has no such route.
        let _ = self.post("/api/v1/probe-failures", body).await;
        AgentError::Probe(unhealthy)
    }

    /// Requests a credential for this server. With an overview that gives none the agent goes on using the join token.
    async fn enrol(&mut self) -> Result<(), AgentError> {
        let body = json!({"server": self.facts.server});
        match self.post("/api/v1/enrolments", body).await {
            Ok(answer) => {
                let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
                if let (Some(id), Some(secret)) = (text("id"), text("credential")) {
                    self.log.enrolled(&self.facts.server, &id, self.auth.other_server());
                    let server = &self.facts.server;
                    self.auth.save(Credential::new(id, secret, server, clock::wall()));
                }
                Ok(())
            }
            // An overview of an older version.
            Err(AgentError::Client(ClientError::Rejected { status: 404 | 405, .. })) => {
                self.auth.disable_enrolment();
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    async fn post(&self, path: &'static str, body: Value) -> Result<Value, AgentError> {
        let (client, secret) = (self.client.clone(), self.auth.secret()?);
        let posted = tokio::task::spawn_blocking(move || client.post(path, &secret, &body));
        match posted.await {
            Ok(answer) => Ok(answer?),
            // The task does not panic. It is cancelled only when the whole process ends.
            Err(_) => Ok(Value::Null),
        }
    }

    fn heartbeat(&self, leaving: bool, ip: IpAddr) -> dto::Heartbeat {
        let facts = &self.facts;
        dto::Heartbeat {
            server: facts.server.clone(),
            role: facts.role.into(),
            product: facts.product.clone(),
            version: facts.version.clone(),
            os: (&facts.os).into(),
            ip: ip.to_string(),
            boot_id: self.boot_id.clone(),
            sequence: self.sequence,
            sent_at: Some(clock::wall().rfc3339()),
            key_check: facts.key_file.as_ref().and_then(|file| file.get().ok()),
            machine_key_check: None,
            messenger_port: self.messenger.as_ref().and_then(MessengerListener::port),
            leaving: Some(leaving),
            probed: Some(self.probe.is_some()),
        }
    }

    /// Resolves when the server has another address than in the last heartbeat.
    async fn address_changed(&self) {
        loop {
            tokio::time::sleep(ADDRESS_CHECK_PERIOD).await;
            let address = self.current_address().await.ok();
            if self.address.is_some() && address.is_some() && self.address != address {
                return;
            }
        }
    }

    /// The address from the options, or the one from which this server reaches the overview. If that cannot be found out, the
    /// last one.
    async fn current_address(&self) -> Result<IpAddr, ClientError> {
        if let Some(ip) = self.facts.ip {
            return Ok(ip);
        }
        let client = self.client.clone();
        let found = tokio::task::spawn_blocking(move || client.own_address()).await;
        let found = found.unwrap_or_else(|error| Err(self.client.unreachable(&error)));
        found.or_else(|error| self.address.ok_or(error))
    }
}

/// Why no heartbeat was delivered.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    #[error(transparent)]
    Auth(#[from] AgentAuthError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("the health probe of the product failed: {0}")]
    Probe(Unhealthy),
}

impl AgentError {
    /// Whether the overview rejected the token or the credential.
    fn is_unauthorized(&self) -> bool {
        matches!(self, Self::Client(ClientError::Rejected { status: 401 | 403, .. }))
    }
}
