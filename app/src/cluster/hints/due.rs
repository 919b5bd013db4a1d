//! What is due at a moment, since when, and which of it explains what is not due any more?

use super::causes::replaces;
use super::hint::Hint;
use super::rules::RuleContext;
use crate::cluster::component_key::Role;
use crate::cluster::finding::{Finding, HintId, Severity};
use crate::cluster::health::{ComponentStatus, Overview, ServerStatus};
use crate::cluster::server_name::ServerName;
use crate::cluster::snapshot::Snapshot;
use crate::cluster::time::Timestamp;

/// A hint that is due. Its words and its evidence are a [`super::Hint`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueHint {
    pub id: HintId,
    pub severity: Severity,
    /// The server it is about; `None` for the cluster.
    pub server: Option<ServerName>,
    /// The component it is about; `None` for the whole server or cluster.
    pub role: Option<Role>,
    /// When it became due, if time alone brought it about; `None` if a fact changed.
    pub due_at: Option<Timestamp>,
    finding: Finding,
}

/// All that is due about a cluster at one moment: not only what a page has room for.
pub struct DueHints<'a> {
    context: RuleContext<'a>,
}

impl<'a> DueHints<'a> {
    /// `overview` is the snapshot's own.
    pub fn new(snapshot: &'a Snapshot, overview: &'a Overview) -> Self {
        Self { context: RuleContext::new(snapshot, overview, overview.as_of) }
    }

    /// The most urgent first.
    pub fn all(&self) -> impl Iterator<Item = DueHint> {
        let findings = &self.context.overview.findings;
        findings.iter().map(|finding| {
            let server = self.context.server(finding);
            DueHint {
                id: finding.id,
                severity: finding.severity,
                server: server.map(|server| server.name.clone()),
                role: finding.role,
                due_at: self.due_at(finding),
                finding: *finding,
            }
        })
    }

    /// The hints of several, in their order. What those of one id have in common is found once.
    pub fn hints(&self, due: &[DueHint]) -> Vec<Option<Hint>> {
        let mut hints = vec![None; due.len()];
        for id in HintId::ALL {
            let same = || due.iter().enumerate().filter(|(_, hint)| hint.id == *id);
            let findings: Vec<Finding> = same().map(|(_, hint)| hint.finding).collect();
            for ((place, _), hint) in same().zip(self.context.hints_one_by_one(&findings)) {
                hints[place] = hint;
            }
        }
        hints
    }

    /// All servers that a hint is about, in order.
    pub fn servers(&self, due: &DueHint) -> Vec<ServerName> {
        let context = self.context;
        let overview = context.overview;
        let name = |status: &ComponentStatus| status.component.server.clone();
        let mut servers: Vec<ServerName> = match (due.id, context.together) {
            (HintId::EveryoneSilent | HintId::ManySilent, Some(together)) => {
                let silent =
                    overview.components().filter(|status| together.includes(context, status));
                silent.map(name).collect()
            }
            (HintId::VersionSkew, _) => context.other_versions().map(name).collect(),
            (HintId::NotReportedYet, _) => {
                context.unreported().map(|rejected| rejected.server.clone()).collect()
            }
            (HintId::SameMachine, _) => {
                let pairs = context.same_machines().into_iter();
                let own = pairs.filter(|(first, _)| Some(*first) == due.finding.server);
                let places = own.flat_map(|(first, second)| [first, second]);
                let both = places.filter_map(|place| overview.servers.get(place));
                both.map(|server| server.name.clone()).collect()
            }
            _ => due.server.iter().cloned().collect(),
        };
        servers.dedup();
        servers
    }

    /// Its evidence.
    pub fn hint(&self, due: &DueHint) -> Option<Hint> {
        let mut hints = Vec::new();
        self.context.add_hints(&[due.finding], &mut hints);
        hints.pop()
    }

    /// What a pulse is about turns by time alone.
    fn due_at(&self, finding: &Finding) -> Option<Timestamp> {
        let status = self.context.component(finding)?;
        if matches!(finding.id, HintId::ServiceStopped | HintId::WebStopped) {
            let limit = self.context.snapshot.settings.stale_timeout();
            return Some(self.context.since_silent(status, limit));
        }
        let is_about_pulse = matches!(
            finding.id,
            HintId::ServiceLate
                | HintId::ServiceStale
                | HintId::WebIdle
                | HintId::WebStale
                | HintId::WebUnused
        );
        self.context.since(finding).filter(|_| is_about_pulse)
    }

    /// What is due and explains why this hint, which was due before, is not due any more though its trouble lasts.
    pub fn cause_of(
        &self,
        hint: HintId,
        server: Option<&ServerName>,
        role: Option<Role>,
    ) -> Option<HintId> {
        let overview = self.context.overview;
        let place = match server {
            None => None,
            Some(name) => {
                let servers = &overview.servers;
                Some(servers.binary_search_by(|server| server.name.cmp(name)).ok()?)
            }
        };
        let is_about_it = |finding: &&Finding| (finding.server, finding.role) == (place, role);
        let own = overview.findings.iter().filter(is_about_it).map(|finding| finding.id);
        let of_cluster =
            place.and_then(|place| self.cause_of_silence(&overview.servers[place], role?));
        own.chain(of_cluster).find(|cause| replaces(*cause, hint))
    }

    /// The hint about the cluster that explains the silence of this component.
    fn cause_of_silence(&self, server: &ServerStatus, role: Role) -> Option<HintId> {
        let together = self.context.together?;
        let mut components = server.components.iter();
        let status = components.find(|status| status.component.role == role)?;
        self.context.cause_of_silence().filter(|_| together.includes(self.context, status))
    }
}
