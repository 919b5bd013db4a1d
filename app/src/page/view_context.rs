//! The inputs of every model on the page.

use crate::cluster::hints::Arg;
use crate::cluster::{Overview, Snapshot, Timestamp};
use crate::i18n::Words;
use crate::page::route::Route;
use crate::protocol::LAPSED;

pub(crate) struct ViewContext<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) overview: &'a Overview,
    pub(crate) now: Timestamp,
    pub(crate) route: &'a Route,
    pub(crate) words: &'static Words,
}

impl ViewContext<'_> {
    /// Why the last command was rejected.
    pub(crate) fn command_error(&self) -> Option<String> {
        let reason = self.route.error.as_deref()?;
        // A page without chrome is in a frame, where nobody can sign in.
        let guest =
            if reason == LAPSED && self.route.appearance.hide_chrome { ".guest" } else { "" };
        let detail = Arg::Text(self.route.error_detail.clone());
        let sentence = self.words.say(&format!("refusal.{reason}{guest}"), &[("detail", detail)]);
        (!sentence.is_empty()).then_some(sentence)
    }
}
