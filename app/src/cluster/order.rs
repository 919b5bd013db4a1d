//! The one sort of the program's shared half: in the browser each other one would be some kilobytes of wasm.

use std::cmp::Ordering;

/// The places 0 to `count` in this order; equals stay as they are.
pub(crate) fn sorted_indices(count: usize, order: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).collect();
    places.sort_by(|a, b| order(*a, *b));
    places
}
