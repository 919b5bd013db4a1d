//! For whom advice is due.

use super::hint::Finding;
use super::id::HintId;
use crate::cluster::capacity::nearly_reached;
use crate::cluster::component::CAME_BACK_FOR;
use crate::cluster::component_key::Role;
use crate::cluster::health::{ComponentStatus, Overview, ServerStatus};
use crate::cluster::health::{KeyVerdict, Pulse, VersionCheck};
use crate::cluster::keys::{KeyCheck, KeyKind};
use crate::cluster::messenger::{Messenger, MessengerFailure};
use crate::cluster::observation::exceeds_at;
use crate::cluster::order::sorted_indices;
use crate::cluster::rejected::RejectedHeartbeat;
use crate::cluster::snapshot::Snapshot;
use crate::cluster::time::{Span, Timestamp};

/// A clock further off than this, twice in a row, is worth a hint.
const SKEWED: Span = Span::seconds(2);

/// What every rule looks at.
#[derive(Clone, Copy)]
pub(super) struct RuleContext<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) overview: &'a Overview,
}

/// Services that went stale within one interval.
pub(super) struct SimultaneousSilence {
    pub(super) services: usize,
    pub(super) silent: usize,
    pub(super) first: Timestamp,
}

impl<'a> RuleContext<'a> {
    pub(super) fn about_cluster(self) -> Vec<Finding> {
        let due = [
            (HintId::EveryoneSilent, self.together().is_some()),
            (HintId::VersionSkew, self.has_version_skew()),
            (HintId::FailoverThin, self.thin(HintId::FailoverThin).is_some()),
            (HintId::BalancingThin, self.thin(HintId::BalancingThin).is_some()),
            (HintId::ServersFull, self.nearly_full().is_some()),
            (HintId::NotReportedYet, self.unreported().next().is_some()),
            (HintId::TimersTight, self.has_tight_timers()),
        ];
        let mut findings = Vec::new();
        for (id, applies) in due {
            if applies {
                findings.push(Finding::for_cluster(id));
            }
        }
        findings
    }

    pub(super) fn about_server(
        self,
        server: &ServerStatus,
        now: Timestamp,
        mut due: impl FnMut(HintId, Option<Role>),
    ) {
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
            let component = &status.component;
            let mut about = |id, applies: bool| {
                if applies {
                    due(id, Some(component.role));
                }
            };
            if let Some(id) = self.pulse(status, now) {
                about(id, true);
            }
            about(HintId::MessengerUnreachable, unreachable(status).is_some());
            let compared = !component.is_observer();
            let two = component.boots.former.is_some() && component.boots.is_duplicate(now);
            about(HintId::DuplicateName, compared && two);
            let back = component.came_back.is_some_and(|back| now - back <= CAME_BACK_FOR);
            about(HintId::CameBack, compared && back);
        }
    }

    /// Which advice a pulse asks for.
    fn pulse(self, status: &ComponentStatus, now: Timestamp) -> Option<HintId> {
        let component = &status.component;
        match (status.pulse, component.role) {
            (Pulse::Alive | Pulse::Unknown, _) => None,
            (Pulse::Late, _) => Some(HintId::ServiceLate),
            (Pulse::Stale, Role::Service) => Some(HintId::ServiceStale),
            (Pulse::Stale, Role::Web) if status.live => Some(HintId::WebIdle),
            (Pulse::Stale, Role::Web) => Some(HintId::WebStale),
            (Pulse::Stopped, role) => {
                let silence = component.silence(&self.snapshot.blind_periods, now);
                (silence > self.snapshot.settings.stale_timeout()).then_some(match role {
                    Role::Service => HintId::ServiceStopped,
                    Role::Web => HintId::WebStopped,
                })
            }
        }
    }

    /// More than half of at least two services, if they went stale within one interval.
    pub(super) fn together(self) -> Option<SimultaneousSilence> {
        let settings = &self.snapshot.settings;
        let mut services = 0;
        let mut silent = Vec::new();
        for status in self.overview.compared() {
            if status.component.role == Role::Service && status.pulse != Pulse::Stopped {
                services += 1;
                if status.pulse == Pulse::Stale {
                    silent.push(self.since_silent(status, status.component.stale_limit(settings)));
                }
            }
        }
        let order = sorted_indices(silent.len(), &|a, b| silent[a].cmp(&silent[b]));
        let silent: Vec<Timestamp> = order.into_iter().map(|place| silent[place]).collect();
        // Of the spans of one interval the fullest, and of equals the latest: a window slides over them.
        let (mut end, mut most, mut first) = (0, 0, None);
        for (start, moment) in silent.iter().enumerate() {
            while silent.get(end).is_some_and(|last| *last - *moment <= settings.interval()) {
                end += 1;
            }
            if end - start >= most {
                (most, first) = (end - start, Some(*moment));
            }
        }
        let first = first.filter(|_| services >= 2 && most * 2 > services)?;
        Some(SimultaneousSilence { services, silent: most, first })
    }

    fn has_version_skew(self) -> bool {
        let skewed = |status: &ComponentStatus| {
            status.live
                && matches!(status.version, Some(VersionCheck::Behind | VersionCheck::Ahead))
        };
        self.overview.compared().any(skewed)
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

    fn has_tight_timers(self) -> bool {
        let settings = &self.snapshot.settings;
        settings.stale_timeout() < settings.interval().times(3)
    }

    /// When a component's silence grew longer than `limit`.
    pub(super) fn since_silent(self, status: &ComponentStatus, limit: Span) -> Timestamp {
        exceeds_at(status.component.last_heartbeat, limit, &self.snapshot.blind_periods)
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
