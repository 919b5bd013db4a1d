//! `POST /api/v1/heartbeats`: checks the sender and reads the body. The response comes when the heartbeats are durable.

use app::cluster::{FieldError, Heartbeat, RejectionReason, ServerName};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Version};
use axum::{Extension, Json};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::auth::identity::Identity;
use crate::auth::origin::RequestOrigin;
use crate::http::api::dto;
use crate::http::body::Sender;
use crate::http::json;
use crate::http::problem::Problem;
use crate::http::state::{HttpParts, HttpState};
use crate::ingest::heartbeat_json;
use crate::messenger::{AnnouncedMessenger, came_directly};
use crate::site::Site;
use crate::store::Receipt;
use crate::telemetry::heartbeats::RejectReason;

const MAX_ARRAY_ELEMENTS: usize = 1_000;
const MAX_HEARTBEAT_BYTES: usize = 16 << 10;

/// Stores heartbeats; the answer comes when they are durable
#[utoipa::path(
    post,
    path = "/api/v1/heartbeats",
    operation_id = "beat",
    request_body = dto::Heartbeats,
    responses(
        (status = 200, description = "They are durable.", body = dto::ReceivedHeartbeats),
        (status = 400, description = "The body is not JSON."),
        (status = 413, description = "The body is larger than 1 MiB, or one heartbeat than 16 KiB."),
        (status = 415, description = "The body is not sent as application/json."),
        (status = 422, description = "A field does not fit; each is named, and nothing was stored."),
        (status = 503, description = "Too many wait, or the database does not take them; nothing was stored."),
        (status = 507, description = "A new server, and no room for it; in an array such servers are skipped and listed.")
    )
)]
pub(crate) async fn post(
    State(state): State<HttpState>,
    Extension(identity): Extension<Identity>,
    Extension(origin): Extension<RequestOrigin>,
    version: Version,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<dto::ReceivedHeartbeats>, Problem> {
    let HttpParts { site, bodies, .. } = &*state;
    let count_rejection = |reason| site.intake.metrics().record_rejection(reason);
    let body = bodies.read(Sender::Node, body).await;
    let body = body.inspect_err(|problem| count_rejection(problem.reject_reason()))?;
    let (heartbeats, is_array) =
        parse_all(&headers, &body).inspect_err(|_| count_rejection(RejectReason::Malformed))?;
    drop(body);
    check_server(site, &identity, &origin, &heartbeats)
        .inspect_err(|_| count_rejection(RejectReason::Token))?;
    let announced = AnnouncedMessenger::from_heartbeats(&heartbeats);
    let taken = site
        .intake
        .submit(heartbeats)
        .await
        .map_err(|refused| Problem::unavailable(refused.to_string()))?;
    if let ([server], false) = (taken.over_limit.as_slice(), is_array) {
        return Err(over_server_limit(site, server));
    }
    site.dialer.note_announcements(announced, || came_directly(origin.peer, &headers, version));
    let (received_at, applied, over_limit) = match taken.receipts.as_slice() {
        [receipt] if !is_array => (receipt.received_at, dto::Applied::One(receipt.applied), None),
        receipts => {
            let names: Vec<String> = taken.over_limit.iter().map(ToString::to_string).collect();
            let over_limit = Some(names).filter(|names| !names.is_empty());
            (taken.at, dto::Applied::Many(Receipt::applied(receipts)), over_limit)
        }
    };
    let next_in_ms = u64::try_from(taken.next_in().as_millis()).unwrap_or(u64::MAX);
    let received_at = received_at.rfc3339();
    Ok(Json(dto::ReceivedHeartbeats { received_at, applied, next_in_ms, over_limit }))
}

/// 507: the limit of servers is reached.
pub(crate) fn over_server_limit(site: &Site, server: &ServerName) -> Problem {
    let max_servers = site.intake.max_servers();
    let why = format!(
        "there is no room for the new server {server}: the limit is {max_servers}; remove servers that are gone, or start it with a higher --max-servers"
    );
    Problem::new(StatusCode::INSUFFICIENT_STORAGE, why)
}

/// Rejects heartbeats of another server than the one to which the credential belongs.
fn check_server(
    site: &Site,
    identity: &Identity,
    origin: &RequestOrigin,
    heartbeats: &[Heartbeat],
) -> Result<(), Problem> {
    let Identity::Server { server, .. } = identity else { return Ok(()) };
    let Some(foreign) = heartbeats.iter().find(|heartbeat| heartbeat.server != *server) else {
        return Ok(());
    };
    site.live.note_rejected(&foreign.server, RejectionReason::Foreign, origin.client);
    Err(foreign_credential(server, &foreign.server))
}

/// 403: a server's credential is used for another server.
pub(crate) fn foreign_credential(own: &ServerName, other: &ServerName) -> Problem {
    let why = format!("this credential belongs to {own} and cannot be used for {other}");
    Problem::new(StatusCode::FORBIDDEN, why)
}

/// Parses one object or an array. The error names every invalid field of every element.
fn parse_all(headers: &HeaderMap, body: &[u8]) -> Result<(Vec<Heartbeat>, bool), Problem> {
    let raw: Box<RawValue> = json::parse(headers, body)?;
    let raw = raw.as_ref();
    let is_array = raw.get().trim_start().starts_with('[');
    let elements: Vec<&RawValue> =
        if is_array { serde_json::from_str(raw.get()).map_err(not_json)? } else { vec![raw] };
    if !(1..=MAX_ARRAY_ELEMENTS).contains(&elements.len()) {
        let message =
            format!("must have 1 to {MAX_ARRAY_ELEMENTS} elements; it has {}", elements.len());
        return Err(Problem::fields(vec![FieldError::new("[]", message)]));
    }
    if let Some(place) = elements.iter().position(|raw| raw.get().len() > MAX_HEARTBEAT_BYTES) {
        return Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("element {place} is larger than 16 KiB"),
        ));
    }
    let mut heartbeats = Vec::with_capacity(elements.len());
    let mut errors = Vec::new();
    for (place, raw) in elements.iter().enumerate() {
        let value: Value = serde_json::from_str(raw.get()).map_err(not_json)?;
        match heartbeat_json::parse_heartbeat(&value) {
            Ok(heartbeat) => heartbeats.push(heartbeat),
            Err(bad) if is_array => errors.extend(bad.into_iter().map(|error| {
                let dot = if error.field.is_empty() { "" } else { "." };
                FieldError::new(format!("[{place}]{dot}{}", error.field), error.message)
            })),
            Err(bad) => errors.extend(bad),
        }
    }
    if errors.is_empty() { Ok((heartbeats, is_array)) } else { Err(Problem::fields(errors)) }
}

fn not_json(error: serde_json::Error) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, format!("the body is not JSON: {error}"))
}
