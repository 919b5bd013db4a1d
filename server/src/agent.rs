//! The loop of a node: gather facts, post them, obey the answer, never give up, say goodbye.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, ToSocketAddrs as _};
use std::time::Duration;

use app::cluster::{KeyCheck, Os, Role};
use serde_json::{Value, json};

use crate::client::{Client, ClientError};
use crate::{clock, node};

/// Before the overview has said how often to beat.
const FIRST_INTERVAL: Duration = Duration::from_secs(30);
/// The shortest wait after a failure.
const LEAST_WAIT: Duration = Duration::from_millis(250);
/// How often a refused token is complained of.
const COMPLAIN_EVERY: Duration = Duration::from_mins(1);

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
    /// The operating system.
    pub os: Os,
    /// The server's address, if it was given one.
    pub ip: Option<IpAddr>,
    /// The check of its key.
    pub key_check: Option<KeyCheck>,
}

/// A node that beats.
pub struct Agent {
    client: Client,
    token: String,
    facts: Facts,
    boot_id: String,
    sequence: i64,
}

impl std::fmt::Debug for Agent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Agent").field("facts", &self.facts).finish_non_exhaustive()
    }
}

impl Agent {
    /// A node that has just started.
    pub fn new(client: Client, token: String, facts: Facts) -> Self {
        let boot_id = uuid::Uuid::new_v4().hyphenated().to_string();
        Self { client, token, facts, boot_id, sequence: 0 }
    }

    /// Beats until `shutdown`, then says goodbye.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) {
        tokio::pin!(shutdown);
        let mut interval = FIRST_INTERVAL;
        let mut failures = 0;
        let mut quiet = Quiet::default();
        loop {
            let wait = match self.beat(false).await {
                Ok(next) => {
                    if failures > 0 || self.sequence == 1 {
                        tracing::info!(
                            server = self.facts.server,
                            "the overview hears this server"
                        );
                    }
                    failures = 0;
                    interval = next;
                    next
                }
                Err(error) => {
                    failures += 1;
                    quiet.complain(&error, failures);
                    back_off(failures, interval)
                }
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = &mut shutdown => break,
            }
        }
        if let Err(error) = self.beat(true).await {
            tracing::warn!(%error, "could not say goodbye; the overview will find this server silent");
        }
    }

    /// One heartbeat; the answer says when to send the next.
    async fn beat(&mut self, leaving: bool) -> Result<Duration, ClientError> {
        let body = self.heartbeat(leaving);
        self.sequence += 1;
        let (client, token) = (self.client.clone(), self.token.clone());
        let posted =
            tokio::task::spawn_blocking(move || client.post("/api/v1/heartbeats", &token, &body));
        let answer = match posted.await {
            Ok(answer) => answer?,
            // The blocking task cannot panic; if the runtime ends first, there is nothing to wait for.
            Err(_) => return Ok(FIRST_INTERVAL),
        };
        let next = answer.get("next_in_ms").and_then(Value::as_u64);
        Ok(next.map_or(FIRST_INTERVAL, Duration::from_millis))
    }

    fn heartbeat(&self, leaving: bool) -> Value {
        let facts = &self.facts;
        json!({
            "server": facts.server,
            "role": facts.role,
            "product": facts.product,
            "version": facts.version,
            "os": facts.os,
            "ip": facts.ip.unwrap_or_else(|| self.address()),
            "boot_id": self.boot_id,
            "sequence": self.sequence,
            "sent_at": clock::wall().rfc3339(),
            "key_check": facts.key_check,
            "leaving": leaving,
        })
    }

    /// The address this server reaches the overview from; asked each time, for it may change.
    fn address(&self) -> IpAddr {
        self.client
            .authority()
            .and_then(|authority| authority.to_socket_addrs().ok()?.next())
            .and_then(node::address_towards)
            .unwrap_or(Ipv4Addr::LOCALHOST.into())
    }
}

/// Full jitter: anything up to a limit that doubles with each failure, but never longer than one
/// interval.
fn back_off(failures: u32, interval: Duration) -> Duration {
    let limit = (LEAST_WAIT * 2_u32.saturating_pow(failures.min(10))).min(interval);
    let mut random = [0; 4];
    // Without randomness the longest wait is taken.
    let share = match getrandom::fill(&mut random) {
        Ok(()) => f64::from(u32::from_le_bytes(random)) / f64::from(u32::MAX),
        Err(_) => 1.0,
    };
    limit.mul_f64(share).max(LEAST_WAIT.min(interval))
}

/// Says each trouble once, then at most once a minute.
#[derive(Default)]
struct Quiet {
    until: Option<app::cluster::Timestamp>,
}

impl Quiet {
    fn complain(&mut self, error: &ClientError, failures: u32) {
        let now = clock::wall();
        if failures > 1 && self.until.is_some_and(|until| now < until) {
            return;
        }
        let pause = i64::try_from(COMPLAIN_EVERY.as_millis()).unwrap_or(i64::MAX);
        self.until = Some(now + app::cluster::Span(pause));
        if error.is_unauthorized() {
            tracing::error!(%error, "the overview does not know this token; trying on");
        } else {
            tracing::warn!(%error, failures, "the heartbeat was not taken; trying on");
        }
    }
}
