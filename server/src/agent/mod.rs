//! The loop of a node: gather facts, post them, obey the answer, never give up, say goodbye.

pub mod api_client;
pub mod credential_file;
pub mod health_probe;
pub mod host;
mod log;
mod proof;

use std::future::Future;
use std::net::IpAddr;
use std::time::Duration;

use app::cluster::{Os, Role};
use serde_json::{Value, json};

use crate::agent::api_client::{Client, ClientError};
use crate::agent::credential_file::Credential;
use crate::agent::health_probe::{Probe, Unwell, Well};
use crate::agent::log::Log;
pub use crate::agent::proof::{Proof, ProofError};
use crate::clock;
use crate::files::key::KeyFile;
use crate::http::api::dto;
use crate::messenger::MessengerListener;
use crate::net::back_off::back_off;

/// Before the overview has said how often to beat.
const FIRST_INTERVAL: Duration = Duration::from_secs(30);
/// An answer may tell it to beat no sooner and no later than this, whatever it says.
const LEAST_INTERVAL: Duration = Duration::from_millis(500);
const LONGEST_INTERVAL: Duration = Duration::from_hours(1);
/// How often to look whether the server's address has changed.
const LOOK_AROUND: Duration = Duration::from_secs(5);

/// What a node says of itself.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The server's name.
    pub server: String,
    /// The component.
    pub role: Role,
    /// The product.
    pub product: Option<String>,
    /// Its version.
    pub version: String,
    /// Whether somebody said it: what a probed product says then does not count.
    pub told_version: bool,
    /// The operating system.
    pub os: Os,
    /// The server's address, if it was given one.
    pub ip: Option<IpAddr>,
    /// The file with its key.
    pub key_file: Option<KeyFile>,
}

impl Facts {
    /// What a product says of itself counts where nobody said otherwise.
    fn learn(&mut self, Well { product, version }: Well) {
        self.product = self.product.take().or(product);
        if let Some(version) = version.filter(|_| !self.told_version) {
            self.version = version;
        }
    }
}

/// A node that beats.
pub struct Agent {
    client: Client,
    proof: Proof,
    facts: Facts,
    /// What the web servers hear at once, where it listens for them.
    voice: Option<MessengerListener>,
    /// How the product is asked that cannot speak for itself.
    probe: Option<Probe>,
    boot_id: String,
    sequence: i64,
    /// Where it last said to be.
    address: Option<IpAddr>,
    log: Log,
}

impl std::fmt::Debug for Agent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Agent").field("facts", &self.facts).finish_non_exhaustive()
    }
}

impl Agent {
    /// A node that has just started.
    pub fn new(
        client: Client,
        proof: Proof,
        facts: Facts,
        voice: Option<MessengerListener>,
    ) -> Self {
        let boot_id = uuid::Uuid::new_v4().hyphenated().to_string();
        Self {
            client,
            proof,
            facts,
            voice,
            probe: None,
            boot_id,
            sequence: 0,
            address: None,
            log: Log::default(),
        }
    }

    /// The same, for a product that is asked for its health: it beats with each good answer.
    #[must_use]
    pub fn asking(self, probe: Probe) -> Self {
        Self { probe: Some(probe), ..self }
    }

