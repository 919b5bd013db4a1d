//! When nobody could observe, why, and how long a component has been silent apart from that.

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

/// What is wrong with the database, as far as the observer can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blindness {
    /// Another process holds it.
    Locked,
    /// Its disk is full.
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

impl Blindness {
    /// Every reason there is.
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

    /// The note of the hint that says it.
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
