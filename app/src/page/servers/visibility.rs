//! Tracks which rows are on the screen, so that only their ages are updated.

use leptos::html::Div;
use leptos::prelude::*;

#[cfg(not(feature = "hydrate"))]
pub(crate) fn track(_element: NodeRef<Div>, _seen: ArcRwSignal<bool>) {}

/// Sets `is_visible` while `element` is on the screen.
#[cfg(feature = "hydrate")]
pub(crate) fn track(element: NodeRef<Div>, is_visible: ArcRwSignal<bool>) {
    use leptos::wasm_bindgen::JsCast as _;
    use leptos::wasm_bindgen::closure::Closure;
    use web_sys::{IntersectionObserver, IntersectionObserverEntry};

    let observation = StoredValue::new_local(None);
    Effect::new(move |_| {
        let Some(element) = element.get() else { return };
        let is_visible = is_visible.clone();
        let fallback = is_visible.clone();
        let callback = Closure::<dyn FnMut(Vec<IntersectionObserverEntry>)>::new(
            move |entries: Vec<IntersectionObserverEntry>| {
                if let Some(last) = entries.last() {
                    crate::page::client::rendering::set_if_changed(
                        &is_visible,
                        last.is_intersecting(),
                    );
                }
            },
        );
        if let Ok(observer) = IntersectionObserver::new(callback.as_ref().unchecked_ref()) {
            observer.observe(&element);
            observation.set_value(Some((observer, callback)));
        } else {
            // Without an IntersectionObserver all ages are updated.
            crate::page::client::rendering::set_if_changed(&fallback, true);
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
