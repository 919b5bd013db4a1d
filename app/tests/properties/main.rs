//! Which properties hold for every cluster? Checked with random ones.

#[path = "../common/mod.rs"]
mod common;
mod judgement;
mod pulses;
mod random;
mod snapshots;
mod versions;
