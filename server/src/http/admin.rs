//! What an admin may change: settings, removals, the key all others are held against.

use std::sync::Arc;

use app::cluster::{
    Component, ComponentKey, FieldError, KeyCheck, KeyKind, Role, ServerName, Settings,
};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};

use super::body;
use super::problem::Problem;
use crate::Site;
use crate::store::{News, StoreError};

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
    write(&site, site.store.set_settings(settings)).await?;
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
    forced: bool,
) -> Result<StatusCode, Problem> {
    let absent = || Problem::not_found(format!("no such component is known of {server}"));
    let server = ServerName::parse(server).map_err(|_| absent())?;
    let overview = site.watch.snapshot().overview(site.store.now());
    let found: Vec<_> = overview
        .components()
        .filter(|status| status.component.server == server)
        .filter(|status| role.is_none_or(|role| status.component.role == role))
        .collect();
    if found.is_empty() {
        return Err(absent());
    }
    if !forced && found.iter().any(|status| status.live) {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            format!(
                "{server} is live and would be back with its next heartbeat; stop it first, or repeat with ?force=true"
            ),
        ));
    }
    let keys: Vec<ComponentKey> = found.iter().map(|status| status.component.key()).collect();
    write(site, site.store.remove(&keys)).await?;
    Ok(StatusCode::NO_CONTENT)
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
    let hex = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
    if !(8..=64).contains(&digits.len()) || !digits.bytes().all(hex) {
        let message = "must be 8 to 64 of the key check's lower-case hex digits";
        return Err(Problem::fields(vec![FieldError::new("key_check", message)]));
    }
    let check = reported(&site, kind, digits)?;
    write(&site, site.store.accept_key(kind, check)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The one check with these first digits that somebody reports.
fn reported(site: &Site, kind: KeyKind, digits: &str) -> Result<KeyCheck, Problem> {
    let snapshot = site.watch.snapshot();
    let mut fitting: Vec<KeyCheck> = snapshot
        .components
        .values()
        .map(AsRef::as_ref)
        .filter(|component: &&Component| !component.is_observer())
        .filter_map(|component| kind.of(component))
        .filter(|check| check.digits().starts_with(digits))
        .collect();
    fitting.sort_unstable();
    fitting.dedup();
    match fitting.as_slice() {
        [only] => Ok(*only),
        [] => Err(Problem::not_found(format!("no server reports a key with the digits {digits}"))),
        _ => Err(Problem::new(
            StatusCode::CONFLICT,
            format!("two reported keys begin with {digits}; give more digits"),
        )),
    }
}

/// Makes a change in its turn and tells the watch of it, or the caller that it could not be written.
async fn write(
    site: &Site,
    change: impl Future<Output = Result<News, StoreError>>,
) -> Result<(), Problem> {
    let _turn = site.watch.turn().await;
    match change.await {
        Ok(news) => {
            site.watch.tell(news);
            Ok(())
        }
        Err(error) => {
            tracing::error!(%error, "a change could not be written");
            site.watch.lose_sight();
            Err(Problem::unavailable(
                "the overview's database cannot be written at present; nothing was changed",
            ))
        }
    }
}
