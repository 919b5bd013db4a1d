//! The keyboard focus: kept when the focused element is rendered again, moved to what opens, and back.

use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use web_sys::{Element, FocusOptions, HtmlElement};

/// The id of the focused element, if it has one.
pub(crate) fn current() -> Option<String> {
    focused().map(|element| element.id()).filter(|id| !id.is_empty())
}

/// Focuses the element with this id, once what was just changed is drawn. Where there is none any
/// more, the second.
pub(crate) fn focus_after_render(id: String, or: &'static str) {
    leptos::task::spawn_local(async move {
        rendered().await;
        if !focus(&id, false) {
            focus(or, false);
        }
    });
}

/// Shows something; whoever was on an element that is drawn anew, moved, gone or made another stays
/// where it was, or comes to the heading of that part.
pub(crate) fn preserve(show: impl FnOnce()) {
    let before = focused();
    show();
    let Some(before) = before else { return };
    let id = before.id();
    let part = before.closest("[aria-labelledby]").ok().flatten();
    let heading = part.and_then(|part| part.get_attribute("aria-labelledby"));
    leptos::task::spawn_local(async move {
        rendered().await;
        // Where the keyboard went elsewhere meanwhile, it was led there.
        let stayed = focused().is_none_or(|now| now == before && now.id() != id);
        if stayed
            && (id.is_empty() || !focus(&id, true))
            && let Some(heading) = heading
        {
            focus(&heading, true);
        }
    });
}

/// Resolves once signals set before have reached the page.
pub(crate) async fn rendered() {
    TimeoutFuture::new(0).await;
}

/// What has the keyboard; the page itself is nothing.
fn focused() -> Option<Element> {
    document().active_element().filter(|element| element.tag_name() != "BODY")
}

fn focus(id: &str, where_it_is: bool) -> bool {
    let found = document().get_element_by_id(id);
    let Some(element) = found.and_then(|element| element.dyn_into::<HtmlElement>().ok()) else {
        return false;
    };
    let options = FocusOptions::new();
    options.set_prevent_scroll(where_it_is);
    element.focus_with_options(&options).is_ok()
}
