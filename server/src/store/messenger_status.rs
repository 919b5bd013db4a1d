//! What does a web server's report about a messenger change in the service's row?

use std::sync::Arc;

use app::cluster::{Component, ComponentKey, Messenger, MessengerFailure, Timestamp};

/// In which state one web server finds the messenger of one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessengerReport {
    pub key: ComponentKey,
    /// Whether it is connected, or why not. `None` if this web server no longer dials it.
    pub outcome: Option<Result<(), MessengerFailure>>,
}

impl MessengerReport {
    /// The component with this report, which holds since `at`. `None` if the report changes nothing.
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
