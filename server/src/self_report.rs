//! The heartbeats of the overview itself: its web component reports after requests, its service component at every
//! interval, and both when it stops.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use app::cluster::{ComponentFacts, Heartbeat, KeyCheck, Os, Role, ServerName, Source};
use tokio::sync::Notify;

use crate::auth::AuthService;
use crate::clock;
use crate::files::key::KeySource;
use crate::ingest::Ingest;
use crate::messenger::MessengerListener;

/// How often the messenger's keys are compared with the join tokens and credentials.
const KEY_CHECK_INTERVAL: Duration = Duration::from_secs(5);
/// How long to wait after a heartbeat that was rejected.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// What the overview reports of itself.
#[derive(Clone, Debug)]
pub struct SelfReport {
    pub server: ServerName,
    /// The product that it belongs to.
    pub product: Option<String>,
    /// The product's version, or the overview's own.
    pub version: String,
    pub os: Os,
    pub ip: IpAddr,
    pub key: Option<KeySource>,
    /// `Own` with a product's version, else `Observer`.
    pub source: Source,
}

/// Reports the components of this process. Their heartbeats do not go through HTTP.
#[derive(Debug)]
pub struct SelfReporter {
    report: SelfReport,
    roles: Vec<Role>,
    boot_id: String,
    sequence: AtomicI64,
    requested: Notify,
    ingest: Ingest,
    messenger: OnceLock<MessengerListener>,
    /// A messenger without keys accepts nobody, so its port is not announced.
    has_messenger_keys: AtomicBool,
}

impl SelfReporter {
    pub fn new(report: SelfReport, roles: Vec<Role>, ingest: Ingest) -> Arc<Self> {
        Arc::new(Self {
            report,
            roles,
            boot_id: uuid::Uuid::new_v4().hyphenated().to_string(),
            sequence: AtomicI64::new(0),
            requested: Notify::new(),
            ingest,
            messenger: OnceLock::new(),
            has_messenger_keys: AtomicBool::new(false),
        })
    }

    pub(crate) fn boot_id(&self) -> &str {
        &self.boot_id
    }

    /// The web component has served a request.
    pub fn note_request(&self) {
        self.requested.notify_one();
    }

    /// Sends the first heartbeat of each component, before the first request is answered.
    pub async fn start(&self) {
        for role in &self.roles {
            self.send_heartbeat(*role, false).await;
        }
    }

    /// Sends heartbeats until it is dropped.
    pub async fn run(self: Arc<Self>) {
        let web = async {
            let mut wait = Duration::ZERO;
            while self.roles.contains(&Role::Web) {
                tokio::time::sleep(wait).await;
                self.requested.notified().await;
                wait = self.send_heartbeat(Role::Web, false).await;
            }
        };
        let service = async {
            while self.roles.contains(&Role::Service) {
                let wait = self.send_heartbeat(Role::Service, false).await;
                tokio::time::sleep(wait).await;
            }
        };
        tokio::join!(web, service);
    }

    /// Reports that the components stop.
    pub async fn stop(&self) {
        for role in &self.roles {
            self.send_heartbeat(*role, true).await;
        }
    }

    /// The port at which other web servers can reach the messenger of this component.
    fn messenger_port(&self, role: Role) -> Option<u16> {
        let is_reachable = role == Role::Service && self.has_messenger_keys.load(Ordering::Relaxed);
        self.messenger.get().filter(|_| is_reachable).and_then(MessengerListener::port)
    }

    /// Sends one heartbeat. Returns how long to wait until the next one.
    async fn send_heartbeat(&self, role: Role, leaving: bool) -> Duration {
        let SelfReport { server, product, version, os, ip, key, source } = self.report.clone();
        let key_check = read_key_check(key).await;
        let heartbeat = Heartbeat {
            server,
            role,
            boot_id: self.boot_id.clone(),
            sequence: self.sequence.fetch_add(1, Ordering::Relaxed),
            sent_at: Some(clock::wall()),
            leaving,
            facts: ComponentFacts {
                product,
                version,
                os,
                ip: ip.into(),
                key_check,
                machine_key_check: None,
                messenger_port: self.messenger_port(role),
                source,
            },
        };
        match self.ingest.submit(vec![heartbeat]).await {
            Ok(accepted) => accepted.next_in(),
            Err(_) => RETRY_INTERVAL,
        }
    }

    /// Opens a messenger at this port for the service in this process, so that the other web servers notice at once
    /// when it stops. Does nothing if no service or no address is reported.
    pub(crate) async fn open_messenger(self: Arc<Self>, port: u16, auth: Arc<AuthService>) {
        if !self.roles.contains(&Role::Service) || self.report.ip.is_unspecified() {
            return;
        }
        let messenger = MessengerListener::open(port, self.report.server.as_str()).await;
        if self.messenger.set(messenger).is_ok() {
            tokio::spawn(self.update_messenger_keys(auth));
        }
    }

    /// Gives the messenger the keys that all web servers have: the service in this process has no token of its own.
    async fn update_messenger_keys(self: Arc<Self>, auth: Arc<AuthService>) {
        let Some(messenger) = self.messenger.get() else { return };
        loop {
            let secrets = auth.candidate_secrets(&self.report.server);
            messenger.set_keys(&secrets);
            let has_keys = !secrets.is_empty();
            if self.has_messenger_keys.swap(has_keys, Ordering::Relaxed) != has_keys {
                // It announces the port, or no longer does.
                self.send_heartbeat(Role::Service, false).await;
            }
            tokio::time::sleep(KEY_CHECK_INTERVAL).await;
        }
    }
}

/// The key may have changed since the last heartbeat.
async fn read_key_check(key: Option<KeySource>) -> Option<KeyCheck> {
    match key? {
        KeySource::Product(check) => Some(check),
        KeySource::File(file) => {
            let read = tokio::task::spawn_blocking(move || file.get().ok());
            read.await.ok().flatten()
        }
    }
}
