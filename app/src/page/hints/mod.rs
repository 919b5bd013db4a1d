//! The hints: what is wrong, how we know it, and what to do.

pub(crate) mod model;
pub(crate) mod view;
