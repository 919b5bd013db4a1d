//! What was asked of the overview: how often which route, and how long the answer took.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::telemetry::exposition::{Kind, Text};
use crate::telemetry::primitives::{Histogram, SECONDS};

/// One answered request, in words of which there are few: never a raw path, never a made-up method.
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
    /// A request was answered.
    pub(crate) fn note(&self, asked: RequestLabels, took: Duration) {
        let durations = {
            let mut durations = self.durations.lock().unwrap_or_else(PoisonError::into_inner);
            let known = durations.entry(asked.route.clone());
            Arc::clone(known.or_insert_with(|| Arc::new(Histogram::new(SECONDS))))
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
