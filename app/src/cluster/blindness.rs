//! Why the observer cannot read and write its database.

use serde::{Deserialize, Serialize};

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
