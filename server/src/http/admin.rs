//! What an admin may change through the API: settings, removals, the key all others are held against.

use std::sync::Arc;

use app::api::{Command, Refusal};
use app::cluster::keys::check_digits;
use app::cluster::{FieldError, KeyKind, Role, ServerName, Settings};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};

use super::body;
use super::problem::Problem;
use crate::Site;

pub(crate) async fn settings(State(site): State<Arc<Site>>) -> Json<Settings> {
    Json(site.watch.snapshot().settings)
}

pub(crate) async fn put_settings(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Settings>, Problem> {
    let value: Value = body::json(&headers, &body::read(body).await?)?;
    let settings = read_settings(&value).map_err(Problem::fields)?;
    act(&site, Command::Configure(settings), "the settings").await?;
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
    let out_of_range: Vec<FieldError> =
        settings.check().into_iter().filter(|error| !named(&error.field)).collect();
    errors.extend(out_of_range);
    if errors.is_empty() { Ok(settings) } else { Err(errors) }
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

/// `?force=true`: remove it though it is live.
fn is_forced(query: Option<&str>) -> bool {
    query.is_some_and(|query| query.split('&').any(|part| part == "force=true"))
}

pub(crate) async fn delete_server(
    State(site): State<Arc<Site>>,
    Path(server): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Problem> {
    remove(&site, &server, None, is_forced(query.as_deref())).await
}

pub(crate) async fn delete_component(
    State(site): State<Arc<Site>>,
    Path((server, role)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Problem> {
    let role = Role::parse(&role)
        .ok_or_else(|| Problem::not_found("a component is either web or service"))?;
    remove(&site, &server, Some(role), is_forced(query.as_deref())).await
}

async fn remove(
    site: &Site,
    server: &str,
    role: Option<Role>,
    force: bool,
) -> Result<StatusCode, Problem> {
    let name = ServerName::parse(server).map_err(|_| problem(Refusal::Absent, server))?;
    act(site, Command::Remove { server: name, role, force }, server).await
}

pub(crate) async fn put_reference_key(
    State(site): State<Arc<Site>>,
    Path(kind): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let kind = KeyKind::ALL
        .into_iter()
        .find(|known| known.as_str() == kind)
        .ok_or_else(|| Problem::not_found("a reference key is either encryption or machine"))?;
    let value: Value = body::json(&headers, &body::read(body).await?)?;
    let digits = value.get("key_check").and_then(Value::as_str).unwrap_or_default();
    check_digits(digits)
        .map_err(|message| Problem::fields(vec![FieldError::new("key_check", message)]))?;
    let command = Command::Accept { kind, digits: digits.to_owned() };
    act(&site, command, &format!("a key with the digits {digits}")).await
}

async fn act(site: &Site, command: Command, what: &str) -> Result<StatusCode, Problem> {
    site.act(command).await.map_err(|refusal| problem(refusal, what))?;
    Ok(StatusCode::NO_CONTENT)
}

/// How the API tells a refusal.
fn problem(refusal: Refusal, what: &str) -> Problem {
    match refusal {
        Refusal::Fields => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("a value of {what} does not fit"),
        ),
        Refusal::Absent => Problem::not_found(format!("no component reports {what}")),
        Refusal::Live => Problem::new(
            StatusCode::CONFLICT,
            format!(
                "{what} is live and would be back with its next heartbeat; stop it first, or repeat with ?force=true"
            ),
        ),
        Refusal::Ambiguous => Problem::new(
            StatusCode::CONFLICT,
            format!("there is more than {what}; give more digits"),
        ),
        Refusal::Blind => Problem::unavailable(
            "the overview's database cannot be written at present; nothing was changed",
        ),
    }
}
