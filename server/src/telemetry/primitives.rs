//! Counters and histograms.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

pub(crate) const DURATION_BOUNDS_S: &[f64] =
    &[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0];

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

#[derive(Debug)]
pub(crate) struct Histogram {
    bounds: &'static [f64],
    observations: Mutex<Observations>,
}

#[derive(Clone, Debug)]
pub(crate) struct Observations {
    /// One for each bound, and one for the values above the last bound.
    counts: Vec<u64>,
    pub(crate) sum: f64,
}

impl Histogram {
    /// An empty histogram; `bounds` ascend.
    pub(crate) fn new(bounds: &'static [f64]) -> Self {
        Self {
            bounds,
            observations: Mutex::new(Observations { counts: vec![0; bounds.len() + 1], sum: 0.0 }),
        }
    }

    pub(crate) fn observe(&self, value: f64) {
        let index = self.bounds.partition_point(|bound| *bound < value);
        let mut observations = self.observations.lock().unwrap_or_else(PoisonError::into_inner);
        observations.counts[index] += 1;
        observations.sum += value;
    }

    /// All values at one moment, so that counts and sum agree.
    pub(crate) fn snapshot(&self) -> Observations {
        self.observations.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Each bound with the number of values up to it.
    pub(crate) fn cumulative<'a>(
        &'a self,
        observations: &'a Observations,
    ) -> impl Iterator<Item = (f64, u64)> + 'a {
        let totals = observations.counts.iter().scan(0, |total, count| {
            *total += count;
            Some(*total)
        });
        self.bounds.iter().copied().zip(totals)
    }
}

impl Observations {
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
        let observations = histogram.snapshot();
        let cumulative: Vec<(f64, u64)> = histogram.cumulative(&observations).collect();
        assert_eq!(cumulative, [(1.0, 2), (2.0, 3)]);
        assert_eq!((observations.count(), observations.sum.to_string()), (4, "6".to_owned()));
    }
}
