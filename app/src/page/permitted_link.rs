//! What opens a form or a question: a link for who may answer it, and for a viewer the same words with
//! why they lead nowhere.

use leptos::prelude::*;

use crate::page::state::PageState;

/// Where the sentence stands that says what a viewer may.
pub(crate) const WHY: &str = "only-looks";

/// A link, or what is left of it.
pub(crate) fn permitted_link(
    state: PageState,
    id: String,
    class: &'static str,
    opens: String,
    text: String,
) -> impl IntoView + use<> {
    let barred = state.is_read_only();
    let href = move || (!barred).then(|| state.address(&opens));
    let [role, disabled, tab, why] =
        [("link"), ("true"), ("0"), (WHY)].map(|value| barred.then_some(value));
    view! {
        <a
            class=class
            id=id
            href=href
            role=role
            aria-disabled=disabled
            tabindex=tab
            aria-describedby=why
        >
            {text}
        </a>
    }
}
