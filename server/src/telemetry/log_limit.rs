//! Rate limiter of log lines that outsiders can cause: one line a minute of each kind, with a count of those left out.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Stopwatch;

/// The shortest time between two lines of one kind.
const LINE_INTERVAL: Duration = Duration::from_mins(1);
/// How many subjects have a limiter of their own; all others share one.
const MAX_SUBJECTS: usize = 100;

/// The limiter of one kind of line: a `static` next to the line.
#[derive(Debug)]
pub(crate) struct LogLimit(Mutex<State>);

#[derive(Debug)]
struct State {
    last: Option<Stopwatch>,
    left_out: u64,
}

impl LogLimit {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(State { last: None, left_out: 0 }))
    }

    /// Whether to write the line now: `Some` with how many were left out since the last one.
    pub(crate) fn check(&self) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.last.is_some_and(|last| last.elapsed() < LINE_INTERVAL) {
            state.left_out += 1;
            return None;
        }
        state.last = Some(Stopwatch::start());
        Some(std::mem::take(&mut state.left_out))
    }

    fn is_due(&self) -> bool {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.last.is_none_or(|last| last.elapsed() >= LINE_INTERVAL)
    }
}

/// The limiters of one kind of line, one for each subject.
#[derive(Debug)]
pub(crate) struct LogLimits<Subject>(Mutex<HashMap<Option<Subject>, LogLimit>>);

impl<Subject> Default for LogLimits<Subject> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<Subject: Eq + Hash> LogLimits<Subject> {
    /// Whether to write a line about this subject now: `Some` with how many were left out since the last one.
    pub(crate) fn check(&self, subject: Subject) -> Option<u64> {
        let mut limits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut subject = Some(subject);
        if !limits.contains_key(&subject) && limits.len() >= MAX_SUBJECTS {
            limits.retain(|_, limit| !limit.is_due());
            if limits.len() >= MAX_SUBJECTS {
                subject = None;
            }
        }
        limits.entry(subject).or_insert_with(LogLimit::new).check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_written_and_those_right_after_it_are_counted() {
        let limit = LogLimit::new();
        assert_eq!(limit.check(), Some(0));
        assert_eq!((limit.check(), limit.check()), (None, None));
        limit.0.lock().unwrap().last = None;
        assert_eq!(limit.check(), Some(2));
    }

    #[test]
    fn each_subject_has_lines_of_its_own() {
        let limits = LogLimits::default();
        assert_eq!(limits.check("db-1"), Some(0));
        assert_eq!(limits.check("db-1"), None);
        assert_eq!(limits.check("db-2"), Some(0));
    }

    #[test]
    fn ever_new_subjects_share_one_line() {
        let limits = LogLimits::default();
        let written = (0..10_000).filter(|number| limits.check(*number).is_some()).count();
        assert_eq!(written, MAX_SUBJECTS + 1);
        assert_eq!(limits.0.lock().unwrap().len(), MAX_SUBJECTS + 1);
    }
}
