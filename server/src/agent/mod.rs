//! The loop of a node: gather facts, post them, obey the answer, never give up, say goodbye.

pub mod api_client;
pub mod credential_file;
pub mod health_probe;
pub mod host;

use std::future::Future;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use app::cluster::{Os, Role};
use serde_json::{Value, json};

use crate::agent::api_client::{Client, ClientError};
use crate::agent::credential_file::{Credential, CredentialError};
use crate::agent::health_probe::{Probe, Unwell, Well};
use crate::auth::secret::{SecretError, read_secret};
use crate::clock;
use crate::files::kept::Kept;
use crate::files::key::KeyFile;
use crate::http::api::dto;
use crate::messenger::MessengerListener;
use crate::net::back_off::back_off;
use crate::telemetry::log_limit::LogLimits;
use crate::telemetry::outside_text::one_line;

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

/// What a node proves itself with: the join token at first contact, its own credential from then on.
#[derive(Debug)]
pub struct Proof {
    /// The join token, if there is one.
    token: Kept<String, SecretError>,
    path: PathBuf,
    /// The server that it proves.
    server: String,
    credential: Option<Credential>,
    /// For which other server the credential in the file is: this one was renamed, or is a copy of that one.
    foreign: Option<String>,
    /// Where a credential cannot be kept, the join token goes on proving the node.
    keeps: bool,
}

impl Proof {
    /// The credential of `server` in the file at `path`, or else the join token, which must be there then.
    pub fn of(token_file: &Path, path: PathBuf, server: &str) -> Result<Self, ProofError> {
        let found = Credential::read(&path)?;
        let foreign = found.as_ref().and_then(|found| found.foreign_to(server)).map(str::to_owned);
        let credential = found.filter(|_| foreign.is_none());
        let token = Kept::new(token_file, read_secret);
        if credential.is_none() && foreign.is_none() {
            token.get()?;
        }
        Ok(Self { token, path, server: server.to_owned(), credential, foreign, keeps: true })
    }

    /// The secret that every request bears.
    fn secret(&self) -> Result<String, ProofError> {
        if let Some(credential) = &self.credential {
            return Ok(credential.reveal().to_owned());
        }
        let token = self.token.get();
        match &self.foreign {
            Some(other) => token.map_err(|source| self.no_token(other.clone(), source)),
            None => Ok(token?),
        }
    }

    fn no_token(&self, other: String, source: SecretError) -> ProofError {
        let (path, server) = (self.path.clone(), self.server.clone());
        ProofError::Foreign { path, other, server, source: Box::new(source) }
    }

    /// Whether a credential should be asked for now.
    fn wants_credential(&self) -> bool {
        self.keeps && self.credential.as_ref().is_none_or(|known| known.is_old(clock::wall()))
    }

    /// The credential is not accepted, any more or for this server: the next trial enrols again, if there is a join
    /// token.
    fn doubt(&mut self) {
        if self.token.get().is_ok() {
            self.credential = None;
        }
    }

    /// Keeps what an enrolment gave.
    fn keep(&mut self, given: Credential) {
        match given.write(&self.path) {
            Ok(()) => {
                self.credential = Some(given);
                self.foreign = None;
            }
            Err(error) => {
                self.keeps = false;
                tracing::warn!(%error, "this server's credential cannot be kept, so the join token goes on proving it");
            }
        }
    }
}

/// Why a node has nothing to prove itself with.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// No join token.
    #[error(transparent)]
    Token(#[from] SecretError),
    /// No credential.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// A credential of another server, and no join token.
    #[error(
        "the credential file {} is for the server {other}, and this agent reports as {server}: give it a join token so that it can enrol ({source}), or start it with --name {other} if it was not renamed",
        .path.display()
    )]
    Foreign {
        /// The credential file.
        path: PathBuf,
        /// The server that the credential is for.
        other: String,
        /// The server that the agent reports.
        server: String,
        /// Why there is no join token.
        source: Box<SecretError>,
    },
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

/// What the agent says in its log: each thing at most once a minute, whatever the overview answers.
#[derive(Debug, Default)]
struct Log {
    troubles: LogLimits<Trouble>,
    heard: LogLimits<()>,
    enrolled: LogLimits<()>,
}

/// Kinds of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Trouble {
    Proof,
    Token,
    Probe,
    Overview,
}

impl Log {
    fn trouble(&self, error: &AgentError, failures: u32) {
        let kind = match error {
            AgentError::Proof(_) => Trouble::Proof,
            AgentError::Client(_) if error.is_about_proof() => Trouble::Token,
            AgentError::Probe(_) => Trouble::Probe,
            AgentError::Client(_) => Trouble::Overview,
        };
        let Some(left_out) = self.troubles.check(kind) else { return };
        match kind {
            Trouble::Proof => {
                tracing::error!(%error, left_out, "no heartbeat is sent; trying again");
            }
            Trouble::Token => {
                tracing::error!(%error, left_out, "the overview does not accept this token; trying on");
            }
            Trouble::Probe => {
                tracing::warn!(%error, failures, left_out, "no heartbeat is sent; asking on");
            }
            Trouble::Overview => {
                tracing::warn!(%error, failures, left_out, "the heartbeat was not taken; trying on");
            }
        }
    }

    fn heard(&self, server: &str) {
        if self.heard.check(()).is_some() {
            tracing::info!(server, "the overview hears this server");
        }
    }

    /// The number is the overview's word.
    fn enrolled(&self, server: &str, id: &str, former: Option<&str>) {
        if let Some(left_out) = self.enrolled.check(()) {
            let id = one_line(id);
            tracing::info!(
                server,
                id,
                former,
                left_out,
                "enrolled: this server has its own credential"
            );
        }
    }
}
