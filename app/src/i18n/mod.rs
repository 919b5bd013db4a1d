//! How everything is said: sentences are data, one message file a language.

mod catalog;
mod format;
mod locale;
mod sentences;

pub use self::catalog::Words;
#[cfg(target_arch = "wasm32")]
pub(crate) use self::format::write_by;
pub(crate) use self::format::{date, number};
pub use self::locale::Language;
pub use self::sentences::{HintText, Verdict};
