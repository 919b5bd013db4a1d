//! Makes facts, verdicts and hints what travels through the API.

use app::cluster;
use app::cluster::health::{self, KeyVerdict};
use app::cluster::{ComponentStatus, ServerStatus, Snapshot, Source, Timestamp, VersionCheck};
use app::i18n::Catalog;

use super::{
    BlindPeriod, Component, Counts, FailingProbe, Hint, List, Messenger, MessengerFailure,
    MessengerState, Os, Overview, RejectedHeartbeats, RejectionReason, Server, VersionCount,
};

impl Overview<'_> {
    /// Calls `write` with the overview of this moment. Its servers and hints are made while they are written.
    pub(crate) fn with<T>(
        snapshot: &Snapshot,
        now: Timestamp,
        write: impl FnOnce(&Overview<'_>) -> T,
    ) -> T {
        let overview = snapshot.overview(now);
        let hints = snapshot.hints(&overview);
        let server = |status| Server::new(status, snapshot, now);
        write(&Overview {
            as_of: overview.as_of.rfc3339(),
            blind_since: overview.blind_since.map(Timestamp::rfc3339),
            blind_periods: snapshot.blind_periods.iter().map(BlindPeriod::from).collect(),
            health: overview.health.into(),
            settings: super::Settings(snapshot.settings),
            counts: overview.counts.into(),
            versions: overview.versions.iter().map(VersionCount::from).collect(),
            servers: List::Lazy(&|| Box::new(overview.servers.iter().map(server))),
            hints: List::Lazy(&|| Box::new(hints.iter().map(Hint::from))),
        })
    }
}

impl From<&cluster::BlindPeriod> for BlindPeriod {
    fn from(period: &cluster::BlindPeriod) -> Self {
        Self { start: period.start.rfc3339(), end: period.end.rfc3339() }
    }
}

impl From<health::Counts> for Counts {
    fn from(counts: health::Counts) -> Self {
        let health::Counts { servers, web, service, alive, late, stale, stopped, unknown } = counts;
        Self { servers, web, service, alive, late, stale, stopped, unknown }
    }
}

impl From<&health::VersionCount> for VersionCount {
    fn from(count: &health::VersionCount) -> Self {
        let health::VersionCount { version, components, servers } = count.clone();
        Self { version, components, servers }
    }
}

impl From<&cluster::Os> for Os {
    fn from(os: &cluster::Os) -> Self {
        let cluster::Os { name, version } = os.clone();
        Self { name, version }
    }
}

impl Server {
    fn new(status: &ServerStatus, snapshot: &Snapshot, now: Timestamp) -> Self {
        let latest = status.latest();
        let rejected = || snapshot.rejected_of(&status.name, now);
        let component = |status| Component::new(status, snapshot, now);
        Self {
            name: status.name.to_string(),
            os: latest.map(|component| Os::from(&component.facts.os)),
            ip: latest.map(|component| component.facts.ip.to_string()),
            health: status.health.into(),
            refused: rejected().find_map(RejectedHeartbeats::of),
            failing_probes: rejected().filter_map(FailingProbe::of).collect(),
            components: status.components.iter().map(component).collect(),
        }
    }
}

impl RejectedHeartbeats {
    fn of(rejected: &cluster::RejectedHeartbeat) -> Option<Self> {
        let reason = match &rejected.why {
            cluster::RejectionReason::Token => RejectionReason::Token,
            cluster::RejectionReason::Revoked => RejectionReason::Revoked,
            cluster::RejectionReason::Expired => RejectionReason::Expired,
            cluster::RejectionReason::Foreign => RejectionReason::Foreign,
            cluster::RejectionReason::NotEnrolled => RejectionReason::NotEnrolled,
            cluster::RejectionReason::Probe { .. } => return None,
        };
        let address = rejected.from.as_ref().map(ToString::to_string);
        Some(Self { since: rejected.since.rfc3339(), reason, address })
    }
}

impl FailingProbe {
    fn of(rejected: &cluster::RejectedHeartbeat) -> Option<Self> {
        let cluster::RejectionReason::Probe { role, reason } = &rejected.why else { return None };
        let since = rejected.since.rfc3339();
        Some(Self { role: (*role).into(), since, detail: reason.clone() })
    }
}

impl Component {
    fn new(status: &ComponentStatus, snapshot: &Snapshot, now: Timestamp) -> Self {
        let component = &status.component;
        let facts = &component.facts;
        let is_in_sync = |verdict| verdict == KeyVerdict::InSync;
        Self {
            role: component.role.into(),
            product: facts.product.clone(),
            version: facts.version.clone(),
            pulse: status.pulse.into(),
            since: snapshot.pulse_since(status).unwrap_or(now).rfc3339(),
            stability: status.stability.into(),
            health: status.health.into(),
            why: Catalog::english().why(status, snapshot, now),
            observer: component.is_observer(),
            probed: facts.source == Source::Probe,
            first_seen: component.first_seen.rfc3339(),
            last_heartbeat: component.last_heartbeat.rfc3339(),
            version_in_sync: status.version.map(|check| check == VersionCheck::InSync),
            key_in_sync: status.key.map(is_in_sync),
            machine_key_in_sync: status.machine_key.map(is_in_sync),
            key_digits: facts.key_check.map(|check| check.short()),
            ip: facts.ip.to_string(),
            boot_id: component.boots.current.id.clone(),
            clock_skew_ms: component.skew.map(|skew| skew.last.0),
            told_interval_ms: component.told_interval.0,
            messenger_port: facts.messenger_port,
            messenger: status.messenger.as_deref().map(Messenger::from),
        }
    }
}

impl From<&cluster::Messenger> for Messenger {
    fn from(messenger: &cluster::Messenger) -> Self {
        let reason = messenger.failure.and_then(reason);
        let state = match (messenger.failure, reason) {
            (None, _) => MessengerState::Connected,
            (Some(_), None) => MessengerState::Connecting,
            (Some(_), Some(_)) => MessengerState::Unreachable,
        };
        Self {
            state,
            reason,
            since: messenger.since.rfc3339(),
            port: messenger.port,
            seen_by: messenger.seen_by.clone(),
        }
    }
}

/// Why a messenger is unreachable; `None` while it is being dialled.
fn reason(failure: cluster::MessengerFailure) -> Option<MessengerFailure> {
    use cluster::MessengerFailure as Core;
    match failure {
        Core::Connecting | Core::Lost => None,
        Core::Refused => Some(MessengerFailure::Refused),
        Core::TimedOut => Some(MessengerFailure::TimedOut),
        Core::Unreachable => Some(MessengerFailure::Unreachable),
        Core::NotAMessenger => Some(MessengerFailure::NotAMessenger),
        Core::WrongKey => Some(MessengerFailure::WrongKey),
        Core::Protocol => Some(MessengerFailure::Protocol),
    }
}

impl From<&cluster::Hint> for Hint {
    fn from(hint: &cluster::Hint) -> Self {
        let text = Catalog::english().hint(hint);
        Self {
            id: hint.id.as_str().to_owned(),
            anchor: hint.anchor(),
            severity: hint.severity.into(),
            title: text.title,
            evidence: text.evidence,
            steps: text.steps,
            avoid: text.avoid,
            server: hint.server.as_ref().map(ToString::to_string),
            role: hint.role.map(Into::into),
        }
    }
}
