//! For whom is advice due? How to add a hint is in `mod.rs`.

use super::causes::{keep_causes, keep_causes_of_cluster};
use super::simultaneous_silence::SimultaneousSilence;
use crate::cluster::capacity::nearly_reached;
use crate::cluster::component::CAME_BACK_FOR;
use crate::cluster::component_key::Role;
use crate::cluster::finding::{Finding, HintId, Severity};
use crate::cluster::health::{ComponentStatus, Health, Overview, ServerStatus, Stability};
use crate::cluster::health::{KeyVerdict, Pulse, VersionCheck};
use crate::cluster::keys::{KeyCheck, KeyKind};
use crate::cluster::messenger::{Messenger, MessengerFailure};
use crate::cluster::pulse::{BUSY_INTERVALS, unused_after};
use crate::cluster::rejected::RejectedHeartbeat;
use crate::cluster::snapshot::Snapshot;
use crate::cluster::time::{Span, Timestamp};
use crate::cluster::unsteady::unsteady;

/// A clock further off than this, twice in a row, is worth a hint.
const SKEWED: Span = Span::seconds(2);

/// What every rule looks at.
#[derive(Clone, Copy)]
pub(super) struct RuleContext<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) overview: &'a Overview,
    pub(super) now: Timestamp,
    /// The services that fell silent together, if most did.
    pub(super) together: Option<SimultaneousSilence>,
    /// Whether load is balanced and at least two web components get requests.
    pub(super) has_busy_web: bool,
}

impl<'a> RuleContext<'a> {
    pub(super) fn new(snapshot: &'a Snapshot, overview: &'a Overview, now: Timestamp) -> Self {
        let context = Self { snapshot, overview, now, together: None, has_busy_web: false };
        let has_busy_web = snapshot.settings.load_balancing && context.count_busy_web() >= 2;
        Self { together: context.simultaneous_silence(), has_busy_web, ..context }
    }

    pub(super) fn about_cluster(self) -> Vec<Finding> {
        let settings = &self.snapshot.settings;
        let due = [
            (HintId::EveryoneSilent, self.cause_of_silence() == Some(HintId::EveryoneSilent)),
            (HintId::ManySilent, self.cause_of_silence() == Some(HintId::ManySilent)),
            (HintId::VersionSkew, self.has_version_skew()),
            (HintId::FailoverThin, self.thin(HintId::FailoverThin).is_some()),
            (HintId::BalancingThin, self.thin(HintId::BalancingThin).is_some()),
            (HintId::OverviewUnsteady, unsteady(&self.snapshot.blind_periods, self.now).is_some()),
            (HintId::ServersFull, self.nearly_full().is_some()),
            (HintId::NotReportedYet, self.unreported().next().is_some()),
            (HintId::TimersTight, settings.stale_timeout() < settings.interval().times(3)),
        ];
        let due = due.into_iter().filter(|(_, applies)| *applies);
        let mut found: Vec<Finding> = due.map(|(id, _)| Finding::for_cluster(id)).collect();
        found.extend(self.about_upkeep());
        keep_causes_of_cluster(&mut found);
        found
    }

    /// Which hint names the cause, if most services fell silent together.
    pub(super) fn cause_of_silence(self) -> Option<HintId> {
        let together = self.together?;
        Some(if together.witnesses == 0 { HintId::EveryoneSilent } else { HintId::ManySilent })
    }

    /// What is due about one server and its components.
    pub(super) fn about_server(
        self,
        place: usize,
        server: &ServerStatus,
        found: &mut Vec<Finding>,
    ) {
        let mut due = |id, role| {
            found.push(Finding { server: Some(place), role, ..Finding::for_cluster(id) });
        };
        for kind in KeyKind::ALL {
            if odd(server, kind).is_some() {
                due(key_hint(kind), None);
            }
        }
        let (missing, role) = bare(server);
        if missing > 0 {
            due(HintId::KeyMissing, role);
        }
        if server.components.iter().any(|status| off(status).is_some()) {
            due(HintId::ClockSkew, None);
        }
        for status in &server.components {
            let mut own = self.about_component(server, status);
            let is_one_of_many = |together: SimultaneousSilence| together.includes(self, status);
            let cause =
                self.cause_of_silence().filter(|_| self.together.is_some_and(is_one_of_many));
            keep_causes(&mut own, cause);
            found.extend(own.into_iter().map(|finding| Finding { server: Some(place), ..finding }));
        }
    }

