//! Sentences that are made from verdicts, hints and previews.

mod preview;
mod settings;
mod verdicts;

pub use self::verdicts::{HintText, Verdict};
