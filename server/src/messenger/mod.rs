//! The service messenger: a live connection from each service to every web server. Heartbeats arrive sooner through it,
//! and a stopped service is noticed at once. Nothing depends on it.

mod announcement;
mod connection;
mod dial_history;
mod dialer;
mod listener;
mod ssrf;
mod status_reports;
pub mod wire;

pub(crate) use self::announcement::AnnouncedMessenger;
pub(crate) use self::dialer::{Dialer, LocalWebServer};
pub use self::listener::MessengerListener;
pub use self::ssrf::DialLoopback;
pub(crate) use self::ssrf::came_directly;
