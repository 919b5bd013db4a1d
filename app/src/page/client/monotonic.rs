//! The monotonic time of the browser. Nothing else in the page reads a clock.

use crate::cluster::Span;

pub(crate) fn since_opened() -> Span {
    let ms = leptos::prelude::window().performance().map_or(0.0, |performance| performance.now());
    #[expect(clippy::cast_possible_truncation, reason = "a page is not open for millions of years")]
    Span(ms as i64)
}
