//! The past: what is recorded, and what it says of any moment. Pure functions over the records, which the store keeps.
//!
//! [`record`] is what is written when something changes. [`cluster_history`] makes the facts of a moment from it, which the
//! same code judges as those of today.

pub mod availability;
pub mod cluster_history;
pub mod component_history;
pub mod event;
pub mod events;
pub mod record;
pub mod rehearsal;
pub mod timeline;

pub use availability::{Availability, ClusterAim, Observation, Observations, Observed};
pub use cluster_history::ClusterHistory;
pub use component_history::{ComponentHistory, Current};
pub use event::{Event, EventId, EventKind, Happening, LongSilence, PulseCause};
pub use events::STABILITY_SPAN;
pub use record::{ArrivalKind, ComponentRecord, RecordedState, Return, Silence};
pub use rehearsal::{StaleCounts, Timeouts};
pub use timeline::{Interval, PastState, Segment};
