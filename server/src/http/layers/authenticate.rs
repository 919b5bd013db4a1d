//! Authenticates each request, before anything checks permissions: `auth/identity.rs` says who sends it, `permission.rs` what
//! they may do.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use crate::auth::AuthMode;
use crate::auth::identity::{Identity, User};
use crate::site::Site;

/// Adds the caller, the origin and, if the caller is one, the person to the request's extensions.
pub(crate) async fn authenticate(
    State(site): State<Arc<Site>>,
    mut request: Request,
    next: Next,
) -> Response {
    if site.auth.has_unknown_credential(request.headers(), request.extensions()) {
        // It may have been created a moment ago, at another web server or on the command line.
        site.live.look_for_credentials().await;
    }
    let (identity, origin) = site.auth.identify(request.headers(), request.extensions());
    let user = match &identity {
        Identity::User(user) => Some(user.clone()),
        // Where nobody signs in, a request with a token must not have fewer rights than one without.
        _ if site.auth.policy.mode == AuthMode::Open => Some(User::anyone(&origin)),
        Identity::Anonymous(_) | Identity::Server { .. } | Identity::JoinToken { .. } => None,
    };
    request.extensions_mut().insert(origin);
    if let Some(user) = user {
        request.extensions_mut().insert(user);
    }
    site.auth.warn_of_proxy(&origin, request.headers());
    request.extensions_mut().insert(identity);
    next.run(request).await
}
