//! Brings changes to the page: it polls, and listens to the event stream where nothing on the way holds it back.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;

use crate::cluster::Span;
use crate::page::client::client_state::ClientState;
use crate::page::client::event_stream::EventStream;
use crate::page::client::monotonic::since_opened;
use crate::page::client::{REQUEST_TIMEOUT_MS, TICK_MS, calls, focus, json};
use crate::page::state::{Connection, PageState, set};
use crate::protocol::{CallError, FOREIGN, OverviewDelta, SIGNED_OUT, UNREACHABLE};
use crate::server_fns::Overview;

/// Polls for changes until the page is closed; between two polls the event stream is open where it works.
pub(super) async fn poll(
    state: PageState,
    client: Rc<RefCell<ClientState>>,
    poll_now: Rc<Cell<bool>>,
    paused_until: Rc<Cell<Span>>,
) {
    let mut stream = EventStream::default();
    let mut was_paused = false;
    let mut was_hidden = document().hidden();
    listen(state, &client, &mut stream);
    loop {
        let mut begun = since_opened();
        let [seen, unseen] = [false, true].map(|hidden| client.borrow().poll_delay(hidden));
        loop {
            TimeoutFuture::new(TICK_MS).await;
            let paused = state.connection.get_untracked() == Connection::Paused;
            let resumed = was_paused && !paused;
            was_paused = paused;
            let hidden = document().hidden();
            if hidden && !was_hidden {
                begun = since_opened();
            }
            was_hidden = hidden;
            let idle = paused || since_opened() < paused_until.get();
            if idle || hidden {
                stream.close();
            }
            let listens = stream.is_receiving() && !client.borrow().is_stream_overdue();
            let pause = if hidden { unseen } else { seen };
            let due = !listens && since_opened() - begun >= pause;
            let is_hurried = poll_now.take() && !hidden;
            if !idle && (resumed || is_hurried || due) {
                break;
            }
        }
        let came = if stream.close() { Connection::Live } else { Connection::Polling };
        let cursor = client.borrow().cursor();
        let base = state.page_context(|context| context.site.base.clone());
        client.borrow_mut().start_request();
        let answer = select(
            Box::pin(calls::call(base, Overview { cursor })),
            TimeoutFuture::new(REQUEST_TIMEOUT_MS),
        )
        .await;
        let paused = state.connection.get_untracked() == Connection::Paused;
        match answer {
            Either::Left((Ok(delta), _)) if !paused => {
                apply(state, &client, delta, came);
                listen(state, &client, &mut stream);
            }
            // Paused meanwhile: what came is asked for again on resuming.
            Either::Left((Ok(_), _)) => client.borrow_mut().drop_request(),
            Either::Left((Err(failure), _)) => {
                record_failure(state, &client, failure);
                // What refuses questions may let a page listen.
                listen(state, &client, &mut stream);
            }
            Either::Right(_) => record_failure(state, &client, UNREACHABLE.into()),
        }
    }
}

/// Shows why there is no answer. Without a session the page reloads and so leads to the sign-in page, unless that would
/// empty a form.
fn record_failure(state: PageState, client: &RefCell<ClientState>, failure: CallError) {
    let signed_out = failure.reason == SIGNED_OUT;
    let lost = match failure.reason.as_str() {
        SIGNED_OUT => Connection::SignedOut,
        UNREACHABLE => no_answer_state(),
        FOREIGN => Connection::Foreign,
        _ => Connection::Refused,
    };
    client.borrow_mut().record_failure(failure.detail.clone());
    if state.connection.get_untracked() != Connection::Paused {
        set(&state.error_detail(), failure.detail);
        set(&state.connection, lost);
    }
    if signed_out && !state.route.with_untracked(|route| route.dialog.is_form()) {
        let _ = window().location().reload();
    }
}

/// What the page shows if no answer comes.
pub(super) fn no_answer_state() -> Connection {
    let online = window().navigator().on_line();
    if online { Connection::Reconnecting } else { Connection::Offline }
}

/// Opens the event stream at the cursor.
fn listen(state: PageState, client: &Rc<RefCell<ClientState>>, stream: &mut EventStream) {
    if document().hidden() {
        return;
    }
    let cursor = client.borrow().cursor();
    let base = state.page_context(|context| context.site.base.clone());
    let address = format!("{base}/api/v1/stream?cursor={cursor}");
    let client = Rc::clone(client);
    stream.open(&address, move |text| {
        let paused = state.connection.get_untracked() == Connection::Paused;
        if let Some(delta) = json::read(&text)
            && !paused
        {
            apply(state, &client, delta, Connection::Live);
        }
    });
}

/// Applies a delta and renders what it changed.
fn apply(state: PageState, client: &RefCell<ClientState>, delta: OverviewDelta, came: Connection) {
    let mut client = client.borrow_mut();
    // Behind a balancer the next to answer may be of this build again: the offer stays all the same.
    if client.is_outdated(&delta) {
        set(&state.outdated, true);
    }
    let moved = client.apply(delta);
    set(&state.as_of, client.as_of());
    set(&state.connection, came);
    if moved {
        let view = state.route.with_untracked(|route| client.view(route));
        drop(client);
        focus::preserve(|| state.show(view));
    }
}
