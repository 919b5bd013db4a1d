//! The page in the browser: takes over the rendered document and starts what keeps it up to date.

mod announcer;
mod calls;
mod client_state;
mod event_stream;
pub(crate) mod focus;
mod history;
mod json;
pub(crate) mod monotonic;
mod polling;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use js_sys::Function;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use leptos::wasm_bindgen::prelude::wasm_bindgen;

use crate::cluster::{Span, Timestamp};
use crate::i18n::{self, Language, Words};
use crate::page::banner::view as banner;
use crate::page::client::announcer::Announcer;
use crate::page::client::client_state::ClientState;
use crate::page::client::history::forget_handle;
use crate::page::client::monotonic::since_opened;
use crate::page::document::{Page, PageProps};
use crate::page::header::view as header;
use crate::page::route::{Done, Route};
use crate::page::state::{Connection, PageState, set};
use crate::protocol::{CallError, Command, CommandError, InitialState, UNREACHABLE};
use crate::server_fns::Act;

/// How long one request may take, in milliseconds.
const REQUEST_TIMEOUT_MS: u32 = 10_000;
/// How often the page checks whether something is due, in milliseconds.
const TICK_MS: u32 = 200;
/// How long a page that is being left sends no request.
const UNLOAD_PAUSE: Span = Span::seconds(10);

/// Takes over the page that the server rendered, in the words of this message file; `number` and `date`
/// write a number, and a moment in milliseconds, as this browser does.
#[wasm_bindgen]
pub fn hydrate(language: &str, messages: String, number: Function, date: Function) {
    let Some(initial) = read_initial_state() else { return };
    let Some(app) = document().get_element_by_id("app").and_then(|app| app.dyn_into().ok()) else {
        return;
    };
    let language = Language::parse(language).unwrap_or_default();
    // They are spoken as long as the page is open.
    let words: &Words = Box::leak(Box::new(Words::read(language, messages.leak())));
    let client = ClientState::new(&initial, words);
    let mounted: Rc<Cell<Option<PageState>>> = Rc::default();
    let shown = Rc::clone(&mounted);
    let snapshot = client.snapshot().clone();
    leptos::mount::hydrate_from(app, move || {
        let state = PageState::new(initial, &snapshot, words);
        shown.set(Some(state));
        Page(PageProps { state })
    })
    .forget();
    let delta = document().get_element_by_id("news").and_then(|delta| delta.dyn_into().ok());
    if let (Some(delta), Some(state)) = (delta, mounted.get()) {
        leptos::mount::hydrate_from(delta, move || move || header::connection_status(state))
            .forget();
    }
    if let Some(state) = mounted.get() {
        i18n::write_by(number, date);
        state.rerender_formatted();
        start(state, client);
    }
    if let Some(root) = document().document_element() {
        // An attribute of a fixed name is always taken.
        let _ = root.set_attribute("data-hydrated", "true");
    }
}

fn read_initial_state() -> Option<InitialState> {
    let text = document().get_element_by_id("picture")?.text_content()?;
    json::read(&text)
}

fn start(state: PageState, client: ClientState) {
    let client = Rc::new(RefCell::new(client));
    let poll_now = Rc::new(Cell::new(false));
    let paused_until = Rc::new(Cell::new(Span::ZERO));
    poll_on_return(&poll_now);
    pause_on_unload(&paused_until);
    update_title(state);
    history::start(state);
    render_routes(state, Rc::clone(&client));
    run_commands(state, Rc::clone(&poll_now));
    leptos::task::spawn_local(tick(state, Rc::clone(&client)));
    leptos::task::spawn_local(polling::poll(state, client, poll_now, paused_until));
}

/// The tab's title is the verdict, readable behind other tabs; of a paused page it says that it is paused.
fn update_title(state: PageState) {
    let headline = Memo::new(move |_| {
        let paused = state.connection.get() == Connection::Paused;
        let mark = if paused { state.words().label("news.paused") } else { "" };
        let between = if paused { ": " } else { "" };
        state.banner.with(|head| format!("{mark}{between}{}", head.headline))
    });
    Effect::new(move |_| document().set_title(&banner::title(&headline.get())));
}

