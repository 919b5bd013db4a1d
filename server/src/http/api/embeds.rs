//! The page within another product's page: the codes that let people in, the way in, and the one tag.

use std::sync::Arc;

use app::cluster::FieldError;
use app::protocol::Rank;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::{Extension, Json};
use serde_json::{Value, json};

use crate::Site;
use crate::access::caller::Person;
use crate::access::keyring::CODE;
use crate::access::origin::Origin;
use crate::access::secret::Hash;
use crate::access::{Invitation, Mode, NotInvited};
use crate::http::api::dto;
use crate::http::assets;
use crate::http::body::{self, Sender};
use crate::http::layers::security_headers::allow_other_sites;
use crate::http::problem::Problem;
use crate::telemetry::log_limit::LogLimit;

/// Makes a code that lets a person in, into a frame within a product's page
///
/// The product's back end asks for it with its token, for whoever is signed in there, and hands it to the
/// browser: `GET /embed?code=…` trades it for a session, once.
#[utoipa::path(
    post,
    path = "/api/v1/embeds",
    operation_id = "create_embed",
    request_body = dto::NewEmbed,
    responses(
        (status = 201, description = "The code is in this answer and nowhere else.", body = dto::Embed),
        (status = 400, description = "The body is not JSON."),
        (status = 403, description = "The token is a viewer's, and an admin is to be let in."),
        (status = 409, description = "No code is needed or of use here; the answer says why."),
        (status = 413, description = "The body is larger than 1 MiB."),
        (status = 415, description = "The body is not sent as application/json."),
        (status = 422, description = "A field does not fit; each is named."),
        (status = 503, description = "The database cannot be written, or there are too many guests; nothing was made.")
    )
)]
pub(crate) async fn create(
    State(site): State<Arc<Site>>,
    Extension(person): Extension<Person>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let value: Value = body::json(&headers, &site.bodies.read(Sender::Person, body).await?)?;
    let invitation = invitation(&value).map_err(Problem::fields)?;
    let token = token(&site, &person)?;
    if invitation.rank > person.rank {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "a viewer's token lets viewers in: use an admin's token to let an admin in",
        ));
    }
    let (id, code) = site.invite(invitation, token).await.map_err(|error| {
        log_not_let_in(&error);
        Problem::unavailable("nobody can be let in at present: the database cannot be written, or there are too many guests")
    })?;
    let good_for = CODE.0 / 1_000;
    Ok((
        StatusCode::CREATED,
        Json(json!({"id": id, "code": code.reveal(), "good_for_s": good_for})),
    ))
}

