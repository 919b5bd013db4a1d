//! Which verdicts follow from the facts at a moment.

use std::cmp::{Ordering, Reverse};
use std::sync::Arc;

use super::component::Component;
use super::component_key::Role;
use super::health::{
    ComponentStatus, Counts, Health, KeyVerdict, Overview, Pulse, ServerStatus, VersionCheck,
    VersionCount,
};
use super::keys::KeyKind;
use super::messenger::Messenger;
use super::server_name::ServerName;
use super::snapshot::Snapshot;
use super::time::Timestamp;
use super::version;
use super::versions::{Running, compared, reference_version, spellings, versions};

impl Snapshot {
    /// All verdicts at `now`, before the hints that follow from them. While
    /// the observer is blind these are the verdicts of its last successful read, with every pulse and health
    /// unknown.
    pub(super) fn verdicts(&self, now: Timestamp) -> Overview {
        let now = self.blind_since.unwrap_or(now);
        let pulses: Vec<(&Arc<Component>, Pulse)> = self
            .components
            .values()
            .map(|component| (component, component.pulse(&self.settings, &self.blind_periods, now)))
            .collect();
        let live = live(&pulses);
        let compared = compared(&pulses, &live);
        let (spellings, reported) = spellings(&compared);
        let versions = versions(&compared, &spellings, &reported);
        let reference = reference_version(&versions);
        let keyed = self.keyed_components();
        let evaluator = Evaluator { snapshot: self, reference, keyed, pulses: &pulses, now };
        let servers = group(
            pulses
                .iter()
                .zip(live)
                .map(|((component, pulse), live)| evaluator.component(component, *pulse, live)),
        );
        let (as_of, next_turn) = self.turns(now);
        let reference_version = evaluator.reference.map(str::to_owned);
        let versions = versions.into_iter().filter(|version| version.components > 0);
        let versions = versions.map(|Running { label, components, servers, .. }| VersionCount {
            version: label.text.to_owned(),
            components,
            servers,
        });
        Overview {
            as_of,
            next_turn,
            blind_since: self.blind_since,
            health: servers.iter().map(|server| server.health).max().unwrap_or_default(),
            counts: counts(&servers),
            reference_version,
            versions: versions.collect(),
            servers,
            findings: Vec::new(),
        }
        .seen_by(self.blind_since)
    }

    /// How many compared components report an encryption key.
    fn keyed_components(&self) -> usize {
        self.components
            .values()
            .filter(|component| !component.is_observer() && component.facts.key_check.is_some())
            .count()
    }
}

impl Overview {
    /// Nobody can tell how anything is while the observer is blind: never green.
    fn seen_by(mut self, blind_since: Option<Timestamp>) -> Self {
        if blind_since.is_none() {
            return self;
        }
        self.health = Health::Unknown;
        for server in &mut self.servers {
            server.health = Health::Unknown;
            for status in &mut server.components {
                status.pulse = Pulse::Unknown;
                status.health = Health::Unknown;
            }
        }
        self.counts = counts(&self.servers);
        self
    }
}

/// Which components are live: alive or late, or a stale web component on the server of one that is.
fn live(pulses: &[(&Arc<Component>, Pulse)]) -> Vec<bool> {
    pulses
        .iter()
        .enumerate()
        .map(|(place, (component, pulse))| {
            // The service, if there is one, follows its server's web component.
            let beside = pulses
                .get(place + 1)
                .is_some_and(|(other, pulse)| other.server == component.server && pulse.is_heard());
            pulse.is_heard() || (*pulse == Pulse::Stale && component.role == Role::Web && beside)
        })
        .collect()
}

impl Snapshot {
    /// Since when a component of this snapshot's overview has its pulse, as far as its last starts and gaps tell.
    pub fn pulse_since(&self, status: &ComponentStatus) -> Option<Timestamp> {
        let component = &status.component;
        let since = component.pulse_since(status.pulse, &self.settings, &self.blind_periods);
        since.or(self.blind_since)
    }
}

/// What every component is compared with.
struct Evaluator<'a> {
    snapshot: &'a Snapshot,
    reference: Option<&'a str>,
    keyed: usize,
    /// By server.
    pulses: &'a [(&'a Arc<Component>, Pulse)],
    now: Timestamp,
}

impl Evaluator<'_> {
    fn component(&self, component: &Arc<Component>, pulse: Pulse, live: bool) -> ComponentStatus {
        let version = self.version(component, pulse);
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
        let health = health.into_iter().fold(pulse.health(component.role), Health::max);
        ComponentStatus {
            component: Arc::clone(component),
            pulse,
            stability,
            health,
            raised_by: None,
            version,
            key,
            machine_key,
            live,
            messenger: self.messenger(component),
        }
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

    /// Whether a web server is not there any more, so that its word on messengers does not count: what it
    /// reports of itself, or the web component of its name, has stopped or is stale.
    fn is_gone(&self, web_server: &str) -> bool {
        let Ok(name) = ServerName::parse(web_server) else { return false };
        let first = self.pulses.partition_point(|(component, _)| component.server < name);
        let same = self.pulses.iter().skip(first);
        let mut same = same.take_while(|(component, _)| component.server == name);
        same.any(|(component, pulse)| {
            let speaks = component.role == Role::Web || component.facts.source.is_own();
            speaks && !pulse.is_heard() && component.server.as_str() == web_server
        })
    }

    fn version(&self, component: &Component, pulse: Pulse) -> Option<VersionCheck> {
        if component.is_observer() || pulse == Pulse::Stopped {
            return None;
        }
        Some(match version::compare(&component.facts.version, self.reference?) {
            Ordering::Equal => VersionCheck::InSync,
            Ordering::Less => VersionCheck::Behind,
            Ordering::Greater => VersionCheck::Ahead,
        })
    }

    fn key(&self, component: &Component) -> Option<KeyVerdict> {
        if component.is_observer() {
            return None;
        }
        if component.facts.key_check.is_none() {
            return (self.keyed > 0).then_some(KeyVerdict::Missing);
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

/// Puts components, ordered by server, under their servers.
fn group(components: impl Iterator<Item = ComponentStatus>) -> Vec<ServerStatus> {
    let mut servers: Vec<ServerStatus> = Vec::new();
    for status in components {
        match servers.last_mut() {
            Some(server) if server.name == status.component.server => {
                server.health = server.health.max(status.health);
                server.components.push(status);
            }
            _ => servers.push(ServerStatus {
                name: status.component.server.clone(),
                health: status.health,
                components: vec![status],
            }),
        }
    }
    servers
}

fn counts(servers: &[ServerStatus]) -> Counts {
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
