//! What the program writes for those who operate it: its log and its metrics.

pub(crate) mod cluster;
pub(crate) mod exposition;
pub(crate) mod heartbeats;
pub(crate) mod log_limit;
pub mod outside_text;
pub(crate) mod primitives;
pub(crate) mod requests;
