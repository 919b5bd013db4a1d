//! Which rows are on the screen, so that only their ages tick.

use leptos::html::Div;
use leptos::prelude::*;

/// On the server nothing is on a screen.
#[cfg(not(feature = "hydrate"))]
pub(crate) fn watch(_element: NodeRef<Div>, _seen: ArcRwSignal<bool>) {}

/// Keeps `seen` true while `element` is on the screen.
#[cfg(feature = "hydrate")]
pub(crate) fn watch(element: NodeRef<Div>, seen: ArcRwSignal<bool>) {
    use leptos::wasm_bindgen::JsCast as _;
    use leptos::wasm_bindgen::closure::Closure;
    use web_sys::{IntersectionObserver, IntersectionObserverEntry};

    let observing = StoredValue::new_local(None);
    Effect::new(move |_| {
        let Some(element) = element.get() else { return };
        let seen = seen.clone();
        let unwatched = seen.clone();
        let tell = Closure::<dyn FnMut(Vec<IntersectionObserverEntry>)>::new(
            move |entries: Vec<IntersectionObserverEntry>| {
                if let Some(last) = entries.last() {
                    crate::page::state::set(&seen, last.is_intersecting());
                }
            },
        );
        if let Ok(observer) = IntersectionObserver::new(tell.as_ref().unchecked_ref()) {
            observer.observe(&element);
            observing.set_value(Some((observer, tell)));
        } else {
            // Where nobody can know, all ages tick.
            crate::page::state::set(&unwatched, true);
        }
    });
    on_cleanup(move || {
        observing.try_update_value(|observing| {
            if let Some((observer, _)) = observing.take() {
                observer.disconnect();
            }
        });
    });
}
