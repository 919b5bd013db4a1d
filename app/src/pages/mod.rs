//! Pages that are rendered once, on the server: sign-in, invitation, account, access, adding a server, audit, channels, history,
//! incidents, notifications, removals, errors. They work without scripts.

pub mod access;
pub mod account;
pub mod add_server;
pub mod audit;
pub mod channel;
pub mod channels;
pub mod deliveries;
pub mod error;
pub mod export;
pub mod history;
pub mod incident;
pub mod incidents;
pub mod invitation;
mod layout;
pub mod notifications;
pub mod people;
pub mod removals;
pub mod sign_in;

pub use self::layout::{Document, DocumentContext};
