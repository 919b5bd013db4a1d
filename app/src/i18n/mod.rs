//! How is everything said? Sentences are data: one message file for each language.
//!
//! To say something new: a key with its sentence in every message file; the build script makes a [`MessageKey`] of it.
//! To add a language: its message file, a case in [`Language`], and its plural rule in [`plural`].

mod catalog;
mod format;
mod locale;
#[cfg(test)]
mod message_file;
mod message_key;
mod plural;
mod sentences;

pub use self::catalog::Catalog;
#[cfg(target_arch = "wasm32")]
pub(crate) use self::format::write_by;
pub(crate) use self::format::{clock, number, recent};
pub use self::locale::Language;
pub use self::message_key::MessageKey;
pub use self::plural::PluralCategory;
pub use self::sentences::{HintText, ProblemCount, Verdict};
