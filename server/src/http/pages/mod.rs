//! What people's browsers go to.

pub(crate) mod access;
pub(crate) mod forms;
pub(crate) mod overview;
pub(crate) mod render_pool;
pub(crate) mod sign_in;
