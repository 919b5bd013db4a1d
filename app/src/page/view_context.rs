//! The inputs of every model on the page.

use crate::cluster::hints::Arg;
use crate::cluster::{Overview, Snapshot, Timestamp};
use crate::i18n::{Catalog, MessageKey};
use crate::page::route::dialog::Dialog;
use crate::page::route::{CommandFailure, CommandSource, List, Route};
use crate::protocol::{
    CommandError, FORBIDDEN, FOREIGN, LAPSED, OUTDATED, REJECTED, SIGNED_OUT, UNREACHABLE,
};

pub(crate) struct ViewContext<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) overview: &'a Overview,
    /// The last judgement before the observer became blind, where the order of the list asks for it.
    pub(crate) last_known: Option<&'a Overview>,
    pub(crate) now: Timestamp,
    pub(crate) route: &'a Route,
    pub(crate) catalog: &'static Catalog,
}

impl ViewContext<'_> {
    /// The address of the list of all servers that a search finds.
    pub(crate) fn address_of_search(&self, search: String) -> String {
        let list = List { search, ..List::default() };
        let appearance = self.route.appearance.clone();
        Route { list, appearance, ..Route::default() }.address()
    }

    /// Why the command of the open dialog was rejected.
    pub(crate) fn error_in_dialog(&self) -> Option<String> {
        self.failure_message(|failure| failure.source == CommandSource::Dialog)
    }

    /// Why the last command was rejected, if no dialog says so.
    pub(crate) fn error_on_page(&self) -> Option<String> {
        let is_open = self.route.dialog != Dialog::None;
        self.failure_message(|failure| !is_open || failure.source == CommandSource::Hint)
    }

    fn failure_message(&self, is_said: impl Fn(&CommandFailure) -> bool) -> Option<String> {
        let failure = self.route.failure.as_ref().filter(|failure| is_said(failure))?;
        let detail = Arg::Text(failure.detail.clone());
        let key = error_message(&failure.reason, self.route.appearance.hide_chrome)?;
        Some(self.catalog.format(key, &[("detail", detail)]))
    }
}

/// What is said for the reason in an address; `None` if it names no reason.
fn error_message(reason: &str, is_embedded: bool) -> Option<MessageKey> {
    if let Some(error) = CommandError::parse(reason) {
        return Some(match error {
            CommandError::Fields => MessageKey::CommandErrorInvalidFields,
            CommandError::Absent => MessageKey::CommandErrorNotFound,
            CommandError::Live => MessageKey::CommandErrorStillRunning,
            CommandError::Ambiguous => MessageKey::CommandErrorAmbiguous,
            CommandError::Blind => MessageKey::CommandErrorBlind,
            CommandError::NotDialled => MessageKey::CommandErrorNoMessenger,
            CommandError::TooSoon => MessageKey::CommandErrorTooSoon,
            CommandError::Unreached => MessageKey::CommandErrorNotConnected,
        });
    }
    match reason {
        // A page without chrome is in a frame, where nobody can sign in.
        LAPSED if is_embedded => Some(MessageKey::CommandErrorLapsedGuest),
        LAPSED => Some(MessageKey::CommandErrorLapsed),
        SIGNED_OUT => Some(MessageKey::CommandErrorSignedOut),
        FORBIDDEN => Some(MessageKey::CommandErrorForbidden),
        UNREACHABLE | OUTDATED => Some(MessageKey::CommandErrorNoAnswer),
        FOREIGN => Some(MessageKey::CommandErrorProxyAnswered),
        REJECTED => Some(MessageKey::CommandErrorRejected),
        _ => None,
    }
}
