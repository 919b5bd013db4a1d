//! Documents that are rendered once: sign-in, access, audit, errors. They need no scripts but the theme's.

pub mod access;
pub mod audit;
pub mod error;
mod layout;
pub mod sign_in;

pub use self::layout::{Document, DocumentContext};
