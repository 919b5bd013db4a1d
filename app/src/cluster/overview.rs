//! Which verdicts follow from the facts at a moment.

use std::cmp::{Ordering, Reverse};
use std::sync::Arc;

use super::component::Component;
use super::component_key::Role;
use super::health::{
    ComponentStatus, Counts, Health, KeyVerdict, Overview, Pulse, ServerStatus, Stability,
    VersionCheck, VersionCount,
};
use super::keys::KeyKind;
use super::messenger::Messenger;
use super::server_name::ServerName;
use super::snapshot::Snapshot;
use super::time::Timestamp;
use super::version;
use super::versions::{Running, reference_version, spellings, versions};

/// What the verdict on a component depends on besides its facts and the settings.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Comparison {
    /// The version most live components run.
    reference_version: Option<String>,
    /// Whether any compared component reports an encryption key.
    has_key: bool,
    /// Servers whose word on messengers does not count any more, because what they report of themselves, or their web
    /// component, has stopped or is stale.
    gone: Vec<ServerName>,
}

impl Comparison {
    /// Of the components of this overview, which has their pulses. Also returns the versions they run, newest first.
    pub(super) fn new(overview: &Overview) -> (Self, Vec<VersionCount>) {
        let compared: Vec<(&Component, bool)> =
            overview.compared().map(|status| (status.component.as_ref(), status.live)).collect();
        let (spellings, reported) = spellings(&compared);
        let versions = versions(&compared, &spellings, &reported);
        let has_key = compared.iter().any(|(component, _)| component.facts.key_check.is_some());
        let speaks = |status: &ComponentStatus| {
            let component = &status.component;
            let speaks = component.role == Role::Web || component.facts.source.is_own();
            speaks && !status.pulse.is_heard()
        };
        let is_gone = |server: &&ServerStatus| server.components.iter().any(speaks);
        let comparison = Self {
            reference_version: reference_version(&versions).map(str::to_owned),
            has_key,
            gone: overview.servers.iter().filter(is_gone).map(|one| one.name.clone()).collect(),
        };
        let versions = versions.into_iter().filter(|version| version.components > 0);
        let versions = versions.map(|Running { label, components, servers, .. }| VersionCount {
            version: label.text.to_owned(),
            components,
            servers,
        });
        (comparison, versions.collect())
    }

    pub(super) fn reference_version(&self) -> Option<&str> {
        self.reference_version.as_deref()
    }
}

impl ServerStatus {
    /// A server whose components are not judged yet. Web before service.
    fn unjudged(components: &[&Arc<Component>]) -> Option<Self> {
        let unjudged = |component: &&Arc<Component>| ComponentStatus {
            component: Arc::clone(component),
            pulse: Pulse::Unknown,
            stability: Stability::Steady,
            health: Health::Unknown,
            raised_by: None,
            version: None,
            key: None,
            machine_key: None,
            live: false,
            messenger: None,
        };
        let name = components.first()?.server.clone();
        let components = components.iter().map(unjudged).collect();
        Some(Self { name, health: Health::Unknown, components })
    }

    /// Takes the pulses of its components at `now`, and who of them is live: alive or late, or a stale web component beside
    /// one that is.
    pub(super) fn take_pulses(&mut self, snapshot: &Snapshot, now: Timestamp) {
        for status in &mut self.components {
            let Snapshot { settings, blind_periods, .. } = snapshot;
            status.pulse = match snapshot.forgotten_until(&status.component) {
                Some(_) => Pulse::Unknown,
                None => status.component.pulse(settings, blind_periods, now),
            };
        }
        let is_heard = self.components.iter().any(|status| status.pulse.is_heard());
        for status in &mut self.components {
            let is_idle = status.pulse == Pulse::Stale && status.component.role == Role::Web;
            status.live = status.pulse.is_heard() || (is_idle && is_heard);
        }
    }

    /// Judges its components, whose pulses have been taken. Of one whose records were deleted nothing can be said, and while
    /// the observer is blind nobody can tell how anything is: never green.
    pub(super) fn judge(&mut self, snapshot: &Snapshot, comparison: &Comparison, now: Timestamp) {
        let evaluator = Evaluator { snapshot, comparison, now };
        for status in &mut self.components {
            if snapshot.forgotten_until(&status.component).is_some() {
                continue;
            }
            evaluator.judge(status);
            if snapshot.blind_since.is_some() {
                (status.pulse, status.health) = (Pulse::Unknown, Health::Unknown);
            }
        }
        self.health = self.components.iter().map(|status| status.health).max().unwrap_or_default();
    }
}

impl Snapshot {
    /// All servers by name, not judged yet.
    pub(super) fn unjudged_servers(&self) -> Vec<ServerStatus> {
        let components: Vec<&Arc<Component>> = self.components.values().collect();
        let servers = components.chunk_by(|a, b| a.server == b.server);
        servers.filter_map(ServerStatus::unjudged).collect()
    }
}

