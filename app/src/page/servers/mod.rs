//! The list of servers.

pub(crate) mod list;
pub(crate) mod model;
pub(crate) mod toolbar;
pub(crate) mod view;
