//! The permissions of routes, and whether a caller has them.

use app::protocol::UserRole;

use crate::auth::audit::AuthMethod;
use crate::auth::identity::{AuthFailure, Identity, User};
use crate::auth::{AuthMode, AuthPolicy};
use crate::http::layers::rejection::{ForbiddenReason, Rejection};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Permission {
    /// Everybody may call it.
    Public,
    /// A viewer, unless anybody may read the metrics.
    ReadMetrics,
    /// A viewer or an admin.
    View,
    /// A viewer or an admin who signed in or made a change recently.
    Act,
    /// An admin who signed in or made a change recently.
    Change,
    /// The same, except people in an embedded page: what they create would outlast their session.
    GrantAccess,
    /// An admin.
    Admin,
    /// A join token or a server's credential.
    Enrol,
    /// The same; with `--require-enrolment` only a server's credential.
    SendHeartbeats,
}

/// Whether this caller has the permission.
pub(crate) fn check(
    policy: &AuthPolicy,
    permission: Permission,
    identity: &Identity,
) -> Result<(), Rejection> {
    match permission {
        Permission::Public => Ok(()),
        Permission::ReadMetrics if policy.metrics_public => Ok(()),
        Permission::ReadMetrics
        | Permission::View
        | Permission::Act
        | Permission::Change
        | Permission::GrantAccess
        | Permission::Admin
            if policy.mode == AuthMode::Open =>
        {
            Ok(())
        }
        Permission::ReadMetrics | Permission::View => user(identity).map(drop),
        Permission::Act => user(identity).and_then(recent).map(drop),
        Permission::Admin => admin(identity).map(drop),
        Permission::Change => admin(identity).and_then(recent).map(drop),
        Permission::GrantAccess => admin(identity).and_then(recent).and_then(|user| {
            if user.is_embedded() {
                Err(Rejection::Forbidden(ForbiddenReason::EmbeddedGuest))
            } else {
                Ok(())
            }
        }),
        Permission::Enrol => server(identity),
        Permission::SendHeartbeats => match identity {
            Identity::JoinToken { .. } if policy.require_enrolment => {
                Err(Rejection::Forbidden(ForbiddenReason::EnrolmentRequired))
            }
            Identity::Anonymous(_)
            | Identity::User(_)
            | Identity::Server { .. }
            | Identity::JoinToken { .. } => server(identity),
        },
    }
}

fn user(identity: &Identity) -> Result<&User, Rejection> {
    match identity {
        Identity::User(user) => Ok(user),
        Identity::Anonymous(why) => Err(Rejection::Unauthenticated(*why)),
        Identity::Server { .. } | Identity::JoinToken { .. } => {
            Err(Rejection::Forbidden(ForbiddenReason::ServerToken))
        }
    }
}

fn admin(identity: &Identity) -> Result<&User, Rejection> {
    let user = user(identity)?;
    match user.role {
        UserRole::Admin => Ok(user),
        UserRole::Viewer => Err(Rejection::Forbidden(ForbiddenReason::Viewer)),
    }
}

/// Somebody whose sign-in is recent enough to change things.
fn recent(user: &User) -> Result<&User, Rejection> {
    if user.may_change { Ok(user) } else { Err(Rejection::SessionLapsed) }
}

fn server(identity: &Identity) -> Result<(), Rejection> {
    match identity {
        Identity::Server { .. } | Identity::JoinToken { .. } => Ok(()),
        // Servers need a token even where nobody signs in.
        Identity::Anonymous(why) => Err(Rejection::Unauthenticated(*why)),
        Identity::User(user) if user.auth_method == AuthMethod::Token => {
            Err(Rejection::Forbidden(ForbiddenReason::PersonToken))
        }
        Identity::User(_) => Err(Rejection::Unauthenticated(AuthFailure::NoCredentials)),
    }
}
