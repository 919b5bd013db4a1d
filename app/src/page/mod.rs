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
pub(crate) mod document;
pub(crate) mod header;
pub(crate) mod hidden_fields;
mod hints;
pub(crate) mod link;
mod model;
mod panel;
mod permitted_link;
mod relative_time;
pub mod route;
mod servers;
pub mod settings;
mod state;
mod status_style;
mod visibility;
#[cfg(feature = "ssr")]
mod watchdog;
