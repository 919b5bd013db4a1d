//! What an admin may change through the API: settings, removals, the key all others are held against.

use std::sync::Arc;

use app::cluster::keys::check_digits;
use app::cluster::removal::{NamePattern, RemovalFilter};
use app::cluster::{FieldError, KeyKind, Role, ServerName, SettingError, Settings, Span};
use app::i18n::Words;
use app::protocol::{Command, Refusal};
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use serde_json::{Map, Value, json};

use crate::Site;
use crate::access::audit::one_line;
use crate::access::caller::Person;
use crate::acts::StoppedRemoval;
use crate::http::api::dto;
use crate::http::api::overview;
use crate::http::body::{self, Sender};
use crate::http::problem::Problem;

/// How many seconds to wait before a messenger is dialled again.
const RETRY_DIALLING: u32 = 5;

/// What an address names, if it can be read.
type Named<T> = Result<Path<T>, PathRejection>;

/// The settings in force
#[utoipa::path(
    get,
    path = "/api/v1/settings",
    operation_id = "settings",
    responses((status = 200, description = "All five settings.", body = dto::Settings))
)]
pub(crate) async fn settings(State(site): State<Arc<Site>>) -> Json<Settings> {
    Json(site.watch.snapshot().settings)
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
pub(crate) async fn put_settings(
    State(site): State<Arc<Site>>,
    Extension(person): Extension<Person>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Settings>, Problem> {
    let value: Value = body::json(&headers, &site.bodies.read(Sender::Person, body).await?)?;
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

/// `?force=true`: remove it though it is live.
fn is_forced(query: Option<&str>) -> bool {
    says_true(query, "force")
}

/// Whether a query has `name=true` in it.
fn says_true(query: Option<&str>, name: &str) -> bool {
    let wanted = (name, "true");
    query.is_some_and(|query| query.split('&').any(|part| part.split_once('=') == Some(wanted)))
}

/// Removes a server with its components
#[utoipa::path(
    delete,
    path = "/api/v1/servers/{server}",
    operation_id = "remove_server",
    params(
        ("server" = String, Path, description = "Its name, in any case."),
        ("force" = Option<bool>, Query, description = "`true`: though it is live and will be back with its next heartbeat.", nullable = false)
    ),
    responses(
        (status = 204, description = "Removed; it comes back with its next heartbeat."),
        (status = 400, description = "The address cannot be read."),
        (status = 404, description = "Nobody of that name reports."),
        (status = 409, description = "It is live; stop it first, or force it."),
        (status = 503, description = "The database cannot be written; nothing was changed.")
    )
)]
pub(crate) async fn delete_server(
    State(site): State<Arc<Site>>,
    Extension(person): Extension<Person>,
    server: Named<String>,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Problem> {
    let Path(server) = server.map_err(unreadable)?;
    remove(&site, &person, &server, None, is_forced(query.as_deref())).await
}

/// Removes one component of a server
#[utoipa::path(
    delete,
    path = "/api/v1/servers/{server}/components/{role}",
    operation_id = "remove_component",
    params(
        ("server" = String, Path, description = "The server's name, in any case."),
        ("role" = dto::Role, Path, description = "Which of its components."),
        ("force" = Option<bool>, Query, description = "`true`: though it is live and will be back with its next heartbeat.", nullable = false)
    ),
    responses(
        (status = 204, description = "Removed; it comes back with its next heartbeat."),
        (status = 400, description = "The address cannot be read."),
        (status = 404, description = "Nobody of that name reports."),
        (status = 409, description = "It is live; stop it first, or force it."),
        (status = 503, description = "The database cannot be written; nothing was changed.")
    )
)]
pub(crate) async fn delete_component(
    State(site): State<Arc<Site>>,
    Extension(person): Extension<Person>,
    named: Named<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Problem> {
    let Path((server, role)) = named.map_err(unreadable)?;
    let role = Role::parse(&role)
        .ok_or_else(|| Problem::not_found("a component is either web or service"))?;
    remove(&site, &person, &server, Some(role), is_forced(query.as_deref())).await
}

async fn remove(
    site: &Site,
    person: &Person,
    server: &str,
    role: Option<Role>,
    force: bool,
) -> Result<StatusCode, Problem> {
    let name =
        ServerName::parse(server).map_err(|_| problem(Refusal::Absent, &one_line(server)))?;
    let what = name.to_string();
    act(site, person, Command::Remove { server: name, role, force }, &what).await
}

/// What a removal of many says.
struct Removals {
    filter: RemovalFilter,
    dry_run: bool,
}

impl Removals {
    /// The longest time that can be asked for, in seconds: ten years.
    const MAX_STALE_FOR_S: i64 = 10 * 365 * 86_400;

    fn read(value: &Value, query: Option<&str>) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let stale_for = match value.get("stale_for_s") {
            None | Some(Value::Null) => None,
            Some(given) => match given.as_i64() {
                Some(seconds) if (0..=Self::MAX_STALE_FOR_S).contains(&seconds) => {
                    Some(Span::seconds(seconds))
                }
                _ => {
                    let most = Self::MAX_STALE_FOR_S;
                    let why = format!("must be a whole number of seconds from 0 to {most}");
                    errors.push(FieldError::new("stale_for_s", why));
                    None
                }
            },
        };
        let name = match value.get("name") {
            None | Some(Value::Null) => None,
            Some(Value::String(pattern)) => match NamePattern::parse(pattern) {
                Ok(pattern) => Some(pattern),
                Err(why) => {
                    errors.push(FieldError::new("name", why));
                    None
                }
            },
            Some(_) => {
                errors.push(FieldError::new("name", "must be a string"));
                None
            }
        };
        if errors.is_empty() && stale_for.is_none() && name.is_none() {
            let why = "is required, or name: a removal of many says whom it means";
            errors.push(FieldError::new("stale_for_s", why));
        }
        let filter = RemovalFilter { stale_for, name };
        if errors.is_empty() {
            Ok(Self { filter, dry_run: says_true(query, "dry_run") })
        } else {
            Err(errors)
        }
    }
}

