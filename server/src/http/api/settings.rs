//! `GET` and `PUT /api/v1/settings`.

use std::sync::Arc;

use app::cluster::{FieldError, SettingError, Settings};
use app::i18n::Words;
use app::protocol::Command;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json};
use serde_json::{Map, Value};

use crate::Site;
use crate::auth::identity::Person;
use crate::http::api::commands::act;
use crate::http::api::dto;
use crate::http::body::Sender;
use crate::http::json;
use crate::http::problem::Problem;

/// The settings in force
#[utoipa::path(
    get,
    path = "/api/v1/settings",
    operation_id = "settings",
    responses((status = 200, description = "All five settings.", body = dto::Settings))
)]
pub(crate) async fn get(State(site): State<Arc<Site>>) -> Json<Settings> {
    Json(site.live.snapshot().settings)
}

/// Puts settings in force
#[utoipa::path(
    put,
    path = "/api/v1/settings",
    operation_id = "configure",
    request_body = dto::Settings,
    responses(
        (status = 200, description = "They are in force.", body = dto::Settings),
        (status = 400, description = "The body is not JSON."),
        (status = 413, description = "The body is larger than 1 MiB."),
        (status = 415, description = "The body is not sent as application/json."),
        (status = 422, description = "A field is missing, of another type or out of range; each is named."),
        (status = 503, description = "The database cannot be written; nothing was changed.")
    )
)]
pub(crate) async fn put(
    State(site): State<Arc<Site>>,
    Extension(person): Extension<Person>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Settings>, Problem> {
    let value: Value = json::parse(&headers, &site.bodies.read(Sender::Person, body).await?)?;
    let settings = read_settings(&value).map_err(Problem::fields)?;
    act(&site, &person, Command::Configure(settings), "the settings").await?;
    Ok(Json(settings))
}

/// All five fields, of the right type and in range.
fn read_settings(value: &Value) -> Result<Settings, Vec<FieldError>> {
    let Value::Object(object) = value else {
        return Err(vec![FieldError::new("", "must be a JSON object with all five settings")]);
    };
    let mut errors = Vec::new();
    let mut keep = |field: &str, read: Result<u32, &str>| {
        read.unwrap_or_else(|message| {
            errors.push(FieldError::new(field, message));
            0
        })
    };
    let settings = Settings {
        load_balancing: keep("load_balancing", switch(object, "load_balancing")) == 1,
        automatic_failover: keep("automatic_failover", switch(object, "automatic_failover")) == 1,
        heartbeat_interval_s: keep("heartbeat_interval_s", seconds(object, "heartbeat_interval_s")),
        stale_timeout_s: keep("stale_timeout_s", seconds(object, "stale_timeout_s")),
        web_window_s: keep("web_window_s", seconds(object, "web_window_s")),
    };
    let named = |field: &str| errors.iter().any(|error| error.field == field);
    let out_of_range = settings.check().into_iter().filter(|misfit| !named(misfit.field));
    let out_of_range: Vec<FieldError> = out_of_range.map(told).collect();
    errors.extend(out_of_range);
    if errors.is_empty() { Ok(settings) } else { Err(errors) }
}

/// As an answer says it: a field, and what it must be.
fn told(misfit: SettingError) -> FieldError {
    let said = misfit.why.in_words(Words::for_programs());
    let mut letters = said.trim_end_matches('.').chars();
    let first = letters.next().map(|first| first.to_ascii_lowercase());
    FieldError::new(misfit.field, first.into_iter().chain(letters).collect::<String>())
}

fn switch(object: &Map<String, Value>, field: &str) -> Result<u32, &'static str> {
    match object.get(field) {
        None => Err("is required"),
        Some(Value::Bool(on)) => Ok(u32::from(*on)),
        Some(_) => Err("must be true or false"),
    }
}

fn seconds(object: &Map<String, Value>, field: &str) -> Result<u32, &'static str> {
    match object.get(field) {
        None => Err("is required"),
        Some(value) => value
            .as_u64()
            .and_then(|seconds| u32::try_from(seconds).ok())
            .ok_or("must be a whole number of seconds"),
    }
}
