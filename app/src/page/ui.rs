//! Small parts that several views use: links, hidden form fields, the time since a moment.

use leptos::prelude::*;

use crate::cluster::Timestamp;
use crate::cluster::hints::Arg;
use crate::i18n::Words;
use crate::page::state::PageState;

/// A plain link. One function for all of them: each further shape of a link costs some hundred bytes of wasm.
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

/// The id of the sentence in the header that says why a viewer can change nothing.
pub(crate) const READ_ONLY_ID: &str = "only-looks";

/// A link to a form or a question; for a viewer the same words, disabled, with the reason.
pub(crate) fn permitted_link(
    state: PageState,
    id: String,
    class: &'static str,
    opens: String,
    text: String,
) -> impl IntoView + use<> {
    let disabled_for_viewer = state.is_read_only();
    let href = move || (!disabled_for_viewer).then(|| state.address(&opens));
    let [role, disabled, tab, why] = [("link"), ("true"), ("0"), (READ_ONLY_ID)]
        .map(|value| disabled_for_viewer.then_some(value));
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

/// A hidden field for each name and value.
pub(crate) fn hidden_fields(pairs: Vec<(&'static str, String)>) -> impl IntoView + use<> {
    let field = |(name, value)| view! { <input type="hidden" name=name value=value /> };
    pairs.into_iter().map(field).collect_view()
}

/// `12 s ago`
pub(crate) fn time_since(words: &Words, now: Timestamp, then: Timestamp) -> String {
    let span = now - then;
    if span.0 < 2_000 {
        words.label("age.now").to_owned()
    } else {
        words.say("age.ago", &[("span", Arg::Span(span))])
    }
}