/// Removes all servers that a filter finds, never a live one
#[utoipa::path(
    post,
    path = "/api/v1/removals",
    operation_id = "remove_servers",
    params(
        ("dry_run" = Option<bool>, Query, description = "`true`: only list them.", nullable = false)
    ),
    request_body = dto::Removals,
    responses(
        (status = 200, description = "Their names. They come back with their next heartbeat.", body = dto::Removed),
        (status = 400, description = "The body is not JSON."),
        (status = 413, description = "The body is larger than 1 MiB."),
        (status = 415, description = "The body is not sent as application/json."),
        (status = 422, description = "A field does not fit, or there is none; each is named."),
        (status = 503, description = "The database cannot be written, or not to the end. `removed` names those that were removed all the same, which may be none; the same request again removes the rest.")
    )
)]
pub(crate) async fn remove_many(
    State(site): State<Arc<Site>>,
    Extension(person): Extension<Person>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let value: Value = body::json(&headers, &site.bodies.read(Sender::Person, body).await?)?;
    let Removals { filter, dry_run } =
        Removals::read(&value, query.as_deref()).map_err(Problem::fields)?;
    let removed = site.remove_all(filter, dry_run, &person.actor()).await;
    Ok(Json(json!({"removed": removed.map_err(stopped)?})))
}

/// A removal that stopped says what it had removed by then.
fn stopped(StoppedRemoval { removed, why }: StoppedRemoval) -> Problem {
    let problem = match (removed.len(), why) {
        (0, why) => problem(why, "these servers"),
        (count, _) => Problem::unavailable(format!(
            "the overview's database could not be written to the end: {count} servers were removed, and the rest were not; send the same request again to remove the rest"
        )),
    };
    problem.with_done("removed", json!(removed))
}

