//! The pure core: facts in, verdicts out. No clock, no I/O, no framework.
//!
//! The modules are listed in the order of their layers: each imports only from those above it in this list, which
//! `tests/layering.rs` holds.

pub mod boot;
pub(crate) mod capacity;
pub mod change;
pub mod component;
pub mod component_key;
pub(crate) mod digest;
pub mod finding;
pub mod health;
pub mod heartbeat;
pub mod hints;
pub mod history;
pub mod in_common;
pub mod incident;
pub mod incidents;
pub mod interruptions;
pub(crate) mod judge;
pub mod keys;
pub mod messenger;
pub mod news;
pub mod observation;
pub(crate) mod order;
pub mod overview;
pub mod preview;
pub(crate) mod pulse;
pub mod receive;
pub mod reference_keys;
pub mod reject;
pub mod rejected;
pub mod removal;
pub mod server_name;
pub mod settings;
pub(crate) mod shared_addresses;
pub mod snapshot;
pub mod stability;
pub mod time;
pub mod unsteady;
pub mod upkeep;
pub mod version;
pub(crate) mod versions;

pub use boot::{Address, Boot, BootMatch, Boots};
pub use change::{Change, HeartbeatUpdate};
pub use component::{Component, ComponentFacts, Os, Skew, Source, Tombstone};
pub use component_key::{ComponentKey, Role};
pub use finding::{Finding, HintAction, HintFamily, HintId, MAX_HINTS_OF_ONE_ID, Severity};
pub use health::{
    ComponentStatus, Health, KeyVerdict, Overview, Pulse, ServerStatus, Stability, VersionCheck,
};
pub use heartbeat::Heartbeat;
pub use hints::Hint;
pub use incident::{Acknowledgement, Incident, IncidentId, IncidentSubject};
pub use incidents::{Advice, IncidentChange};
pub use interruptions::{Gap, Interruptions, Start};
pub use judge::Judgement;
pub use keys::{KeyCheck, KeyKind};
pub use messenger::{Messenger, MessengerFailure};
pub use observation::{BlindPeriod, DatabaseOutage};
pub use reference_keys::{ReferenceKey, ReferenceKeys};
pub use rejected::{RejectedHeartbeat, RejectionReason};
pub use server_name::ServerName;
pub use settings::{
    FieldError, SETTINGS, Setting, SettingError, SettingErrorKind, SettingId, SettingValue,
    Settings,
};
pub use snapshot::Snapshot;
pub use time::{Span, Timestamp};
pub use upkeep::{Certificate, DiskSpace, ExpiringToken, FailingChannel, Upkeep};
