//! The page in the browser: hydrates the document and starts the loops that keep it up to date.

mod announcer;
mod calls;
mod client_state;
mod commands;
mod event_stream;
pub(crate) mod focus;
mod forms;
mod history;
mod map_walk;
pub(crate) mod monotonic;
mod polling;
mod press;
pub(crate) mod rendering;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use gloo_timers::future::TimeoutFuture;
use js_sys::Function;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use leptos::wasm_bindgen::prelude::wasm_bindgen;

use crate::cluster::{Span, Timestamp};
use crate::i18n::{self, Catalog, Language, MessageKey};
use crate::packed::unpack;
use crate::page::banner::view as banner;
use crate::page::client::announcer::Announcer;
use crate::page::client::client_state::ClientState;
use crate::page::client::event_stream::EventStream;
use crate::page::client::history::forget_handle;
use crate::page::client::monotonic::since_opened;
use crate::page::client::rendering::set_if_changed;
use crate::page::document::{Page, PageProps};
use crate::page::header::model::Connection;
use crate::page::header::view as header;
use crate::page::live_html::morph;
use crate::page::servers::chunks::{CHUNK_LENGTH, Chunk};
use crate::page::state::{PageState, Part};
use crate::protocol::InitialState;

const REQUEST_TIMEOUT_MS: u32 = 10_000;
/// How often the page looks whether ages or verdicts change. It is a sign of life for the watchdog, too, which expects one
/// each second.
const TICK_MS: u32 = 500;
/// A page that is being left sends no request for so long.
const UNLOAD_PAUSE: Span = Span::seconds(10);

/// Hydrates the page. `messages` is the message file of its language; `formats` write a number, a day and a
/// time of day as this browser does; `open_stream` is the function of `stream.js`.
#[wasm_bindgen]
pub fn hydrate(language: &str, messages: String, formats: Vec<Function>, open_stream: Function) {
    let Some(initial) = read_initial_state() else { return };
    let Some(app) = document().get_element_by_id("app").and_then(|app| app.dyn_into().ok()) else {
        return;
    };
    let language = Language::parse(language).unwrap_or_default();
    // The messages live as long as the page.
    let catalog: &Catalog = Box::leak(Box::new(Catalog::read(language, messages.leak())));
    let client = ClientState::new(&initial, catalog);
    let mounted: Rc<Cell<Option<PageState>>> = Rc::default();
    let mounted_state = Rc::clone(&mounted);
    let snapshot = client.snapshot().clone();
    leptos::mount::hydrate_from(app, move || {
        let state = PageState::new(initial, &snapshot, catalog);
        mounted_state.set(Some(state));
        Page(PageProps { state })
    })
    .forget();
    if let Some(state) = mounted.get() {
        let of_header = |id| move || document().get_element_by_id(id);
        let status = Box::new(move || header::connection_status(state));
        morph::follow(of_header("connection-status"), status);
        morph::follow(of_header("header-verdict"), Box::new(move || header::verdict(state)));
        if let Ok(formats) = formats.try_into() {
            i18n::write_by(formats);
        }
        state.rerender_formatted();
        start(state, client, EventStream::new(open_stream));
    }
    if let Some(root) = document().document_element() {
        // Setting this attribute cannot fail.
        let _ = root.set_attribute("data-hydrated", "true");
    }
}

fn read_initial_state() -> Option<InitialState> {
    let text = document().get_element_by_id("initial-state")?.text_content()?;
    unpack(&text).ok()
}

fn start(state: PageState, client: ClientState, stream: EventStream) {
    let client = Rc::new(RefCell::new(client));
    let poll_now = Rc::new(Cell::new(false));
    let paused_until = Rc::new(Cell::new(Span::ZERO));
    poll_on_return(&poll_now);
    pause_on_unload(&paused_until);
    update_title(state);
    history::start(state, bring_near(state, Rc::clone(&client)));
    forms::start(state);
    map_walk::start(state);
    press::start(state);
    render_routes(state, Rc::clone(&client));
    commands::start(state, Rc::clone(&poll_now));
    leptos::task::spawn_local(tick(state, Rc::clone(&client)));
    leptos::task::spawn_local(polling::poll(state, client, poll_now, paused_until, stream));
}

