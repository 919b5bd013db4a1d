//! The banner: the verdict on the cluster, and the result of the last command.

use crate::cluster::hints::{self, Arg};
use crate::cluster::{Health, Hint, HintId, Role, Timestamp};
use crate::i18n::{MessageKey, ProblemCount};
use crate::page::route::Done;
use crate::page::view_context::ViewContext;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Banner {
    pub(crate) headline: String,
    /// What follows from blindness; empty otherwise.
    pub(crate) note: String,
    /// The most urgent kinds of problem. Each is a link to the servers that have it.
    pub(crate) problems: Vec<ProblemLink>,
    pub(crate) health: Health,
    /// Since when the page shows only the last known values.
    pub(crate) blind: Option<Timestamp>,
    /// The result of the last command.
    pub(crate) done: Option<String>,
    /// Why the last command was rejected, if no dialog says so.
    pub(crate) error: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProblemLink {
    pub(crate) text: String,
    pub(crate) address: String,
}

pub(crate) fn banner(context: &ViewContext<'_>, hints: &[Hint]) -> Banner {
    let ViewContext { overview, route, catalog, .. } = *context;
    let verdict = catalog.verdict(overview, hints);
    Banner {
        headline: verdict.headline,
        note: verdict.note,
        problems: verdict
            .problems
            .into_iter()
            .map(|problem| context.problem_link(problem))
            .collect(),
        // An empty cluster is not healthy: nothing is known about it.
        health: if overview.servers.is_empty() { Health::Unknown } else { overview.health },
        blind: overview.blind_since,
        error: context.error_on_page(),
        done: route.done.as_ref().map(|done| context.done(done)),
    }
}

impl ViewContext<'_> {
    fn problem_link(&self, problem: ProblemCount) -> ProblemLink {
        let ProblemCount { id, is_of_cluster, text } = problem;
        let address = if is_of_cluster {
            format!("#{}", hints::anchor(id, None, None))
        } else {
            self.address_of_search(format!("hint:{}", id.as_str()))
        };
        ProblemLink { text, address }
    }

    fn done(&self, done: &Done) -> String {
        let (server, role) = match done {
            Done::Saved => return self.catalog.text(MessageKey::DoneSaved).to_owned(),
            Done::Removed(None) => return self.catalog.text(MessageKey::DoneRemoved).to_owned(),
            Done::Accepted => return self.catalog.text(MessageKey::DoneAccepted).to_owned(),
            Done::Reconnected => return self.catalog.text(MessageKey::DoneReconnected).to_owned(),
            Done::Removed(Some((server, role))) => (server, role),
        };
        let args = [("server", Arg::Text(server.to_string()))];
        let reappeared =
            self.overview.components().map(|status| &status.component).find(|component| {
                component.server == *server && role.is_none_or(|role| role == component.role)
            });
        match (reappeared, role) {
            (Some(component), _) if component.came_back.is_some() => {
                self.catalog.title_of_one(HintId::CameBack, &args)
            }
            (Some(_), _) => self.catalog.format(MessageKey::DoneRestarted, &args),
            (None, None) => self.catalog.format(MessageKey::DoneRemovedServer, &args),
            (None, Some(Role::Web)) => self.catalog.format(MessageKey::DoneRemovedWeb, &args),
            (None, Some(Role::Service)) => {
                self.catalog.format(MessageKey::DoneRemovedService, &args)
            }
        }
    }
}
