//! Sends what the user asks for, and asks for the password first where the session does not allow it any more.

use std::cell::Cell;
use std::rc::Rc;

use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;

use crate::page::client::history::{self, forget_handle};
use crate::page::client::rendering::set_if_changed;
use crate::page::client::{REQUEST_TIMEOUT_MS, calls, focus};
use crate::page::header::model::Connection;
use crate::page::route::{CommandFailure, CommandSource, Done, Route};
use crate::page::state::PageState;
use crate::protocol::{
    CallError, Command, CommandError, LAPSED, REJECTED, SIGNED_OUT, UNREACHABLE,
};
use crate::server_fns::Act;

pub(super) fn start(state: PageState, poll_now: Rc<Cell<bool>>) {
    // What was sent without a session that allows it.
    let unsent = StoredValue::new(None::<(Command, CommandSource)>);
    Effect::new(move |_| {
        let Some((command, source)) = state.pending_command.get() else { return };
        state.pending_command.update_untracked(|pending| *pending = None);
        if state.busy.get_untracked() {
            return;
        }
        set_if_changed(&state.busy, true);
        unsent.set_value(Some((command.clone(), source)));
        let poll_now = Rc::clone(&poll_now);
        leptos::task::spawn_local(async move {
            let answer = send(state, command.clone()).await;
            set_if_changed(&state.busy, false);
            poll_now.set(true);
            show_answer(state, command, source, answer);
        });
    });
    forget_handle(window_event_listener_untyped("signed-in", move |_| {
        // Unless the user has turned to something else meanwhile.
        if needs_sign_in(&state.route.get_untracked()) {
            state.route.update(|route| route.failure = None);
            state.pending_command.set(unsent.get_value());
        }
    }));
    ask_for_password(state);
}

async fn send(state: PageState, command: Command) -> Result<Result<(), CommandError>, CallError> {
    let base = state.shared().page_context.site.base.clone();
    let call = Box::pin(calls::call(base, Act { command }));
    match select(call, TimeoutFuture::new(REQUEST_TIMEOUT_MS)).await {
        Either::Left((answer, _)) => answer,
        Either::Right(_) => Err(UNREACHABLE.into()),
    }
}

fn show_answer(
    state: PageState,
    command: Command,
    source: CommandSource,
    answer: Result<Result<(), CommandError>, CallError>,
) {
    let route = state.route.get_untracked();
    let failure = match answer {
        Ok(Ok(())) => {
            // A change ends a pause, so that the user sees the result.
            if state.connection.get_untracked() == Connection::Paused {
                state.connection.set(Connection::Polling);
            }
            history::navigate(state, route.after(completed(command)), "");
            return;
        }
        Ok(Err(CommandError::Live)) => {
            history::navigate(state, route.with_dialog(route.dialog.confirming_live()), "");
            return;
        }
        Ok(Err(refusal)) => refusal.as_str().into(),
        Err(failure) => failure,
    };
    let CallError { reason, detail } = failure;
    let reason = if reason.is_empty() { REJECTED.to_owned() } else { reason };
    let failure = Some(CommandFailure { reason, detail, source });
    set_if_changed(&state.route, Route { failure, ..route });
}

fn completed(command: Command) -> Done {
    match command {
        Command::Configure(_) => Done::Saved,
        Command::Remove { server, role, .. } => Done::Removed(Some((server, role))),
        Command::Accept { .. } => Done::Accepted,
        Command::Reconnect { .. } => Done::Reconnected,
    }
}

/// Whether the last command was rejected because its user has to sign in again.
fn needs_sign_in(route: &Route) -> bool {
    let reason = route.failure.as_ref().map(|failure| failure.reason.as_str());
    reason.is_some_and(|reason| [LAPSED, SIGNED_OUT].contains(&reason))
}

/// Shows the form that `session.js` sends, while the page has no session or a command needs a newer one.
fn ask_for_password(state: PageState) {
    let root = document().document_element();
    let is_rejected = Memo::new(move |_| needs_sign_in(&state.route.get()));
    Effect::new(move |_| {
        let asks = is_rejected.get() || state.connection.get() == Connection::SignedOut;
        if let Some(root) = &root {
            // The name is valid.
            let _ = if asks {
                root.set_attribute("data-signed-out", "")
            } else {
                root.remove_attribute("data-signed-out")
            };
        }
        // A page that only reads leaves the focus where it is.
        if is_rejected.get() {
            focus::focus("sign-in-again-password", true);
        }
    });
}
