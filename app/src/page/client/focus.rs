//! The keyboard focus: kept when the focused element is rendered again, moved into what opens, and back when it
//! closes.

use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use web_sys::{Element, FocusOptions, HtmlElement};

use crate::page::client::rendering::next_render;

pub(crate) fn current() -> Option<String> {
    focused().map(|element| element.id()).filter(|id| !id.is_empty())
}

/// Focuses the element with this id after the next render, or the fallback if there is no such element.
pub(crate) fn focus_after_render(id: String, fallback: &'static str) {
    leptos::task::spawn_local(async move {
        next_render().await;
        if !focus(&id, false) {
            focus(fallback, false);
        }
    });
}

/// Keeps the focus while `show` renders. If the focused element is replaced, moved or removed, its successor
/// with the same id gets the focus, or else the heading of its section.
pub(crate) fn preserve(show: impl FnOnce()) {
    let before = focused();
    show();
    let Some(before) = before else { return };
    let id = before.id();
    let part = before.closest("[aria-labelledby]").ok().flatten();
    let heading = part.and_then(|part| part.get_attribute("aria-labelledby"));
    leptos::task::spawn_local(async move {
        next_render().await;
        // If the focus has moved to another element meanwhile, it stays there.
        let stayed = focused().is_none_or(|now| now == before && now.id() != id);
        if stayed
            && (id.is_empty() || !focus(&id, true))
            && let Some(heading) = heading
        {
            focus(&heading, true);
        }
    });
}

/// `None` if nothing is focused: then the browser names the body.
fn focused() -> Option<Element> {
    document().active_element().filter(|element| element.tag_name() != "BODY")
}

/// Focuses the element with this id. Returns whether there is one.
pub(crate) fn focus(id: &str, prevent_scroll: bool) -> bool {
    let Some(element) = document().get_element_by_id(id) else { return false };
    // An element of SVG can have the focus too.
    let element: HtmlElement = element.unchecked_into();
    let options = FocusOptions::new();
    options.set_prevent_scroll(prevent_scroll);
    element.focus_with_options(&options).is_ok()
}
