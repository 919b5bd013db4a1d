//! What does polling cost at each size of the cluster?

use anyhow::{Context as _, Result};
use serde_json::json;
use testkit::{Overview, with_field};

use super::load::run_load;
use super::{Figure, median, send_heartbeats_from_all};
use crate::test_server::{self, heartbeat};
use crate::workspace::Profile;

/// A cost that grows faster than these sizes is a defect.
const CLUSTER_SIZES: [usize; 3] = [100, 1_000, 10_000];
const CHANGING_CLUSTER_SERVERS: usize = 5_000;
const CHANGED_SERVERS: usize = 50;

pub(super) fn measure() -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for size in CLUSTER_SIZES {
        let overview = test_server::start(Profile::Release);
        send_heartbeats_from_all(&overview, size, 1)?;
        figures.push(compare_unchanged_polls(&overview, size)?);
    }
    let overview = test_server::start(Profile::Release);
    send_heartbeats_from_all(&overview, CHANGING_CLUSTER_SERVERS, 1)?;
    let unchanged = conditional_requests_per_second(&overview)?;
    let cursor = test_server::read_cursor(&overview)?;
    for number in 1..=CHANGED_SERVERS {
        let beat = with_field(heartbeat(number, "service", 2), "version", json!("2026.2.2"));
        test_server::send_heartbeats(&overview, &beat)?;
    }
    let since = test_server::changes_request(&overview, &cursor);
    let changed = run_load(&overview.address(), |_, _| since.clone())?.rate;
    let how = format!(
        "overview(since), {CHANGED_SERVERS} of {CHANGING_CLUSTER_SERVERS} servers changed, 64 clients"
    );
    figures.push(Figure::new("a poll that returns changes", changed, "1/s", how));
    let how = "the same page's unchanged poll; limit 30";
    figures.push(Figure::new("relative to a 304", changed / unchanged * 100.0, "%", how));
    Ok(figures)
}

/// Polls per second of an unchanged overview, in percent of requests that need no data.
fn compare_unchanged_polls(overview: &Overview, size: usize) -> Result<Figure> {
    let constant = overview.request(("GET", "/healthz", true), &[], "");
    let ratios: Result<Vec<f64>> = (0..3)
        .map(|_| {
            let constant = run_load(&overview.address(), |_, _| constant.clone())?.rate;
            Ok(conditional_requests_per_second(overview)? / constant * 100.0)
        })
        .collect();
    let how = "GET /api/v1/overview with If-None-Match: 304, relative to /healthz in alternating rounds; limit 70";
    Ok(Figure::new(format!("an unchanged poll of {size} servers"), median(ratios?), "%", how))
}

fn conditional_requests_per_second(overview: &Overview) -> Result<f64> {
    let picture = overview.get("/api/v1/overview");
    let tag = picture.headers.get("etag").context("the overview has no ETag")?.to_str()?;
    let conditional = [("If-None-Match", tag)];
    let request = overview.request(("GET", "/api/v1/overview", true), &conditional, "");
    Ok(run_load(&overview.address(), |_, _| request.clone())?.rate)
}
