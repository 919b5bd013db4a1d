//! How does the page open? Its first sentence, and the one below it.

use crate::cluster::hints::Arg;
use crate::cluster::{
    ComponentStatus, Health, Hint, HintId, KeyVerdict, Overview, Pulse, Role, ServerStatus,
    Severity, VersionCheck,
};
use crate::i18n::{Catalog, MessageKey};

/// This number of servers is named; the others are counted.
const MAX_NAMED: usize = 3;
/// The weight of the worst reason.
const MAX_WEIGHT: u8 = 7;

/// The page's first sentence and the one below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How the cluster is.
    pub headline: String,
    /// Which servers have problems, and which; empty when all is well.
    pub detail: String,
}

/// The reasons below the headline: the first ones in words, and how many there are.
#[derive(Default)]
struct Reasons {
    sentences: Vec<String>,
    count: usize,
}

impl Reasons {
    /// Adds one, which stands for `count`, and is put into words only if it may be named.
    fn add(&mut self, count: usize, sentence: impl FnOnce() -> String) {
        self.count += count;
        if self.sentences.len() <= MAX_NAMED {
            self.sentences.push(sentence());
        }
    }
}

impl Catalog {
    /// How many servers need attention, and why.
    pub fn verdict(&self, overview: &Overview, hints: &[Hint]) -> Verdict {
        let troubled: Vec<_> =
            overview.servers.iter().filter(|server| server.health > Health::Unknown).collect();
        Verdict {
            headline: self.headline(overview, troubled.len()),
            detail: match overview.blind_since {
                Some(_) => self.text(MessageKey::VerdictBlindDetail).to_owned(),
                None => self.detail(&troubled, hints),
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

    fn detail(&self, troubled: &[&ServerStatus], hints: &[Hint]) -> String {
        let title = |hint: &Hint| {
            self.format(MessageKey::VerdictHint, &[("title", Arg::Text(self.title(hint)))])
        };
        let mut reasons = Reasons::default();
        // Services that went silent together are named together: the cause is seldom theirs.
        let everyone = hints.iter().find(|hint| hint.id == HintId::EveryoneSilent);
        if let Some(everyone) = everyone {
            reasons.add(1, || title(everyone));
        }
        let worst = troubled.iter().filter_map(|server| {
            let worst = server.components.iter().filter_map(reason).max();
            worst.map(|(weight, key)| (weight, key, &server.name))
        });
        let found: Vec<_> = worst
            .filter(|(_, key, _)| everyone.is_none() || *key != MessageKey::VerdictStale)
            .collect();
        for heaviest in (1..=MAX_WEIGHT).rev() {
            for (_, key, server) in found.iter().filter(|(weight, ..)| *weight == heaviest) {
                reasons.add(1, || self.format(*key, &[("server", Arg::Text(server.to_string()))]));
            }
        }
        if troubled.is_empty() {
            for hint in hints.iter().filter(|hint| hint.severity() != Severity::Info) {
                reasons.add(hint.weight(), || title(hint));
            }
        }
        // One more is named as quickly as it is counted.
        let more = reasons.count.saturating_sub(MAX_NAMED);
        if more > 1 {
            reasons.sentences.truncate(MAX_NAMED);
            let more = [("count", Arg::Number(more))];
            reasons.sentences.push(self.format(MessageKey::VerdictMore, &more));
        }
        reasons.sentences.join(" ")
    }
}

/// What is worst about a component, and its weight.
fn reason(status: &ComponentStatus) -> Option<(u8, MessageKey)> {
    let key = match status.key {
        Some(KeyVerdict::Mismatch) => Some((MAX_WEIGHT, MessageKey::VerdictKey)),
        Some(KeyVerdict::Missing) => Some((1, MessageKey::VerdictKeyMissing)),
        Some(KeyVerdict::InSync) | None => None,
    };
    let machine_key = (status.machine_key == Some(KeyVerdict::Mismatch))
        .then_some((6, MessageKey::VerdictMachineKey));
    let pulse = match (status.pulse, status.component.role) {
        (Pulse::Stale, Role::Service) => Some((5, MessageKey::VerdictStale)),
        (Pulse::Late, _) => Some((4, MessageKey::VerdictLate)),
        (Pulse::Stale, Role::Web) => Some((3, MessageKey::VerdictWebStale)),
        (Pulse::Stopped, _) => Some((3, MessageKey::VerdictStopped)),
        (Pulse::Alive | Pulse::Unknown, _) => None,
    };
    let version = match status.version {
        Some(VersionCheck::Behind) => Some((2, MessageKey::VerdictBehind)),
        Some(VersionCheck::Ahead) => Some((2, MessageKey::VerdictAhead)),
        Some(VersionCheck::InSync) | None => None,
    };
    [key, machine_key, pulse, version].into_iter().flatten().max()
}
