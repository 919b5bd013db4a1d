//! The words of the API that are one of a few.

use app::cluster;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The core's enumerations as they travel. A case that one of both lacks does not compile.
macro_rules! wire_enums {
    ($($(#[$doc:meta])* $name:ident from $core:path { $($(#[$case_doc:meta])* $case:ident,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub(crate) enum $name { $($(#[$case_doc])* $case,)* }

        impl From<$core> for $name {
            fn from(value: $core) -> Self {
                use $core as Core;
                match value { $(Core::$case => Self::$case,)* }
            }
        }

        impl From<$name> for $core {
            fn from(value: $name) -> Self {
                use $core as Core;
                match value { $($name::$case => Core::$case,)* }
            }
        }
    )*};
}

wire_enums! {
    /// Which component of a server.
    Role from cluster::Role { Web, Service, }

    /// How well something is.
    Health from cluster::Health { Ok, Unknown, Warning, Error, }

    /// How a component's heartbeat is; unknown while the overview cannot read its database.
    Pulse from cluster::Pulse { Alive, Late, Stale, Stopped, Unknown, }

    /// Whether a component keeps starting again, or its heartbeats keep stopping.
    Stability from cluster::Stability { Steady, Flapping, Restarting, }

    /// How urgent a hint is.
    Severity from cluster::Severity { Error, Warning, Info, }

    /// What kind of event it is.
    EventKind from cluster::history::EventKind {
        /// A component's heartbeats turned late, stale, alive, or it stopped.
        Pulse,
        /// A component began or ceased to keep restarting, or its heartbeats to keep stopping.
        Stability,
        /// A process started.
        Start,
        Version,
        /// The check of a component's key.
        Key,
        Address,
        FirstSeen,
        Removed,
        /// After a removal, or of a process that another one had replaced.
        Returned,
        Settings,
        ReferenceKey,
        /// Nobody could observe.
        Blind,
        /// The clock was set.
        Clock,
    }

    /// Which kind of key.
    KeyKind from cluster::KeyKind { Encryption, Machine, }

    /// What a person may do.
    PersonRole from app::protocol::UserRole {
        /// View.
        Viewer,
        /// View and change.
        Admin,
    }

    /// What somebody who comes in through an embedded page may do.
    EmbedRole from app::protocol::UserRole {
        /// View.
        Viewer,
        /// View and change.
        Admin,
    }
}

/// Whether an incident goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum IncidentState {
    Open,
    Ended,
}

/// How the connection to a service's messenger is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MessengerState {
    Connecting,
    Connected,
    Unreachable,
}

impl MessengerState {
    /// Its word in JSON.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Unreachable => "unreachable",
        }
    }
}

/// Why there is no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MessengerFailure {
    Refused,
    TimedOut,
    Unreachable,
    NotAMessenger,
    WrongKey,
    Protocol,
}

/// Why heartbeats are rejected: no known token, one that was revoked or has expired, another server's credential, or a
/// join token where a credential is required.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RejectionReason {
    Token,
    Revoked,
    Expired,
    Foreign,
    NotEnrolled,
}

/// What a token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TokenRole {
    /// Enrol servers and, where enrolment is not required, send heartbeats.
    Join,
    /// View.
    Viewer,
    /// View and change.
    Admin,
    /// Send one server's heartbeats.
    Node,
}
