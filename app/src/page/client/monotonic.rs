//! How much time has passed in the browser: the only reader of its clock, and a monotonic one.

use crate::cluster::Span;

/// Since the page was opened.
pub(crate) fn since_opened() -> Span {
    let ms = leptos::prelude::window().performance().map_or(0.0, |performance| performance.now());
    #[expect(clippy::cast_possible_truncation, reason = "a page is not open for millions of years")]
    Span(ms as i64)
}
