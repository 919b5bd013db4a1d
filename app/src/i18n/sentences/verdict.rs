//! How does the page open? Its first sentence, and the one below it.

use crate::cluster::hints::Arg;
use crate::cluster::{Health, Hint, Overview, ServerName, Severity};
use crate::i18n::{Catalog, MessageKey};

/// This number of hints is named; the others are counted.
const MAX_NAMED: usize = 3;

/// The page's first sentence and the one below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How the cluster is.
    pub headline: String,
    /// Which servers have problems, and which; empty when all is well.
    pub detail: String,
}

impl Catalog {
    /// How many servers need attention, and why.
    pub fn verdict(&self, overview: &Overview, hints: &[Hint]) -> Verdict {
        let troubled = overview.servers.iter().filter(|server| server.health > Health::Unknown);
        Verdict {
            headline: self.headline(overview, troubled.count()),
            detail: match overview.blind_since {
                Some(_) => self.text(MessageKey::VerdictBlindDetail).to_owned(),
                None => self.detail(hints),
            },
        }
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

    /// The titles of the most urgent hints, one for each server.
    fn detail(&self, hints: &[Hint]) -> String {
        let mut named: Vec<&ServerName> = Vec::new();
        let (mut sentences, mut count) = (Vec::new(), 0);
        for hint in hints.iter().filter(|hint| hint.severity != Severity::Info) {
            if let Some(server) = &hint.server {
                if named.contains(&server) {
                    continue;
                }
                named.push(server);
            }
            count += hint.weight();
            // One more is named as quickly as it is counted.
            if sentences.len() <= MAX_NAMED {
                let title = Arg::Text(self.title(hint));
                sentences.push(self.format(MessageKey::VerdictHint, &[("title", title)]));
            }
        }
        let more = count.saturating_sub(MAX_NAMED);
        if more > 1 {
            sentences.truncate(MAX_NAMED);
            sentences.push(self.format(MessageKey::VerdictMore, &[("count", Arg::Number(more))]));
        }
        sentences.join(" ")
    }
}
