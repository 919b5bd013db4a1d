//! When a web server has nearly as many servers as it accepts.

use super::time::Span;

/// From this part of the limit on there is a hint.
const NEARLY_FULL_PERCENT: usize = 90;
/// A server that has been stale or stopped for so long is probably gone: one day.
pub(super) const GONE_FOR: Span = Span::minutes(24 * 60);

/// The limit, if so many servers nearly reach it.
pub(super) fn nearly_reached(limit: Option<usize>, servers: usize) -> Option<usize> {
    let reaches = |limit: &usize| {
        servers > 0 && servers.saturating_mul(100) >= limit.saturating_mul(NEARLY_FULL_PERCENT)
    };
    limit.filter(reaches)
}
