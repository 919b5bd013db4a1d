//! The cluster's settings: a summary, and the form.

pub mod draft;
pub(crate) mod model;
pub(crate) mod summary;
pub(crate) mod view;
