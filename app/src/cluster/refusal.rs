//! Heartbeats in a server's name that were refused: told on its row, for whoever wonders why it is silent.

use serde::{Deserialize, Serialize};

use super::facts::{Address, ComponentKey, Role, ServerName};
use super::snapshot::Snapshot;
use super::time::{Span, Timestamp};

/// How long after the last one it is told.
const TOLD_FOR: Span = Span::minutes(10);
/// Others within this time are not news: whoever is refused can neither keep the page nor its readers
/// busy.
const NEWS_AFTER: Span = Span::seconds(10);

/// Why heartbeats are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalReason {
    /// They bear no token that is good.
    Token,
    /// They bear another server's credential.
    Foreign,
    /// They bear a join token where a credential is required.
    NotEnrolled,
}

impl RefusalReason {
    /// Every reason there is.
    pub const ALL: [Self; 3] = [Self::Token, Self::Foreign, Self::NotEnrolled];

    /// The word in the API and in the sentence's key.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Foreign => "foreign",
            Self::NotEnrolled => "not_enrolled",
        }
    }
}

/// Heartbeats in a known server's name that are refused, one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// In whose name.
    pub server: ServerName,
    /// When the first of them came.
    pub since: Timestamp,
    /// How long it is told if no other comes.
    pub until: Timestamp,
    /// Why the last of them was refused.
    pub why: RefusalReason,
    /// Where that one came from, if known.
    pub from: Option<Address>,
}

impl Snapshot {
    /// The heartbeats that are refused in this server's name.
    pub fn refusal(&self, server: &ServerName, now: Timestamp) -> Option<&Refusal> {
        self.refusals.iter().find(|refusal| refusal.server == *server && now < refusal.until)
    }

    /// Takes one in that was refused at `now`. False if it is no news: nobody knows the server, or as
    /// much was told a moment ago.
    pub fn refuse(
        &mut self,
        server: &ServerName,
        why: RefusalReason,
        from: Option<Address>,
        now: Timestamp,
    ) -> bool {
        let key = |role| ComponentKey { server: server.clone(), role };
        let known = [Role::Web, Role::Service]
            .into_iter()
            .any(|role| self.components.contains_key(&key(role)));
        let told = self.refusal(server, now).cloned();
        let is_old = told.as_ref().is_some_and(|told| {
            let before = now - (told.until - TOLD_FOR);
            let same = told.why == why && told.from == from;
            before < if same { TOLD_FOR.half() } else { NEWS_AFTER }
        });
        if !known || is_old {
            return false;
        }
        self.refusals.retain(|refusal| refusal.server != *server && now < refusal.until);
        let since = told.map_or(now, |told| told.since);
        let until = now + TOLD_FOR;
        self.refusals.push(Refusal { server: server.clone(), since, until, why, from });
        self.changed_at = self.changed_at.max(now);
        true
    }
}
