//! Rejects callers that lack the permission of a route.
//!
//! The only way to add a route is [`require`], so every route has a permission.

use std::net::IpAddr;

use app::cluster::{RejectionReason, ServerName};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::MethodRouter;
use serde_json::Value;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::auth::AuthMode;
use crate::auth::identity::{AuthFailure, Identity};
use crate::auth::origin::RequestOrigin;
use crate::files::text::utf8;
use crate::http::api::openapi;
use crate::http::body;
use crate::http::layers::note_request::note_request;
use crate::http::layers::permission::{Permission, check};
use crate::http::layers::rejection::Rejection;
use crate::http::state::HttpState;
use crate::net::connections::ConnectionControl;
use crate::telemetry::heartbeats::RejectReason;

/// How a route answers a caller without permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RejectionFormat {
    /// A problem, for a program.
    Problem,
    /// A redirect to the sign-in page, for a browser.
    Page,
    /// An error of a server function, for the page's code in the browser.
    ServerFunction,
}

/// A route with the permission that it requires.
pub(crate) struct ProtectedRoutes {
    permission: Permission,
    format: RejectionFormat,
    /// Whether requests count for the overview's own web component.
    is_noted: bool,
    routes: OpenApiRouter<HttpState>,
    /// Its path, if it is not in the API's description.
    undescribed: Option<String>,
}

/// A route of the API with its description, or a path with its handlers.
pub(crate) enum Route {
    Described(UtoipaMethodRouter<HttpState>),
    Undescribed(String, MethodRouter<HttpState>),
}

impl From<UtoipaMethodRouter<HttpState>> for Route {
    fn from(route: UtoipaMethodRouter<HttpState>) -> Self {
        Self::Described(route)
    }
}

impl From<(&str, MethodRouter<HttpState>)> for Route {
    fn from((path, methods): (&str, MethodRouter<HttpState>)) -> Self {
        Self::Undescribed(path.to_owned(), methods)
    }
}

/// Requires a permission for a route.
pub(crate) fn require(
    permission: Permission,
    format: RejectionFormat,
    route: impl Into<Route>,
) -> ProtectedRoutes {
    let (routes, undescribed) = match route.into() {
        Route::Described(route) => (OpenApiRouter::new().routes(route), None),
        Route::Undescribed(path, methods) => {
            (OpenApiRouter::new().route(&path, methods), Some(path))
        }
    };
    ProtectedRoutes { permission, format, is_noted: false, routes, undescribed }
}

impl ProtectedRoutes {
    /// Lets requests count for the overview's own web component.
    pub(crate) fn noted(self) -> Self {
        Self { is_noted: true, ..self }
    }

    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        let described = self.routes.get_openapi().paths.paths.keys().map(String::as_str);
        self.undescribed.as_deref().into_iter().chain(described)
    }

    /// The router, with the permission check.
    fn into_router(self, state: &HttpState) -> OpenApiRouter<HttpState> {
        let Self { permission, format, is_noted, mut routes, .. } = self;
        openapi::describe_permission(routes.get_openapi_mut(), permission);
        if is_noted {
            routes = routes.layer(middleware::from_fn_with_state(state.clone(), note_request));
        }
        let check = PermissionCheck { state: state.clone(), permission, format };
        routes.layer(middleware::from_fn_with_state(check, authorize))
    }
}

/// Adds protected routes to a router.
pub(crate) fn serve(
    router: OpenApiRouter<HttpState>,
    protected: impl IntoIterator<Item = ProtectedRoutes>,
    state: &HttpState,
) -> OpenApiRouter<HttpState> {
    protected.into_iter().fold(router, |router, routes| router.merge(routes.into_router(state)))
}

#[derive(Clone)]
struct PermissionCheck {
    state: HttpState,
    permission: Permission,
    format: RejectionFormat,
}

async fn authorize(
    State(required): State<PermissionCheck>,
    request: Request,
    next: Next,
) -> Response {
    let anonymous = Identity::Anonymous(AuthFailure::NoCredentials);
    let identity = request.extensions().get::<Identity>().unwrap_or(&anonymous);
    let Err(rejection) = check(&required.state.site.auth.policy, required.permission, identity)
    else {
        return next.run(request).await;
    };
    let is_join_token = matches!(identity, Identity::JoinToken { .. });
    let origin = request.extensions().get::<RequestOrigin>().copied();
    let query = request.uri().query().map(str::to_owned);
    let connection = request.extensions().get::<ConnectionControl>();
    let _idle = connection.map(ConnectionControl::count_as_idle);
    if required.permission == Permission::SendHeartbeats {
        let site = &required.state.site;
        let (parts, body) = request.into_parts();
        let body = required.state.bodies.read_claim(body).await;
        site.intake.metrics().record_rejection(RejectReason::Token);
        if let Some(server) = body.and_then(|body| claimed_server(&body)) {
            let reason = if is_join_token {
                RejectionReason::NotEnrolled
            } else {
                site.auth.why_token_rejected(&parts.headers, &server)
            };
            site.live.note_rejected(&server, reason, origin.and_then(|origin| origin.client));
        }
    } else {
        body::discard(request.into_body()).await;
    }
    required.reject(rejection, query.as_deref(), origin.and_then(|origin| origin.peer))
}

/// The server that a rejected heartbeat, or the first of several, claims to come from.
fn claimed_server(body: &[u8]) -> Option<ServerName> {
    let value: Value = serde_json::from_str(utf8(body).ok()?).ok()?;
    let heartbeat = value.get(0).unwrap_or(&value);
    ServerName::parse(heartbeat.get("server")?.as_str()?).ok()
}

impl PermissionCheck {
    fn reject(&self, rejection: Rejection, query: Option<&str>, peer: Option<IpAddr>) -> Response {
        let has_sign_in = self.state.site.auth.policy.mode == AuthMode::Password;
        match (self.format, rejection) {
            (RejectionFormat::Page, Rejection::Unauthenticated(_) | Rejection::SessionLapsed)
                if has_sign_in =>
            {
                Redirect::to(&crate::http::pages::sign_in::sign_in_url(
                    &self.state.site.base,
                    query,
                ))
                .into_response()
            }
            (RejectionFormat::Page | RejectionFormat::Problem, rejection) => {
                rejection.problem(&self.state.site, self.permission, peer).into_response()
            }
            (RejectionFormat::ServerFunction, rejection) => {
                let (status, error) = match rejection {
                    Rejection::Unauthenticated(_) => {
                        (StatusCode::UNAUTHORIZED, app::protocol::SIGNED_OUT)
                    }
                    Rejection::SessionLapsed => (StatusCode::UNAUTHORIZED, app::protocol::LAPSED),
                    Rejection::Forbidden(_) => (StatusCode::FORBIDDEN, app::protocol::FORBIDDEN),
                };
                (
                    status,
                    [(header::CACHE_CONTROL, "no-store")],
                    app::protocol::call_error_body(error),
                )
                    .into_response()
            }
        }
    }
}
