//! Which commit it is: its number tells the order, its token the history.
//!
//! After a restore, or when a standby takes over that lacked the last commits, the same revisions are given again.
//! So a number alone proves nothing. What was known at a commit is of use only where the database, or this process,
//! knows that commit with its token.

use std::collections::BTreeMap;
use std::fmt;

/// How many commits are remembered with their tokens, here and in PostgreSQL.
pub(crate) const MAX_REMEMBERED_COMMITS: usize = 4_096;

/// One commit of one history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct CommitId {
    /// Grows by one with each commit.
    pub number: i64,
    /// Random: no two commits of one number share it.
    pub token: i64,
}

impl CommitId {
    /// The one after it.
    pub(super) fn next(self) -> Self {
        let (token, _) = uuid::Uuid::new_v4().as_u64_pair();
        Self { number: self.number + 1, token: i64::from_ne_bytes(token.to_ne_bytes()) }
    }

    /// Reads what [`fmt::Display`] writes.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (number, token) = text.split_once('-')?;
        let token = u64::from_str_radix(token, 16).ok()?;
        Some(Self { number: number.parse().ok()?, token: i64::from_ne_bytes(token.to_ne_bytes()) })
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:x}", self.number, self.token)
    }
}

/// The last commits of one history.
#[derive(Clone, Debug, Default)]
pub(crate) struct History(BTreeMap<i64, i64>);

impl History {
    /// One of which only this commit is known.
    pub(crate) fn starting_at(commit: CommitId) -> Self {
        Self(BTreeMap::from([(commit.number, commit.token)]))
    }

    /// Whether this commit is one of them.
    pub(crate) fn has(&self, commit: CommitId) -> bool {
        self.0.get(&commit.number) == Some(&commit.token)
    }

    /// Remembers one more; the oldest is forgotten.
    pub(crate) fn add(&mut self, commit: CommitId) {
        self.0.insert(commit.number, commit.token);
        if self.0.len() > MAX_REMEMBERED_COMMITS {
            self.0.pop_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_read_as_it_is_written() {
        for token in [0, 1, -1, i64::MIN, i64::MAX] {
            let commit = CommitId { number: 42, token };
            assert_eq!(CommitId::parse(&commit.to_string()), Some(commit));
        }
        for text in ["", "42", "42-", "-1", "a-1", "42-x", "42-10000000000000000"] {
            assert_eq!(CommitId::parse(text), None, "{text}");
        }
        assert_ne!(CommitId::default().next(), CommitId::default().next());
    }
}
