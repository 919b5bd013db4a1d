//! The service messenger: a live channel from each service to every web server. What is told through
//! it comes sooner; nothing depends on it.

mod dialer;
mod listener;
mod target;
pub mod wire;

pub(crate) use dialer::{Dialer, Here};
pub use listener::Voice;
