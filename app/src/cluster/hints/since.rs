//! Since when is advice due?

use super::rules::{RuleContext, key_hint, unreachable, verdict};
use crate::cluster::finding::{Finding, HintId};
use crate::cluster::health::{ComponentStatus, KeyVerdict, VersionCheck};
use crate::cluster::keys::KeyKind;
use crate::cluster::observation::exceeds_at;
use crate::cluster::pulse::unused_after;
use crate::cluster::time::Timestamp;

impl RuleContext<'_> {
    /// Since when advice is due, as far as the facts tell: what a process reports, it has reported since it started. `None`
    /// where they do not, or where the evidence itself is a list of moments.
    pub(super) fn since(self, finding: &Finding) -> Option<Timestamp> {
        let status = || self.component(finding);
        match finding.id {
            HintId::OverviewBlind => self.snapshot.blind_since,
            HintId::EveryoneSilent | HintId::ManySilent => Some(self.together?.first),
            HintId::ServiceStale
            | HintId::ServiceLate
            | HintId::ServiceStopped
            | HintId::WebIdle
            | HintId::WebStale
            | HintId::WebStopped => self.snapshot.pulse_since(status()?),
            HintId::WebUnused => {
                let limit = unused_after(&self.snapshot.settings);
                let silent_since = status()?.component.last_heartbeat;
                Some(exceeds_at(silent_since, limit, &self.snapshot.blind_periods))
            }
            HintId::HeartbeatsRefused | HintId::ProbeFailing => {
                Some(self.refused(status()?)?.since)
            }
            HintId::ChannelFailing => {
                self.snapshot.upkeep.failing_channels(self.now).map(|channel| channel.since).min()
            }
            HintId::NotReportedYet => self.unreported().map(|rejected| rejected.since).min(),
            HintId::KeyMismatch | HintId::MachineKeyMismatch | HintId::KeyMissing => {
                let components = &self.server(finding)?.components;
                first_start(components.iter().filter(|status| has_wrong_key(status, finding.id)))
            }
            HintId::VersionSkew => {
                let differs = |check| matches!(check, VersionCheck::Behind | VersionCheck::Ahead);
                let live = self.overview.compared().filter(|status| status.live);
                first_start(live.filter(|status| status.version.is_some_and(differs)))
            }
            HintId::DuplicateName => status()?.component.boots.returns.first().copied(),
            HintId::MessengerUnreachable => Some(unreachable(status()?)?.0.since),
            HintId::CameBack => status()?.component.came_back,
            HintId::ServiceRestarting
            | HintId::WebRestarting
            | HintId::ServiceFlapping
            | HintId::OverviewUnsteady
            | HintId::SameMachine
            | HintId::ClockSkew
            | HintId::FailoverThin
            | HintId::BalancingThin
            | HintId::ServersFull
            | HintId::CertificateExpiring
            | HintId::DiskLow
            | HintId::TokenExpiring
            | HintId::TimersTight => None,
        }
    }
}

fn first_start<'a>(components: impl Iterator<Item = &'a ComponentStatus>) -> Option<Timestamp> {
    components.map(|status| status.component.started_at()).min()
}

fn has_wrong_key(status: &ComponentStatus, id: HintId) -> bool {
    if id == HintId::KeyMissing {
        return status.key == Some(KeyVerdict::Missing);
    }
    let differs = |kind| verdict(status, kind) == Some(KeyVerdict::Mismatch);
    KeyKind::ALL.into_iter().any(|kind| key_hint(kind) == id && differs(kind))
}
