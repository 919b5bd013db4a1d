//! The header: where the page is, how it gets changes, and who uses it.

pub(crate) mod model;
pub(crate) mod view;
