//! How long a component has been silent while somebody was listening.

use serde::{Deserialize, Serialize};

use super::time::{Span, Timestamp};

/// A span of time in which nobody was watching: no web server up, or the database away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Spell {
    /// The observer's last mark before it.
    pub start: Timestamp,
    /// The first moment somebody could write again.
    pub end: Timestamp,
}

/// How long spells are kept: 30 days.
pub const KEEP_SPELLS: Span = Span::minutes(30 * 24 * 60);

/// Those of `spells`, which are in order and do not overlap, that end after `since`: nearly always none, so that a
/// month of them costs a component that beats nothing.
pub fn after(since: Timestamp, spells: &[Spell]) -> &[Spell] {
    spells.split_at(spells.partition_point(|spell| spell.end <= since)).1
}

/// The time from `since` to `now`, less every spell in it. A stamp later than `now` counts as now.
pub fn silence(since: Timestamp, now: Timestamp, spells: &[Spell]) -> Span {
    let unwatched = after(since, spells).iter().fold(Span::ZERO, |sum, spell| {
        let overlap = spell.end.min(now) - spell.start.max(since);
        sum + overlap.max(Span::ZERO)
    });
    (now - since - unwatched).max(Span::ZERO)
}

/// The first moment at which the silence since `since` is longer than `limit`, if no further spell
/// comes. `spells` in order, not overlapping.
pub fn exceeds_at(since: Timestamp, limit: Span, spells: &[Spell]) -> Timestamp {
    let mut moment = since + limit + Span::TICK;
    for spell in after(since, spells) {
        let start = spell.start.max(since);
        // Silence reaches the limit's end within or after this spell: it stands still meanwhile.
        if spell.end > start && moment > start {
            moment = moment + (spell.end - start);
        }
    }
    moment
}

/// Whether a service silent since `since` is late at `now`: silent for longer than `limit` (twice
/// the interval), and not merely because it had no chance to be heard yet: nobody becomes late
/// within `limit` after a spell, though who was late before it stays so.
pub fn is_late(since: Timestamp, now: Timestamp, limit: Span, spells: &[Spell]) -> bool {
    let mut moment = now;
    loop {
        if silence(since, moment, spells) <= limit {
            return false;
        }
        let recent = spells
            .iter()
            .rev()
            .find(|spell| spell.end > since && spell.start < moment && moment - spell.end <= limit);
        match recent {
            Some(spell) => moment = spell.start,
            None => return true,
        }
    }
}
