//! The service messenger: a live channel from each service to every web server. What is told through
//! it comes sooner; nothing depends on it.

mod dialer;
mod listener;
mod target;
pub mod wire;

pub(crate) use dialer::{Announced, Dialer, Here};
pub use listener::Voice;
pub use target::DialLoopback;
pub(crate) use target::came_directly;