    /// Everything that is due about one component, causes and consequences.
    fn about_component(self, server: &ServerStatus, status: &ComponentStatus) -> Vec<Finding> {
        let component = &status.component;
        let role = Some(component.role);
        let compared = !component.is_observer();
        let finding = |id: HintId| Finding { role, ..Finding::for_cluster(id) };
        let mut due: Vec<Finding> = self.pulse(status).map(finding).into_iter().collect();
        due.extend(self.stability(status));
        if let Some(rejected) = self.refused(status) {
            due.push(match rejected.why.probed() {
                Some(_) => finding(HintId::ProbeFailing),
                None if status.pulse == Pulse::Late => {
                    let severity = Severity::Warning;
                    Finding { severity, ..finding(HintId::HeartbeatsRefused) }
                }
                None => finding(HintId::HeartbeatsRefused),
            });
        }
        let back = component.came_back.is_some_and(|back| self.now - back <= CAME_BACK_FOR);
        let others = [
            (HintId::MessengerUnreachable, unreachable(status).is_some()),
            (HintId::DuplicateName, compared && component.boots.is_duplicate(self.now)),
            (HintId::CameBack, compared && back),
            (HintId::WebUnused, compared && self.unused(server, status)),
        ];
        due.extend(others.into_iter().filter(|(_, applies)| *applies).map(|(id, _)| finding(id)));
        due
    }

    /// Which advice a pulse asks for.
    fn pulse(self, status: &ComponentStatus) -> Option<HintId> {
        let component = &status.component;
        match (status.pulse, component.role) {
            (Pulse::Alive | Pulse::Unknown, _) => None,
            (Pulse::Late, _) => Some(HintId::ServiceLate),
            (Pulse::Stale, Role::Service) => Some(HintId::ServiceStale),
            (Pulse::Stale, Role::Web) if status.live => Some(HintId::WebIdle),
            (Pulse::Stale, Role::Web) => Some(HintId::WebStale),
            (Pulse::Stopped, role) => {
                let silence = component.silence(&self.snapshot.blind_periods, self.now);
                (silence > self.snapshot.settings.stale_timeout()).then_some(match role {
                    Role::Service => HintId::ServiceStopped,
                    Role::Web => HintId::WebStopped,
                })
            }
        }
    }

    /// Which advice a component's stability asks for, and how urgent it is.
    fn stability(self, status: &ComponentStatus) -> Option<Finding> {
        let role = status.component.role;
        let id = match (status.stability, role) {
            (Stability::Steady, _) => return None,
            (Stability::Flapping, _) => HintId::ServiceFlapping,
            (Stability::Restarting, Role::Service) => HintId::ServiceRestarting,
            (Stability::Restarting, Role::Web) => HintId::WebRestarting,
        };
        let settings = &self.snapshot.settings;
        let (_, health) = status.component.interruptions.stability(role, settings, self.now);
        let severity = if health == Health::Error { Severity::Error } else { Severity::Warning };
        Some(Finding { role: Some(role), severity, ..Finding::for_cluster(id) })
    }

