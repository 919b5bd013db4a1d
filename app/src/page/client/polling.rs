//! Gets updates: by polling, and by the event stream where no proxy buffers it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;

use crate::cluster::Span;
use crate::packed::{Unreadable, unpack};
use crate::page::client::client_state::ClientState;
use crate::page::client::event_stream::EventStream;
use crate::page::client::monotonic::since_opened;
use crate::page::client::rendering::set_if_changed;
use crate::page::client::{REQUEST_TIMEOUT_MS, calls, redraw};
use crate::page::header::model::Connection;
use crate::page::state::PageState;
use crate::protocol::{CallError, FOREIGN, OUTDATED, OverviewDelta, SIGNED_OUT, UNREACHABLE};
use crate::server_fns::Overview;

/// How often it is decided whether to poll.
const DECISION_MS: u32 = 200;

/// Polls until the page is closed. Between two polls the event stream is open where it works.
pub(super) async fn poll(
    state: PageState,
    client: Rc<RefCell<ClientState>>,
    poll_now: Rc<Cell<bool>>,
    paused_until: Rc<Cell<Span>>,
    mut stream: EventStream,
) {
    let is_leaving = || since_opened() < paused_until.get();
    let mut was_paused = false;
    let mut was_hidden = document().hidden();
    listen(state, &client, &poll_now, &mut stream);
    loop {
        let mut period_start = since_opened();
        let [visible_delay, hidden_delay] =
            [false, true].map(|hidden| client.borrow().poll_delay(hidden));
        loop {
            TimeoutFuture::new(DECISION_MS).await;
            let paused = state.connection.get_untracked() == Connection::Paused;
            let resumed = was_paused && !paused;
            was_paused = paused;
            let hidden = document().hidden();
            if hidden && !was_hidden {
                period_start = since_opened();
            }
            was_hidden = hidden;
            let idle = paused || is_leaving();
            if idle || hidden {
                stream.close();
            }
            let is_streaming = stream.is_receiving() && !client.borrow().is_stream_overdue();
            let pause = if hidden { hidden_delay } else { visible_delay };
            let due = !is_streaming && since_opened() - period_start >= pause;
            let is_requested = poll_now.take() && !hidden;
            if !idle && (resumed || is_requested || due) {
                break;
            }
        }
        let connection = if stream.close() { Connection::Live } else { Connection::Polling };
        let cursor = client.borrow().cursor();
        let base = state.shared().page_context.site.base.clone();
        client.borrow_mut().start_request();
        let answer = select(
            Box::pin(calls::call(base, Overview { cursor })),
            TimeoutFuture::new(REQUEST_TIMEOUT_MS),
        )
        .await;
        let paused = state.connection.get_untracked() == Connection::Paused;
        let may_listen = match answer {
            Either::Left((Ok(delta), _)) if !paused => {
                apply(state, &client, delta, connection);
                true
            }
            // Paused meanwhile: resuming polls again.
            Either::Left((Ok(_), _)) => {
                client.borrow_mut().drop_request();
                false
            }
            Either::Left((Err(failure), _)) => {
                record_failure(state, &client, failure);
                // What rejects polls may still let the stream through.
                true
            }
            Either::Right(_) => {
                record_failure(state, &client, UNREACHABLE.into());
                false
            }
        };
        // A page that is being left may have lost its session since the poll.
        if may_listen && !is_leaving() {
            listen(state, &client, &poll_now, &mut stream);
        }
    }
}

/// Shows why there is no answer. Without a session the page reloads, which leads to the sign-in page, unless
/// that would empty a form.
fn record_failure(state: PageState, client: &RefCell<ClientState>, failure: CallError) {
    let signed_out = failure.reason == SIGNED_OUT;
    if failure.reason == OUTDATED {
        set_if_changed(&state.outdated, true);
    }
    let connection = match failure.reason.as_str() {
        SIGNED_OUT => Connection::SignedOut,
        UNREACHABLE | OUTDATED => no_answer_state(),
        FOREIGN => Connection::Foreign,
        _ => Connection::Refused,
    };
    client.borrow_mut().record_failure(failure.detail.clone());
    if state.connection.get_untracked() != Connection::Paused {
        set_if_changed(&state.shared().error_detail, failure.detail);
        set_if_changed(&state.connection, connection);
    }
    if signed_out && !state.route.get_untracked().dialog.is_form() {
        let _ = window().location().reload();
    }
}

pub(super) fn no_answer_state() -> Connection {
    let online = window().navigator().on_line();
    if online { Connection::Reconnecting } else { Connection::Offline }
}

fn listen(
    state: PageState,
    client: &Rc<RefCell<ClientState>>,
    poll_now: &Rc<Cell<bool>>,
    stream: &mut EventStream,
) {
    if document().hidden() {
        return;
    }
    let cursor = client.borrow().cursor();
    let base = state.shared().page_context.site.base.clone();
    let address = format!("{base}/api/v1/stream?format=packed");
    let (client, poll_now) = (Rc::clone(client), Rc::clone(poll_now));
    stream.open(&address, &cursor, move |update| {
        // It may have ended because this page is behind.
        let Some(text) = update else { return poll_now.set(true) };
        let paused = state.connection.get_untracked() == Connection::Paused;
        match unpack(&text) {
            Ok(delta) if !paused => apply(state, &client, delta, Connection::Live),
            Err(Unreadable::OtherFormat) => set_if_changed(&state.outdated, true),
            // The updates after it build on what this one had.
            Ok(_) | Err(Unreadable::Foreign) => poll_now.set(true),
        }
    });
}

fn apply(
    state: PageState,
    client: &RefCell<ClientState>,
    delta: OverviewDelta,
    connection: Connection,
) {
    // Behind a load balancer the next answer may be of this build again; the offer to reload stays.
    if client.borrow().is_outdated(&delta) {
        set_if_changed(&state.outdated, true);
    }
    let changed = client.borrow_mut().apply(delta);
    let as_of = client.borrow().as_of();
    set_if_changed(&state.as_of, as_of);
    set_if_changed(&state.connection, connection);
    if changed {
        redraw(state, client);
    }
}
