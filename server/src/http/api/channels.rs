//! `GET /api/v1/channels`, what each was sent, a test, and a pause.

use std::sync::Arc;

use app::cluster::FieldError;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;

use crate::auth::identity::User;
use crate::commands::ChannelError;
use crate::http::api::dto;
use crate::http::extract::{PathParams, unreadable_path};
use crate::http::json::JsonBody;
use crate::http::moment;
use crate::http::problem::Problem;
use crate::http::query::{limit, unreadable};
use crate::notify::Channel;
use crate::site::Site;

#[derive(Deserialize)]
pub(crate) struct DeliveryParams {
    limit: Option<String>,
    before: Option<String>,
}

/// The channels through which people are told of incidents
#[utoipa::path(
    get,
    path = "/api/v1/channels",
    operation_id = "channels",
    responses(
        (status = 200, description = "The channels of `--channels`, in its order. Addresses and secrets are not shown.", body = dto::Channels),
        (status = 503, description = "The database cannot be read.")
    )
)]
pub(crate) async fn list(State(site): State<Arc<Site>>) -> Result<Json<dto::Channels>, Problem> {
    let states = site.store.channel_states().await.map_err(|_| Problem::unreadable_database())?;
    let channel = |channel: &Channel| {
        let state = states.iter().find(|state| state.name == channel.name);
        dto::Channel::new(channel, state)
    };
    Ok(Json(dto::Channels { channels: site.commands.channels().map(channel).collect() }))
}

/// What a channel was sent
#[utoipa::path(
    get,
    path = "/api/v1/channels/{name}/deliveries",
    operation_id = "deliveries",
    params(
        ("name" = String, Path, description = "The channel's name."),
        ("limit" = Option<u32>, Query, description = "How many: 1 to 1,000, usually 100.", nullable = false),
        ("before" = Option<String>, Query, description = "Only messages that were begun before this time (RFC 3339).", nullable = false)
    ),
    responses(
        (status = 200, description = "The messages of the last 30 days, the latest first.", body = dto::Deliveries),
        (status = 400, description = "The address cannot be read."),
        (status = 404, description = "There is no channel with this name."),
        (status = 422, description = "A parameter is not valid; each is named."),
        (status = 503, description = "The database cannot be read.")
    )
)]
pub(crate) async fn deliveries(
    State(site): State<Arc<Site>>,
    name: PathParams<String>,
    params: Result<Query<DeliveryParams>, QueryRejection>,
) -> Result<Json<dto::Deliveries>, Problem> {
    let Path(name) = name.map_err(unreadable_path)?;
    let Query(params) = params.map_err(unreadable)?;
    let mut errors = Vec::new();
    let limit = limit(params.limit.as_deref(), &mut errors);
    let before = params.before.as_deref().map(|text| moment::exact("before", text)).transpose();
    let before = before.unwrap_or_else(|error| {
        errors.push(error);
        None
    });
    if !errors.is_empty() {
        return Err(Problem::fields(errors));
    }
    let name = site.commands.channel_name(&name).ok_or_else(|| problem(ChannelError::Absent))?;
    let found = site.store.deliveries(&name, before, limit).await;
    let found = found.map_err(|_| Problem::unreadable_database())?;
    let is_full = u32::try_from(found.len()).is_ok_and(|count| count == limit);
    let last = found.last().filter(|_| is_full);
    Ok(Json(dto::Deliveries {
        next_before: last.map(|last| last.begun.rfc3339()),
        deliveries: found.iter().map(dto::Delivery::from).collect(),
    }))
}

/// Sends a test through a channel
#[utoipa::path(
    post,
    path = "/api/v1/channels/{name}/test",
    operation_id = "test_channel",
    params(("name" = String, Path, description = "The channel's name.")),
    responses(
        (status = 200, description = "The receiver accepted it.", body = dto::TestedChannel),
        (status = 400, description = "The address cannot be read."),
        (status = 404, description = "There is no channel with this name."),
        (status = 502, description = "The receiver did not accept it; the problem says why."),
        (status = 503, description = "The database cannot be written.")
    )
)]
pub(crate) async fn test(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    name: PathParams<String>,
) -> Result<Json<dto::TestedChannel>, Problem> {
    let Path(name) = name.map_err(unreadable_path)?;
    let tested = site.commands.test_channel(&name, &user.actor()).await;
    tested.map(|answer| Json(dto::TestedChannel { answer })).map_err(problem)
}

/// Sends nothing through a channel until a time
///
/// What begins meanwhile and is still open is told when the pause ends.
#[utoipa::path(
    put,
    path = "/api/v1/channels/{name}/pause",
    operation_id = "pause_channel",
    params(("name" = String, Path, description = "The channel's name.")),
    request_body = dto::NewPause,
    responses(
        (status = 204, description = "The pause has begun, or ended."),
        (status = 400, description = "The body is not JSON, or the address cannot be read."),
        (status = 404, description = "There is no channel with this name."),
        (status = 413, description = "The body is larger than 1 MiB."),
        (status = 415, description = "The body is not sent as application/json."),
        (status = 422, description = "A field does not fit; each is named."),
        (status = 503, description = "The database cannot be written; nothing was changed.")
    )
)]
pub(crate) async fn pause(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    name: PathParams<String>,
    request: Result<JsonBody<dto::NewPause>, Problem>,
) -> Result<StatusCode, Problem> {
    let Path(name) = name.map_err(unreadable_path)?;
    let JsonBody(dto::NewPause { until, reason }) = request?;
    if until.is_some_and(|until| until <= site.live.now()) {
        let past = FieldError::new("until", "must be in the future, or null to end a pause");
        return Err(Problem::fields(vec![past]));
    }
    let paused = site.commands.pause_channel(&name, until, reason, &user.actor()).await;
    paused.map(|()| StatusCode::NO_CONTENT).map_err(problem)
}

fn problem(error: ChannelError) -> Problem {
    match error {
        ChannelError::Absent => Problem::not_found("there is no channel with this name"),
        ChannelError::NotAccepted(why) => Problem::new(
            StatusCode::BAD_GATEWAY,
            format!("the receiver has not accepted it: {why}"),
        ),
        ChannelError::Blind => Problem::unavailable(
            "the overview cannot write to its database at present; nothing was changed",
        ),
    }
}
