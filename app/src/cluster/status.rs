//! Which verdicts follow from the facts: pulse, version, keys, health, and the overview of all.

use std::cmp::{Ordering, Reverse};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::facts::{Component, Messenger, Role, ServerName};
use super::keys::KeyKind;
use super::order::sorted;
use super::settings::Settings;
use super::silence::{self, Spell};
use super::snapshot::Snapshot;
use super::time::{Span, Timestamp};
use super::version;

/// How a component's heartbeat is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pulse {
    /// Heard of in time.
    Alive,
    /// A service silent for more than twice the interval.
    Late,
    /// Silent for longer than its limit.
    Stale,
    /// It said goodbye.
    Stopped,
    /// The observer is blind.
    Unknown,
}

impl Pulse {
    /// Every pulse, best first.
    pub const ALL: [Self; 5] = [Self::Alive, Self::Late, Self::Stale, Self::Stopped, Self::Unknown];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::Late => "late",
            Self::Stale => "stale",
            Self::Stopped => "stopped",
            Self::Unknown => "unknown",
        }
    }

    /// How far this pulse is from alive, to tell whether a change makes it worse.
    pub const fn severity(self) -> u8 {
        match self {
            Self::Alive => 0,
            Self::Late => 1,
            Self::Stale | Self::Stopped | Self::Unknown => 2,
        }
    }

    /// Whether the component answers, if perhaps tardily.
    pub const fn is_heard(self) -> bool {
        matches!(self, Self::Alive | Self::Late)
    }

    /// What this pulse means for the health of a component with this role.
    pub const fn health(self, role: Role) -> Health {
        match (self, role) {
            (Self::Alive, _) => Health::Ok,
            (Self::Unknown, _) => Health::Unknown,
            (Self::Late | Self::Stopped, _) | (Self::Stale, Role::Web) => Health::Warning,
            (Self::Stale, Role::Service) => Health::Error,
        }
    }
}

/// How well something is; the order of the cases is the order of the rule.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Well.
    #[default]
    Ok,
    /// Nobody can tell.
    Unknown,
    /// Wants attention.
    Warning,
    /// Wants attention now.
    Error,
}

impl Health {
    /// Every health, worst first, as a list of trouble is read.
    pub const WORST_FIRST: [Self; 4] = [Self::Error, Self::Warning, Self::Unknown, Self::Ok];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// How a component's version stands to the reference version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VersionCheck {
    /// It is the reference version, or one of equal order.
    InSync,
    /// It is older.
    Behind,
    /// It is newer.
    Ahead,
}

/// How a component's key stands to the reference key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyVerdict {
    /// It is the reference key.
    InSync,
    /// It is another: what others encrypt cannot be read there.
    Mismatch,
    /// It reports none while others report one.
    Missing,
}

/// One component with its verdicts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentStatus {
    /// The facts.
    pub component: Arc<Component>,
    /// Its heartbeat.
    pub pulse: Pulse,
    /// The worst of all its verdicts.
    pub health: Health,
    /// Its version; `None` where not judged.
    pub version: Option<VersionCheck>,
    /// Its encryption key; `None` where not judged.
    pub key: Option<KeyVerdict>,
    /// Its machine key; `None` where not judged.
    pub machine_key: Option<KeyVerdict>,
    /// Alive or Late, or an idle web component.
    pub live: bool,
    /// Its messenger as the worst off of the web servers that are still there finds it; `None` where
    /// none has dialled it, or it has stopped.
    pub messenger: Option<Arc<Messenger>>,
}

/// One server with its components.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerStatus {
    /// Its name, as first reported.
    pub name: ServerName,
    /// The worst of its components.
    pub health: Health,
    /// Web before service.
    pub components: Vec<ComponentStatus>,
}

impl ServerStatus {
    /// The component heard of last: whose word on system and address counts for the server.
    pub fn latest(&self) -> Option<&Component> {
        self.components
            .iter()
            .map(|status| status.component.as_ref())
            .max_by_key(|component| component.last_heartbeat)
    }
}

/// How many there are of what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Servers.
    pub servers: usize,
    /// Web components.
    pub web: usize,
    /// Services.
    pub service: usize,
    /// Components alive.
    pub alive: usize,
    /// Components late.
    pub late: usize,
    /// Components stale.
    pub stale: usize,
    /// Components stopped.
    pub stopped: usize,
    /// Components nobody can tell about.
    pub unknown: usize,
}

/// How widely one version runs, versions of equal order counted together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VersionCount {
    /// The version, in the spelling that most live components report.
    pub version: String,
    /// Components that run it, the stopped ones left out.
    pub components: usize,
    /// Servers with such a component.
    pub servers: usize,
}

