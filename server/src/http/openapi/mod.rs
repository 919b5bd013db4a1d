//! `GET /api/v1/openapi.json`: what the API takes and answers, in `OpenAPI` 3.1.
//!
//! The document is made of the routes themselves: what `routes!` adds to the router stands in it too.

pub(crate) mod schemas;

use axum::Extension;
use axum::body::Bytes;
use axum::http::{HeaderName, HeaderValue, header};
use serde_json::{Value, json};
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

/// Where the document begins: what no single route can say.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Cluster Overview",
        version = "1",
        description = "Whether a cluster is whole. JSON in UTF-8, names in snake_case, times in RFC 3339 UTC with milliseconds. Unknown fields are ignored on input, and new ones may appear on output.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    components(schemas(schemas::Problem, schemas::KeyKind)),
    modifiers(&JoinToken)
)]
struct Head;

struct JoinToken;

impl utoipa::Modify for JoinToken {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The join token, which `serve` names at its start."))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("join_token", SecurityScheme::Http(bearer));
    }
}

/// The finished document of one site.
#[derive(Clone, Debug)]
pub(crate) struct Document(Bytes);

/// An empty document, to which routes are added.
pub(crate) fn head() -> utoipa::openapi::OpenApi {
    Head::openapi()
}

/// What this API takes and answers
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    operation_id = "describe",
    responses((status = 200, description = "This document.", body = schemas::AnyObject))
)]
pub(crate) async fn get(
    Extension(Document(body)): Extension<Document>,
) -> ([(HeaderName, HeaderValue); 1], Bytes) {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body)
}

impl Document {
    /// Adds what holds for every route: where it lives, who is refused, and how a refusal looks.
    pub(crate) fn finished(document: &utoipa::openapi::OpenApi, base: &str) -> Self {
        // Plain data: writing it down does not fail.
        let mut document = serde_json::to_value(document).unwrap_or_default();
        document["servers"] = json!([{"url": if base.is_empty() { "/" } else { base }}]);
        let paths = document["paths"].as_object_mut().into_iter().flatten();
        for (path, operations) in paths {
            for (method, operation) in operations.as_object_mut().into_iter().flatten() {
                let responses = &mut operation["responses"];
                responses["403"] = json!({"description": forbidden(method, path)});
                for (status, response) in responses.as_object_mut().into_iter().flatten() {
                    refusal(status, response);
                }
            }
        }
        Self(Bytes::from(document.to_string()))
    }
}

/// Whom the guards turn away, whatever the route.
fn forbidden(method: &str, path: &str) -> &'static str {
    if method == "get" || path == super::HEARTBEATS {
        "The Host is no loopback name or address."
    } else {
        "The Host is no loopback name or address, or a page of another site sent this."
    }
}

/// Every refusal is a problem, and some name a header.
fn refusal(status: &str, response: &mut Value) {
    if status < "400" {
        return;
    }
    let schema = json!({"$ref": "#/components/schemas/Problem"});
    response["content"] = json!({"application/problem+json": {"schema": schema}});
    let header = match status {
        "401" => ("WWW-Authenticate", "What proof is wanted.", "string"),
        "503" => ("Retry-After", "After how many seconds to come back.", "integer"),
        _ => return,
    };
    let (name, description, kind) = header;
    response["headers"][name] = json!({"description": description, "schema": {"type": kind}});
}
