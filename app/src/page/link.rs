//! A plain link: one shape for all of them, for each shape of its own is some hundred bytes of wasm.

use leptos::prelude::*;

/// A link with words of our own.
pub(crate) fn link(
    id: &'static str,
    class: &'static str,
    href: String,
    said: &'static str,
) -> impl IntoView + use<> {
    view! {
        <a id=id class=class href=href>
            {said}
        </a>
    }
}
