//! `GET /metrics`: all metrics at one moment. ARCHITECTURE.md lists every metric.
//!
//! Own code instead of a crate: one process may hold several sites, so nothing may be global; gauges that were kept between
//! scrapes would outlive the components that they describe; and `prometheus-client` writes `OpenMetrics` only, whose names and
//! types differ from the text format 0.0.4 that dashboards and alert rules rely on.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};

use crate::http::state::{HttpParts, HttpState};
use crate::live::LiveView;
use crate::telemetry::cluster;
use crate::telemetry::exposition::{Kind, Text};

const CONTENT_TYPE: HeaderValue =
    HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// All metrics
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "metrics",
    responses((
        status = 200,
        description = "Prometheus' text format 0.0.4.",
        body = String,
        content_type = "text/plain"
    ))
)]
pub(crate) async fn get(State(state): State<HttpState>) -> ([(HeaderName, HeaderValue); 1], Bytes) {
    // Monitors that scrape at the same time share one text.
    let current = state.clone();
    let text = state.metrics_text.run(move || text(&current).into()).await;
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], text)
}

fn text(HttpParts { site, requests, .. }: &HttpParts) -> String {
    let mut text = Text::default();
    let LiveView { snapshot, now, .. } = site.live.view();
    cluster::write(&mut text, &snapshot, now);
    requests.write(&mut text);
    site.intake.metrics().write(&mut text);
    let channels: Vec<&str> =
        site.commands.channels().map(|channel| channel.name.as_str()).collect();
    site.store.delivery_metrics().write(&mut text, &channels, &snapshot, now);
    text.family(
        "cluster_overview_store_transaction_duration_seconds",
        Kind::Histogram,
        "From the beginning of a change in the database to its commit.",
    );
    text.histogram(&[], site.store.durations());
    text.family(
        "cluster_overview_store_errors_total",
        Kind::Counter,
        "How often the database could not be read or written.",
    );
    text.sample(&[], site.live.failures());
    text.family(
        "cluster_overview_store_replaced_connections_total",
        Kind::Counter,
        "Database connections that were replaced because they were still inside an earlier transaction.",
    );
    text.sample(&[], site.store.replaced_connections());
    text.family(
        "cluster_overview_store_log_bytes",
        Kind::Gauge,
        "Size of SQLite's write-ahead log; 0 with PostgreSQL.",
    );
    text.sample(&[], site.store.log_bytes());
    text.finish()
}
