//! Finds out who sends each request, before anything asks what they may do.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use crate::auth::Mode;
use crate::auth::identity::{Caller, Person};
use crate::site::Site;

/// Puts the caller, their origin and the person, if it is one, into the request's extensions.
pub(crate) async fn authenticate(
    State(site): State<Arc<Site>>,
    mut request: Request,
    next: Next,
) -> Response {
    if site.access.brings_unknown(request.headers(), request.extensions()) {
        // Another web server may have created it a moment ago.
        site.live.refresh().await;
    }
    let (caller, origin) = site.access.caller(request.headers(), request.extensions());
    let person = match &caller {
        Caller::Person(person) => Some(person.clone()),
        // Where nobody signs in, a token must not give less than no token.
        _ if site.access.policy.mode == Mode::Open => Some(Person::anybody(&origin)),
        Caller::Nobody(_) | Caller::Node { .. } | Caller::Joiner { .. } => None,
    };
    request.extensions_mut().insert(origin);
    if let Some(person) = person {
        request.extensions_mut().insert(person);
    }
    site.access.notice_proxy(&origin, request.headers());
    request.extensions_mut().insert(caller);
    next.run(request).await
}
