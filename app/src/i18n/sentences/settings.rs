//! How it is said that a setting does not fit.

use crate::cluster::hints::Arg;
use crate::cluster::{SettingErrorKind, Span};
use crate::i18n::Words;

impl SettingErrorKind {
    /// What is wrong and what would be right.
    pub fn in_words(self, words: &Words) -> String {
        // To the second: a span said in its two largest units may look like its limit.
        let seconds = |span: Span| Arg::Text(format!("{} s", span.0 / 1_000));
        match self {
            Self::NotADuration => words.say("configure.wrong.unreadable", &[]),
            Self::OutOfRange { min, max, given } => words.say(
                "configure.wrong.beyond",
                &[("min", Arg::Span(min)), ("max", Arg::Span(max)), ("given", seconds(given))],
            ),
            Self::TooShort { twice, given } => words.say(
                "configure.wrong.too-short",
                &[("twice", seconds(twice)), ("given", seconds(given))],
            ),
        }
    }
}