/// Dials a server's service messenger now
#[utoipa::path(
    post,
    path = "/api/v1/servers/{server}/reconnect",
    operation_id = "reconnect",
    params(("server" = String, Path, description = "Its name, in any case.")),
    responses(
        (status = 200, description = "How this web server finds it by that very trial.", body = dto::Reconnected),
        (status = 400, description = "The address cannot be read."),
        (status = 404, description = "No service messenger of that server is dialled."),
        (status = 429, description = "It was dialled a moment ago."),
        (status = 503, description = "The database cannot be written; the trial was made but not written down.")
    )
)]
pub(crate) async fn reconnect(
    State(site): State<Arc<Site>>,
    Extension(person): Extension<Person>,
    server: Named<String>,
) -> Result<Json<Value>, Problem> {
    let Path(server) = server.map_err(unreadable)?;
    let name =
        ServerName::parse(&server).map_err(|_| problem(Refusal::NotDialled, &one_line(&server)))?;
    let dialled = site.dial(&name, &person.actor()).await;
    let messenger = dialled.map_err(|refusal| problem(refusal, &server))?;
    Ok(Json(json!({"messenger": overview::messenger(&messenger)})))
}

/// Accepts a key as the one all others are held against
#[utoipa::path(
    put,
    path = "/api/v1/reference-keys/{kind}",
    operation_id = "accept_key",
    params(("kind" = dto::KeyKind, Path, description = "Which kind of key.")),
    request_body = dto::ReferenceKey,
    responses(
        (status = 204, description = "It is the cluster's key from now on."),
        (status = 400, description = "The body is not JSON, or the address cannot be read."),
        (status = 404, description = "Nobody reports a key with these digits, or there is no such kind."),
        (status = 409, description = "Two keys fit; give more digits."),
        (status = 413, description = "The body is larger than 1 MiB."),
        (status = 415, description = "The body is not sent as application/json."),
        (status = 422, description = "These are not 8 to 64 lower-case hex digits."),
        (status = 503, description = "The database cannot be written; nothing was changed.")
    )
)]
pub(crate) async fn put_reference_key(
    State(site): State<Arc<Site>>,
    Extension(person): Extension<Person>,
    kind: Named<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let body = site.bodies.read(Sender::Person, body).await;
    let Path(kind) = kind.map_err(unreadable)?;
    let kind = KeyKind::ALL
        .into_iter()
        .find(|known| known.as_str() == kind)
        .ok_or_else(|| Problem::not_found("a reference key is either encryption or machine"))?;
    let value: Value = body::json(&headers, &body?)?;
    let digits = value.get("key_check").and_then(Value::as_str).unwrap_or_default();
    check_digits(digits)
        .map_err(|message| Problem::fields(vec![FieldError::new("key_check", message)]))?;
    let command = Command::Accept { kind, digits: digits.to_owned() };
    act(&site, &person, command, &format!("a key with the digits {digits}")).await
}

pub(crate) fn unreadable(rejection: PathRejection) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, format!("the address cannot be read: {rejection}"))
}

async fn act(
    site: &Site,
    person: &Person,
    command: Command,
    what: &str,
) -> Result<StatusCode, Problem> {
    site.act(command, &person.actor()).await.map_err(|refusal| problem(refusal, what))?;
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
        Refusal::NotDialled => Problem::not_found(format!(
            "no service messenger of {what} is dialled: its service announces none, has stopped, or does not report"
        )),
        Refusal::TooSoon => Problem::too_soon(
            RETRY_DIALLING,
            format!("the service messenger of {what} was dialled a moment ago; wait and try again"),
        ),
        // Of a trial the API tells the outcome.
        Refusal::Unreached => {
            Problem::unavailable(format!("the service messenger of {what} cannot be reached"))
        }
        Refusal::Blind => Problem::unavailable(
            "the overview's database cannot be written at present; nothing was changed",
        ),
    }
}
