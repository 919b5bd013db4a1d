//! The cluster's settings: the summary and the form.

pub mod draft;
pub(crate) mod model;
pub(crate) mod view;
