//! How many servers a web server takes in, when that is nearly reached, and who would make room.

use super::effect::RemovalFilter;
use super::snapshot::Snapshot;
use super::status::Health;
use super::time::{Span, Timestamp};

/// From this part of the limit on a hint says so.
const NEARLY_FULL_PERCENT: usize = 90;
/// Who has been stale or stopped for so long is probably gone for good: one day.
pub(super) const GONE_FOR: Span = Span::minutes(24 * 60);

impl Snapshot {
    /// The limit, if so many servers nearly reach it.
    pub(super) fn nearly_reached(&self, servers: usize) -> Option<usize> {
        let reaches = |limit: &usize| {
            servers > 0 && servers.saturating_mul(100) >= limit.saturating_mul(NEARLY_FULL_PERCENT)
        };
        self.max_servers.filter(reaches)
    }

    /// What so many servers mean for the health of the cluster: a hint warns where the limit is near.
    pub(super) fn health_of_capacity(&self, servers: usize) -> Health {
        self.nearly_reached(servers).map_or(Health::Ok, |_| Health::Warning)
    }

    /// How many servers have been gone for a day: a removal with `stale_for_s` of 86,400 finds the same.
    pub(super) fn count_gone(&self, now: Timestamp) -> usize {
        let gone = RemovalFilter { stale_for: Some(GONE_FOR), name: None };
        self.removing_all(&gone, now).len()
    }
}
