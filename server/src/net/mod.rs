//! Network: the listener with its TLS and its limits; of outgoing connections the back-off, the CAs to trust, and which
//! networks an address belongs to.

pub(crate) mod address_scope;
pub mod back_off;
pub(crate) mod ca_certificates;
pub(crate) mod connections;
mod http2;
pub mod listener;
pub mod tls;
