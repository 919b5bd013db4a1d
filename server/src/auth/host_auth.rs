//! The sign-in of a host product that nests the overview.

use std::fmt;
use std::sync::Arc;

use app::protocol::UserRole;
use axum::http::{Extensions, HeaderMap};

/// How the host product identifies its users.
///
/// It is called for every request, and every few seconds for each open event stream, so it has to answer from memory.
/// The extensions are those of the request: the product's own middleware can add to them.
pub trait Authenticate: Send + Sync + 'static {
    /// The user who sent a request; `None` if nobody is signed in.
    fn user(&self, headers: &HeaderMap, extensions: &Extensions) -> Option<HostUser>;
}

/// A user of the host product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostUser {
    /// The name on the page and in the audit log.
    pub name: String,
    pub role: UserRole,
}

/// An [`Authenticate`] of a host product, as a value of [`AuthMode`](super::AuthMode).
#[derive(Clone)]
pub struct HostAuth(Arc<dyn Authenticate>);

impl HostAuth {
    pub fn new(authenticate: impl Authenticate) -> Self {
        Self(Arc::new(authenticate))
    }

    pub(super) fn user(&self, headers: &HeaderMap, extensions: &Extensions) -> Option<HostUser> {
        self.0.user(headers, extensions)
    }
}

impl fmt::Debug for HostAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HostAuth(…)")
    }
}

impl PartialEq for HostAuth {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for HostAuth {}
