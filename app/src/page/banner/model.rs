//! The banner: the verdict on the cluster, and the result of the last command.

use crate::cluster::hints::Arg;
use crate::cluster::{Health, Hint, HintId, Timestamp};
use crate::page::route::Done;
use crate::page::view_context::ViewContext;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Banner {
    pub(crate) headline: String,
    /// Which servers, and why.
    pub(crate) detail: String,
    pub(crate) health: Health,
    /// Since when the page shows only the last known values.
    pub(crate) blind: Option<Timestamp>,
    /// The result of the last command.
    pub(crate) done: Option<String>,
}

pub(crate) fn banner(context: &ViewContext<'_>, hints: &[Hint]) -> Banner {
    let ViewContext { overview, route, words, .. } = *context;
    let verdict = words.verdict(overview, hints);
    Banner {
        headline: verdict.headline,
        detail: verdict.detail,
        // An empty cluster is not healthy: nothing is known about it.
        health: if overview.servers.is_empty() { Health::Unknown } else { overview.health },
        blind: overview.blind_since,
        done: route.done.as_ref().map(|done| context.done(done)),
    }
}

impl ViewContext<'_> {
    fn done(&self, done: &Done) -> String {
        let Done::Removed(Some((server, role))) = done else {
            return self.words.say(&format!("done.{}", done.as_str()), &[]);
        };
        let args = [("server", Arg::Text(server.to_string()))];
        let reappeared =
            self.overview.components().map(|status| &status.component).find(|component| {
                component.server == *server && role.is_none_or(|role| role == component.role)
            });
        let key = match reappeared {
            Some(component) if component.came_back.is_some() => {
                format!("{}.title", HintId::CameBack.as_str())
            }
            Some(_) => "done.restarted".to_owned(),
            None => format!("done.removed.{}", role.map_or("server", |role| role.as_str())),
        };
        self.words.say(&key, &args)
    }
}
