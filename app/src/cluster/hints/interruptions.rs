//! What the hints say about services that went silent together, restart, flap, or are kept from reporting.

use super::hint::{Arg, Hint, Names};
use super::note::Note;
use super::rules::RuleContext;
use super::shared_evidence::SharedEvidence;
use super::simultaneous_silence::SimultaneousSilence;
use crate::cluster::component::Component;
use crate::cluster::finding::{Finding, HintId};
use crate::cluster::health::ComponentStatus;
use crate::cluster::in_common::{Factor, common_name_prefix, in_common};
use crate::cluster::rejected::RejectionReason;
use crate::cluster::server_name::ServerName;
use crate::cluster::time::Span;
use crate::cluster::unsteady::unsteady;

/// A server that was first seen this long before the silence, or later, may have replaced a silent one.
const REPLACED_WITHIN: Span = Span::minutes(60);

impl RuleContext<'_> {
    pub(super) fn with_silence(self, hint: Hint, together: SimultaneousSilence) -> Hint {
        let SimultaneousSilence { services, silent, first, .. } = together;
        let members = self.overview.components().filter(|status| together.includes(self, status));
        let mut names = Names::default();
        for status in members {
            names.push(&|| status.component.server.to_string());
        }
        hint.with("silent", Arg::Number(silent))
            .with("services", Arg::Number(services))
            .with("first", Arg::Moment(first))
            .with("interval", Arg::Span(self.snapshot.settings.interval()))
            .with("servers", Arg::List(names))
    }

    pub(super) fn many_silent(self) -> Option<Hint> {
        let together = self.together?;
        let silent = self.overview.components().filter(|status| together.includes(self, status));
        let silent = silent.map(|status| &*status.component);
        let reporting = self.overview.compared().filter(|status| status.pulse.is_heard());
        let reporting = reporting.map(|status| &*status.component);
        let hint = Hint::for_cluster(HintId::ManySilent);
        let hint =
            self.with_silence(hint, together).with("reporting", Arg::Number(together.witnesses));
        let hint = in_common(silent.clone(), reporting.clone()).into_iter().fold(hint, with_factor);
        let prefix = common_name_prefix(silent).unwrap_or_default();
        let is_new = |component: &&Component| {
            component.first_seen > together.last_heartbeat - REPLACED_WITHIN
                && component.server.folded().starts_with(&prefix)
        };
        let new = if prefix.is_empty() { 0 } else { count_servers(reporting.filter(is_new)) };
        Some(
            hint.with_note(Note::Replaced, new > 0)
                .with("count", Arg::Number(new))
                .with("prefix", Arg::Text(prefix)),
        )
    }

    pub(super) fn heartbeats_refused(self, status: &ComponentStatus) -> Option<Hint> {
        let rejected = self.refused(status)?;
        let from = rejected.from.as_ref().map(ToString::to_string);
        let reason = match rejected.why {
            RejectionReason::Token => Note::UnknownToken,
            RejectionReason::Revoked => Note::RevokedToken,
            RejectionReason::Expired => Note::ExpiredToken,
            RejectionReason::Foreign => Note::ForeignCredential,
            RejectionReason::NotEnrolled => Note::NotEnrolled,
            RejectionReason::Probe { .. } => return None,
        };
        Some(
            Hint::for_component(HintId::HeartbeatsRefused, status)
                .with_note(reason, true)
                .with_note(Note::RejectedAddress, from.is_some())
                .with("from", Arg::Text(from.unwrap_or_default()))
                .with("refused_since", Arg::Moment(rejected.since)),
        )
    }

    pub(super) fn probe_failing(self, status: &ComponentStatus) -> Option<Hint> {
        let rejected = self.refused(status)?;
        let reason = rejected.why.probe_error()?.trim_end_matches('.').to_owned();
        Some(
            Hint::for_component(HintId::ProbeFailing, status)
                .with("component", Arg::Roles(Some(status.component.role)))
                .with("reason", Arg::Text(reason))
                .with("failing_since", Arg::Moment(rejected.since)),
        )
    }

    pub(super) fn restarting(self, id: HintId, status: &ComponentStatus) -> Option<Hint> {
        let found = status.component.interruptions.restart_loop(self.now)?;
        Some(
            Hint::for_component(id, status)
                .with_note(Note::AfterCrashes, found.crashes == found.starts)
                .with_note(Note::AfterStops, found.crashes == 0)
                .with_note(
                    Note::AfterSomeCrashes,
                    found.crashes > 0 && found.crashes < found.starts,
                )
                .with_note(Note::NewVersion, found.new_version)
                .with("starts", Arg::Number(found.starts))
                .with("crashes", Arg::Number(found.crashes))
                .with("first_start", Arg::Moment(found.since))
                .with("last_start", Arg::Moment(found.last))
                .with("longest", Arg::Span(found.longest))
                .with("version", Arg::Text(status.component.facts.version.clone())),
        )
    }

    pub(super) fn flapping(self, status: &ComponentStatus) -> Option<Hint> {
        let found = status.component.interruptions.flapping(&self.snapshot.settings, self.now)?;
        Some(
            Hint::for_component(HintId::ServiceFlapping, status)
                .with("gaps", Arg::Number(found.gaps))
                .with("last_length", Arg::Span(found.last.length()))
                .with("last_end", Arg::Moment(found.last.end))
                .with("longest", Arg::Span(found.longest))
                .with("interval", Arg::Span(self.snapshot.settings.interval())),
        )
    }

    pub(super) fn same_machine(
        self,
        finding: &Finding,
        compared: &SharedEvidence<'_>,
    ) -> Option<Hint> {
        let SharedEvidence::SameMachines(pairs) = compared else { return None };
        let place = pairs.binary_search_by_key(&finding.server?, |(first, _)| *first).ok()?;
        let (first, second) = *pairs.get(place)?;
        let (first, second) =
            (self.overview.servers.get(first)?, self.overview.servers.get(second)?);
        let address = &first.components.first()?.component.facts.ip;
        Some(
            Hint::for_server(HintId::SameMachine, &first.name)
                .with("other", Arg::Text(second.name.to_string()))
                .with("address", Arg::Text(address.to_string())),
        )
    }

    pub(super) fn web_unused(self, status: &ComponentStatus) -> Hint {
        Hint::for_component(HintId::WebUnused, status)
            .with("others", Arg::Number(self.count_busy_web()))
    }

    pub(super) fn overview_unsteady(self) -> Option<Hint> {
        let found = unsteady(&self.snapshot.blind_periods, self.now)?;
        Some(
            Hint::for_cluster(HintId::OverviewUnsteady)
                .with("count", Arg::Number(found.periods))
                .with("blind", Arg::Span(found.blind)),
        )
    }
}

