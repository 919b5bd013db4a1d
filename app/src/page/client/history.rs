//! The address and the page, kept in step: links that open something, the way back, Escape.

use leptos::ev;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use leptos::wasm_bindgen::JsValue;
use web_sys::{Element, HtmlDetailsElement};

use crate::page::client::focus;
use crate::page::route::dialog::Dialog;
use crate::page::route::Route;
use crate::page::state::{PageState, set};

/// Takes over every link within the page, the browser's way back and forth, and Escape.
pub(crate) fn start(state: PageState) {
    forget_handle(window_event_listener(ev::click, move |event| {
        let plain = event.button() == 0
            && !(event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key());
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let link = target.and_then(|target| target.closest("a[href]").ok().flatten());
        let Some(address) = link.and_then(|link| link.get_attribute("href")) else { return };
        if !plain || event.default_prevented() {
            return;
        }
        if let Some(anchor) = address.strip_prefix('#') {
            reveal(anchor);
        } else if address.starts_with('?') {
            event.prevent_default();
            let (query, anchor) = address.split_once('#').unwrap_or((&address, ""));
            navigate(state, Route::parse(query), anchor);
        }
    }));
    forget_handle(window_event_listener(ev::popstate, move |_| {
        // Within a place browsers say this too, and what was typed there is not in its address.
        let route = current();
        if route.address() != state.route.with_untracked(Route::address) {
            set(&state.route, route);
        }
    }));
    forget_handle(window_event_listener(ev::hashchange, |_| reveal_target()));
    forget_handle(window_event_listener(ev::keydown, move |event| {
        let route = state.route.get_untracked();
        if event.key() == "Escape" && route.dialog != Dialog::None && !event.default_prevented() {
            navigate(state, route.with_dialog(Dialog::None), "");
        }
    }));
    // What was just done is said once: a reload does not say it again.
    replace(&state.route.get_untracked());
    manage_focus(state);
    track_search(state);
    reveal_target();
}

/// Goes to another place of the page, and there to an element unless the anchor is empty, as a link
/// would: one step for the way back.
pub(crate) fn navigate(state: PageState, route: Route, anchor: &str) {
    let anchor = if anchor.is_empty() { String::new() } else { format!("#{anchor}") };
    let address = format!("{}{anchor}", address(&route));
    if let Ok(history) = window().history() {
        // A browser that refuses to write the address down still shows the place.
        let _ = history.push_state_with_url(&JsValue::NULL, "", Some(&address));
    }
    set(&state.route, route);
    if !anchor.is_empty() {
        leptos::task::spawn_local(async move {
            focus::rendered().await;
            // Once the element is drawn the browser marks it as the target, and goes there.
            let _ = window().location().replace(&anchor);
        });
    }
}

/// The place that the browser's address names.
fn current() -> Route {
    Route::parse(&window().location().search().unwrap_or_default())
}

/// Writes another address over the one now: for what is typed, which is no step to go back.
fn replace(route: &Route) {
    let anchor = window().location().hash().unwrap_or_default();
    if let Ok(history) = window().history() {
        let address = format!("{}{anchor}", address(route));
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&address));
    }
}

/// The address of a place; the page as it opens has no `?`.
fn address(route: &Route) -> String {
    let query = route.address();
    if query.len() > 1 { query } else { window().location().pathname().unwrap_or_default() }
}

/// The search is part of the address while it is typed.
fn track_search(state: PageState) {
    let search = Memo::new(move |_| state.route.with(|route| route.list.search.clone()));
    Effect::new(move |before: Option<String>| {
        let now = search.get();
        if before.is_some_and(|before| before != now) {
            replace(&state.route.get_untracked());
        }
        now
    });
}

/// The keyboard goes to what opens, and back to what opened it.
fn manage_focus(state: PageState) {
    let dialog = Memo::new(move |_| state.route.with(|route| dialog_key(&route.dialog)));
    let permitted_link = StoredValue::new(None::<String>);
    Effect::new(move |before: Option<(&'static str, String)>| {
        let now = dialog.get();
        if let Some(before) = before.filter(|before| *before != now) {
            if before.0.is_empty() {
                permitted_link.set_value(focus::current());
            }
            match now.0 {
                "" => {
                    let back = permitted_link.get_value().unwrap_or_default();
                    focus::focus_after_render(back, "servers");
                }
                "configure" => focus::focus_after_render("load_balancing".to_owned(), "configure"),
                _ => focus::focus_after_render("panel-title".to_owned(), "servers"),
            }
        }
        now
    });
}

/// What is open, but for what was typed into it.
fn dialog_key(dialog: &Dialog) -> (&'static str, String) {
    let pairs = dialog.pairs();
    let dialog_key = pairs.first().map_or("", |(name, _)| name);
    (dialog_key, crate::page::route::query::to_query(pairs))
}

/// Opens what is folded around the element that the address points to.
fn reveal_target() {
    let hash = window().location().hash().unwrap_or_default();
    let anchor = hash.trim_start_matches('#');
    if !anchor.is_empty()
        && reveal(anchor)
        && let Some(target) = document().get_element_by_id(anchor)
    {
        target.scroll_into_view();
    }
}

/// Opens what is folded around an element; whether anything was.
fn reveal(anchor: &str) -> bool {
    let target = document().get_element_by_id(anchor);
    let fold = target.and_then(|target| target.closest("details").ok().flatten());
    let fold = fold.and_then(|fold| fold.dyn_into::<HtmlDetailsElement>().ok());
    fold.filter(|fold| !fold.open()).is_some_and(|fold| {
        fold.set_open(true);
        true
    })
}

/// Keeps a listener for as long as the page is open.
pub(crate) fn forget_handle(handle: WindowListenerHandle) {
    std::mem::forget(handle);
}
