//! What all handlers share: the site, and the caches, limits and counters that belong to HTTP.

use std::ops::Deref;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::FromRef;

use crate::http::api::overview::OverviewCache;
use crate::http::api::stream::Streams;
use crate::http::body::BodyBudget;
use crate::http::pages::render_pool::RenderPool;
use crate::http::single_flight::SingleFlight;
use crate::site::Site;
use crate::telemetry::requests::RequestMetrics;

/// The state of one router. Every route and layer has a clone of it and makes more for each request, so it is only one
/// pointer.
#[derive(Clone, Debug)]
pub(crate) struct HttpState(Arc<HttpParts>);

#[derive(Debug)]
pub(crate) struct HttpParts {
    pub(crate) site: Arc<Site>,
    pub(crate) overview: Arc<OverviewCache>,
    /// The text of `/metrics`, for all that scrape at the same time.
    pub(crate) metrics_text: Arc<SingleFlight<Bytes>>,
    pub(crate) requests: Arc<RequestMetrics>,
    pub(crate) bodies: Arc<BodyBudget>,
    pub(crate) streams: Arc<Streams>,
    pub(crate) render_pool: RenderPool,
}

impl HttpState {
    pub(crate) fn new(site: Arc<Site>, max_connections: Option<usize>) -> Self {
        Self(Arc::new(HttpParts {
            overview: Arc::new(OverviewCache::new(Arc::clone(&site.live))),
            site,
            metrics_text: Arc::default(),
            requests: Arc::default(),
            bodies: Arc::default(),
            streams: Arc::new(Streams::new(max_connections)),
            render_pool: RenderPool::default(),
        }))
    }
}

impl Deref for HttpState {
    type Target = HttpParts;

    fn deref(&self) -> &HttpParts {
        &self.0
    }
}

/// Most handlers need nothing but the site: they extract `State<Arc<Site>>`.
impl FromRef<HttpState> for Arc<Site> {
    fn from_ref(state: &HttpState) -> Self {
        Self::clone(&state.site)
    }
}
