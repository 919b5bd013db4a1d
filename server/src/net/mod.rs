//! Connections: those that come in, with TLS or without, and the wait between tries of those that go out.

pub mod back_off;
pub(crate) mod connections;
pub mod listener;
pub mod tls;
