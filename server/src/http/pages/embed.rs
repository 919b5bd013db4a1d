//! The page inside a product's page: `GET /embed` exchanges a code for a session, `GET /embed.js` is the product's script.

use app::i18n::MessageKey;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};

use crate::auth::AuthMode;
use crate::auth::origin::RequestOrigin;
use crate::http::api::embeds::log_embed_failure;
use crate::http::assets;
use crate::http::layers::security_headers::allow_other_sites;
use crate::http::problem::Problem;
use crate::site::Site;

/// Exchanges the code in the URL for a session, and redirects to the page without the code.
pub(crate) async fn enter(
    State(site): State<Arc<Site>>,
    Extension(origin): Extension<RequestOrigin>,
    request: Request,
) -> Result<Response, Problem> {
    // HEAD must not use up the code.
    if request.method() != Method::GET {
        return Err(Problem::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "an embed code can only be used with GET",
        ));
    }
    let (code, query) = split_code(request.uri().query().unwrap_or_default());
    let mut response = Redirect::to(&format!("{}/?{query}", site.base)).into_response();
    // The page needs the origin of the page around it, and some browsers say it in no other way.
    let origin_only = HeaderValue::from_static("origin");
    response.headers_mut().insert(header::REFERRER_POLICY, origin_only);
    if site.auth.policy.mode != AuthMode::Password {
        return Ok(response);
    }
    let headers = request.headers();
    crate::http::pages::sign_in::require_session_cookie(&site, headers, &origin)?;
    match site.auth.redeem_embed_code(&code, &origin).await {
        Ok(Some(secret)) => {
            if let Some(cookie) = site.auth.set_embed_cookie(headers, &origin, &secret) {
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            Ok(response)
        }
        Ok(None) => {
            Err(Problem::translated(StatusCode::GONE, MessageKey::PagesLinkExpired, Vec::new()))
        }
        Err(error) => {
            log_embed_failure(&error);
            Err(Problem::unavailable(
                "the overview cannot write to its database at present; try again",
            ))
        }
    }
}

/// Returns the code, and the query without it. The query gets `chrome=none`, unless it has a value for that.
fn split_code(query: &str) -> (String, String) {
    let mut code = String::new();
    let mut rest = form_urlencoded::Serializer::new(String::new());
    let mut has_chrome = false;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if name == "code" {
            code = value.into_owned();
        } else {
            has_chrome |= name == "chrome";
            rest.append_pair(&name, &value);
        }
    }
    if !has_chrome {
        rest.append_pair("chrome", "none");
    }
    (code, rest.finish())
}

/// The script that the pages of products load, at a path that never changes.
pub(crate) async fn script(headers: HeaderMap) -> Result<Response, Problem> {
    let mut response = assets::get(Path(format!("{}/embed.js", assets::hash())), headers).await?;
    let response_headers = response.headers_mut();
    response_headers
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    allow_other_sites(response_headers);
    Ok(response)
}
