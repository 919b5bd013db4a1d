//! The side panel: the details of a server, or a confirmation.

pub(crate) mod model;
pub(crate) mod view;
