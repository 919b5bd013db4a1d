//! Says to screen readers what was done and how the verdict changed, but not too often.

use leptos::prelude::WithUntracked as _;

use crate::cluster::Span;
use crate::page::client::monotonic::since_opened;
use crate::page::state::{PageState, set};

/// The least time between two verdicts that are announced.
const ANNOUNCEMENT_PAUSE: Span = Span::seconds(30);

/// What was announced last.
pub(super) struct Announcer {
    headline: String,
    done: Option<String>,
    /// The time of the last announcement.
    at: Option<Span>,
}

impl Announcer {
    /// Nothing yet: a reader meets the heading itself.
    pub(super) fn new(state: PageState) -> Self {
        let (headline, done) =
            state.banner.with_untracked(|head| (head.headline.clone(), head.done.clone()));
        Self { headline, done, at: None }
    }

    /// What was done is said at once, a verdict in its time: of several within it the last.
    pub(super) fn announce(&mut self, state: PageState) {
        state.banner.with_untracked(|head| {
            let now = since_opened();
            if self.done != head.done {
                self.done.clone_from(&head.done);
                if let Some(done) = &head.done {
                    self.at = Some(now);
                    set(&state.announcement(), done.clone());
                }
            }
            let rests = self.at.is_some_and(|at| now - at < ANNOUNCEMENT_PAUSE);
            if !rests && self.headline != head.headline {
                self.at = Some(now);
                self.headline.clone_from(&head.headline);
                set(&state.announcement(), head.headline.clone());
            }
        });
    }
}
