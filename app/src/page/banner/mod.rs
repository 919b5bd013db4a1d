//! The verdict on the cluster, in one sentence.

pub(crate) mod view;
