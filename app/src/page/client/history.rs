//! Keeps the address and the page in step: links, the history buttons, Escape.

use std::rc::Rc;

use leptos::ev;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use leptos::wasm_bindgen::JsValue;
use web_sys::{Element, HtmlDetailsElement};

use crate::cluster::ServerName;
use crate::page::client::focus;
use crate::page::client::rendering::{next_render, set_if_changed};
use crate::page::route::Route;
use crate::page::route::dialog::Dialog;
use crate::page::state::PageState;

/// As in `50-panel.css`.
const NARROW: &str = "(max-width: 1000px)";

/// Handles every link within the page, the history buttons, and Escape. `bring_near` puts the row with an id into the
/// document, and returns whether it was not there.
pub(super) fn start(state: PageState, bring_near: Rc<dyn Fn(&str) -> bool>) {
    let show_row = Rc::clone(&bring_near);
    forget_handle(window_event_listener(ev::click, move |event| {
        let is_plain_click = event.button() == 0
            && !(event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key());
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let link = target.and_then(|target| target.closest("a[href]").ok().flatten());
        let Some(address) = link.as_ref().and_then(|link| link.get_attribute("href")) else {
            return;
        };
        if !is_plain_click || event.default_prevented() {
            return;
        }
        if let Some(anchor) = address.strip_prefix('#') {
            if let Some(server) = link.as_ref().and_then(server_on_narrow_screen) {
                event.prevent_default();
                navigate(
                    state,
                    state.route.get_untracked().with_dialog(Dialog::Details(server)),
                    "",
                );
            } else if show_row(anchor) {
                event.prevent_default();
                go_to(anchor.to_owned());
            } else {
                reveal(anchor);
            }
        } else if address.starts_with('?') {
            event.prevent_default();
            let (query, anchor) = address.split_once('#').unwrap_or((&address, ""));
            navigate(state, Route::parse(query), anchor);
        }
    }));
    forget_handle(window_event_listener(ev::popstate, move |_| {
        // Browsers fire this for anchors too. Then the route stays, because what was typed is not in the
        // address.
        let route = current();
        if route.address() != state.route.get_untracked().address() {
            set_if_changed(&state.route, route);
        }
    }));
    let show_row = Rc::clone(&bring_near);
    forget_handle(window_event_listener(ev::hashchange, move |_| reveal_target(&*show_row)));
    forget_handle(window_event_listener(ev::keydown, move |event| {
        let route = state.route.get_untracked();
        if event.key() == "Escape" && route.dialog != Dialog::None && !event.default_prevented() {
            navigate(state, route.with_dialog(Dialog::None), "");
        }
    }));
    // Removes `done` from the address, so that a reload does not announce it again.
    replace(&state.route.get_untracked());
    manage_focus(state);
    track_search(state);
    reveal_target(&*bring_near);
}

/// Shows another route, and scrolls to an element if the anchor is not empty. It is one step of the history, as
/// with a link.
pub(crate) fn navigate(state: PageState, route: Route, anchor: &str) {
    let anchor = if anchor.is_empty() { String::new() } else { format!("#{anchor}") };
    let address = format!("{}{anchor}", address(&route));
    if let Ok(history) = window().history() {
        // A browser that does not let the address be changed still shows the route.
        let _ = history.push_state_with_url(&JsValue::NULL, "", Some(&address));
    }
    set_if_changed(&state.route, route);
    if !anchor.is_empty() {
        leptos::task::spawn_local(async move {
            next_render().await;
            // Sets `:target` and scrolls, once the element is rendered.
            let _ = window().location().replace(&anchor);
        });
    }
}

fn current() -> Route {
    Route::parse(&window().location().search().unwrap_or_default())
}

/// Replaces the address without a step of the history, for example while one types.
fn replace(route: &Route) {
    let anchor = window().location().hash().unwrap_or_default();
    if let Ok(history) = window().history() {
        let address = format!("{}{anchor}", address(route));
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&address));
    }
}

/// The default route has no `?`.
fn address(route: &Route) -> String {
    let query = route.address();
    if query.len() > 1 { query } else { window().location().pathname().unwrap_or_default() }
}

/// The address follows the search while it is typed.
fn track_search(state: PageState) {
    let search = Memo::new(move |_| state.route.get().list.search);
    Effect::new(move |before: Option<String>| {
        let now = search.get();
        if before.is_some_and(|before| before != now) {
            replace(&state.route.get_untracked());
        }
        now
    });
}

/// Moves the focus into a dialog that opens, and back when it closes.
fn manage_focus(state: PageState) {
    let dialog = Memo::new(move |_| dialog_key(&state.route.get().dialog));
    let opener = StoredValue::new(None::<String>);
    Effect::new(move |before: Option<(&'static str, String)>| {
        let now = dialog.get();
        if let Some(before) = before.filter(|before| *before != now) {
            if before.0.is_empty() {
                opener.set_value(focus::current());
            }
            match now.0 {
                "" => {
                    let opener_id = opener.get_value().unwrap_or_default();
                    focus::focus_after_render(opener_id, "servers");
                }
                "configure" => focus::focus_after_render("load_balancing".to_owned(), "configure"),
                _ => focus::focus_after_render("panel-title".to_owned(), "servers"),
            }
        }
        now
    });
}

/// Identifies a dialog without what was typed into it.
fn dialog_key(dialog: &Dialog) -> (&'static str, String) {
    let pairs = dialog.pairs();
    let name = pairs.first().map_or("", |(name, _)| name);
    (name, crate::page::route::query::to_query(pairs))
}

/// Follows a link to an element that is rendered next.
fn go_to(anchor: String) {
    leptos::task::spawn_local(async move {
        next_render().await;
        // A browser that does not let the address be changed does not scroll either.
        let _ = window().location().set_hash(&anchor);
    });
}

/// Opens what is folded around the element that the address points to, and scrolls there.
fn reveal_target(bring_near: &dyn Fn(&str) -> bool) {
    let hash = window().location().hash().unwrap_or_default();
    let anchor = hash.trim_start_matches('#').to_owned();
    if anchor.is_empty() || !(bring_near(&anchor) || reveal(&anchor)) {
        return;
    }
    leptos::task::spawn_local(async move {
        next_render().await;
        if let Some(target) = document().get_element_by_id(&anchor) {
            target.scroll_into_view();
        }
    });
}

/// The server of a row's link to a hint, on a screen that has no place for hints beside the rows: its details say the same.
fn server_on_narrow_screen(link: &Element) -> Option<ServerName> {
    let row = link.closest(".problem").ok().flatten()?.closest(".server").ok().flatten()?;
    let is_narrow = window().match_media(NARROW).ok().flatten()?.matches();
    ServerName::parse(&row.get_attribute("data-server")?).ok().filter(|_| is_narrow)
}

/// Opens a folded hint, and what is folded around it. Returns whether any was closed.
fn reveal(anchor: &str) -> bool {
    let Some(target) = document().get_element_by_id(anchor) else { return false };
    let own = target.query_selector("details").ok().flatten();
    let around = std::iter::successors(Some(target), |element| element.parent_element());
    let folded = own.into_iter().chain(around);
    let folded = folded.filter_map(|details| details.dyn_into::<HtmlDetailsElement>().ok());
    folded.fold(false, |revealed, details| {
        let was_open = details.open();
        details.set_open(true);
        revealed || !was_open
    })
}

/// Keeps a listener for as long as the page is open.
pub(crate) fn forget_handle(handle: WindowListenerHandle) {
    std::mem::forget(handle);
}