/// The whole picture with verdicts, at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview {
    /// The moment of the last change of a fact or verdict.
    pub as_of: Timestamp,
    /// Since when nobody can tell.
    pub blind_since: Option<Timestamp>,
    /// The worst of all servers, and of what is said about the cluster as a whole.
    pub health: Health,
    /// Totals.
    pub counts: Counts,
    /// The version most live components run; of equally common ones the newest.
    pub reference_version: Option<String>,
    /// Versions in use, newest first.
    pub versions: Vec<VersionCount>,
    /// Servers by name.
    pub servers: Vec<ServerStatus>,
}

impl Overview {
    /// Every component, by server and role.
    pub fn components(&self) -> impl Iterator<Item = &ComponentStatus> + Clone {
        self.servers.iter().flat_map(|server| &server.components)
    }

    /// The components that are compared with one another: all but the observer's own.
    pub fn compared(&self) -> impl Iterator<Item = &ComponentStatus> + Clone {
        self.components().filter(|status| !status.component.is_observer())
    }
}

impl Component {
    /// Silence beyond this makes it stale: the setting for its role, but never less than twice the
    /// interval it was last told.
    pub fn stale_limit(&self, settings: &Settings) -> Span {
        let setting = match self.role {
            Role::Web => settings.web_window(),
            Role::Service => settings.stale_timeout(),
        };
        setting.max(self.told_interval.times(2))
    }

    /// Silence beyond this makes a service late: twice the longer of today's interval and the one
    /// it was last told.
    pub fn late_limit(&self, settings: &Settings) -> Span {
        settings.interval().max(self.told_interval).times(2)
    }

    /// Its silence: the time since its last heartbeat in which somebody watched.
    pub fn silence(&self, spells: &[Spell], now: Timestamp) -> Span {
        silence::silence(self.last_heartbeat, now, spells)
    }

    /// Its pulse for an observer that is not blind: the first line of the rule that fits.
    pub fn pulse(&self, settings: &Settings, spells: &[Spell], now: Timestamp) -> Pulse {
        if self.stopped {
            return Pulse::Stopped;
        }
        if self.silence(spells, now) > self.stale_limit(settings) {
            return Pulse::Stale;
        }
        let limit = self.late_limit(settings);
        if self.role == Role::Service && silence::is_late(self.last_heartbeat, now, limit, spells) {
            return Pulse::Late;
        }
        Pulse::Alive
    }
}

impl Snapshot {
    /// All verdicts at `now`: one pure function, the same on the server and in the browser. While
    /// the observer is blind these are the verdicts of its last sight, with every pulse and health
    /// unknown.
    pub fn overview(&self, now: Timestamp) -> Overview {
        let now = self.blind_since.unwrap_or(now);
        let pulses: Vec<(&Arc<Component>, Pulse)> = self
            .components
            .values()
            .map(|component| (component, component.pulse(&self.settings, &self.spells, now)))
            .collect();
        let live = live(&pulses);
        let compared = compared(&pulses, &live);
        let (spellings, reported) = spellings(&compared);
        let versions = versions(&compared, &spellings, &reported);
        let reference = reference_version(&versions);
        let keyed = self.keyed_components();
        let judge = Judge { snapshot: self, reference, keyed, pulses: &pulses };
        let servers = group(
            pulses
                .iter()
                .zip(live)
                .map(|((component, pulse), live)| judge.component(component, *pulse, live)),
        );
        let reference_version = judge.reference.map(str::to_owned);
        let versions = versions.into_iter().filter(|version| version.components > 0);
        let versions = versions.map(|Running { label, components, servers, .. }| VersionCount {
            version: label.text.to_owned(),
            components,
            servers,
        });
        Overview {
            as_of: self.as_of(now),
            blind_since: self.blind_since,
            health: servers
                .iter()
                .map(|server| server.health)
                .max()
                .unwrap_or_default()
                .max(self.health_of_capacity(servers.len()))
                .max(self.health_of_unreported(now)),
            counts: counts(&servers),
            reference_version,
            versions: versions.collect(),
            servers,
        }
        .seen_by(self.blind_since)
    }

    /// How many compared components report an encryption key.
    fn keyed_components(&self) -> usize {
        self.components
            .values()
            .filter(|component| !component.is_observer() && component.key_check.is_some())
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

/// Which components are live: heard of, or a stale web component beside one that is.
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

/// How widely one spelling of a version is reported.
struct Spelling<'a> {
    text: &'a str,
    /// Components that are live.
    live: usize,
    /// Components that are not stopped.
    running: usize,
}

/// How widely one version is reported, in all its spellings.
struct Running<'a> {
    /// Components that are live.
    live: usize,
    /// Its label is the spelling that most live components report: build metadata that only some have, or
    /// that differs, does not stand for the others.
    label: &'a Spelling<'a>,
    components: usize,
    servers: usize,
    /// The last server that was counted.
    last: Option<&'a ServerName>,
}

