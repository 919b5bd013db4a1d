//! Keeps the log readable when somebody outside causes the same line again and again.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Stopwatch;

/// Of one subject one line is written in this time.
const LOG_PERIOD: Duration = Duration::from_mins(1);
/// How many subjects have lines of their own in one period; all others share one.
const MAX_LOG_SUBJECTS: usize = 100;

/// Lines of one kind, counted by whom they are about.
#[derive(Debug)]
pub(crate) struct LogLimit<Subject> {
    subjects: Mutex<HashMap<Option<Subject>, Held>>,
}

/// What became of the lines about one subject.
#[derive(Debug)]
struct Held {
    /// Since its last line was written.
    since: Stopwatch,
    left_out: u64,
}

impl<Subject> Default for LogLimit<Subject> {
    fn default() -> Self {
        Self { subjects: Mutex::default() }
    }
}

impl<Subject: Eq + Hash> LogLimit<Subject> {
    /// Whether a line about this subject is to be written now: then how many like it were left out since the
    /// last.
    pub(crate) fn admit(&self, subject: Subject) -> Option<u64> {
        self.admit_every(LOG_PERIOD, subject)
    }

    fn admit_every(&self, period: Duration, subject: Subject) -> Option<u64> {
        let mut subjects = self.subjects.lock().unwrap_or_else(PoisonError::into_inner);
        let mut subject = Some(subject);
        if !subjects.contains_key(&subject) && subjects.len() >= MAX_LOG_SUBJECTS {
            subjects.retain(|_, held| held.since.elapsed() < period);
            if subjects.len() >= MAX_LOG_SUBJECTS {
                subject = None;
            }
        }
        if let Some(held) = subjects.get_mut(&subject)
            && held.since.elapsed() < period
        {
            held.left_out = held.left_out.saturating_add(1);
            return None;
        }
        let fresh = Held { since: Stopwatch::start(), left_out: 0 };
        Some(subjects.insert(subject, fresh).map_or(0, |held| held.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_one_subject_one_line_a_minute_is_written_with_how_many_were_left_out() {
        let limit = LogLimit::default();
        assert_eq!(limit.admit("db-1"), Some(0));
        for _ in 0..999 {
            assert_eq!(limit.admit("db-1"), None);
        }
        assert_eq!(limit.admit("db-2"), Some(0), "another is told of");
        // Its minute is over.
        assert_eq!(limit.admit_every(Duration::ZERO, "db-1"), Some(999));
    }

    #[test]
    fn ever_new_subjects_share_one_line() {
        let limit = LogLimit::default();
        let written = (0..10_000).filter(|number| limit.admit(*number).is_some()).count();
        assert_eq!(written, MAX_LOG_SUBJECTS + 1);
        assert_eq!(limit.subjects.lock().unwrap().len(), MAX_LOG_SUBJECTS + 1);
    }
}
