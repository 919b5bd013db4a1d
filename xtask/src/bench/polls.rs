//! What does a page that polls cost, at each size of the cluster?

use anyhow::{Context as _, Result};
use serde_json::json;
use testkit::{Overview, with_field};

use super::load::load;
use super::{Figure, everyone_beats, middle};
use crate::overview::{self, heartbeat};
use crate::workspace::Profile;

/// The sizes of the table: a cost that grows faster than they do is a fault.
const SIZES: [usize; 3] = [100, 1_000, 10_000];
/// The cluster of which a page that polls is told some changes.
const LARGE: usize = 5_000;
/// How many servers change.
const CHANGED: usize = 50;

pub(super) fn figures() -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for size in SIZES {
        let overview = overview::start(Profile::Release);
        everyone_beats(&overview, size, 1)?;
        figures.push(unchanged(&overview, size)?);
    }
    let overview = overview::start(Profile::Release);
    everyone_beats(&overview, LARGE, 1)?;
    let unchanged = conditional(&overview)?;
    let cursor = overview::cursor(&overview)?;
    for number in 1..=CHANGED {
        let beat = with_field(heartbeat(number, "service", 2), "version", json!("2026.2.2"));
        overview::beat(&overview, &beat)?;
    }
    let since = overview::since(&overview, &cursor);
    let changed = load(&overview.address(), |_, _| since.clone())?.rate;
    let how = format!("overview(since), {CHANGED} of {LARGE} servers changed, 64 clients");
    figures.push(Figure::of("a poll that brings news", changed, "1/s", how));
    let how = "the same page's unchanged poll; limit 30";
    figures.push(Figure::of("beside a 304", changed / unchanged * 100.0, "%", how));
    Ok(figures)
}

/// Unchanged polls a second beside a constant.
fn unchanged(overview: &Overview, size: usize) -> Result<Figure> {
    let constant = overview.request(("GET", "/healthz", true), &[], "");
    let ratios: Result<Vec<f64>> = (0..3)
        .map(|_| {
            let constant = load(&overview.address(), |_, _| constant.clone())?.rate;
            Ok(conditional(overview)? / constant * 100.0)
        })
        .collect();
    let how = "GET /api/v1/overview with If-None-Match: 304, of /healthz in turns; limit 70";
    Ok(Figure::of(format!("an unchanged poll of {size} servers"), middle(ratios?), "%", how))
}

fn conditional(overview: &Overview) -> Result<f64> {
    let picture = overview.get("/api/v1/overview");
    let tag = picture.headers.get("etag").context("the picture has no tag")?.to_str()?;
    let conditional = [("If-None-Match", tag)];
    let request = overview.request(("GET", "/api/v1/overview", true), &conditional, "");
    Ok(load(&overview.address(), |_, _| request.clone())?.rate)
}
