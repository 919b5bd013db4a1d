//! How does the page open? Its first sentence, and the one below it.

use crate::cluster::hints::Arg;
use crate::cluster::{Health, Hint, HintId, Overview, Severity};
use crate::i18n::{Catalog, MessageKey};

/// So many kinds of problem are counted below the headline.
const MAX_KINDS: usize = 5;

/// The page's first sentence, and the line below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How the cluster is.
    pub headline: String,
    /// What follows from blindness; empty otherwise.
    pub note: String,
    /// The most urgent kinds of problem.
    pub problems: Vec<ProblemCount>,
}

/// A kind of problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProblemCount {
    /// The hint that each server with the problem has.
    pub id: HintId,
    /// Whether it concerns the cluster and no single server.
    pub is_of_cluster: bool,
    /// `44 services are stale`, or what the only one says.
    pub text: String,
}

impl Catalog {
    /// How many servers need attention, and why.
    pub fn verdict(&self, overview: &Overview, hints: &[Hint]) -> Verdict {
        let troubled = overview.servers.iter().filter(|server| server.health > Health::Unknown);
        let headline = self.headline(overview, troubled.count());
        if overview.blind_since.is_some() {
            let note = self.text(MessageKey::VerdictBlindDetail).to_owned();
            return Verdict { headline, note, problems: Vec::new() };
        }
        let urgent = hints.iter().filter(|hint| hint.severity != Severity::Info);
        let mut problems: Vec<(ProblemCount, usize)> = Vec::new();
        for hint in urgent {
            let known = problems.iter_mut().find(|(problem, _)| problem.id == hint.id);
            if let Some((problem, count)) = known {
                *count += hint.weight();
                problem.text = self.title_of_many(hint.id, *count);
            } else if problems.len() < MAX_KINDS {
                let (id, is_of_cluster) = (hint.id, hint.server.is_none());
                let text = self.title(hint);
                problems.push((ProblemCount { id, is_of_cluster, text }, hint.weight()));
            }
        }
        let problems = problems.into_iter().map(|(problem, _)| problem).collect();
        Verdict { headline, note: String::new(), problems }
    }

    fn headline(&self, overview: &Overview, troubled: usize) -> String {
        let total = overview.servers.len();
        let (key, count) = match (overview.health, total, troubled) {
            (Health::Unknown, ..) => (MessageKey::VerdictBlind, total),
            _ if overview.blind_since.is_some() => (MessageKey::VerdictBlind, total),
            (_, 0, _) => (MessageKey::VerdictNoServers, total),
            (Health::Ok, ..) => (MessageKey::VerdictHealthy, total),
            (Health::Warning | Health::Error, _, 0) => (MessageKey::VerdictAttentionCluster, total),
            (Health::Warning | Health::Error, 1, _) => {
                (MessageKey::VerdictAttentionOnlyServer, total)
            }
            (Health::Warning | Health::Error, ..) => (MessageKey::VerdictAttention, troubled),
        };
        let args = [
            ("count", Arg::Number(count)),
            ("total", Arg::Number(total)),
            ("since", Arg::Moment(overview.blind_since.unwrap_or_default())),
        ];
        self.format(key, &args)
    }
}
