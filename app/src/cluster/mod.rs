//! The pure core: facts in, verdicts out. No clock, no I/O, no framework.
//!
//! `time <- facts <- settings <- status <- hints <- effect`; `change` stands beside `status`.

pub(crate) mod addresses;
pub mod blindness;
pub mod boots;
pub(crate) mod capacity;
pub mod change;
pub mod effect;
pub mod facts;
pub mod hints;
pub mod keys;
pub(crate) mod order;
pub mod refusal;
pub mod settings;
pub mod silence;
pub mod snapshot;
pub mod status;
pub mod time;
pub mod version;

pub use blindness::Blindness;
pub use boots::{Boot, Boots, Reception};
pub use change::{Beat, Change};
pub use facts::{
    Address, Component, ComponentKey, Heartbeat, Messenger, MessengerFailure, Os, Role, ServerName,
    Skew, Tombstone,
};
pub use hints::{Hint, HintId, Severity};
pub use keys::{KeyCheck, KeyKind, Reference, References};
pub use refusal::{Refusal, RefusalReason};
pub use settings::{FieldError, Misfit, Settings, Unfit};
pub use silence::Spell;
pub use snapshot::Snapshot;
pub use status::{ComponentStatus, Health, Overview, Pulse, ServerStatus, VersionCheck};
pub use time::{Span, Timestamp};