/// The tab's title is the verdict; a paused page says so first.
fn update_title(state: PageState) {
    let headline = Memo::new(move |_| {
        let paused = state.connection.get() == Connection::Paused;
        let mark = if paused { state.catalog().text(MessageKey::ConnectionPaused) } else { "" };
        let separator = if paused { ": " } else { "" };
        format!("{mark}{separator}{}", state.model(Part::Banner).banner.headline)
    });
    Effect::new(move |_| document().set_title(&banner::title(&headline.get())));
}

/// Polls at once when the page is visible again, or when the network has gone or come back.
fn poll_on_return(poll_now: &Rc<Cell<bool>>) {
    for event in ["visibilitychange", "online", "offline", "signed-in"] {
        let poll_now = Rc::clone(poll_now);
        forget_handle(window_event_listener_untyped(event, move |_| poll_now.set(true)));
    }
}

/// A page that is being left, perhaps by signing out, sends no request that would be rejected. If it stays
/// open, it continues after a pause.
fn pause_on_unload(paused_until: &Rc<Cell<Span>>) {
    let paused_until = Rc::clone(paused_until);
    let pause = move |_| paused_until.set(since_opened() + UNLOAD_PAUSE);
    forget_handle(window_event_listener_untyped("beforeunload", pause));
}

/// Another route needs no request: it shows the same snapshot in another way.
fn render_routes(state: PageState, client: Rc<RefCell<ClientState>>) {
    let drawing = Rc::clone(&client);
    Effect::new(move |_| {
        state.route.track();
        redraw(state, &drawing);
    });
    Effect::new(move |_| {
        state.rows_due.track();
        draw_rows(state, &client);
    });
}

/// Judges the snapshot anew, and shows what differs.
fn redraw(state: PageState, client: &RefCell<ClientState>) {
    let model = client.borrow_mut().page_model(&state.route.get_untracked());
    focus::preserve(|| {
        state.show(model);
        state.resize_list(client.borrow().listed());
        draw_rows(state, client);
    });
}

/// Puts the row with an id into the document, although it is not near the screen.
fn bring_near(state: PageState, client: Rc<RefCell<ClientState>>) -> Rc<dyn Fn(&str) -> bool> {
    Rc::new(move |id| {
        let place = client.borrow().place_of_row(id);
        let chunks = state.chunks.get_untracked();
        let chunk = place.and_then(|place| chunks.get(place / CHUNK_LENGTH));
        let Some(chunk) = chunk.filter(|chunk| !chunk.is_near()) else { return false };
        chunk.empty_height.set(None);
        draw_rows(state, &client);
        true
    })
}

/// Shows the rows near the screen.
fn draw_rows(state: PageState, client: &RefCell<ClientState>) {
    let listed = client.borrow().listed();
    let mut near = state.chunks.get_untracked();
    near.retain(Chunk::is_near);
    let places: Vec<_> = near.iter().map(|chunk| chunk.places(listed)).collect();
    let rows = client.borrow_mut().rows(&places, &state.route.get_untracked());
    for (chunk, rows) in near.iter().zip(rows) {
        chunk.show(rows);
    }
}

/// Updates ages every second, and renders verdicts that change with time alone. Each step is a sign of life for
/// the watchdog.
async fn tick(state: PageState, client: Rc<RefCell<ClientState>>) {
    let root = document().document_element();
    let mut announcer = Announcer::new(state);
    loop {
        TimeoutFuture::new(TICK_MS).await;
        if let Some(root) = &root {
            // Setting this attribute cannot fail.
            let _ = root.set_attribute("data-alive", "");
        }
        announcer.announce(state);
        if state.connection.get_untracked() == Connection::Paused {
            continue;
        }
        if !document().hidden() {
            let now = client.borrow().now();
            set_if_changed(&state.tick, Timestamp(now.0 - now.0.rem_euclid(1_000)));
        }
        let needs_redraw = client.borrow_mut().needs_redraw();
        if needs_redraw {
            let is_cut_off = client.borrow().is_cut_off();
            if is_cut_off && state.connection.get_untracked() == Connection::Live {
                set_if_changed(&state.connection, polling::no_answer_state());
            }
            redraw(state, &client);
        }
    }
}