/// The page is visible again, or the network went or is back: poll at once.
fn poll_on_return(poll_now: &Rc<Cell<bool>>) {
    for event in ["visibilitychange", "online", "offline"] {
        let poll_now = Rc::clone(poll_now);
        forget_handle(window_event_listener_untyped(event, move |_| poll_now.set(true)));
    }
}

/// A page that is being left, perhaps by signing out, sends no request that would be rejected. If it stays after all,
/// it goes on after a while.
fn pause_on_unload(paused_until: &Rc<Cell<Span>>) {
    let paused_until = Rc::clone(paused_until);
    let left = move |_| paused_until.set(since_opened() + UNLOAD_PAUSE);
    forget_handle(window_event_listener_untyped("beforeunload", left));
}

/// Another route shows the same facts in another way: at once, without a request.
fn render_routes(state: PageState, client: Rc<RefCell<ClientState>>) {
    Effect::new(move |_| {
        let route = state.route.get();
        let view = client.borrow_mut().view(&route);
        focus::preserve(|| state.show(view));
    });
}

/// Sends commands, shows their results, and polls for what they changed.
fn run_commands(state: PageState, poll_now: Rc<Cell<bool>>) {
    Effect::new(move |_| {
        let Some(command) = state.pending_command.get() else { return };
        state.pending_command.update_untracked(|pending| *pending = None);
        if state.busy.get_untracked() {
            return;
        }
        set(&state.busy, true);
        let poll_now = Rc::clone(&poll_now);
        let base = state.page_context(|context| context.site.base.clone());
        leptos::task::spawn_local(async move {
            let answer = select(
                Box::pin(calls::call(base, Act { command: command.clone() })),
                TimeoutFuture::new(REQUEST_TIMEOUT_MS),
            )
            .await;
            set(&state.busy, false);
            poll_now.set(true);
            let route = state.route.get_untracked();
            let refused = match answer {
                Either::Left((Ok(Ok(())), _)) => {
                    // Whoever changes something wants to see it changed: that ends a pause.
                    if state.connection.get_untracked() == Connection::Paused {
                        state.connection.set(Connection::Polling);
                    }
                    history::navigate(state, route.after(done(command)), "");
                    return;
                }
                Either::Left((Ok(Err(CommandError::Live)), _)) => {
                    history::navigate(state, route.with_dialog(route.dialog.confirming_live()), "");
                    return;
                }
                Either::Left((Ok(Err(refusal)), _)) => refusal.as_str().into(),
                Either::Left((Err(failure), _)) => failure,
                Either::Right(_) => UNREACHABLE.into(),
            };
            let CallError { reason, detail } = refused;
            let reason = if reason.is_empty() { "refused".to_owned() } else { reason };
            set(&state.route, Route { error: Some(reason), error_detail: detail, ..route });
        });
    });
}

fn done(command: Command) -> Done {
    match command {
        Command::Configure(_) => Done::Saved,
        Command::Remove { server, role, .. } => Done::Removed(Some((server, role))),
        Command::Accept { .. } => Done::Accepted,
        Command::Reconnect { .. } => Done::Reconnected,
    }
}

/// Counts ages up every second and renders verdicts that change with time alone. Each step is a sign of life for the
/// watchdog of the document.
async fn tick(state: PageState, client: Rc<RefCell<ClientState>>) {
    let root = document().document_element();
    let mut announcer = Announcer::new(state);
    loop {
        TimeoutFuture::new(TICK_MS).await;
        if let Some(root) = &root {
            // An attribute of a fixed name is always taken.
            let _ = root.set_attribute("data-alive", "");
        }
        announcer.announce(state);
        if state.connection.get_untracked() == Connection::Paused {
            continue;
        }
        let mut client = client.borrow_mut();
        if !document().hidden() {
            let now = client.now();
            set(&state.tick, Timestamp(now.0 - now.0.rem_euclid(1_000)));
        }
        if client.needs_redraw() {
            if client.is_cut_off() && state.connection.get_untracked() == Connection::Live {
                set(&state.connection, polling::no_answer_state());
            }
            let view = state.route.with_untracked(|route| client.view(route));
            drop(client);
            focus::preserve(|| state.show(view));
        }
    }
}
