//! What is open beside the page: a server, or a question.

pub(crate) mod model;
pub(crate) mod view;
