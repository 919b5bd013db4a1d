//! What a route requires of its caller, and whether a caller has it.

use app::protocol::UserRole;

use crate::auth::audit::Proof;
use crate::auth::identity::{AuthFailure, Caller, Person};
use crate::auth::{Mode, Policy};
use crate::http::layers::rejection::{ForbiddenReason, Rejection};

/// What a route requires of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Permission {
    /// Nothing: anybody may call it.
    Public,
    /// A viewer, unless anybody may read the metrics.
    ReadMetrics,
    /// A viewer or an admin.
    View,
    /// An admin, who signed in or acted recently.
    Change,
    /// The same, but nobody who came in through an embedded page: what they created would outlive their visit.
    GrantAccess,
    /// An admin.
    Admin,
    /// A join token or a server's credential.
    Enrol,
    /// The same; where enrolment is required, only a server's credential.
    SendHeartbeats,
}

/// Whether this caller has the permission.
pub(crate) fn check(
    policy: &Policy,
    permission: Permission,
    caller: &Caller,
) -> Result<(), Rejection> {
    match permission {
        Permission::Public => Ok(()),
        Permission::ReadMetrics if policy.metrics_public => Ok(()),
        Permission::ReadMetrics
        | Permission::View
        | Permission::Change
        | Permission::GrantAccess
        | Permission::Admin
            if policy.mode == Mode::Open =>
        {
            Ok(())
        }
        Permission::ReadMetrics | Permission::View => person(caller).map(drop),
        Permission::Admin => admin(caller).map(drop),
        Permission::Change => recent_admin(caller).map(drop),
        Permission::GrantAccess => recent_admin(caller).and_then(|person| {
            if person.is_guest() {
                Err(Rejection::Forbidden(ForbiddenReason::EmbeddedGuest))
            } else {
                Ok(())
            }
        }),
        Permission::Enrol => server(caller),
        Permission::SendHeartbeats => match caller {
            Caller::Joiner { .. } if policy.require_enrolment => {
                Err(Rejection::Forbidden(ForbiddenReason::EnrolmentRequired))
            }
            Caller::Nobody(_) | Caller::Person(_) | Caller::Node { .. } | Caller::Joiner { .. } => {
                server(caller)
            }
        },
    }
}

fn person(caller: &Caller) -> Result<&Person, Rejection> {
    match caller {
        Caller::Person(person) => Ok(person),
        Caller::Nobody(why) => Err(Rejection::Unauthenticated(*why)),
        Caller::Node { .. } | Caller::Joiner { .. } => {
            Err(Rejection::Forbidden(ForbiddenReason::ServerToken))
        }
    }
}

fn admin(caller: &Caller) -> Result<&Person, Rejection> {
    let person = person(caller)?;
    match person.rank {
        UserRole::Admin => Ok(person),
        UserRole::Viewer => Err(Rejection::Forbidden(ForbiddenReason::Viewer)),
    }
}

/// An admin whose sign-in is recent enough to change things.
fn recent_admin(caller: &Caller) -> Result<&Person, Rejection> {
    admin(caller)
        .and_then(|person| if person.may_act { Ok(person) } else { Err(Rejection::SessionLapsed) })
}

fn server(caller: &Caller) -> Result<(), Rejection> {
    match caller {
        Caller::Node { .. } | Caller::Joiner { .. } => Ok(()),
        // Heartbeats need a token even where nobody signs in.
        Caller::Nobody(why) => Err(Rejection::Unauthenticated(*why)),
        Caller::Person(person) if person.proof == Proof::Token => {
            Err(Rejection::Forbidden(ForbiddenReason::PersonToken))
        }
        Caller::Person(_) => Err(Rejection::Unauthenticated(AuthFailure::Silent)),
    }
}
