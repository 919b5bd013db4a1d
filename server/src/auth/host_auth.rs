//! The sign-in of a host product that nests the overview.

use std::fmt;
use std::sync::Arc;

use app::protocol::UserRole;
use axum::http::{Extensions, HeaderMap};

/// How a host product knows who asks.
///
/// It is asked for every request, and again every few seconds for whoever goes on reading the stream; so
/// it answers from memory. The headers and extensions are the request's, the latter with what the
/// product's own middleware put there.
pub trait Authenticate: Send + Sync + 'static {
    /// Whoever sent this; `None` if nobody is signed in.
    fn person(&self, headers: &HeaderMap, extensions: &Extensions) -> Option<HostPerson>;
}

/// A person, as the host product knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPerson {
    /// As the page and the audit name them.
    pub name: String,
    /// What they may.
    pub rank: UserRole,
}

/// The one way of a host product.
#[derive(Clone)]
pub struct Host(Arc<dyn Authenticate>);

impl Host {
    /// This way.
    pub fn new(way: impl Authenticate) -> Self {
        Self(Arc::new(way))
    }

    pub(super) fn person(
        &self,
        headers: &HeaderMap,
        extensions: &Extensions,
    ) -> Option<HostPerson> {
        self.0.person(headers, extensions)
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Host(…)")
    }
}

impl PartialEq for Host {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Host {}
