//! The shared half of Cluster Overview: the rules, the words and the page.
pub mod api;
#[cfg(feature = "ssr")]
pub mod backend;
pub mod cluster;
pub mod words;
use leptos::prelude::*;
/// x
pub fn shell(picture: api::Picture) -> impl IntoView {
    view! { <p>{picture.cursor}</p> }
}
