//! Pages that are rendered once, on the server: sign-in, access, audit, errors. They work without scripts.

pub mod access;
pub mod audit;
pub mod error;
mod layout;
pub mod sign_in;

pub use self::layout::{Document, DocumentContext};
