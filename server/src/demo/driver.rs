//! Runs the timeline of the demo: counts the seconds of each round, and causes the faults that concern the whole
//! cluster.

use std::sync::Arc;
use std::time::Duration;

use app::cluster::{ComponentKey, Heartbeat, KeyKind, ServerName, Settings, Timestamp, Upkeep};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{self, Interval};

use crate::auth::audit::{Action, Actor, AuditEntry};
use crate::demo::DemoError;
use crate::demo::sim_node::SimNode;
use crate::demo::timeline::{self, ROUND_SECONDS};
use crate::demo::{fault::Fault, servers};
use crate::site::Site;
use crate::store::admin::{AdminStore, ExclusiveLock};
use crate::store::{Commit, MessengerReport, ReceiveOutcome, Store, StoreError};

/// The web server that reports the state of the messengers. Its web component never stops.
const SEEN_BY: &str = "web-2";

#[derive(Debug)]
pub(super) struct Driver {
    site: Arc<Site>,
    admin_store: AdminStore,
    lock: Option<ExclusiveLock>,
    /// The settings that it wrote last. A visitor's settings stay until the timeline changes them.
    settings: Option<Settings>,
    /// When the past ended and the rounds began.
    began: Timestamp,
}

impl Driver {
    pub(super) fn new(site: Arc<Site>, admin_store: AdminStore) -> Self {
        let began = site.live.now();
        Self { site, admin_store, lock: None, settings: None, began }
    }

    /// Runs round after round. `nodes` are those of the first one.
    pub(super) async fn run(mut self, mut nodes: Vec<SimNode>) {
        let mut seconds = time::interval(Duration::from_secs(1));
        loop {
            self.run_round(nodes, &mut seconds).await;
            nodes = loop {
                match self.begin_round().await {
                    Ok(nodes) => break nodes,
                    Err(error) => {
                        tracing::warn!(%error, "cannot begin the next round of the demo; tries again");
                        seconds.tick().await;
                    }
                }
            };
        }
    }

    /// Begins the first round with the components of the past: their processes go on.
    pub(super) async fn begin_first_round(&mut self) -> Result<Vec<SimNode>, DemoError> {
        let mut nodes = self.nodes()?;
        let snapshot = self.site.live.snapshot();
        for node in &mut nodes {
            if let Some(component) = snapshot.components.get(&node.key()) {
                node.resume(&component.boots.current);
            }
        }
        self.apply_settings(timeline::settings(0)).await?;
        let first: Vec<Heartbeat> = nodes.iter_mut().filter_map(SimNode::first_heartbeat).collect();
        let receive =
            |store: Arc<Store>| async move { Ok(((), store.receive(first).await?.commit)) };
        self.site.live.change(receive).await?;
        self.site.live.change_upkeep(|_| Upkeep::default());
        self.apply(0).await?;
        Ok(nodes)
    }

    /// Forgets the round before, and lets the components of the next one send their first heartbeats: all at once, so
    /// that the page never shows a part of the cluster.
    async fn begin_round(&mut self) -> Result<Vec<SimNode>, DemoError> {
        let mut nodes = self.nodes()?;
        self.reset_keys().await?;
        self.apply_settings(timeline::settings(0)).await?;
        self.replace_servers(nodes.iter_mut().filter_map(SimNode::first_heartbeat).collect())
            .await?;
        self.apply(0).await?;
        Ok(nodes)
    }

    fn nodes(&self) -> Result<Vec<SimNode>, DemoError> {
        let nodes = servers::components()
            .map(|(server, role)| SimNode::new(server, role, self.site.intake.clone()));
        nodes.collect::<Result<_, _>>().map_err(DemoError::Name)
    }

    /// Runs the components for one round, and waits until they have ended.
    async fn run_round(&mut self, nodes: Vec<SimNode>, seconds: &mut Interval) {
        let (ticks, tick) = watch::channel(0);
        let mut running = JoinSet::new();
        for node in nodes {
            running.spawn(node.run(tick.clone()));
        }
        for second in 0..ROUND_SECONDS {
            seconds.tick().await;
            if let Err(error) = self.apply(second).await {
                tracing::warn!(%error, second, "cannot apply the timeline of the demo in this second; the demo goes on");
            }
            ticks.send_replace(second);
        }
        drop(ticks);
        while running.join_next().await.is_some() {}
    }

    /// Causes the faults of this second.
    async fn apply(&mut self, second: u32) -> Result<(), StoreError> {
        self.site.live.set_max_servers(timeline::max_servers(second));
        self.set_upkeep(second);
        self.report_rejections(second);
        self.lock_database(second).await?;
        if self.lock.is_some() || self.site.live.is_blind() {
            return Ok(());
        }
        self.apply_settings(timeline::settings(second)).await?;
        self.remove_components(second).await?;
        self.report_messengers(second).await
    }

    /// Begins or ends the scene of the overview's own needs, in place of checks. Its times stay the same while it lasts.
    fn set_upkeep(&mut self, second: u32) {
        let live = &self.site.live;
        let upkeep = timeline::upkeep(second, live.now());
        if (upkeep == Upkeep::default()) != (live.snapshot().upkeep == Upkeep::default()) {
            live.change_upkeep(|_| upkeep);
        }
    }

    /// Removes all servers and the blind periods since the first round, and receives the first heartbeats of the new
    /// ones: what happened in a round would otherwise be shown for up to an hour.
    async fn replace_servers(&self, first: Vec<Heartbeat>) -> Result<(), StoreError> {
        let snapshot = self.site.live.snapshot();
        let rejected = snapshot.rejected.into_iter().map(|rejected| rejected.server);
        let keys: Vec<ComponentKey> = snapshot.components.into_keys().collect();
        let servers: Vec<ServerName> =
            keys.iter().map(|key| key.server.clone()).chain(rejected).collect();
        let entry = entry(Action::Remove, "all servers, for the next round of the demo");
        let began = self.began;
        let replace = move |store: Arc<Store>| async move {
            let forgotten = store.delete_blind_periods(began).await?;
            let removed = store.remove(&keys, &servers, Some(&entry)).await?;
            let ReceiveOutcome { commit, .. } = store.receive(first).await?;
            let removed = Commit { earlier: Some(Box::new(forgotten)), ..removed };
            Ok(((), Commit { earlier: Some(Box::new(removed)), ..commit }))
        };
        self.site.live.change(replace).await
    }

    /// Reports that heartbeats are rejected, or that a product does not answer its probe.
    fn report_rejections(&self, second: u32) {
        for (server, role) in servers::components() {
            let Ok(name) = ServerName::parse(server.name) else { continue };
            for fault in timeline::faults(server.name, role, second) {
                if let Some(why) = fault.rejection(role) {
                    let from = (fault == Fault::TokenRevoked).then_some(server.ip);
                    self.site.live.note_rejected(&name, why, from);
                }
            }
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
        // Others end a probe's failure by their next heartbeat.
        let unreported = snapshot.rejected.iter().filter_map(|rejected| {
            let key =
                ComponentKey { server: rejected.server.clone(), role: rejected.why.probed()? };
            let faults = timeline::faults(key.server.as_str(), key.role, second);
            let has_ended =
                !snapshot.has_server(&key.server) && !faults.contains(&Fault::ProbeFails);
            has_ended.then_some(key)
        });
        let present = snapshot
            .components
            .keys()
            .filter(|key| timeline::is_removed(key.server.as_str(), key.role, second));
        let keys: Vec<ComponentKey> = present.cloned().chain(unreported).collect();
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
