//! Pages that are rendered once, on the server: sign-in, access, audit, removals, errors. They work without scripts.

pub mod access;
pub mod audit;
pub mod error;
pub mod export;
mod layout;
pub mod removals;
pub mod sign_in;

pub use self::layout::{Document, DocumentContext};
