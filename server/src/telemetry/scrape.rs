//! All metrics at one moment, for `/metrics`. ARCHITECTURE.md lists every metric.
//!
//! Own code instead of a crate: one process may hold several sites, so nothing may be global; gauges that were kept between
//! scrapes would outlive the components that they describe; and `prometheus-client` writes `OpenMetrics` only, whose names and
//! types differ from the text format 0.0.4 that dashboards and alert rules rely on.

use std::sync::Arc;

use axum::body::Bytes;

use crate::Site;
use crate::live::LiveView;
use crate::telemetry::cluster;
use crate::telemetry::exposition::{Kind, Text};

impl Site {
    /// All metrics at this moment, in Prometheus' text format: no query. Monitors that ask at once share one text.
    pub(crate) async fn metrics(self: &Arc<Self>) -> Bytes {
        let site = Arc::clone(self);
        self.scrape.run(move || site.text().into()).await
    }

    fn text(&self) -> String {
        let mut text = Text::default();
        let LiveView { snapshot, now, .. } = self.live.view();
        cluster::write(&mut text, &snapshot, now);
        self.requests.write(&mut text);
        self.intake.figures().write(&mut text);
        text.family(
            "cluster_overview_store_transaction_duration_seconds",
            Kind::Histogram,
            "From the beginning of a change in the database to its commit.",
        );
        text.histogram(&[], self.store.durations());
        text.family(
            "cluster_overview_store_errors_total",
            Kind::Counter,
            "Times the database could not be read or written.",
        );
        text.sample(&[], self.live.failures());
        text.family(
            "cluster_overview_store_replaced_connections_total",
            Kind::Counter,
            "Database connections that were found inside an earlier transaction, and replaced.",
        );
        text.sample(&[], self.store.replaced_connections());
        text.family(
            "cluster_overview_store_log_bytes",
            Kind::Gauge,
            "Size of SQLite's write-ahead log; 0 with PostgreSQL.",
        );
        text.sample(&[], self.store.log_bytes());
        text.finish()
    }
}
