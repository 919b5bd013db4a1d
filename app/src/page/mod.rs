//! The page: a folder for each thing on the screen, with its model and its view side by side.

#![allow(
    unreachable_pub,
    reason = "the component macro makes every component and its props public"
)]

pub mod appearance;
mod banner;
#[cfg(feature = "hydrate")]
pub mod client;
pub(crate) mod document;
pub(crate) mod header;
pub(crate) mod hints;
mod live_html;
mod model;
mod panel;
pub mod route;
pub(crate) mod servers;
pub mod settings;
mod state;
pub(crate) mod status_style;
pub(crate) mod ui;
pub(crate) mod view_context;
#[cfg(feature = "ssr")]
mod watchdog;
