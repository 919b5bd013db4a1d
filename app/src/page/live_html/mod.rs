//! A part of the page as HTML, which follows the signals that it reads.
//!
//! Most parts are drawn this way: an element of a type of its own costs some hundred bytes of wasm, a piece of HTML its
//! letters.

#[cfg(feature = "hydrate")]
pub(crate) mod morph;

use leptos::html::Div;
use leptos::prelude::*;
use maud::Markup;

/// What the part shows now. In the browser it is called again when a signal that it has read changes.
pub(crate) type LiveHtml = Box<dyn Fn() -> Markup + Send + Sync>;

/// The element of a part. It makes no box of its own.
pub(crate) fn live_html(html: LiveHtml) -> impl IntoView + use<> {
    let element = NodeRef::<Div>::new();
    #[cfg(feature = "ssr")]
    let first = untrack(&*html).into_string();
    // It is in the document already.
    #[cfg(not(feature = "ssr"))]
    let first = String::new();
    #[cfg(feature = "hydrate")]
    morph::follow(move || element.get_untracked().map(Into::into), html);
    view! { <div class="part" node_ref=element inner_html=first></div> }
}
