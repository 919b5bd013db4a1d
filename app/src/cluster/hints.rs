//! Which advice follows from the facts and verdicts.
//!
//! To add a hint: a case in [`HintId`], its line in the table below, a rule in
//! [`Snapshot::hints`], and its sentences in the message file of `words`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::blindness::Blindness;
use super::facts::{MessengerFailure, Role, ServerName};
use super::keys::{KeyCheck, KeyKind};
use super::silence::exceeds_at;
use super::snapshot::Snapshot;
use super::status::{ComponentStatus, KeyVerdict, Overview, Pulse, VersionCheck};
use super::time::{Span, Timestamp};

/// How long a return after a removal is spoken of: one hour.
pub const CAME_BACK_FOR: Span = Span::minutes(60);
/// A clock further off than this, twice in a row, is worth a hint.
const SKEWED: Span = Span::seconds(2);
/// A clock further off than this is said more strongly.
const BADLY_SKEWED: Span = Span::seconds(5);

/// How urgent a hint is; the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Something does not work.
    Error,
    /// Something will not work when it is needed.
    Warning,
    /// Good to know.
    Info,
}

macro_rules! hint_ids {
    ($($(#[$doc:meta])* $case:ident = $id:literal, $severity:ident;)*) => {
        /// Which advice; the order is that of the troubleshooting list within one severity.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum HintId { $($(#[$doc])* $case,)* }

        impl HintId {
            /// Every hint there is.
            pub const ALL: &[Self] = &[$(Self::$case,)*];

            /// Its stable name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$case => $id,)* }
            }

            /// How urgent it is.
            pub const fn severity(self) -> Severity {
                match self { $(Self::$case => Severity::$severity,)* }
            }
        }
    };
}

hint_ids! {
    /// The observer's database cannot be read or written.
    OverviewBlind = "overview-blind", Error;
    /// More than half of at least two services went stale within one interval.
    EveryoneSilent = "everyone-silent", Error;
    /// A server decrypts with another key.
    KeyMismatch = "key-mismatch", Error;
    /// A web server has another machine key.
    MachineKeyMismatch = "machine-key-mismatch", Error;
    /// Two machines bear one name.
    DuplicateName = "duplicate-name", Error;
    /// A service is stale.
    ServiceStale = "service-stale", Error;
    /// A service is late.
    ServiceLate = "service-late", Warning;
    /// A web component is stale while its server is alive.
    WebIdle = "web-idle", Warning;
    /// A web component is stale and nothing else is alive on its server.
    WebStale = "web-stale", Warning;
    /// A server reports no key while others do.
    KeyMissing = "key-missing", Warning;
    /// More than one version runs.
    VersionSkew = "version-skew", Warning;
    /// Nothing could take over.
    FailoverThin = "failover-thin", Warning;
    /// One web server carries all.
    BalancingThin = "balancing-thin", Warning;
    /// A server's clock is off.
    ClockSkew = "clock-skew", Warning;
    /// A service has said goodbye long ago.
    ServiceStopped = "service-stopped", Info;
    /// A web component has said goodbye long ago.
    WebStopped = "web-stopped", Info;
    /// A service's messenger cannot be reached.
    MessengerUnreachable = "messenger-unreachable", Info;
    /// The stale timeout is short beside the interval.
    TimersTight = "timers-tight", Info;
    /// A removed component beats again.
    CameBack = "came-back", Info;
}

/// A value in a hint's sentences. The words decide how it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arg {
    /// A moment.
    Moment(Timestamp),
    /// A length of time.
    Span(Span),
    /// A count.
    Number(usize),
    /// A name, a version, an address.
    Text(String),
    /// Words of our own: their key.
    Word(&'static str),
    /// Several of them, in order.
    List(Arc<[String]>),
}

/// One piece of advice: data from which the words make sentences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// Which advice.
    pub id: HintId,
    /// The server it is about; `None` for the cluster.
    pub server: Option<ServerName>,
    /// The component it is about; `None` for the whole server or cluster.
    pub role: Option<Role>,
    /// Which optional sentences of its evidence apply, in order; said before the rest.
    pub notes: Vec<&'static str>,
    /// The values its sentences name.
    pub args: Vec<(&'static str, Arg)>,
}

impl Hint {
    fn of_cluster(id: HintId) -> Self {
        Self { id, server: None, role: None, notes: Vec::new(), args: Vec::new() }
    }

    fn of_server(id: HintId, server: &ServerName) -> Self {
        Self { server: Some(server.clone()), ..Self::of_cluster(id) }
            .with("server", Arg::Text(server.to_string()))
    }

    fn of_component(id: HintId, status: &ComponentStatus) -> Self {
        let component = &status.component;
        Self { role: Some(component.role), ..Self::of_server(id, &component.server) }
            .with("since", Arg::Moment(component.last_heartbeat))
            .with("address", Arg::Text(component.ip.to_string()))
    }

    fn with(mut self, name: &'static str, value: Arg) -> Self {
        self.args.push((name, value));
        self
    }

    fn noting(mut self, note: &'static str, applies: bool) -> Self {
        if applies {
            self.notes.push(note);
        }
        self
    }

    /// How urgent it is.
    pub const fn severity(&self) -> Severity {
        self.id.severity()
    }

    /// The text it names so: a name, digits, an address.
    pub fn text(&self, name: &str) -> Option<&str> {
        let (_, value) = self.args.iter().find(|(known, _)| *known == name)?;
        if let Arg::Text(text) = value { Some(text) } else { None }
    }

    /// Its place on the page: stable, and safe in an address and as an element's id.
    pub fn anchor(&self) -> String {
        let mut anchor = format!("hint-{}", self.id.as_str());
        if let Some(server) = &self.server {
            anchor.push('-');
            anchor.push_str(&dom_safe(server));
        }
        if let Some(role) = self.role {
            // A `_` before a letter stands in no server's name: no two hints share a place.
            anchor.push('_');
            anchor.push_str(role.as_str());
        }
        anchor
    }
}

/// A server's name as part of an element's id: letters, digits, `-` and `.` of ASCII stand, all else
/// becomes `_` and its number.
pub fn dom_safe(server: &ServerName) -> String {
    server.folded().chars().fold(String::new(), |mut safe, c| {
        if c.is_ascii_alphanumeric() || matches!(c, '-' | '.') {
            safe.push(c);
        } else {
            safe.push('_');
            safe.push_str(&u32::from(c).to_string());
            safe.push('_');
        }
        safe
    })
}

impl Snapshot {
    /// All hints at `now`, most urgent first. `overview` is this snapshot's own at `now`. While the
    /// observer is blind that is the only thing to say: nobody can tell about the servers.
    pub fn hints(&self, overview: &Overview, now: Timestamp) -> Vec<Hint> {
        if let Some(since) = self.blind_since {
            let hint = Hint::of_cluster(HintId::OverviewBlind).with("since", Arg::Moment(since));
            let why = self.blindness.map(Blindness::as_str);
            return vec![Hint { notes: why.into_iter().collect(), ..hint }];
        }
        let case = Case { snapshot: self, overview, now };
        let mut hints = Vec::new();
        hints.extend(case.everyone_silent());
        hints.extend(case.keys(KeyKind::Encryption));
        hints.extend(case.keys(KeyKind::Machine));
        hints.extend(case.key_missing());
        hints.extend(case.version_skew());
        hints.extend(case.thin());
        hints.extend(case.timers_tight());
        for status in overview.components() {
            hints.extend(case.pulse(status));
            hints.extend(Case::messenger(status));
        }
        for status in overview.compared() {
            hints.extend(case.duplicate_name(status));
            hints.extend(case.came_back(status));
        }
        for server in &overview.servers {
            hints.extend(server.components.iter().find_map(Case::clock_skew));
        }
        hints.sort_by(|a, b| {
            let rank = |hint: &Hint| (hint.severity(), hint.id);
            rank(a).cmp(&rank(b)).then_with(|| (&a.server, a.role).cmp(&(&b.server, b.role)))
        });
        hints
    }
}

/// What every rule looks at.
struct Case<'a> {
    snapshot: &'a Snapshot,
    overview: &'a Overview,
    now: Timestamp,
}

