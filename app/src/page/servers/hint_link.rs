//! The link from a cell of the table to the hint that explains it.

use crate::cluster::Role;
use crate::cluster::hints;
use crate::cluster::{Finding, HintId};
use crate::page::view_context::ViewContext;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HintLink {
    pub(crate) finding: Finding,
    /// The hints of many servers are listed one by one up to a limit; a summary has the rest.
    pub(crate) is_in_summary: bool,
}

impl HintLink {
    /// Whether both are the same link. The server's position in the list may have changed.
    pub(crate) fn leads_like(self, other: Self) -> bool {
        let key = |Self { finding, is_in_summary }: Self| {
            (finding.id, finding.severity, finding.role, is_in_summary)
        };
        key(self) == key(other)
    }

    /// Whether it is one of these hints and concerns this component, its whole server or the cluster.
    pub(crate) fn explains(self, ids: &[HintId], role: Role) -> bool {
        ids.contains(&self.finding.id) && self.finding.role.is_none_or(|about| about == role)
    }

    pub(crate) fn anchor_and_title(self, context: &ViewContext<'_>) -> (String, String) {
        let Finding { id, severity, server, role } = self.finding;
        let server = server.and_then(|place| context.overview.servers.get(place));
        let anchor = if self.is_in_summary {
            hints::summary_anchor(id, severity)
        } else {
            hints::anchor(id, server.map(|server| &server.name), role)
        };
        let args = self.finding.title_args(context.overview);
        (anchor, context.catalog.title_of_one(id, &args))
    }
}
