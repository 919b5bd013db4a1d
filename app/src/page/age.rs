//! How long ago something was, in words.

use crate::cluster::Timestamp;

/// `12 s ago`
pub(super) fn ago(now: Timestamp, then: Timestamp) -> String {
    let span = now - then;
    if span.0 < 2_000 { "just now".to_owned() } else { format!("{span} ago") }
}
