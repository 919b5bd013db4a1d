//! The shared half of Cluster Overview: the rules, the words and the page.
//!
//! Compiled twice: with `ssr` for the server, with `hydrate` for the browser. [`cluster`] needs
//! neither.

pub mod api;
#[cfg(feature = "ssr")]
pub mod backend;
pub mod cluster;
pub mod page;
pub mod words;

#[cfg(feature = "hydrate")]
pub use page::live::hydrate;
#[cfg(feature = "ssr")]
pub use page::shell;
