//! What travels through the API: made by the handlers, read by `status`, and the only source of the API's description. A
//! test compares every answer with that description.
//!
//! The rules live in a crate that is also the browser's and stays small, so their types are not described there.

mod audit;
mod channel;
mod embed;
mod enums;
mod from_cluster;
mod heartbeat;
mod history;
mod incident;
mod list;
mod overview;
mod person;
mod problem;
mod removal;
mod settings;
mod token;

pub(crate) use self::audit::{Audit, AuditEntry};
pub(crate) use self::channel::{Channel, Channels, Deliveries, Delivery, NewPause, TestedChannel};
pub(crate) use self::embed::{CreatedEmbed, NewEmbed};
pub(crate) use self::enums::{
    EmbedRole, EventKind, Health, IncidentState, KeyKind, MessengerFailure, MessengerState,
    PersonRole, Pulse, RejectionReason, Role, Severity, Stability, TokenRole,
};
pub(crate) use self::heartbeat::{
    Applied, Heartbeat, Heartbeats, ProbeFailure, ReceivedHeartbeats,
};
pub(crate) use self::history::{
    AvailabilityReport, AvailabilityRow, EventPage, HistoryEvent, Rehearsal,
};
pub(crate) use self::incident::{Incident, IncidentPage, NewAcknowledgement, check_note};
pub(crate) use self::list::List;
pub(crate) use self::overview::{
    BlindPeriod, Component, Counts, FailingProbe, Hint, Messenger, Os, Overview, Reconnected,
    RejectedHeartbeats, Server, VersionCount,
};
pub(crate) use self::person::{Invitation, NewPerson, People, RoleChange};
pub(crate) use self::problem::{AnyObject, BadField, Problem};
pub(crate) use self::removal::{MAX_STALE_FOR_S, ReferenceKey, Removal, Removed};
pub(crate) use self::settings::{Settings, field_error};
pub(crate) use self::token::{CreatedToken, Credential, Enrolment, NewToken, Token, Tokens};
