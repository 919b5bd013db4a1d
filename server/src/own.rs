//! What the overview reports of itself: its web component beats on requests, its service every
//! interval, and both say goodbye.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use app::cluster::{Heartbeat, KeyCheck, Os, Role, ServerName, facts};
use tokio::sync::Notify;

use crate::clock;
use crate::intake::Intake;

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
    /// The check of its key.
    pub key_check: Option<KeyCheck>,
    /// `Own` with a product's version, else `Observer`.
    pub reporter: facts::Reporter,
}

/// Reports the components of this very process, which need no wire for it.
#[derive(Debug)]
pub struct Reporter {
    identity: Identity,
    roles: Vec<Role>,
    boot_id: String,
    sequence: AtomicI64,
    asked: Notify,
    intake: Intake,
}

impl Reporter {
    /// Components of these roles, not yet beating.
    pub fn new(identity: Identity, roles: Vec<Role>, intake: Intake) -> Arc<Self> {
        Arc::new(Self {
            identity,
            roles,
            boot_id: uuid::Uuid::new_v4().hyphenated().to_string(),
            sequence: AtomicI64::new(0),
            asked: Notify::new(),
            intake,
        })
    }

    /// Somebody asked the web component something.
    pub fn was_asked(&self) {
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

    /// One heartbeat; how long to wait until the next.
    async fn beat(&self, role: Role, leaving: bool) -> Duration {
        let Identity { server, product, version, os, ip, key_check, reporter } =
            self.identity.clone();
        let heartbeat = Heartbeat {
            server,
            role,
            product,
            version,
            os,
            ip: ip.into(),
            boot_id: self.boot_id.clone(),
            sequence: self.sequence.fetch_add(1, Ordering::Relaxed),
            sent_at: Some(clock::wall()),
            key_check,
            machine_key_check: None,
            messenger_port: None,
            leaving,
            reporter,
        };
        match self.intake.take(vec![heartbeat]).await {
            Ok(taken) => taken.next_in(),
            Err(_) => Duration::from_secs(1),
        }
    }
}
