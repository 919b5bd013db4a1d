//! Announces command results and new verdicts to screen readers, but not too often.

use crate::cluster::Span;
use crate::page::banner::model::Banner;
use crate::page::client::monotonic::since_opened;
use crate::page::client::rendering::set_if_changed;
use crate::page::state::PageState;

const MIN_ANNOUNCEMENT_INTERVAL: Span = Span::seconds(10);

/// The texts that were announced last.
pub(super) struct Announcer {
    headline: String,
    done: Option<String>,
    at: Option<Span>,
}

impl Announcer {
    /// The first verdict is not announced: a screen reader reads the heading.
    pub(super) fn new(state: PageState) -> Self {
        let Banner { headline, done, .. } = state.model_untracked().banner.clone();
        Self { headline, done, at: None }
    }

    /// Announces a command's result at once. Verdicts wait for the interval; of several only the last is
    /// announced.
    pub(super) fn announce(&mut self, state: PageState) {
        let banner = &state.model_untracked().banner;
        let now = since_opened();
        if self.done != banner.done {
            self.done.clone_from(&banner.done);
            if let Some(done) = &banner.done {
                self.at = Some(now);
                set_if_changed(&state.shared().announcement, done.clone());
            }
        }
        let is_too_soon = self.at.is_some_and(|at| now - at < MIN_ANNOUNCEMENT_INTERVAL);
        if !is_too_soon && self.headline != banner.headline {
            self.at = Some(now);
            self.headline.clone_from(&banner.headline);
            set_if_changed(&state.shared().announcement, banner.headline.clone());
        }
    }
}
