//! Counts requests by route, and how long the answers took.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::telemetry::exposition::{Kind, Text};
use crate::telemetry::primitives::{DURATION_BOUNDS_S, Histogram};

/// The labels of one answered request. Each has few values: never a raw path, never a method that a client made up.
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
    answers: Mutex<BTreeMap<RequestLabels, u64>>,
    durations: Mutex<BTreeMap<String, Arc<Histogram>>>,
}

impl RequestMetrics {
    /// Counts an answered request.
    pub(crate) fn record(&self, asked: RequestLabels, took: Duration) {
        let durations = {
            let mut durations = self.durations.lock().unwrap_or_else(PoisonError::into_inner);
            let known = durations.entry(asked.route.clone());
            Arc::clone(known.or_insert_with(|| Arc::new(Histogram::new(DURATION_BOUNDS_S))))
        };
        durations.observe(took.as_secs_f64());
        *self.answers.lock().unwrap_or_else(PoisonError::into_inner).entry(asked).or_default() += 1;
    }

    pub(crate) fn write(&self, text: &mut Text) {
        text.family(
            "cluster_overview_http_requests_total",
            Kind::Counter,
            "Requests by route template (none: no such address), method and class of status.",
        );
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (RequestLabels { route, method, status }, count) in &answers {
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
