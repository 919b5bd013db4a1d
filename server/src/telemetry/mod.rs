//! What the program writes for those who operate it.

pub(crate) mod log_limit;
pub mod outside_text;
