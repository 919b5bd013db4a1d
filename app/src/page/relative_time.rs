//! How long ago something was, in words.

use crate::cluster::Timestamp;
use crate::cluster::hints::Arg;
use crate::i18n::Words;

/// `12 s ago`
pub(crate) fn ago(words: &Words, now: Timestamp, then: Timestamp) -> String {
    let span = now - then;
    if span.0 < 2_000 {
        words.label("age.now").to_owned()
    } else {
        words.say("age.ago", &[("span", Arg::Span(span))])
    }
}
