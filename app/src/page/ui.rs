//! Small parts that several views use.

use leptos::prelude::*;
use maud::html;

use crate::cluster::Timestamp;
use crate::cluster::hints::Arg;
use crate::i18n::{Catalog, MessageKey};
use crate::page::state::PageState;

/// A plain link. All links use this function, because each further type of link costs some hundred bytes of
/// wasm.
pub(crate) fn link(
    id: &'static str,
    class: &'static str,
    href: String,
    text: &'static str,
) -> impl IntoView + use<> {
    view! {
        <a id=id class=class href=href>
            {text}
        </a>
    }
}

/// The id of the note that tells a viewer why controls are disabled.
pub(crate) const READ_ONLY_ID: &str = "read-only";

/// A link that opens a dialog. For a viewer it is disabled, and says why.
pub(crate) fn permitted_link(
    state: PageState,
    id: String,
    class: &'static str,
    query: String,
    text: String,
) -> impl IntoView + use<> {
    let disabled_for_viewer = state.is_read_only();
    let href = move || (!disabled_for_viewer).then(|| state.address(&query));
    let [role, disabled, tab, reason] = [("link"), ("true"), ("0"), (READ_ONLY_ID)]
        .map(|value| disabled_for_viewer.then_some(value));
    view! {
        <a
            class=class
            id=id
            href=href
            role=role
            aria-disabled=disabled
            tabindex=tab
            aria-describedby=reason
        >
            {text}
        </a>
    }
}

pub(crate) fn hidden_fields(pairs: &[(&'static str, String)]) -> impl IntoView + use<> {
    let fields = html! {
        @for (name, value) in pairs { input type="hidden" name=(name) value=(value); }
    };
    view! { <div hidden inner_html=fields.into_string()></div> }
}

/// `12 s ago`
pub(crate) fn time_since(catalog: &Catalog, now: Timestamp, then: Timestamp) -> String {
    let span = now - then;
    if span.0 < 2_000 {
        catalog.text(MessageKey::AgeNow).to_owned()
    } else {
        catalog.format(MessageKey::AgeAgo, &[("span", Arg::Span(span))])
    }
}
