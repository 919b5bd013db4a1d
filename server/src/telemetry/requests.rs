//! Counts requests by route, and measures how long they took.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::telemetry::exposition::{Kind, Text};
use crate::telemetry::primitives::{DURATION_BOUNDS_S, Histogram};

/// Each label has few values: never a raw path or a method that a client made up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RequestLabels {
    /// The route's template, or `none`.
    pub(crate) route: String,
    pub(crate) method: &'static str,
    /// `2xx`, `3xx`, `4xx` or `5xx`.
    pub(crate) status: &'static str,
}

/// All requests since the start.
#[derive(Debug, Default)]
pub(crate) struct RequestMetrics {
    counts: Mutex<BTreeMap<RequestLabels, u64>>,
    durations: Mutex<BTreeMap<String, Arc<Histogram>>>,
}

impl RequestMetrics {
    /// Counts an answered request.
    pub(crate) fn record(&self, labels: RequestLabels, duration: Duration) {
        let durations = {
            let mut durations = self.durations.lock().unwrap_or_else(PoisonError::into_inner);
            let known = durations.entry(labels.route.clone());
            Arc::clone(known.or_insert_with(|| Arc::new(Histogram::new(DURATION_BOUNDS_S))))
        };
        durations.observe(duration.as_secs_f64());
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner).entry(labels).or_default() += 1;
    }

    pub(crate) fn write(&self, text: &mut Text) {
        text.family(
            "cluster_overview_http_requests_total",
            Kind::Counter,
            "Requests by route template (none: no such address), method and class of status.",
        );
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (RequestLabels { route, method, status }, count) in &counts {
            text.sample(&[("route", route), ("method", method), ("status", status)], count);
        }
        text.family(
            "cluster_overview_http_request_duration_seconds",
            Kind::Histogram,
            "From a request's head to its answer's.",
        );
        let durations = self.durations.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (route, histogram) in &durations {
            text.histogram(&[("route", route)], histogram);
        }
    }
}
