//! Runs the timeline of the demo: counts the seconds of each round, and causes the faults that concern the whole
//! cluster.

use std::sync::Arc;
use std::time::Duration;

use app::cluster::{ComponentKey, KeyKind, RejectionReason, Role, ServerName, Settings};
use tokio::sync::watch;
use tokio::time;

use crate::auth::audit::{Action, Actor, AuditEntry};
use crate::demo::timeline::{self, ROUND_SECONDS};
use crate::demo::{Tick, servers};
use crate::site::Site;
use crate::store::admin::{AdminStore, ExclusiveLock};
use crate::store::{MessengerReport, Store, StoreError};

/// The web server that reports the state of the messengers.
const SEEN_BY: &str = "web-1";

/// A server that has not sent a heartbeat yet.
const NEW_SERVER: &str = "web-4";

#[derive(Debug)]
pub(super) struct Driver {
    site: Arc<Site>,
    admin_store: AdminStore,
    lock: Option<ExclusiveLock>,
    /// The settings that it wrote last. A visitor's settings stay until the timeline changes them.
    settings: Option<Settings>,
}

impl Driver {
    pub(super) fn new(site: Arc<Site>, admin_store: AdminStore) -> Self {
        Self { site, admin_store, lock: None, settings: None }
    }

    /// Runs round after round, and sends the ticks that the servers follow.
    pub(super) async fn run(mut self, ticks: watch::Sender<Tick>) {
        let mut seconds = time::interval(Duration::from_secs(1));
        for round in Tick::FIRST.round.. {
            for second in 0..ROUND_SECONDS {
                seconds.tick().await;
                if let Err(error) = self.apply(second).await {
                    tracing::warn!(%error, second, "cannot apply the timeline of the demo in this second; the demo goes on");
                }
                ticks.send_replace(Tick { round, second });
            }
        }
    }

    /// Causes the faults of this second.
    pub(super) async fn apply(&mut self, second: u32) -> Result<(), StoreError> {
        self.site.live.set_max_servers(timeline::max_servers(second));
        self.report_probe(second);
        self.lock_database(second).await?;
        if self.lock.is_some() || self.site.live.is_blind() {
            return Ok(());
        }
        if second == 0 {
            self.reset_keys().await?;
        }
        self.apply_settings(timeline::settings(second)).await?;
        self.remove_components(second).await?;
        self.report_messengers(second).await
    }

    /// Reports a failing probe as the agent of a new server would, or that the probe succeeds.
    fn report_probe(&self, second: u32) {
        let Ok(server) = ServerName::parse(NEW_SERVER) else { return };
        if timeline::new_server_is_unhealthy(second) {
            let reason = "503 Service Unavailable: the database is being upgraded".to_owned();
            let why = RejectionReason::Probe { role: Role::Web, reason };
            self.site.live.note_rejected(&server, why, None);
        } else {
            self.site.live.note_probe_answered(&ComponentKey { server, role: Role::Web });
        }
    }

    /// Locks the database so that the overview cannot write to it, or releases it.
    async fn lock_database(&mut self, second: u32) -> Result<(), StoreError> {
        match (timeline::database_is_unavailable(second), self.lock.take()) {
            (true, None) => self.lock = Some(self.admin_store.lock_exclusively().await?),
            (false, Some(lock)) => lock.release().await?,
            (_, unchanged) => self.lock = unchanged,
        }
        Ok(())
    }

    /// Undoes what a visitor has accepted or set: every round begins like the first.
    async fn reset_keys(&mut self) -> Result<(), StoreError> {
        self.settings = None;
        let references = self.site.live.snapshot().references;
        for (kind, expected) in
            [(KeyKind::Encryption, servers::key()), (KeyKind::Machine, servers::machine_key())]
        {
            if references.get(kind).is_some_and(|reference| reference.check != expected) {
                let entry = entry(Action::AcceptKey, kind.as_str());
                let accept = move |store: Arc<Store>| async move {
                    Ok(((), store.accept_key(kind, expected, &entry).await?))
                };
                self.site.live.change(accept).await?;
            }
        }
        Ok(())
    }

    async fn apply_settings(&mut self, settings: Settings) -> Result<(), StoreError> {
        if self.settings != Some(settings) {
            let entry = entry(Action::Configure, "settings of the demo");
            let set = move |store: Arc<Store>| async move {
                Ok(((), store.set_settings(settings, &entry).await?))
            };
            self.site.live.change(set).await?;
            self.settings = Some(settings);
        }
        Ok(())
    }

    async fn remove_components(&self, second: u32) -> Result<(), StoreError> {
        let snapshot = self.site.live.snapshot();
        let keys: Vec<ComponentKey> = snapshot
            .components
            .into_keys()
            .filter(|key| timeline::is_removed(key.server.as_str(), key.role, second))
            .collect();
        if keys.is_empty() {
            return Ok(());
        }
        let entry = entry(Action::Remove, "removed by the demo");
        let remove = move |store: Arc<Store>| async move {
            Ok(((), store.remove(&keys, &[], Some(&entry)).await?))
        };
        self.site.live.change(remove).await
    }

    /// Reports the messengers whose state has changed.
    async fn report_messengers(&self, second: u32) -> Result<(), StoreError> {
        let snapshot = self.site.live.snapshot();
        let dialled =
            snapshot.components.iter().filter(|(_, one)| one.facts.messenger_port.is_some());
        let differ = dialled.filter_map(|(key, component)| {
            let failure = timeline::messenger(key.server.as_str(), second);
            let known = component.messengers.first();
            known.is_none_or(|known| known.failure != failure).then(|| MessengerReport {
                key: key.clone(),
                outcome: Some(failure.map_or(Ok(()), Err)),
            })
        });
        let differ: Vec<MessengerReport> = differ.collect();
        if differ.is_empty() {
            return Ok(());
        }
        self.site.live.note_messengers(differ, SEEN_BY.to_owned()).await
    }
}

/// The demo's changes are in the audit log like all others.
fn entry(action: Action, target: &str) -> AuditEntry {
    let actor = Actor { name: "demo".to_owned(), ..Actor::command() };
    AuditEntry::done(&actor, action, target)
}
