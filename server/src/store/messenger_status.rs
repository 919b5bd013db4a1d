//! What a web server has to say of a service's messenger, and what that changes in the service's row.

use std::sync::Arc;

use app::cluster::{Component, ComponentKey, Messenger, MessengerFailure, Timestamp};

/// What one web server has to say of one service's messenger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessengerReport {
    /// Whose messenger.
    pub key: ComponentKey,
    /// Whether it is connected, or why not; `None` where this web server dials it no more.
    pub outcome: Option<Result<(), MessengerFailure>>,
}

impl MessengerReport {
    /// The component with this word on it, from `at` on; `None` if that changes nothing.
    pub(super) fn apply_to(
        &self,
        component: &Component,
        seen_by: &str,
        at: Timestamp,
    ) -> Option<Component> {
        let before = component.messengers.iter().find(|seen| seen.seen_by == seen_by);
        let outcome = self.outcome.zip(component.facts.messenger_port);
        let now = outcome.map(|(outcome, port)| Messenger {
            failure: outcome.err(),
            since: at,
            port,
            seen_by: seen_by.to_owned(),
        });
        let same = match (before, &now) {
            (None, None) => true,
            (Some(before), Some(now)) => before.failure == now.failure && before.port == now.port,
            (None, Some(_)) | (Some(_), None) => false,
        };
        if same {
            return None;
        }
        let mut next = component.clone();
        next.messengers.retain(|seen| seen.seen_by != seen_by);
        next.messengers.extend(now.map(Arc::new));
        next.messengers.sort_by(|one, other| one.seen_by.cmp(&other.seen_by));
        Some(next)
    }
}
