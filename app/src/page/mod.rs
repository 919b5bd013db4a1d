//! The page: a folder for each thing on the screen, its model and its view side by side.

#![allow(
    unreachable_pub,
    reason = "the component macro makes every component and its props public"
)]

pub mod appearance;
mod banner;
#[cfg(feature = "ssr")]
pub(crate) mod branding;
#[cfg(feature = "hydrate")]
pub mod client;
pub mod dialog;
pub(crate) mod document;
pub(crate) mod header;
mod hints;
mod model;
mod panel;
pub(crate) mod query;
pub mod route;
mod servers;
pub mod settings;
mod state;
mod status_style;
pub(crate) mod ui;
mod view_context;
mod visibility;
#[cfg(feature = "ssr")]
mod watchdog;
