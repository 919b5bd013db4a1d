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
use crate::page::client::client_state::Desk;
use crate::page::client::event_stream::Ear;
use crate::page::client::history::Keep as _;
use crate::page::client::monotonic::since_opened;
use crate::page::document::{Page, PageProps};
use crate::page::header;
use crate::page::route::{Done, Place};
use crate::page::state::{Connection, Screen, set};
use crate::protocol::{Command, FOREIGN, Failure, News, Picture, Refusal, SIGNED_OUT, UNREACHABLE};
use crate::server_fns;

/// How long one request may take, in milliseconds.
const TIMEOUT: u32 = 10_000;
/// How often the page looks whether anything is due, in milliseconds.
const STEP: u32 = 200;
/// How long a screen reader is left alone between two verdicts.
const BETWEEN_VERDICTS: Span = Span::seconds(30);
/// How long a page that is being left asks nothing.
const LEAVING: Span = Span::seconds(10);

/// Takes over the page that the server rendered, in the words of this message file; `number` and `date`
/// write a number, and a moment in milliseconds, as this browser does.
#[wasm_bindgen]
pub fn hydrate(language: &str, messages: String, number: Function, date: Function) {
    console_error_panic_hook::set_once();
    let Some(picture) = read_picture() else { return };
    let Some(app) = document().get_element_by_id("app").and_then(|app| app.dyn_into().ok()) else {
        return;
    };
    if !picture.visit.site.base.is_empty() {
        leptos::server_fn::client::set_server_url(picture.visit.site.base.clone().leak());
    }
    let language = Language::parse(language).unwrap_or_default();
    // They are spoken as long as the page is open.
    let words: &Words = Box::leak(Box::new(Words::read(language, messages.leak())));
    let desk = Desk::of(&picture, words);
    let held: Rc<Cell<Option<Screen>>> = Rc::default();
    let shown = Rc::clone(&held);
    let snapshot = desk.snapshot().clone();
    leptos::mount::hydrate_from(app, move || {
        let screen = Screen::new(picture, &snapshot, words);
        shown.set(Some(screen));
        Page(PageProps { screen })
    })
    .forget();
    let news = document().get_element_by_id("news").and_then(|news| news.dyn_into().ok());
    if let (Some(news), Some(screen)) = (news, held.get()) {
        leptos::mount::hydrate_from(news, move || move || header::news(screen)).forget();
    }
    if let Some(screen) = held.get() {
        i18n::write_by(number, date);
        screen.write_anew();
        start(screen, desk);
    }
    if let Some(root) = document().document_element() {
        // An attribute of a fixed name is always taken.
        let _ = root.set_attribute("data-hydrated", "true");
    }
}

fn read_picture() -> Option<Picture> {
    let text = document().get_element_by_id("picture")?.text_content()?;
    // From bytes, as the answers of the server functions come: one reader for both is 40 kB less wasm.
    serde_json::from_slice(text.as_bytes()).ok()
}

fn start(screen: Screen, desk: Desk) {
    let desk = Rc::new(RefCell::new(desk));
    let hurry = Rc::new(Cell::new(false));
    let quiet = Rc::new(Cell::new(Span::ZERO));
    hurry_when_back(&hurry);
    fall_silent_when_left(&quiet);
    name_the_tab(screen);
    history::follow(screen);
    show_each_place(screen, Rc::clone(&desk));
    grant_wishes(screen, Rc::clone(&hurry));
    leptos::task::spawn_local(let_time_pass(screen, Rc::clone(&desk)));
    leptos::task::spawn_local(ask_for_news(screen, desk, hurry, quiet));
}

/// The tab says how the cluster is, even behind other tabs, and that it does not where it is paused.
fn name_the_tab(screen: Screen) {
    let headline = Memo::new(move |_| {
        let paused = screen.connection.get() == Connection::Paused;
        let mark = if paused { screen.words().label("news.paused") } else { "" };
        let between = if paused { ": " } else { "" };
        screen.head.with(|head| format!("{mark}{between}{}", head.headline))
    });
    Effect::new(move |_| document().set_title(&banner::title(&headline.get())));
}

/// Somebody looks again, or the network went or is back: ask at once.
fn hurry_when_back(hurry: &Rc<Cell<bool>>) {
    for event in ["visibilitychange", "online", "offline"] {
        let hurry = Rc::clone(hurry);
        window_event_listener_untyped(event, move |_| hurry.set(true)).keep();
    }
}

