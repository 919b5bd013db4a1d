//! The banner: the verdict on the cluster in one sentence.

pub(crate) mod model;
pub(crate) mod view;
