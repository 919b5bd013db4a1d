//! Which chunks of the table are on the screen or near it?

use leptos::html::Div;
use leptos::prelude::*;

use crate::page::servers::chunks::Chunk;
use crate::page::state::PageState;

#[cfg(not(feature = "hydrate"))]
pub(crate) fn track(_element: NodeRef<Div>, _chunk: Chunk, _state: PageState) {}

/// How far above and below the screen rows are kept, so that scrolling finds them there.
#[cfg(feature = "hydrate")]
const MARGIN: &str = "800px 0px";

/// Watches the element of a chunk: its rows are in the document while it is near the screen, or has the focus.
#[cfg(feature = "hydrate")]
pub(crate) fn track(element: NodeRef<Div>, chunk: Chunk, state: PageState) {
    use leptos::wasm_bindgen::JsCast as _;
    use leptos::wasm_bindgen::closure::Closure;
    use web_sys::{IntersectionObserver, IntersectionObserverEntry, IntersectionObserverInit};

    let observation = StoredValue::new_local(None);
    Effect::new(move |_| {
        let Some(element) = element.get() else { return };
        let (chunk, fallback) = (chunk.clone(), chunk.clone());
        let watched = element.clone();
        let callback = Closure::<dyn FnMut(Vec<IntersectionObserverEntry>)>::new(
            move |entries: Vec<IntersectionObserverEntry>| {
                let is_near =
                    entries.last().is_some_and(IntersectionObserverEntry::is_intersecting);
                let focused = document().active_element();
                let has_focus = watched.contains(focused.as_deref());
                state.set_near(&chunk, is_near || has_focus, watched.offset_height());
            },
        );
        let options = IntersectionObserverInit::new();
        options.set_root_margin(MARGIN);
        let callback_function = callback.as_ref().unchecked_ref();
        if let Ok(observer) = IntersectionObserver::new_with_options(callback_function, &options) {
            observer.observe(&element);
            observation.set_value(Some((observer, callback)));
        } else {
            // Without an IntersectionObserver all rows are in the document.
            state.set_near(&fallback, true, 0);
        }
    });
    on_cleanup(move || {
        observation.try_update_value(|observation| {
            if let Some((observer, _)) = observation.take() {
                observer.disconnect();
            }
        });
    });
}
