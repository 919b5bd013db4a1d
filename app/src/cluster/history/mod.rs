//! The past: what is recorded, and what it says of any moment. Pure functions over the records; the store keeps them.

pub mod record;

pub use record::{ArrivalKind, ComponentRecord, RecordedState, Return, Silence};
