//! `GET /api/v1/openapi.json`: the description of the API in `OpenAPI` 3.1, which is derived from the routes.

use axum::Extension;
use axum::body::Bytes;
use axum::http::{HeaderName, HeaderValue, header};
use serde_json::{Value, json};
use utoipa::OpenApi;
use utoipa::openapi::Response;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};

use crate::auth::AuthMode;
use crate::http::api::{dto, webhook};
use crate::http::layers::permission::Permission;
use crate::http::{ENROLMENTS_PATH, HEARTBEATS_PATH, PROBE_FAILURES_PATH};
use crate::notify::Message;
use crate::site::Site;

/// The names of the security schemes.
const NODE: &str = "node";
const PERSON: &str = "person";

/// The parts that do not belong to a single route.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Cluster Overview",
        version = "1",
        description = "The health of a cluster. JSON in UTF-8, names in snake_case, times in RFC 3339 UTC with milliseconds. Unknown fields are ignored on input, and new ones may appear on output.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    components(schemas(dto::Problem, dto::KeyKind, Message)),
    modifiers(&Bearer)
)]
struct Head;

struct Bearer;

impl utoipa::Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        for (name, description) in [
            (NODE, "The join token, which `serve` names at its start, or a server's credential."),
            (
                PERSON,
                "A viewer's or an admin's token. People's browsers use a session, or the product's proxy.",
            ),
        ] {
            let bearer =
                HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(description));
            components.add_security_scheme(name, SecurityScheme::Http(bearer.build()));
        }
    }
}

/// The finished description of one site's API.
#[derive(Clone, Debug)]
pub(crate) struct Document(Bytes);

/// A description without routes.
pub(crate) fn without_routes() -> utoipa::openapi::OpenApi {
    Head::openapi()
}

/// Adds the required authentication to routes, and the rejections without it.
pub(crate) fn describe_permission(document: &mut utoipa::openapi::OpenApi, permission: Permission) {
    let (scheme, unauthorized, forbidden) = match permission {
        Permission::Public => return,
        Permission::ReadMetrics => (
            PERSON,
            "No valid authentication as a viewer, and the metrics are not public.",
            "The token is a server's.",
        ),
        Permission::View => {
            (PERSON, "No valid authentication as a viewer or an admin.", "The token is a server's.")
        }
        Permission::Act => (
            PERSON,
            "No valid authentication as a viewer or an admin, or the session has been idle for too long.",
            "The token is a server's, or a page of another site sent this.",
        ),
        Permission::Change | Permission::GrantAccess | Permission::Admin => (
            PERSON,
            "No valid authentication as an admin, or the session has been idle for too long.",
            "The caller is a viewer or a server, or a page of another site sent this.",
        ),
        Permission::Enrol => {
            (NODE, "No valid token.", "The token is a person's, or another server's credential.")
        }
        Permission::SendHeartbeats => (
            NODE,
            "No valid token.",
            "The token is a person's, or another server's credential, or a join token where a credential is required.",
        ),
    };
    for item in document.paths.paths.values_mut() {
        let operations =
            [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            operation.security = Some(vec![SecurityRequirement::new::<_, _, &str>(scheme, [])]);
            for (status, description) in [("401", unauthorized), ("403", forbidden)] {
                let response = Response::builder().description(description).build();
                operation.responses.responses.insert(status.to_owned(), response.into());
            }
        }
    }
}

/// The description of this API
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    operation_id = "describe",
    responses((status = 200, description = "This document.", body = dto::AnyObject))
)]
pub(crate) async fn get(
    Extension(Document(body)): Extension<Document>,
) -> ([(HeaderName, HeaderValue); 1], Bytes) {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body)
}

impl Document {
    /// Adds the webhook, and what all routes have in common: the base path, and the rejections.
    pub(crate) fn new(document: &utoipa::openapi::OpenApi, site: &Site) -> Self {
        let base = site.base.as_str();
        let is_open = site.auth.policy.mode == AuthMode::Open;
        // Plain data: serializing it does not fail.
        let mut document = serde_json::to_value(document).unwrap_or_default();
        document["servers"] = json!([{"url": if base.is_empty() { "/" } else { base }}]);
        document["webhooks"] = webhook::describe();
        let paths = document["paths"].as_object_mut().into_iter().flatten();
        for (path, operations) in paths {
            for (method, operation) in operations.as_object_mut().into_iter().flatten() {
                let has_body = operation.get("requestBody").is_some();
                let responses = &mut operation["responses"];
                if is_open && responses.get("403").is_none() {
                    responses["403"] = json!({"description": forbidden(method, path)});
                }
                if has_body {
                    responses["408"] = json!({"description": TIMEOUT_DESCRIPTION});
                }
                for (status, response) in responses.as_object_mut().into_iter().flatten() {
                    describe_rejection(status, response);
                }
            }
        }
        Self(Bytes::from(document.to_string()))
    }
}

/// When any route answers 408.
const TIMEOUT_DESCRIPTION: &str =
    "The body was not complete within 10 s, or less than 1 KiB of it arrived within 3 s.";

/// When any route answers 403.
fn forbidden(method: &str, path: &str) -> &'static str {
    let by_token = [HEARTBEATS_PATH, ENROLMENTS_PATH, PROBE_FAILURES_PATH];
    if method == "get" || by_token.contains(&path) {
        "The Host is not a loopback name or address."
    } else {
        "The Host is not a loopback name or address, or a page of another site sent this."
    }
}

/// Describes a rejection as a problem, and its header if it has one.
fn describe_rejection(status: &str, response: &mut Value) {
    if status < "400" {
        return;
    }
    let schema = json!({"$ref": "#/components/schemas/Problem"});
    response["content"] = json!({"application/problem+json": {"schema": schema}});
    let header = match status {
        "401" => ("WWW-Authenticate", "The required authentication.", "string"),
        "503" => ("Retry-After", "After how many seconds to try again.", "integer"),
        _ => return,
    };
    let (name, description, kind) = header;
    response["headers"][name] = json!({"description": description, "schema": {"type": kind}});
}
