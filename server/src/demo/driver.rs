//! How the demo goes on: counts the seconds of each round, and does to the cluster as a whole what the
//! script has people and disks do.

use std::sync::Arc;
use std::time::Duration;

use app::cluster::{ComponentKey, KeyKind, RejectionReason, Role, ServerName, Settings};
use tokio::sync::watch;
use tokio::time;

use crate::auth::audit::{Action, Actor, Entry};
use crate::demo::timeline::{self, ROUND};
use crate::demo::{Tick, servers};
use crate::site::Site;
use crate::store::admin::{AdminStore, ExclusiveLock};
use crate::store::{MessengerReport, Store, StoreError};

/// The web server that sees how the messengers are.
const SEEN_BY: &str = "web-1";

/// The server that has not reported yet.
const NEW_SERVER: &str = "web-4";

/// Whoever is not a server of the cluster.
#[derive(Debug)]
pub(super) struct Driver {
    site: Arc<Site>,
    beside: AdminStore,
    away: Option<ExclusiveLock>,
    /// The settings it set last: what a visitor sets meanwhile stays until the script wants others.
    settings: Option<Settings>,
}

impl Driver {
    /// One who has done nothing yet.
    pub(super) fn new(site: Arc<Site>, beside: AdminStore) -> Self {
        Self { site, beside, away: None, settings: None }
    }

    /// Directs round after round. Everybody else acts on the cues.
    pub(super) async fn direct(mut self, cues: watch::Sender<Tick>) {
        let mut seconds = time::interval(Duration::from_secs(1));
        for round in Tick::FIRST.round.. {
            for second in 0..ROUND {
                seconds.tick().await;
                if let Err(error) = self.prepare(second).await {
                    tracing::warn!(%error, second, "the demo goes on without a change");
                }
                cues.send_replace(Tick { round, second });
            }
        }
    }

    /// Does what the script has people and disks do in this second.
    pub(super) async fn prepare(&mut self, second: u32) -> Result<(), StoreError> {
        self.site.live.limit_servers(timeline::max_servers(second));
        self.probe_new_server(second);
        self.lend_database(second).await?;
        if self.away.is_some() || self.site.live.is_blind() {
            return Ok(());
        }
        if second == 0 {
            self.forget_visitors().await?;
        }
        self.set(timeline::settings(second)).await?;
        self.remove(second).await?;
        self.dial(second).await
    }

    /// Says for an agent that its product does not answer, or that it does.
    fn probe_new_server(&self, second: u32) {
        let Ok(server) = ServerName::parse(NEW_SERVER) else { return };
        if timeline::new_server_is_unwell(second) {
            let reason = "503 Service Unavailable: the database is being upgraded".to_owned();
            let why = RejectionReason::Probe { role: Role::Web, reason };
            self.site.live.refused(&server, why, None);
        } else {
            self.site.live.probe_answered(&ComponentKey { server, role: Role::Web });
        }
    }

    /// Takes the database away from the overview, or gives it back.
    async fn lend_database(&mut self, second: u32) -> Result<(), StoreError> {
        match (timeline::database_is_away(second), self.away.take()) {
            (true, None) => self.away = Some(self.beside.lock_exclusively().await?),
            (false, Some(away)) => away.release().await?,
            (_, as_it_is) => self.away = as_it_is,
        }
        Ok(())
    }

    /// A round begins like the first, whatever key or settings a visitor has tried.
    async fn forget_visitors(&mut self) -> Result<(), StoreError> {
        self.settings = None;
        let references = self.site.live.snapshot().references;
        for (kind, right) in
            [(KeyKind::Encryption, servers::key()), (KeyKind::Machine, servers::machine_key())]
        {
            if references.get(kind).is_some_and(|reference| reference.check != right) {
                let entry = entry(Action::AcceptKey, kind.as_str());
                let accept = move |store: Arc<Store>| async move {
                    Ok(((), store.accept_key(kind, right, &entry).await?))
                };
                self.site.live.change(accept).await?;
            }
        }
        Ok(())
    }

    async fn set(&mut self, settings: Settings) -> Result<(), StoreError> {
        if self.settings != Some(settings) {
            let entry = entry(Action::Configure, "the script's settings");
            let set = move |store: Arc<Store>| async move {
                Ok(((), store.set_settings(settings, &entry).await?))
            };
            self.site.live.change(set).await?;
            self.settings = Some(settings);
        }
        Ok(())
    }

    /// Removes whom the script wants removed now.
    async fn remove(&self, second: u32) -> Result<(), StoreError> {
        let snapshot = self.site.live.snapshot();
        let keys: Vec<ComponentKey> = snapshot
            .components
            .into_keys()
            .filter(|key| timeline::is_removed(key.server.as_str(), key.role, second))
            .collect();
        if keys.is_empty() {
            return Ok(());
        }
        let entry = entry(Action::Remove, "whom the script removes");
        let remove = move |store: Arc<Store>| async move {
            Ok(((), store.remove(&keys, &[], Some(&entry)).await?))
        };
        self.site.live.change(remove).await
    }

    /// Notes how the messengers are, where that has changed.
    async fn dial(&self, second: u32) -> Result<(), StoreError> {
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

/// What the director does is written down like anybody's doing.
fn entry(action: Action, target: &str) -> Entry {
    let actor = Actor { name: "demo".to_owned(), ..Actor::command() };
    Entry::done(&actor, action, target)
}
