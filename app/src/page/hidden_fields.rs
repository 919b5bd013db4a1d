//! What a plain form carries along unseen.

use leptos::prelude::*;

/// A hidden field for each name and value.
pub(crate) fn hidden_fields(pairs: Vec<(&'static str, String)>) -> impl IntoView + use<> {
    let field = |(name, value)| view! { <input type="hidden" name=name value=value /> };
    pairs.into_iter().map(field).collect_view()
}
