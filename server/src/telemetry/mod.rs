//! Log lines and metrics.

pub(crate) mod cluster;
pub(crate) mod deliveries;
pub(crate) mod exposition;
pub(crate) mod heartbeats;
pub(crate) mod log_limit;
pub mod outside_text;
pub(crate) mod primitives;
pub(crate) mod requests;
