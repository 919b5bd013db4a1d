//! Network: the listener with its TLS and its limits, and the back-off of outgoing connections.

pub mod back_off;
pub(crate) mod connections;
mod http2;
pub mod listener;
pub mod tls;
