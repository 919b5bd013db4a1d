//! The shared half of Cluster Overview: the rules, the sentences and the page.
//!
//! Compiled twice: with `ssr` for the server, with `hydrate` for the browser. [`cluster`] needs
//! neither.

pub mod cluster;
pub mod i18n;
pub mod packed;
pub mod page;
#[cfg(feature = "ssr")]
pub mod pages;
pub mod protocol;
pub mod server_fns;

#[cfg(feature = "hydrate")]
pub use page::client::hydrate;
#[cfg(feature = "ssr")]
pub use page::document::{PastMoment, nonce, past_document, shell};
