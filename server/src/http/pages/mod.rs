//! What people's browsers go to.

pub(crate) mod access;
pub(crate) mod account;
pub(crate) mod add_server;
pub(crate) mod audit;
pub(crate) mod channel;
pub(crate) mod embed;
pub(crate) mod export;
pub(crate) mod forms;
pub(crate) mod history;
pub(crate) mod html;
pub(crate) mod incidents;
pub(crate) mod invitation;
pub(crate) mod notifications;
pub(crate) mod overview;
pub(crate) mod people;
pub(crate) mod rehearsal;
pub(crate) mod removals;
pub(crate) mod render_pool;
pub(crate) mod sign_in;