impl Case<'_> {
    /// When a component's silence grew longer than `limit`.
    fn since_silent(&self, status: &ComponentStatus, limit: Span) -> Timestamp {
        exceeds_at(status.component.last_heartbeat, limit, &self.snapshot.spells)
    }

    fn everyone_silent(&self) -> Option<Hint> {
        let services: Vec<&ComponentStatus> = self
            .overview
            .compared()
            .filter(|s| s.component.role == Role::Service && s.pulse != Pulse::Stopped)
            .collect();
        let settings = &self.snapshot.settings;
        let silent: Vec<Timestamp> = services
            .iter()
            .filter(|status| status.pulse == Pulse::Stale)
            .map(|status| self.since_silent(status, status.component.stale_limit(settings)))
            .collect();
        let (first, most) = silent
            .iter()
            .map(|first| {
                let within = |moment: &&Timestamp| {
                    **moment >= *first && **moment - *first <= settings.interval()
                };
                (*first, silent.iter().filter(within).count())
            })
            .max_by_key(|(first, together)| (*together, *first))?;
        (services.len() >= 2 && most * 2 > services.len()).then(|| {
            Hint::of_cluster(HintId::EveryoneSilent)
                .with("silent", Arg::Number(most))
                .with("services", Arg::Number(services.len()))
                .with("first", Arg::Moment(first))
                .with("interval", Arg::Span(settings.interval()))
        })
    }

    fn keys(&self, kind: KeyKind) -> Vec<Hint> {
        let (id, verdict): (_, fn(&ComponentStatus) -> Option<KeyVerdict>) = match kind {
            KeyKind::Encryption => (HintId::KeyMismatch, |status| status.key),
            KeyKind::Machine => (HintId::MachineKeyMismatch, |status| status.machine_key),
        };
        let Some(reference) = self.snapshot.references.of(kind) else { return Vec::new() };
        let live =
            self.overview.compared().filter(|status| status.live && verdict(status).is_some());
        let wrong = live.clone().filter(|s| verdict(s) == Some(KeyVerdict::Mismatch)).count();
        let right = live.filter(|s| verdict(s) == Some(KeyVerdict::InSync)).count();
        let sharing = self.servers_with(kind, reference.check);
        self.overview
            .servers
            .iter()
            .filter_map(|server| {
                let odd = server
                    .components
                    .iter()
                    .find(|status| verdict(status) == Some(KeyVerdict::Mismatch))?;
                let check = kind.of(&odd.component)?;
                Some(
                    Hint::of_server(id, &server.name)
                        .noting("most", wrong > right)
                        .noting("nobody", sharing.is_empty())
                        .noting("alone", sharing.len() == 1)
                        .noting("sharing", sharing.len() > 1)
                        .with("key", Arg::Text(check.short()))
                        .with("reference", Arg::Text(reference.check.short()))
                        .with("sharing", Arg::List(Arc::clone(&sharing)))
                        .with("count", Arg::Number(sharing.len()))
                        .with("same", Arg::List(self.servers_with(kind, check))),
                )
            })
            .collect()
    }

    fn servers_with(&self, kind: KeyKind, check: KeyCheck) -> Arc<[String]> {
        self.overview
            .servers
            .iter()
            .filter(|server| {
                server.components.iter().any(|status| {
                    !status.component.is_observer() && kind.of(&status.component) == Some(check)
                })
            })
            .map(|server| server.name.to_string())
            .collect()
    }

    fn key_missing(&self) -> Vec<Hint> {
        let keyed = |server: &super::status::ServerStatus| {
            server.components.iter().any(|status| {
                !status.component.is_observer() && status.component.key_check.is_some()
            })
        };
        let others_with_key = |name: &ServerName| {
            self.overview.servers.iter().filter(|other| other.name != *name && keyed(other)).count()
        };
        self.overview
            .servers
            .iter()
            .filter_map(|server| {
                let bare: Vec<&ComponentStatus> = server
                    .components
                    .iter()
                    .filter(|status| status.key == Some(KeyVerdict::Missing))
                    .collect();
                let first = bare.first()?;
                let role = (bare.len() == 1).then_some(first.component.role);
                let mut hint = Hint::of_server(HintId::KeyMissing, &server.name)
                    .with("roles", Arg::Word(roles(role)))
                    .with("count", Arg::Number(others_with_key(&server.name)));
                hint.role = role;
                Some(hint)
            })
            .collect()
    }

    fn version_skew(&self) -> Option<Hint> {
        let reference = self.overview.reference_version.clone()?;
        let named = |wanted: VersionCheck| -> Vec<String> {
            let mut names: Vec<String> = self
                .overview
                .compared()
                .filter(|status| status.live && status.version == Some(wanted))
                .map(|status| format!("{} ({})", status.component.server, status.component.version))
                .collect();
            names.dedup();
            names
        };
        let (behind, ahead) = (named(VersionCheck::Behind), named(VersionCheck::Ahead));
        if behind.is_empty() && ahead.is_empty() {
            return None;
        }
        let per_version = self
            .overview
            .versions
            .iter()
            .map(|count| format!("{}: {}", count.version, count.servers))
            .collect();
        Some(
            Hint::of_cluster(HintId::VersionSkew)
                .noting("behind", !behind.is_empty())
                .noting("ahead", !ahead.is_empty())
                .with("reference", Arg::Text(reference))
                .with("behind", Arg::List(behind.into()))
                .with("ahead", Arg::List(ahead.into()))
                .with("versions", Arg::List(per_version)),
        )
    }

    fn thin(&self) -> Vec<Hint> {
        let settings = &self.snapshot.settings;
        let count = |role: Role, counts: fn(&ComponentStatus) -> bool| {
            let fits = |s: &&ComponentStatus| s.component.role == role && counts(s);
            self.overview.compared().filter(fits).count()
        };
        let services = count(Role::Service, |status| status.pulse.is_heard());
        let webs = count(Role::Web, |status| status.live);
        [
            (settings.automatic_failover, HintId::FailoverThin, services),
            (settings.load_balancing, HintId::BalancingThin, webs),
        ]
        .into_iter()
        .filter(|(on, _, count)| *on && *count < 2)
        .map(|(_, id, count)| Hint::of_cluster(id).with("count", Arg::Number(count)))
        .collect()
    }

    fn timers_tight(&self) -> Option<Hint> {
        let settings = &self.snapshot.settings;
        (settings.stale_timeout() < settings.interval().times(3)).then(|| {
            Hint::of_cluster(HintId::TimersTight)
                .with("timeout", Arg::Span(settings.stale_timeout()))
                .with("interval", Arg::Span(settings.interval()))
                .with("wanted", Arg::Span(settings.interval().times(3)))
        })
    }

    fn pulse(&self, status: &ComponentStatus) -> Option<Hint> {
        let component = &status.component;
        let settings = &self.snapshot.settings;
        let id = match (status.pulse, component.role) {
            (Pulse::Alive | Pulse::Unknown, _) => return None,
            (Pulse::Late, _) => HintId::ServiceLate,
            (Pulse::Stale, Role::Service) => HintId::ServiceStale,
            (Pulse::Stale, Role::Web) if status.live => HintId::WebIdle,
            (Pulse::Stale, Role::Web) => HintId::WebStale,
            (Pulse::Stopped, role) => {
                let silence = component.silence(&self.snapshot.spells, self.now);
                if silence <= settings.stale_timeout() {
                    return None;
                }
                match role {
                    Role::Service => HintId::ServiceStopped,
                    Role::Web => HintId::WebStopped,
                }
            }
        };
        let limit = component.stale_limit(settings);
        Some(
            Hint::of_component(id, status)
                .with("limit", Arg::Span(limit))
                .with("late", Arg::Span(component.late_limit(settings)))
                .with("stale_at", Arg::Moment(self.since_silent(status, limit)))
                .with("interval", Arg::Span(settings.interval())),
        )
    }

    fn messenger(status: &ComponentStatus) -> Option<Hint> {
        let messenger = status.messenger.as_ref()?;
        let failure = messenger.unreachable()?;
        (status.component.role == Role::Service).then(|| {
            Hint::of_component(HintId::MessengerUnreachable, status)
                .with("port", Arg::Text(messenger.port.to_string()))
                .with("reason", Arg::Word(failure.key()))
                .with("since_when", Arg::Moment(messenger.since))
                .with("seen_by", Arg::Text(messenger.seen_by.clone()))
        })
    }

    fn duplicate_name(&self, status: &ComponentStatus) -> Option<Hint> {
        let boots = &status.component.boots;
        let former = boots.former.as_ref().filter(|_| boots.is_duplicate(self.now))?;
        Some(
            Hint::of_component(HintId::DuplicateName, status)
                .with("one", Arg::Text(boots.current.ip.to_string()))
                .with("other", Arg::Text(former.ip.to_string()))
                .with("returns", Arg::Number(boots.returns.len())),
        )
    }

    fn clock_skew(status: &ComponentStatus) -> Option<Hint> {
        let off = status.component.skew?.steady();
        let amount = Span(off.0.abs());
        (amount > SKEWED).then(|| {
            Hint::of_server(HintId::ClockSkew, &status.component.server)
                .noting("badly", amount > BADLY_SKEWED)
                .noting("ahead", off > Span::ZERO)
                .noting("behind", off < Span::ZERO)
                .with("off", Arg::Span(amount))
        })
    }

    fn came_back(&self, status: &ComponentStatus) -> Option<Hint> {
        let back = status.component.came_back?;
        (self.now - back <= CAME_BACK_FOR)
            .then(|| Hint::of_component(HintId::CameBack, status).with("back", Arg::Moment(back)))
    }
}

impl MessengerFailure {
    /// The key of the words for it, a word or two as they stand in a sentence.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Connecting => "reason.connecting",
            Self::Lost => "reason.lost",
            Self::Refused => "reason.refused",
            Self::TimedOut => "reason.timed-out",
            Self::Unreachable => "reason.unreachable",
            Self::NotAMessenger => "reason.not-a-messenger",
            Self::WrongKey => "reason.wrong-key",
            Self::Protocol => "reason.protocol",
        }
    }
}

/// The key of the words for a component, or for both of a server.
pub const fn roles(role: Option<Role>) -> &'static str {
    match role {
        Some(Role::Web) => "role.in-text.web",
        Some(Role::Service) => "role.in-text.service",
        None => "role.in-text.both",
    }
}
