//! The logo and the look of the product around the page: their path holds their content's hash, so they are
//! cached for ever.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};

use crate::Site;
use crate::http::assets::FOR_EVER;
use crate::http::problem::Problem;

pub(crate) async fn get(
    State(site): State<Arc<Site>>,
    Path((hash, name)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (kind, bytes) = site.branding().file(&hash, &name).ok_or_else(|| {
        Problem::not_found("no such file; the product may look otherwise by now: reload the page")
    })?;
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(FOR_EVER));
    Ok(response)
}
