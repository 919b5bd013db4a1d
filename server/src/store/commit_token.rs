//! Which commit is it? Its number gives the order, its token tells commits of the same number apart.
//!
//! After a restore, or when a standby takes over that lacked the last commits, the same numbers are used again. So
//! what was read up to a commit is valid only if the database, or this process, knows that number with that token.

use std::collections::BTreeMap;
use std::fmt;

/// In this process and in PostgreSQL.
pub(crate) const MAX_REMEMBERED_COMMITS: usize = 4_096;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct CommitId {
    /// One more with each commit.
    pub number: i64,
    /// Random, so that two commits of one number differ in it.
    pub token: i64,
}

impl CommitId {
    /// The id of the next commit, with a random token.
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

/// The last commits that led to the current state: token by number.
#[derive(Clone, Debug, Default)]
pub(crate) struct History(BTreeMap<i64, i64>);

impl History {
    pub(crate) fn starting_at(commit: CommitId) -> Self {
        Self(BTreeMap::from([(commit.number, commit.token)]))
    }

    pub(crate) fn has(&self, commit: CommitId) -> bool {
        self.0.get(&commit.number) == Some(&commit.token)
    }

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