    /// Beats until `shutdown`, then says goodbye.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) {
        tokio::pin!(shutdown);
        let mut interval = FIRST_INTERVAL;
        let mut failures = 0;
        loop {
            let wait = match self.beat(false).await {
                Ok(next) => {
                    if failures > 0 || self.sequence == 1 {
                        self.log.heard(&self.facts.server);
                    }
                    failures = 0;
                    interval = next;
                    next
                }
                Err(error) => {
                    failures += 1;
                    self.log.trouble(&error, failures);
                    back_off(failures, interval)
                }
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.moves() => {}
                () = &mut shutdown => break,
            }
        }
        if let Err(error) = self.beat(true).await {
            tracing::warn!(%error, "could not say goodbye; the overview will find this server silent");
        }
    }

    /// One heartbeat; the answer says when to send the next.
    async fn beat(&mut self, leaving: bool) -> Result<Duration, AgentError> {
        self.client.renew_trust();
        if self.proof.wants_credential() && !leaving {
            self.enrol().await?;
        }
        if let Some(probe) = self.probe.clone().filter(|_| !leaving) {
            match probe.ask(self.facts.role).await {
                Ok(well) => self.facts.learn(well),
                Err(unwell) => return Err(self.tell(unwell).await),
            }
        }
        let address = self.address_now().await?;
        if self.address.is_some_and(|before| before != address) {
            self.client.hang_up();
        }
        // Texts and numbers: nothing that JSON cannot represent.
        let body = serde_json::to_value(self.heartbeat(leaving, address)).unwrap_or_default();
        self.sequence += 1;
        if let Some(voice) = &self.voice {
            voice.bear(&self.proof.secret()?);
            // What the web servers know already is said by the other road alone.
            if leaving || self.address != Some(address) {
                voice.say(&body);
            }
        }
        self.address = Some(address);
        let answer = match self.post("/api/v1/heartbeats", body).await {
            // Its credential was revoked, or is for another server: the join token, if it is good, gets it another.
            Err(error) if error.is_about_proof() => {
                self.proof.doubt();
                return Err(error);
            }
            answer => answer?,
        };
        let next = answer.get("next_in_ms").and_then(Value::as_u64);
        let next = next.map_or(FIRST_INTERVAL, Duration::from_millis);
        Ok(next.clamp(LEAST_INTERVAL, LONGEST_INTERVAL))
    }

    /// Tells the overview why there is no heartbeat, as far as that can be told.
    async fn tell(&self, unwell: Unwell) -> AgentError {
        let Facts { server, role, .. } = &self.facts;
        let body = json!({"server": server, "role": role, "reason": unwell.to_string()});
        // A former version does not listen to it.
        let _ = self.post("/api/v1/probe-failures", body).await;
        AgentError::Probe(unwell)
    }

    /// Asks for a credential of its own. An overview that gives none is beaten to with what there is.
    async fn enrol(&mut self) -> Result<(), AgentError> {
        let body = json!({"server": self.facts.server});
        match self.post("/api/v1/enrolments", body).await {
            Ok(answer) => {
                let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
                if let (Some(id), Some(secret)) = (text("id"), text("credential")) {
                    self.log.enrolled(&self.facts.server, &id, self.proof.foreign.as_deref());
                    let server = &self.facts.server;
                    self.proof.keep(Credential::given(id, secret, server, clock::wall()));
                }
                Ok(())
            }
            // A former version knows no enrolments.
            Err(AgentError::Client(ClientError::Refused { status: 404 | 405, .. })) => {
                self.proof.keeps = false;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    async fn post(&self, path: &'static str, body: Value) -> Result<Value, AgentError> {
        let (client, secret) = (self.client.clone(), self.proof.secret()?);
        let posted = tokio::task::spawn_blocking(move || client.post(path, &secret, &body));
        match posted.await {
            Ok(answer) => Ok(answer?),
            // The blocking task cannot panic; if the runtime ends first, there is nothing to wait for.
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
            messenger_port: self.voice.as_ref().and_then(MessengerListener::port),
            leaving: Some(leaving),
            probed: Some(self.probe.is_some()),
        }
    }

    /// Ends when this server has another address than it last said.
    async fn moves(&self) {
        loop {
            tokio::time::sleep(LOOK_AROUND).await;
            let address = self.address_now().await.ok();
            if self.address.is_some() && address.is_some() && self.address != address {
                return;
            }
        }
    }

    /// The address it was given, or the one this server reaches the overview from; asked each time, for
    /// it may change. Where that cannot be found out, the last one stands.
    async fn address_now(&self) -> Result<IpAddr, ClientError> {
        if let Some(given) = self.facts.ip {
            return Ok(given);
        }
        let client = self.client.clone();
        let asked = tokio::task::spawn_blocking(move || client.own_address()).await;
        let asked = asked.unwrap_or_else(|ended| Err(self.client.unreachable(&ended)));
        asked.or_else(|error| self.address.ok_or(error))
    }
}

/// Why the overview did not hear the node.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// There is nothing to prove itself with.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The overview did not take it.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The product is not well, so there is none.
    #[error("a probe of the product fails: {0}")]
    Probe(Unwell),
}

impl AgentError {
    /// Whether the overview does not accept what the node proves itself with.
    fn is_about_proof(&self) -> bool {
        matches!(self, Self::Client(ClientError::Refused { status: 401 | 403, .. }))
    }
}