/// Each factor is a sentence of its own.
fn with_factor(hint: Hint, factor: Factor) -> Hint {
    match factor {
        Factor::Address(address) => hint
            .with_note(Note::CommonAddress, true)
            .with("address", Arg::Text(address.to_string())),
        Factor::Network(network) => {
            hint.with_note(Note::CommonNetwork, true).with("network", Arg::Text(network))
        }
        Factor::Version(version) => {
            hint.with_note(Note::CommonVersion, true).with("version", Arg::Text(version))
        }
        Factor::Os(os) => hint
            .with_note(Note::CommonOs, true)
            .with("os", Arg::Text(format!("{} {}", os.name, os.version))),
        Factor::Product(product) => {
            hint.with_note(Note::CommonProduct, true).with("product", Arg::Text(product))
        }
        Factor::NamePrefix(names) => {
            hint.with_note(Note::CommonNamePrefix, true).with("names", Arg::Text(names))
        }
        Factor::Started { first, .. } => {
            hint.with_note(Note::CommonStart, true).with("started_first", Arg::Moment(first))
        }
    }
}

/// How many servers these components, which are in the order of their servers, run on.
fn count_servers<'a>(components: impl Iterator<Item = &'a Component>) -> usize {
    let mut last: Option<&ServerName> = None;
    components
        .filter(|component| last.replace(&component.server) != Some(&component.server))
        .count()
}