    /// Why nothing is accepted of a component: its product does not answer its probe; or it is silent, and rejected
    /// heartbeats explain that.
    pub(super) fn refused(self, status: &ComponentStatus) -> Option<&'a RejectedHeartbeat> {
        let component = &status.component;
        let is_silent_service =
            component.role == Role::Service && matches!(status.pulse, Pulse::Late | Pulse::Stale);
        let mut rejected = self.snapshot.rejected_of(&component.server, self.now);
        rejected.find(|rejected| match rejected.why.probed() {
            Some(role) => role == component.role,
            None => is_silent_service && self.snapshot.explains_silence(rejected),
        })
    }

    /// Whether a web component gets no requests while at least two others do, and its server is alive. Of a past moment that
    /// is not known: short silences of web components are not recorded.
    fn unused(self, server: &ServerStatus, status: &ComponentStatus) -> bool {
        let settings = &self.snapshot.settings;
        let component = &status.component;
        let is_candidate = self.snapshot.unrecorded.is_none()
            && settings.load_balancing
            && component.role == Role::Web
            && status.pulse == Pulse::Alive
            && component.silence(&self.snapshot.blind_periods, self.now) > unused_after(settings);
        let is_alive = |other: &ComponentStatus| {
            other.component.role == Role::Service && other.pulse.is_heard()
        };
        is_candidate && self.has_busy_web && server.components.iter().any(is_alive)
    }

    /// How many web components have reported within the last three intervals.
    pub(super) fn count_busy_web(self) -> usize {
        let within = self.snapshot.settings.interval().times(BUSY_INTERVALS);
        let busy = |status: &&ComponentStatus| {
            let component = &status.component;
            let silence = component.silence(&self.snapshot.blind_periods, self.now);
            component.role == Role::Web && !component.stopped && silence <= within
        };
        self.overview.compared().filter(busy).count()
    }

    fn has_version_skew(self) -> bool {
        self.other_versions().next().is_some()
    }

    /// Who is live and runs another version than the reference.
    pub(super) fn other_versions(self) -> impl Iterator<Item = &'a ComponentStatus> {
        self.overview.compared().filter(|status| {
            status.live
                && matches!(status.version, Some(VersionCheck::Behind | VersionCheck::Ahead))
        })
    }

    /// How many carry what this advice is about, if it is on and they are fewer than two.
    pub(super) fn thin(self, id: HintId) -> Option<usize> {
        let settings = &self.snapshot.settings;
        let (on, role) = if id == HintId::FailoverThin {
            (settings.automatic_failover, Role::Service)
        } else {
            (settings.load_balancing, Role::Web)
        };
        let carries = |status: &&ComponentStatus| {
            status.component.role == role
                && if role == Role::Service { status.pulse.is_heard() } else { status.live }
        };
        let count = self.overview.compared().filter(carries).count();
        (on && count < 2).then_some(count)
    }

    /// How many servers there are, and how many there may be, if those are nearly as many.
    pub(super) fn nearly_full(self) -> Option<(usize, usize)> {
        let servers = self.overview.servers.len();
        nearly_reached(self.snapshot.max_servers, servers).map(|limit| (servers, limit))
    }

    /// Failing probes of servers without a row, at the picture's own moment: their end would have moved it.
    pub(super) fn unreported(self) -> impl Iterator<Item = &'a RejectedHeartbeat> {
        self.snapshot.unreported(self.overview.as_of)
    }
}

/// The verdict on a component's key of this kind.
pub(super) fn verdict(status: &ComponentStatus, kind: KeyKind) -> Option<KeyVerdict> {
    match kind {
        KeyKind::Encryption => status.key,
        KeyKind::Machine => status.machine_key,
    }
}

/// The advice for a server with another key of this kind.
pub(super) const fn key_hint(kind: KeyKind) -> HintId {
    match kind {
        KeyKind::Encryption => HintId::KeyMismatch,
        KeyKind::Machine => HintId::MachineKeyMismatch,
    }
}

/// The first key of a server that differs from the reference.
pub(super) fn odd(server: &ServerStatus, kind: KeyKind) -> Option<KeyCheck> {
    let mut components = server.components.iter();
    let odd = components.find(|status| verdict(status, kind) == Some(KeyVerdict::Mismatch))?;
    odd.component.check(kind)
}

/// How many components of a server report no key while others do, and which one if it is one.
pub(super) fn bare(server: &ServerStatus) -> (usize, Option<Role>) {
    let missing = |status: &&ComponentStatus| status.key == Some(KeyVerdict::Missing);
    let mut bare = server.components.iter().filter(missing);
    let first = bare.next().map(|status| status.component.role);
    let others = bare.count();
    (usize::from(first.is_some()) + others, first.filter(|_| others == 0))
}

pub(super) fn unreachable(status: &ComponentStatus) -> Option<(&Messenger, MessengerFailure)> {
    let messenger = status.messenger.as_deref()?;
    let failure = messenger.unreachable()?;
    (status.component.role == Role::Service).then_some((messenger, failure))
}

/// By how much a component's clock is off, if that is worth a hint.
pub(super) fn off(status: &ComponentStatus) -> Option<Span> {
    let off = status.component.skew?.steady();
    (Span(off.0.abs()) > SKEWED).then_some(off)
}
