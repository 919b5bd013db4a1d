//! The map: one small shape for each server of the list, so that one look tells how many are ill, and where.

pub(crate) mod model;
pub(crate) mod view;
