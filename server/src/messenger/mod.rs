//! The service messenger: a live channel from each service to every web server. What is told through
//! it comes sooner; nothing depends on it.

mod announcement;
mod connection;
mod dial_history;
mod dialer;
mod listener;
mod ssrf;
pub mod wire;

pub(crate) use self::announcement::Announced;
pub(crate) use self::dialer::{Dialer, Here};
pub use self::listener::MessengerListener;
pub use self::ssrf::DialLoopback;
pub(crate) use self::ssrf::came_directly;
