//! `POST /api/v1/removals`: removing many servers at once.

use std::sync::Arc;

use app::cluster::removal::{NamePattern, RemovalFilter};
use app::cluster::{FieldError, Span};
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::{Extension, Json};
use serde_json::{Value, json};

use crate::Site;
use crate::auth::identity::Person;
use crate::commands::StoppedRemoval;
use crate::http::api::commands::{refusal_problem, says_true};
use crate::http::api::dto;
use crate::http::body::Sender;
use crate::http::json;
use crate::http::problem::Problem;

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
pub(crate) async fn post(
    State(site): State<Arc<Site>>,
    Extension(person): Extension<Person>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let value: Value = json::parse(&headers, &site.bodies.read(Sender::Person, body).await?)?;
    let Removals { filter, dry_run } =
        Removals::read(&value, query.as_deref()).map_err(Problem::fields)?;
    let removed = site.remove_all(filter, dry_run, &person.actor()).await;
    Ok(Json(json!({"removed": removed.map_err(stopped)?})))
}

/// A removal that stopped says what it had removed by then.
fn stopped(StoppedRemoval { removed, why }: StoppedRemoval) -> Problem {
    let problem = match (removed.len(), why) {
        (0, why) => refusal_problem(why, "these servers"),
        (count, _) => Problem::unavailable(format!(
            "the overview's database could not be written to the end: {count} servers were removed, and the rest were not; send the same request again to remove the rest"
        )),
    };
    problem.with_done("removed", json!(removed))
}
