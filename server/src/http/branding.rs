//! The logo and the style of the product around the page. Their path contains a hash of their content, so browsers cache
//! them for a year.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};

use crate::http::assets::CACHE_FOREVER;
use crate::http::problem::Problem;
use crate::site::Site;

pub(crate) async fn get(
    State(site): State<Arc<Site>>,
    Path((hash, name)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (kind, bytes) = site.branding().file(&hash, &name).ok_or_else(|| {
        Problem::not_found(
            "there is no such file: the product's branding may have changed; reload the page",
        )
    })?;
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHE_FOREVER));
    Ok(response)
}
