//! `GET /healthz` and `GET /readyz`, for load balancers and monitoring.

use std::sync::Arc;

use axum::extract::State;

use crate::http::problem::Problem;
use crate::site::Site;

/// Whether the process serves
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "healthz",
    responses((status = 200, description = "It does.", body = String))
)]
pub(crate) async fn healthz() -> &'static str {
    "serving\n"
}

/// Whether the database can be read and written
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "readyz",
    responses(
        (status = 200, description = "It can.", body = String),
        (status = 503, description = "It cannot.")
    )
)]
pub(crate) async fn readyz(State(site): State<Arc<Site>>) -> Result<&'static str, Problem> {
    if site.live.is_ready().await {
        Ok("ready\n")
    } else {
        Err(Problem::unavailable("the overview cannot read and write its database at present"))
    }
}