/// Ends the visit of a person who was let in
#[utoipa::path(
    delete,
    path = "/api/v1/embeds/{id}",
    operation_id = "delete_embed",
    params(("id" = String, Path, description = "Its number, as the answer with the code had it.")),
    responses(
        (status = 204, description = "The code lets nobody in any more, and whoever came by it is out."),
        (status = 400, description = "The address cannot be read."),
        (status = 404, description = "This token has let nobody in by this number, or they are out already."),
        (status = 409, description = "No code is needed or of use here; the answer says why."),
        (status = 503, description = "The database cannot be written; nothing was changed.")
    )
)]
pub(crate) async fn delete(
    State(site): State<Arc<Site>>,
    Extension(person): Extension<Person>,
    id: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Problem> {
    let Path(id) = id.map_err(crate::http::api::settings::unreadable)?;
    let token = token(&site, &person)?;
    match site.part_with(&id, token).await {
        Ok(true) => Ok(StatusCode::NO_CONTENT),
        Ok(false) => Err(Problem::not_found(
            "this token has let nobody in by this number, or they are out already",
        )),
        Err(_) => Err(Problem::unavailable(
            "the overview's database cannot be written at present; nothing was changed",
        )),
    }
}

fn invitation(value: &Value) -> Result<Invitation, Vec<FieldError>> {
    let name = value.get("name").and_then(Value::as_str).unwrap_or_default();
    let rank = value.get("role").and_then(Value::as_str).and_then(Rank::parse);
    let invitation = Invitation::of(name, rank.unwrap_or(Rank::Viewer));
    let rank = rank.ok_or_else(|| FieldError::new("role", "must be viewer or admin"));
    match (invitation, rank) {
        (Ok(invitation), Ok(_)) => Ok(invitation),
        (invitation, rank) => Err(invitation.err().into_iter().chain(rank.err()).collect()),
    }
}

/// The product's token, where codes are of use.
fn token(site: &Site, person: &Person) -> Result<Hash, Problem> {
    let conflict = |why: &str| Err(Problem::new(StatusCode::CONFLICT, why));
    match site.access.policy.mode {
        Mode::Password if site.frame_ancestors.is_empty() => conflict(
            "nobody may frame this overview: name the product's origin with --frame-ancestors",
        ),
        Mode::Password => match person.token {
            Some(token) => Ok(token),
            None => conflict("codes are made by programs, with a viewer's or an admin's token"),
        },
        Mode::Open => conflict("nobody signs in to this overview, so nobody needs a code"),
        Mode::Proxy { .. } | Mode::Host(_) => conflict(
            "this overview is reached through the product's own sign-in, so nobody needs a code",
        ),
    }
}

/// The way in: trades the code in the address for a session, and leads to the page without it.
pub(crate) async fn enter(
    State(site): State<Arc<Site>>,
    Extension(origin): Extension<Origin>,
    request: Request,
) -> Result<Response, Problem> {
    // Whoever only looks what is there uses nothing up.
    if request.method() != Method::GET {
        return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "a code is used by GET alone"));
    }
    let (code, query) = split(request.uri().query().unwrap_or_default());
    let mut response = Redirect::to(&format!("{}/?{query}", site.base)).into_response();
    // The page that the code leads to sees the origin of the page around it, which a browser may say in no other way.
    let origin_only = HeaderValue::from_static("origin");
    response.headers_mut().insert(header::REFERRER_POLICY, origin_only);
    if site.access.policy.mode != Mode::Password {
        return Ok(response);
    }
    let headers = request.headers();
    crate::http::pages::sign_in::only_where_kept(&site, headers, &origin)?;
    match site.enter(&code, &origin).await {
        Ok(Some(secret)) => {
            if let Some(cookie) = site.access.set_guest_cookie(headers, &origin, &secret) {
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            Ok(response)
        }
        Ok(None) => Err(Problem::said(StatusCode::GONE, "plain.error.gone.lead", Vec::new())),
        Err(error) => {
            log_not_let_in(&error);
            Err(Problem::unavailable(
                "nobody can be let in while the overview's database cannot be written",
            ))
        }
    }
}

/// Anybody with a code, or a viewer's token, can cause this line.
fn log_not_let_in(error: &NotInvited) {
    static NOT_LET_IN: LogLimit = LogLimit::new();
    if let Some(left_out) = NOT_LET_IN.check() {
        tracing::warn!(%error, left_out, "cannot let a product's person in");
    }
}

/// The code of a query, and the query without it; bare, unless it says what is to be around the page.
fn split(query: &str) -> (String, String) {
    let mut code = String::new();
    let mut rest: Vec<&str> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("code", secret)) => secret.clone_into(&mut code),
            _ => rest.push(pair),
        }
    }
    if !rest.iter().any(|pair| pair.starts_with("chrome=")) {
        rest.push("chrome=none");
    }
    (code, crate::http::pages::sign_in::kept(&rest.join("&")))
}

/// The script of the one tag, which other sites' pages load: at an address that stays.
pub(crate) async fn script(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut response = assets::get(Path(format!("{}/embed.js", site.build)), headers).await?;
    let said = response.headers_mut();
    said.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    allow_other_sites(said);
    Ok(response)
}
