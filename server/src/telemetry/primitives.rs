//! Counters and histograms: what every part of the server counts with.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Up to how many seconds something took.
pub(crate) const SECONDS: &[f64] =
    &[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0];
/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, more: usize) {
        self.0.fetch_add(more as u64, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counts of what was observed, by upper bounds that never change.
#[derive(Debug)]
pub(crate) struct Histogram {
    bounds: &'static [f64],
    seen: Mutex<Seen>,
}

/// What was observed so far.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// One for each bound, and one for what is beyond the last.
    counts: Vec<u64>,
    pub(crate) sum: f64,
}

impl Histogram {
    /// Nothing observed yet; `bounds` grow.
    pub(crate) fn new(bounds: &'static [f64]) -> Self {
        Self { bounds, seen: Mutex::new(Seen { counts: vec![0; bounds.len() + 1], sum: 0.0 }) }
    }

    pub(crate) fn observe(&self, value: f64) {
        let place = self.bounds.partition_point(|bound| *bound < value);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.counts[place] += 1;
        seen.sum += value;
    }

    /// Everything at one moment, so that its parts agree.
    pub(crate) fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Each bound with how many values are not above it.
    pub(crate) fn cumulated<'a>(&'a self, seen: &'a Seen) -> impl Iterator<Item = (f64, u64)> + 'a {
        let totals = seen.counts.iter().scan(0, |total, count| {
            *total += count;
            Some(*total)
        });
        self.bounds.iter().copied().zip(totals)
    }
}

impl Seen {
    /// How many values there were.
    pub(crate) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_on_a_bound_is_not_above_it_and_one_beyond_the_last_still_counts() {
        let histogram = Histogram::new(&[1.0, 2.0]);
        for value in [0.5, 1.0, 1.5, 3.0] {
            histogram.observe(value);
        }
        let seen = histogram.seen();
        let cumulated: Vec<(f64, u64)> = histogram.cumulated(&seen).collect();
        assert_eq!(cumulated, [(1.0, 2), (2.0, 3)]);
        assert_eq!((seen.count(), seen.sum.to_string()), (4, "6".to_owned()));
    }
}
