//! The page in the browser: asks for news, lets time pass, and shows what came of both.

mod client_state;
mod event_stream;
pub(crate) mod focus;
mod history;
pub(crate) mod monotonic;

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
use crate::page::client::client_state::ClientState;
use crate::page::client::event_stream::EventStream;
use crate::page::client::history::Keep as _;
use crate::page::client::monotonic::since_opened;
use crate::page::document::{Page, PageProps};
use crate::page::header;
use crate::page::route::{Done, Route};
use crate::page::state::{Connection, PageState, set};
use crate::protocol::{
    CallError, Command, CommandError, FOREIGN, InitialState, OverviewDelta, SIGNED_OUT, UNREACHABLE,
};
use crate::server_fns;

/// How long one request may take, in milliseconds.
const REQUEST_TIMEOUT_MS: u32 = 10_000;
/// How often the page looks whether anything is due, in milliseconds.
const TICK_MS: u32 = 200;
/// How long a screen reader is left alone between two verdicts.
const ANNOUNCEMENT_PAUSE: Span = Span::seconds(30);
/// How long a page that is being left asks nothing.
const UNLOAD_PAUSE: Span = Span::seconds(10);

/// Takes over the page that the server rendered, in the words of this message file; `number` and `date`
/// write a number, and a moment in milliseconds, as this browser does.
#[wasm_bindgen]
pub fn hydrate(language: &str, messages: String, number: Function, date: Function) {
    let Some(initial) = read_initial_state() else { return };
    let Some(app) = document().get_element_by_id("app").and_then(|app| app.dyn_into().ok()) else {
        return;
    };
    if !initial.context.site.base.is_empty() {
        leptos::server_fn::client::set_server_url(initial.context.site.base.clone().leak());
    }
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
    // From bytes, as the answers of the server functions come: one reader for both is 40 kB less wasm.
    serde_json::from_slice(text.as_bytes()).ok()
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
    leptos::task::spawn_local(poll(state, client, poll_now, paused_until));
}

/// The tab says how the cluster is, even behind other tabs, and that it does not where it is paused.
fn update_title(state: PageState) {
    let headline = Memo::new(move |_| {
        let paused = state.connection.get() == Connection::Paused;
        let mark = if paused { state.words().label("news.paused") } else { "" };
        let between = if paused { ": " } else { "" };
        state.banner.with(|head| format!("{mark}{between}{}", head.headline))
    });
    Effect::new(move |_| document().set_title(&banner::title(&headline.get())));
}

/// Somebody looks again, or the network went or is back: ask at once.
fn poll_on_return(poll_now: &Rc<Cell<bool>>) {
    for event in ["visibilitychange", "online", "offline"] {
        let poll_now = Rc::clone(poll_now);
        window_event_listener_untyped(event, move |_| poll_now.set(true)).keep();
    }
}

/// A page that is being left, perhaps by signing out, asks nothing that would be refused. Should it stay
/// after all, it goes on.
fn pause_on_unload(paused_until: &Rc<Cell<Span>>) {
    let paused_until = Rc::clone(paused_until);
    let left = move |_| paused_until.set(since_opened() + UNLOAD_PAUSE);
    window_event_listener_untyped("beforeunload", left).keep();
}

/// Another place of the page shows the same facts in another way: at once, and without asking.
fn render_routes(state: PageState, client: Rc<RefCell<ClientState>>) {
    Effect::new(move |_| {
        let route = state.route.get();
        let view = client.borrow_mut().view(&route);
        focus::preserve(|| state.show(view));
    });
}

/// Does what an admin wants, says what came of it, and asks for the news it made.
fn run_commands(state: PageState, poll_now: Rc<Cell<bool>>) {
    Effect::new(move |_| {
        let Some(command) = state.pending_command.get() else { return };
        state.pending_command.update_untracked(|pending| *pending = None);
        if state.busy.get_untracked() {
            return;
        }
        set(&state.busy, true);
        let poll_now = Rc::clone(&poll_now);
        leptos::task::spawn_local(async move {
            let answer = select(
                Box::pin(server_fns::act(command.clone())),
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

/// Ages tick every second; verdicts turn at their moments, without a message. Each step is a sign of life for the
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
        announcer.speak(state);
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
                set(&state.connection, no_answer_state());
            }
            let view = state.route.with_untracked(|route| client.view(route));
            drop(client);
            focus::preserve(|| state.show(view));
        }
    }
}

/// What a screen reader has been given to say.
struct Announcer {
    headline: String,
    done: Option<String>,
    /// When it last said something.
    at: Option<Span>,
}

impl Announcer {
    /// Nothing yet: a reader meets the heading itself.
    fn new(state: PageState) -> Self {
        let (headline, done) =
            state.banner.with_untracked(|head| (head.headline.clone(), head.done.clone()));
        Self { headline, done, at: None }
    }

    /// What was done is said at once, a verdict in its time: of several within it the last.
    fn speak(&mut self, state: PageState) {
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

/// Asks, again and again, what changed; between the questions it listens.
async fn poll(
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
        client.borrow_mut().start_request();
        let answer =
            select(Box::pin(server_fns::overview(cursor)), TimeoutFuture::new(REQUEST_TIMEOUT_MS))
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

/// Says why there is no news. Somebody who is not signed in any more is shown where to sign in, at once unless that
/// would empty a form.
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

/// What the page says where no answer comes.
fn no_answer_state() -> Connection {
    let online = window().navigator().on_line();
    if online { Connection::Reconnecting } else { Connection::Offline }
}

/// Listens from where the picture is.
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
        if let Ok(delta) = serde_json::from_slice(text.as_bytes())
            && !paused
        {
            apply(state, &client, delta, Connection::Live);
        }
    });
}

/// Takes news in, and shows what came of them.
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