impl Snapshot {
    /// This snapshot while it could last be judged, and that judgement; `None` if the observer is not blind.
    pub fn last_known(&self) -> Option<(Self, Overview)> {
        let blind_since = self.blind_since?;
        let before = Self { blind_since: None, outage: None, ..self.clone() };
        let overview = before.overview(blind_since);
        Some((before, overview))
    }

    /// Since when a component of this snapshot's overview has its pulse, as far as its last starts and gaps tell.
    pub fn pulse_since(&self, status: &ComponentStatus) -> Option<Timestamp> {
        let component = &status.component;
        let since = component.pulse_since(status.pulse, &self.settings, &self.blind_periods);
        since.or(self.blind_since)
    }
}

/// Judges components one by one.
struct Evaluator<'a> {
    snapshot: &'a Snapshot,
    comparison: &'a Comparison,
    now: Timestamp,
}

impl Evaluator<'_> {
    fn judge(&self, status: &mut ComponentStatus) {
        let component = &status.component;
        let version = self.version(component, status.pulse);
        let key = self.key(component);
        let machine_key = self.machine_key(component);
        let of_version = match version {
            None | Some(VersionCheck::InSync) => Health::Ok,
            Some(VersionCheck::Behind | VersionCheck::Ahead) => Health::Warning,
        };
        let of_key = |verdict: Option<KeyVerdict>| match verdict {
            None | Some(KeyVerdict::InSync) => Health::Ok,
            Some(KeyVerdict::Missing) => Health::Warning,
            Some(KeyVerdict::Mismatch) => Health::Error,
        };
        let (stability, of_stability) =
            component.interruptions.stability(component.role, &self.snapshot.settings, self.now);
        let health = [of_stability, of_version, of_key(key), of_key(machine_key)];
        status.health = health.into_iter().fold(status.pulse.health(component.role), Health::max);
        status.messenger = self.messenger(component);
        status.raised_by = None;
        (status.stability, status.version) = (stability, version);
        (status.key, status.machine_key) = (key, machine_key);
    }

    /// The worst that any of them sees, and of equals the one that has seen it longest.
    fn messenger(&self, component: &Component) -> Option<Arc<Messenger>> {
        let seen = component.messengers.iter().filter(|seen| !self.is_gone(&seen.seen_by));
        let seen = seen.filter(|_| !component.stopped);
        let worst = seen.max_by_key(|seen| {
            (seen.unreachable().is_some(), seen.failure.is_some(), Reverse(seen.since))
        });
        worst.cloned()
    }

    /// Whether a web server is not there any more, so that its word on messengers does not count.
    fn is_gone(&self, web_server: &str) -> bool {
        let Ok(name) = ServerName::parse(web_server) else { return false };
        self.comparison.gone.binary_search(&name).is_ok()
    }

    fn version(&self, component: &Component, pulse: Pulse) -> Option<VersionCheck> {
        if component.is_observer() || pulse == Pulse::Stopped {
            return None;
        }
        Some(
            match version::compare(&component.facts.version, self.comparison.reference_version()?) {
                Ordering::Equal => VersionCheck::InSync,
                Ordering::Less => VersionCheck::Behind,
                Ordering::Greater => VersionCheck::Ahead,
            },
        )
    }

    fn key(&self, component: &Component) -> Option<KeyVerdict> {
        if component.is_observer() {
            return None;
        }
        if component.facts.key_check.is_none() {
            return self.comparison.has_key.then_some(KeyVerdict::Missing);
        }
        self.against_reference(component, KeyKind::Encryption)
    }

    fn machine_key(&self, component: &Component) -> Option<KeyVerdict> {
        if component.is_observer() || component.role != Role::Web {
            return None;
        }
        self.against_reference(component, KeyKind::Machine)
    }

    fn against_reference(&self, component: &Component, kind: KeyKind) -> Option<KeyVerdict> {
        let check = component.check(kind)?;
        let reference = self.snapshot.references.get(kind)?;
        Some(if check == reference.check { KeyVerdict::InSync } else { KeyVerdict::Mismatch })
    }
}

/// How many there are of what.
pub(super) fn counts(servers: &[ServerStatus]) -> Counts {
    let mut counts = Counts { servers: servers.len(), ..Counts::default() };
    for status in servers.iter().flat_map(|server| &server.components) {
        match status.component.role {
            Role::Web => counts.web += 1,
            Role::Service => counts.service += 1,
        }
        match status.pulse {
            Pulse::Alive => counts.alive += 1,
            Pulse::Late => counts.late += 1,
            Pulse::Stale => counts.stale += 1,
            Pulse::Stopped => counts.stopped += 1,
            Pulse::Unknown => counts.unknown += 1,
        }
    }
    counts
}
