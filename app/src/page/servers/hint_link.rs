//! Where a cell of the table leads: to the hint that explains it.

use crate::cluster::Role;
use crate::cluster::hints::{self, Finding, HintId};
use crate::page::view_context::ViewContext;

/// A hint about a server or the cluster, which may explain a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HintLink {
    pub(crate) finding: Finding,
    /// Whether one summary stands for it and others.
    pub(crate) is_summed: bool,
}

impl HintLink {
    /// The same, wherever the server stands among the others.
    pub(crate) fn is_same(self, other: Self) -> bool {
        let key = |Self { finding, is_summed }: Self| (finding.id, finding.role, is_summed);
        key(self) == key(other)
    }

    /// Whether it is one of these, and about this component, all of its server, or the cluster.
    pub(crate) fn explains(self, ids: &[HintId], role: Role) -> bool {
        ids.contains(&self.finding.id) && self.finding.role.is_none_or(|about| about == role)
    }

    /// Where it is on the page, and its title.
    pub(crate) fn anchor_and_title(self, context: &ViewContext<'_>) -> (String, String) {
        let Finding { id, server, role } = self.finding;
        let server = server.and_then(|place| context.overview.servers.get(place));
        let anchor = if self.is_summed {
            hints::summary_anchor(id)
        } else {
            hints::anchor(id, server.map(|server| &server.name), role)
        };
        let args = self.finding.title_args(context.overview);
        (anchor, context.words.say(&format!("{}.title", id.as_str()), &args))
    }
}
