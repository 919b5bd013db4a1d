//! What balancers and monitors ask: does the process serve, and can it do its work.

use std::sync::Arc;

use axum::extract::State;

use super::problem::Problem;
use crate::Site;

/// 200 while the process serves.
pub(crate) async fn healthz() -> &'static str {
    "serving\n"
}

/// 200 if the store can be read and written now.
pub(crate) async fn readyz(State(site): State<Arc<Site>>) -> Result<&'static str, Problem> {
    site.watch.look(&site.store).await.map(|()| "ready\n").map_err(|_| {
        Problem::unavailable("the overview's database cannot be read and written at present")
    })
}
