//! When nobody could observe, why, and a component's silence without those times.

use serde::{Deserialize, Serialize};

use super::time::{Span, Timestamp};

/// A span in which nobody could observe: no web server was up, or the database was unavailable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BlindPeriod {
    /// The observer's last mark before it.
    pub start: Timestamp,
    /// The first moment at which a web server could write again.
    pub end: Timestamp,
    /// Nobody was blind: the clock was set forward by this much.
    #[serde(default)]
    pub clock_set: bool,
}

/// How long blind periods are kept: 30 days.
pub const BLIND_PERIOD_RETENTION: Span = Span::minutes(30 * 24 * 60);

/// Those of `blind_periods`, which are in order and do not overlap, that end after `since`: nearly always none, so that a
/// month of them costs a live component nothing.
pub fn after(since: Timestamp, blind_periods: &[BlindPeriod]) -> &[BlindPeriod] {
    blind_periods.split_at(blind_periods.partition_point(|period| period.end <= since)).1
}

/// The one of `blind_periods`, which are in order and do not overlap, in which a moment lies.
pub fn blind_at(moment: Timestamp, blind_periods: &[BlindPeriod]) -> Option<BlindPeriod> {
    after(moment, blind_periods).first().copied().filter(|period| period.start < moment)
}

/// The last of `blind_periods`, which are in order and do not overlap, that begins before a moment: the one that ends last.
pub fn last_before(moment: Timestamp, blind_periods: &[BlindPeriod]) -> Option<BlindPeriod> {
    let begun = blind_periods.partition_point(|period| period.start < moment);
    blind_periods.split_at(begun).0.last().copied()
}

/// For how much of the time from `since` to `now` nobody could observe.
pub fn unobserved(since: Timestamp, now: Timestamp, blind_periods: &[BlindPeriod]) -> Span {
    let within = after(since, blind_periods).iter().take_while(|period| period.start < now);
    within.fold(Span::ZERO, |sum, period| {
        let overlap = period.end.min(now) - period.start.max(since);
        sum + overlap.max(Span::ZERO)
    })
}

/// The time from `since` to `now`, less every blind period in it. A stamp later than `now` counts as now.
pub fn silence(since: Timestamp, now: Timestamp, blind_periods: &[BlindPeriod]) -> Span {
    (now - since - unobserved(since, now, blind_periods)).max(Span::ZERO)
}

/// The first moment at which the silence since `since` is longer than `limit`, if no further blind period
/// comes. `blind_periods` in order, not overlapping.
pub fn exceeds_at(since: Timestamp, limit: Span, blind_periods: &[BlindPeriod]) -> Timestamp {
    let mut moment = since + limit + Span::TICK;
    for period in after(since, blind_periods) {
        let start = period.start.max(since);
        if start >= moment {
            break;
        }
        // The limit ends within or after this blind period: silence does not grow during it.
        moment = moment + (period.end - start).max(Span::ZERO);
    }
    moment
}

/// The first moment at which a service silent since `since` is late, as [`is_late`] says, if no further blind period comes.
pub fn late_at(since: Timestamp, limit: Span, blind_periods: &[BlindPeriod]) -> Timestamp {
    let mut moment = exceeds_at(since, limit, blind_periods);
    for period in after(since, blind_periods) {
        if period.start >= moment {
            break;
        }
        moment = moment.max(period.end + limit + Span::TICK);
    }
    moment
}

/// Whether a service silent since `since` is late at `now`: silent for longer than `limit` (twice
/// the interval), and not merely because it had no chance to be heard yet: nobody becomes late
/// within `limit` after a blind period, though who was late before it stays so.
pub fn is_late(
    since: Timestamp,
    now: Timestamp,
    limit: Span,
    blind_periods: &[BlindPeriod],
) -> bool {
    let mut moment = now;
    loop {
        if silence(since, moment, blind_periods) <= limit {
            return false;
        }
        let last = last_before(moment, blind_periods);
        match last.filter(|period| period.end > since && moment - period.end <= limit) {
            Some(period) => moment = period.start,
            None => return true,
        }
    }
}

/// What is wrong with the database, as far as the observer can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatabaseOutage {
    /// Another process holds it.
    Locked,
    /// The disk of the database is full.
    Full,
    /// It, or its disk, is read-only.
    ReadOnly,
    /// What it holds is damaged.
    Corrupt,
    /// Its file is no longer where it was.
    Missing,
    /// Another file is where it was.
    Replaced,
    /// Its connections are shared with other clients between transactions.
    Pooled,
    /// Something else.
    Unreachable,
}

impl DatabaseOutage {
    /// Every reason.
    pub const ALL: [Self; 8] = [
        Self::Locked,
        Self::Full,
        Self::ReadOnly,
        Self::Corrupt,
        Self::Missing,
        Self::Replaced,
        Self::Pooled,
        Self::Unreachable,
    ];

    /// The note of the hint that explains it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Locked => "locked",
            Self::Full => "full",
            Self::ReadOnly => "read-only",
            Self::Corrupt => "corrupt",
            Self::Missing => "missing",
            Self::Replaced => "replaced",
            Self::Pooled => "pooled",
            Self::Unreachable => "unreachable",
        }
    }
}