/// The compared components, which are in the order of their servers, and whether each is live.
fn compared<'a>(
    pulses: &[(&'a Arc<Component>, Pulse)],
    live: &[bool],
) -> Vec<(&'a Component, bool)> {
    let all = pulses.iter().zip(live).map(|((component, _), live)| {
        let component: &'a Arc<Component> = component;
        (component.as_ref(), *live)
    });
    all.filter(|(component, _)| !component.is_observer()).collect()
}

/// Every spelling of a version among these components, and which of them each component reports.
fn spellings<'a>(compared: &[(&'a Component, bool)]) -> (Vec<Spelling<'a>>, Vec<usize>) {
    // Nearly always they are the same text.
    let by_text = sorted(compared.len(), &|a, b| compared[a].0.version.cmp(&compared[b].0.version));
    let mut found: Vec<Spelling<'a>> = Vec::new();
    let mut reported = vec![0; compared.len()];
    for place in by_text {
        let (component, live) = compared[place];
        let text = component.version.as_str();
        if found.last().is_none_or(|last| last.text != text) {
            found.push(Spelling { text, live: 0, running: 0 });
        }
        reported[place] = found.len() - 1;
        if let Some(last) = found.last_mut() {
            last.live += usize::from(live);
            last.running += usize::from(!component.stopped);
        }
    }
    (found, reported)
}

/// Every version among these components, newest first. Versions of equal order are one.
fn versions<'a>(
    compared: &[(&'a Component, bool)],
    spellings: &'a [Spelling<'a>],
    reported: &[usize],
) -> Vec<Running<'a>> {
    let newest_first =
        sorted(spellings.len(), &|a, b| version::compare(spellings[b].text, spellings[a].text));
    let commonness = |one: &Spelling<'_>| (one.live, one.running, Reverse(one.text.len()));
    let mut found: Vec<Running<'a>> = Vec::new();
    let mut version_of = vec![0; spellings.len()];
    for place in newest_first {
        let spelling = &spellings[place];
        match found.last_mut() {
            Some(last) if version::compare(last.label.text, spelling.text).is_eq() => {
                last.live += spelling.live;
                if commonness(spelling) > commonness(last.label) {
                    last.label = spelling;
                }
            }
            _ => found.push(Running {
                live: spelling.live,
                label: spelling,
                components: 0,
                servers: 0,
                last: None,
            }),
        }
        version_of[place] = found.len() - 1;
    }
    for ((component, _), spelling) in compared.iter().zip(reported) {
        let version = &mut found[version_of[*spelling]];
        if !component.stopped {
            version.components += 1;
            let before = version.last.replace(&component.server);
            version.servers += usize::from(before != Some(&component.server));
        }
    }
    found
}

/// The version most live components run, of these that are the newest first; a tie goes to the newer.
fn reference_version<'a>(versions: &[Running<'a>]) -> Option<&'a str> {
    let live = versions.iter().rev().filter(|version| version.live > 0);
    live.max_by_key(|version| version.live).map(|version| version.label.text)
}

/// What every component is held against.
struct Judge<'a> {
    snapshot: &'a Snapshot,
    reference: Option<&'a str>,
    keyed: usize,
    /// By server.
    pulses: &'a [(&'a Arc<Component>, Pulse)],
}

impl Judge<'_> {
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
        let health =
            pulse.health(component.role).max(of_version).max(of_key(key)).max(of_key(machine_key));
        ComponentStatus {
            component: Arc::clone(component),
            pulse,
            health,
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
            let speaks = component.role == Role::Web || component.reporter.is_own();
            speaks && !pulse.is_heard() && component.server.as_str() == web_server
        })
    }

    fn version(&self, component: &Component, pulse: Pulse) -> Option<VersionCheck> {
        if component.is_observer() || pulse == Pulse::Stopped {
            return None;
        }
        Some(match version::compare(&component.version, self.reference?) {
            Ordering::Equal => VersionCheck::InSync,
            Ordering::Less => VersionCheck::Behind,
            Ordering::Greater => VersionCheck::Ahead,
        })
    }

    fn key(&self, component: &Component) -> Option<KeyVerdict> {
        if component.is_observer() {
            return None;
        }
        if component.key_check.is_none() {
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
        let check = kind.of(component)?;
        let reference = self.snapshot.references.of(kind)?;
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