/// A page that is being left, perhaps by signing out, asks nothing that would be refused. Should it stay
/// after all, it goes on.
fn fall_silent_when_left(quiet: &Rc<Cell<Span>>) {
    let quiet = Rc::clone(quiet);
    let left = move |_| quiet.set(since_opened() + LEAVING);
    window_event_listener_untyped("beforeunload", left).keep();
}

/// Another place of the page shows the same facts in another way: at once, and without asking.
fn show_each_place(screen: Screen, desk: Rc<RefCell<Desk>>) {
    Effect::new(move |_| {
        let place = screen.place.get();
        let view = desk.borrow_mut().view(&place);
        focus::keep(|| screen.show(view));
    });
}

/// Does what an admin wants, says what came of it, and asks for the news it made.
fn grant_wishes(screen: Screen, hurry: Rc<Cell<bool>>) {
    Effect::new(move |_| {
        let Some(command) = screen.wish.get() else { return };
        screen.wish.update_untracked(|wish| *wish = None);
        if screen.acting.get_untracked() {
            return;
        }
        set(&screen.acting, true);
        let hurry = Rc::clone(&hurry);
        leptos::task::spawn_local(async move {
            let answer =
                select(Box::pin(server_fns::act(command.clone())), TimeoutFuture::new(TIMEOUT))
                    .await;
            set(&screen.acting, false);
            hurry.set(true);
            let place = screen.place.get_untracked();
            let refused = match answer {
                Either::Left((Ok(Ok(())), _)) => {
                    // Whoever changes something wants to see it changed: that ends a pause.
                    if screen.connection.get_untracked() == Connection::Paused {
                        screen.connection.set(Connection::Polling);
                    }
                    history::go(screen, place.after(done(command)), "");
                    return;
                }
                Either::Left((Ok(Err(Refusal::Live)), _)) => {
                    history::go(screen, place.opening(place.open.asked_again()), "");
                    return;
                }
                Either::Left((Ok(Err(refusal)), _)) => refusal.as_str().into(),
                Either::Left((Err(failure), _)) => failure,
                Either::Right(_) => UNREACHABLE.into(),
            };
            let Failure { reason, detail } = refused;
            let reason = if reason.is_empty() { "refused".to_owned() } else { reason };
            set(&screen.place, Place { refused: Some(reason), said: detail, ..place });
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
async fn let_time_pass(screen: Screen, desk: Rc<RefCell<Desk>>) {
    let root = document().document_element();
    let mut spoken = Spoken::new(screen);
    loop {
        TimeoutFuture::new(STEP).await;
        if let Some(root) = &root {
            // An attribute of a fixed name is always taken.
            let _ = root.set_attribute("data-alive", "");
        }
        spoken.speak(screen);
        if screen.connection.get_untracked() == Connection::Paused {
            continue;
        }
        let mut desk = desk.borrow_mut();
        if !document().hidden() {
            let now = desk.now();
            set(&screen.tick, Timestamp(now.0 - now.0.rem_euclid(1_000)));
        }
        if desk.has_turned() {
            if desk.is_cut_off() && screen.connection.get_untracked() == Connection::Live {
                set(&screen.connection, unanswered());
            }
            let view = screen.place.with_untracked(|place| desk.view(place));
            drop(desk);
            focus::keep(|| screen.show(view));
        }
    }
}

/// What a screen reader has been given to say.
struct Spoken {
    headline: String,
    done: Option<String>,
    /// When it last said something.
    at: Option<Span>,
}

impl Spoken {
    /// Nothing yet: a reader meets the heading itself.
    fn new(screen: Screen) -> Self {
        let (headline, done) =
            screen.head.with_untracked(|head| (head.headline.clone(), head.done.clone()));
        Self { headline, done, at: None }
    }

    /// What was done is said at once, a verdict in its time: of several within it the last.
    fn speak(&mut self, screen: Screen) {
        screen.head.with_untracked(|head| {
            let now = since_opened();
            if self.done != head.done {
                self.done.clone_from(&head.done);
                if let Some(done) = &head.done {
                    self.at = Some(now);
                    set(&screen.spoken(), done.clone());
                }
            }
            let rests = self.at.is_some_and(|at| now - at < BETWEEN_VERDICTS);
            if !rests && self.headline != head.headline {
                self.at = Some(now);
                self.headline.clone_from(&head.headline);
                set(&screen.spoken(), head.headline.clone());
            }
        });
    }
}

/// Asks, again and again, what changed; between the questions it listens.
async fn ask_for_news(
    screen: Screen,
    desk: Rc<RefCell<Desk>>,
    hurry: Rc<Cell<bool>>,
    quiet: Rc<Cell<Span>>,
) {
    let mut ear = Ear::default();
    let mut was_paused = false;
    let mut was_hidden = document().hidden();
    listen(screen, &desk, &mut ear);
    loop {
        let mut begun = since_opened();
        let [seen, unseen] = [false, true].map(|hidden| desk.borrow().pause(hidden));
        loop {
            TimeoutFuture::new(STEP).await;
            let paused = screen.connection.get_untracked() == Connection::Paused;
            let resumed = was_paused && !paused;
            was_paused = paused;
            let hidden = document().hidden();
            if hidden && !was_hidden {
                begun = since_opened();
            }
            was_hidden = hidden;
            let idle = paused || since_opened() < quiet.get();
            if idle || hidden {
                ear.close();
            }
            let listens = ear.listens() && !desk.borrow().is_forsaken();
            let pause = if hidden { unseen } else { seen };
            let due = !listens && since_opened() - begun >= pause;
            let hurries = hurry.take() && !hidden;
            if !idle && (resumed || hurries || due) {
                break;
            }
        }
        let came = if ear.close() { Connection::Live } else { Connection::Polling };
        let cursor = desk.borrow().cursor();
        desk.borrow_mut().ask();
        let answer =
            select(Box::pin(server_fns::overview(cursor)), TimeoutFuture::new(TIMEOUT)).await;
        let paused = screen.connection.get_untracked() == Connection::Paused;
        match answer {
            Either::Left((Ok(news), _)) if !paused => {
                take(screen, &desk, news, came);
                listen(screen, &desk, &mut ear);
            }
            // Paused meanwhile: what came is asked for again on resuming.
            Either::Left((Ok(_), _)) => desk.borrow_mut().leave(),
            Either::Left((Err(failure), _)) => {
                miss(screen, &desk, failure);
                // What refuses questions may let a page listen.
                listen(screen, &desk, &mut ear);
            }
            Either::Right(_) => miss(screen, &desk, UNREACHABLE.into()),
        }
    }
}

/// Says why there is no news. Somebody who is not signed in any more is shown where to sign in, at once unless that
/// would empty a form.
fn miss(screen: Screen, desk: &RefCell<Desk>, failure: Failure) {
    let signed_out = failure.reason == SIGNED_OUT;
    let lost = match failure.reason.as_str() {
        SIGNED_OUT => Connection::SignedOut,
        UNREACHABLE => unanswered(),
        FOREIGN => Connection::Foreign,
        _ => Connection::Refused,
    };
    desk.borrow_mut().miss(failure.detail.clone());
    if screen.connection.get_untracked() != Connection::Paused {
        set(&screen.refusal(), failure.detail);
        set(&screen.connection, lost);
    }
    if signed_out && !screen.place.with_untracked(|place| place.open.asks()) {
        let _ = window().location().reload();
    }
}

/// What the page says where no answer comes.
fn unanswered() -> Connection {
    let online = window().navigator().on_line();
    if online { Connection::Reconnecting } else { Connection::Offline }
}

/// Listens from where the picture is.
fn listen(screen: Screen, desk: &Rc<RefCell<Desk>>, ear: &mut Ear) {
    if document().hidden() {
        return;
    }
    let cursor = desk.borrow().cursor();
    let base = screen.visit(|visit| visit.site.base.clone());
    let address = format!("{base}/api/v1/stream?cursor={cursor}");
    let desk = Rc::clone(desk);
    ear.open(&address, move |text| {
        let paused = screen.connection.get_untracked() == Connection::Paused;
        if let Ok(news) = serde_json::from_slice(text.as_bytes())
            && !paused
        {
            take(screen, &desk, news, Connection::Live);
        }
    });
}

/// Takes news in, and shows what came of them.
fn take(screen: Screen, desk: &RefCell<Desk>, news: News, came: Connection) {
    let mut desk = desk.borrow_mut();
    // Behind a balancer the next to answer may be of this build again: the offer stays all the same.
    if desk.is_outdated(&news) {
        set(&screen.outdated, true);
    }
    let moved = desk.take(news);
    set(&screen.pictured, desk.pictured());
    set(&screen.connection, came);
    if moved {
        let view = screen.place.with_untracked(|place| desk.view(place));
        drop(desk);
        focus::keep(|| screen.show(view));
    }
}
