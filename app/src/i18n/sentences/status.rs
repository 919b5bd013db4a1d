//! Why is a component as it is?

use crate::cluster::hints::Arg;
use crate::cluster::{
    ComponentStatus, HintId, KeyVerdict, Messenger, MessengerFailure, Pulse, RejectedHeartbeat,
    RejectionReason, Role, Snapshot, Source, Stability, Timestamp, VersionCheck,
};
use crate::i18n::sentences::failure_reason;
use crate::i18n::{Catalog, MessageKey};

impl Catalog {
    pub(crate) fn role_name(&self, role: Role) -> &'static str {
        match role {
            Role::Web => self.text(MessageKey::RoleWeb),
            Role::Service => self.text(MessageKey::RoleService),
        }
    }

    /// Why a component is as it is: moments and limits, never ages, so that it changes only with the
    /// verdict.
    pub fn why(&self, status: &ComponentStatus, snapshot: &Snapshot, now: Timestamp) -> String {
        let version = [("version", Arg::Text(status.component.facts.version.clone()))];
        let machine_key =
            (status.machine_key == Some(KeyVerdict::Mismatch)).then_some(MessageKey::WhyMachineKey);
        let reasons = [
            version_reason(status.version),
            key_reason(status.key),
            machine_key,
            status.raised_by.and_then(hint_reason),
        ];
        let reasons = reasons.into_iter().flatten().map(|reason| self.format(reason, &version));
        let unsteady = self.why_unsteady(status, snapshot, now);
        let pulse = self.why_pulse(status, snapshot);
        unsteady.into_iter().chain(reasons).fold(pulse, |before, next| {
            let args = [("before", Arg::Text(before)), ("next", Arg::Text(next))];
            self.format(MessageKey::WhyJoined, &args)
        })
    }

    /// How often, and since when, a component has restarted or its heartbeats have stopped; `None` if it is steady.
    pub fn why_unsteady(
        &self,
        status: &ComponentStatus,
        snapshot: &Snapshot,
        now: Timestamp,
    ) -> Option<String> {
        let interruptions = &status.component.interruptions;
        let (reason, count, first) = match status.stability {
            Stability::Steady => return None,
            Stability::Restarting => {
                let found = interruptions.restart_loop(now)?;
                (MessageKey::WhyRestarting, found.starts, found.since)
            }
            Stability::Flapping => {
                let found = interruptions.flapping(&snapshot.settings, now)?;
                (MessageKey::WhyFlapping, found.gaps, found.last.end)
            }
        };
        let args = [("count", Arg::Number(count)), ("first", Arg::Moment(first))];
        Some(self.format(reason, &args))
    }

    /// Why a component's pulse is as it is.
    pub fn why_pulse(&self, status: &ComponentStatus, snapshot: &Snapshot) -> String {
        let component = &status.component;
        let settings = &snapshot.settings;
        let forgotten = snapshot.forgotten_until(component);
        let args = [
            ("since", Arg::Moment(component.last_heartbeat)),
            ("limit", Arg::Text(component.stale_limit(settings).exact())),
            ("late", Arg::Text(component.late_limit(settings).exact())),
            ("blind", Arg::Moment(snapshot.blind_since.unwrap_or_default())),
            ("forgotten", Arg::Moment(forgotten.unwrap_or_default())),
        ];
        let key = match (status.pulse, component.role) {
            (Pulse::Alive, role) if component.facts.source == Source::Probe => match role {
                Role::Web => MessageKey::WhyAliveWebProbed,
                Role::Service => MessageKey::WhyAliveServiceProbed,
            },
            (Pulse::Alive, Role::Web) => MessageKey::WhyAliveWeb,
            (Pulse::Alive, Role::Service) => MessageKey::WhyAliveService,
            (Pulse::Late, _) => MessageKey::WhyLate,
            (Pulse::Stale, Role::Web) => MessageKey::WhyStaleWeb,
            (Pulse::Stale, Role::Service) => MessageKey::WhyStaleService,
            (Pulse::Stopped, _) => MessageKey::WhyStopped,
            (Pulse::Unknown, _) if forgotten.is_some() => MessageKey::WhyForgotten,
            (Pulse::Unknown, _) => MessageKey::WhyUnknown,
        };
        self.format(key, &args)
    }

    /// Why a messenger cannot be reached, and since when.
    pub fn why_messenger(&self, messenger: &Messenger) -> Option<String> {
        let reason = Arg::MessengerFailure(messenger.unreachable()?);
        let args = [("reason", reason), ("since", Arg::Moment(messenger.since))];
        Some(self.format(MessageKey::WhyMessenger, &args))
    }

    pub fn messenger_failure(&self, failure: MessengerFailure) -> &'static str {
        self.text(failure_reason(failure))
    }

    /// That heartbeats for a server are rejected or not sent, and why.
    pub fn rejected(&self, rejected: &RejectedHeartbeat) -> String {
        let from = rejected.from.as_ref().map_or_else(
            || self.text(MessageKey::RejectedUnknownAddress).to_owned(),
            ToString::to_string,
        );
        let mut args = vec![("since", Arg::Moment(rejected.since)), ("from", Arg::Text(from))];
        let key = match &rejected.why {
            RejectionReason::Token => MessageKey::RejectedToken,
            RejectionReason::Revoked => MessageKey::RejectedRevoked,
            RejectionReason::Expired => MessageKey::RejectedExpired,
            RejectionReason::Foreign => MessageKey::RejectedForeign,
            RejectionReason::NotEnrolled => MessageKey::RejectedNotEnrolled,
            RejectionReason::Probe { role, reason } => {
                let error = reason.trim_end_matches('.').to_owned();
                args.extend([("role", Arg::Roles(Some(*role))), ("error", Arg::Text(error))]);
                MessageKey::RejectedProbe
            }
        };
        self.format(key, &args)
    }
}

/// A hint that no verdict of the component stands for.
fn hint_reason(id: HintId) -> Option<MessageKey> {
    let reasons = [
        (HintId::ProbeFailing, MessageKey::WhyProbeFailing),
        (HintId::HeartbeatsRefused, MessageKey::WhyHeartbeatsRefused),
        (HintId::DuplicateName, MessageKey::WhyDuplicateName),
    ];
    reasons.into_iter().find(|(hint, _)| *hint == id).map(|(_, reason)| reason)
}

const fn version_reason(check: Option<VersionCheck>) -> Option<MessageKey> {
    match check {
        None | Some(VersionCheck::InSync) => None,
        Some(VersionCheck::Behind) => Some(MessageKey::WhyBehind),
        Some(VersionCheck::Ahead) => Some(MessageKey::WhyAhead),
    }
}

const fn key_reason(verdict: Option<KeyVerdict>) -> Option<MessageKey> {
    match verdict {
        None | Some(KeyVerdict::InSync) => None,
        Some(KeyVerdict::Mismatch) => Some(MessageKey::WhyKeyMismatch),
        Some(KeyVerdict::Missing) => Some(MessageKey::WhyKeyMissing),
    }
}
