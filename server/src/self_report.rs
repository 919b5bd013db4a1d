//! What the overview reports of itself: its web component beats on requests, its service every
//! interval, and both say goodbye.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use app::cluster::{ComponentFacts, Heartbeat, KeyCheck, Os, Role, ServerName, Source};
use tokio::sync::Notify;

use crate::auth::Access;
use crate::clock;
use crate::files::key::KeySource;
use crate::ingest::Ingest;
use crate::messenger::MessengerListener;

/// What the overview says of itself in every heartbeat.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Its server's name.
    pub server: ServerName,
    /// The product it belongs to.
    pub product: Option<String>,
    /// That product's version, or its own.
    pub version: String,
    /// Its system.
    pub os: Os,
    /// Its address.
    pub ip: IpAddr,
    /// Where its key is.
    pub key: Option<KeySource>,
    /// `Own` with a product's version, else `Observer`.
    pub source: Source,
}

/// Reports the components of this very process, which need no wire for it.
#[derive(Debug)]
pub struct Reporter {
    identity: Identity,
    roles: Vec<Role>,
    boot_id: String,
    sequence: AtomicI64,
    asked: Notify,
    intake: Ingest,
    /// Where other web servers hear that its service lives.
    voice: OnceLock<MessengerListener>,
    /// Whether they share a key with it: a port at which nobody is let in is not announced.
    shares: AtomicBool,
}

/// How often is looked which keys the web servers share.
const KEYS_EVERY: Duration = Duration::from_secs(5);

impl Reporter {
    /// Components of these roles, not yet beating.
    pub fn new(identity: Identity, roles: Vec<Role>, intake: Ingest) -> Arc<Self> {
        Arc::new(Self {
            identity,
            roles,
            boot_id: uuid::Uuid::new_v4().hyphenated().to_string(),
            sequence: AtomicI64::new(0),
            asked: Notify::new(),
            intake,
            voice: OnceLock::new(),
            shares: AtomicBool::new(false),
        })
    }

    /// The boot ID under which it reports.
    pub(crate) fn boot_id(&self) -> &str {
        &self.boot_id
    }

    /// Somebody asked the web component something.
    pub fn note_request(&self) {
        self.asked.notify_one();
    }

    /// The first heartbeat of each component, before the first request is answered.
    pub async fn arrive(&self) {
        for role in &self.roles {
            self.beat(*role, false).await;
        }
    }

    /// Beats for as long as the process lives.
    pub async fn live(self: Arc<Self>) {
        let web = async {
            let mut wait = Duration::ZERO;
            while self.roles.contains(&Role::Web) {
                tokio::time::sleep(wait).await;
                self.asked.notified().await;
                wait = self.beat(Role::Web, false).await;
            }
        };
        let service = async {
            while self.roles.contains(&Role::Service) {
                let wait = self.beat(Role::Service, false).await;
                tokio::time::sleep(wait).await;
            }
        };
        tokio::join!(web, service);
    }

    /// Says goodbye.
    pub async fn leave(&self) {
        for role in &self.roles {
            self.beat(*role, true).await;
        }
    }

    /// The port at which this component is to be dialled, if it is.
    fn announced(&self, role: Role) -> Option<u16> {
        let speaks = role == Role::Service && self.shares.load(Ordering::Relaxed);
        self.voice.get().filter(|_| speaks).and_then(MessengerListener::port)
    }

    /// One heartbeat; how long to wait until the next.
    async fn beat(&self, role: Role, leaving: bool) -> Duration {
        let Identity { server, product, version, os, ip, key, source } = self.identity.clone();
        let key_check = check_of(key).await;
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
                messenger_port: self.announced(role),
                source,
            },
        };
        match self.intake.take(vec![heartbeat]).await {
            Ok(taken) => taken.next_in(),
            Err(_) => Duration::from_secs(1),
        }
    }
}

/// The check of the key as it is now.
async fn check_of(key: Option<KeySource>) -> Option<KeyCheck> {
    match key? {
        KeySource::Product(check) => Some(check),
        KeySource::File(file) => {
            let read = tokio::task::spawn_blocking(move || file.get().ok());
            read.await.ok().flatten()
        }
    }
}

impl Reporter {
    /// Lets the other web servers of the cluster dial the service in this process, at this port: they notice at once when
    /// it dies. If it reports no service, or has no address, nothing is opened.
    pub(crate) async fn listen_as_service(self: Arc<Self>, port: u16, access: Arc<Access>) {
        if !self.roles.contains(&Role::Service) || self.identity.ip.is_unspecified() {
            return;
        }
        let voice = MessengerListener::open(port, self.identity.server.as_str()).await;
        if self.voice.set(voice).is_ok() {
            tokio::spawn(self.follow_join_tokens(access));
        }
    }

    /// The service in this process has no token of its own: it shares with the dialers what all web servers know.
    async fn follow_join_tokens(self: Arc<Self>, access: Arc<Access>) {
        let Some(voice) = self.voice.get() else { return };
        loop {
            let known = access.borne_by(&self.identity.server);
            voice.share(&known);
            if self.shares.swap(!known.is_empty(), Ordering::Relaxed) == known.is_empty() {
                self.beat(Role::Service, false).await;
            }
            tokio::time::sleep(KEYS_EVERY).await;
        }
    }
}
