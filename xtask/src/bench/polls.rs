//! What does a page that polls cost, at each size of the cluster?

use anyhow::Result;

use super::load::load;
use super::{Figure, everyone_beats, middle};
use crate::overview::{Overview, heartbeat};
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
        let overview = Overview::start(Profile::Release)?;
        everyone_beats(&overview, size, 1)?;
        figures.push(unchanged(&overview, size)?);
    }
    let overview = Overview::start(Profile::Release)?;
    everyone_beats(&overview, LARGE, 1)?;
    let unchanged = conditional(&overview)?;
    let cursor = overview.cursor()?;
    for number in 1..=CHANGED {
        let beat = heartbeat(number, "service", "2026.2.2", &"9f".repeat(32), 2);
        overview.beat(&beat)?;
    }
    let changed = load(&overview.address, |_, _| overview.since(&cursor, "1.1"))?.rate;
    let how = format!("overview(since), {CHANGED} of {LARGE} servers changed, 64 clients");
    figures.push(Figure::of("a poll that brings news", changed, "1/s", how));
    let how = "the same page's unchanged poll; limit 30";
    figures.push(Figure::of("beside a 304", changed / unchanged * 100.0, "%", how));
    Ok(figures)
}

/// Unchanged polls a second beside a constant.
fn unchanged(overview: &Overview, size: usize) -> Result<Figure> {
    let constant = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", overview.address);
    let ratios: Result<Vec<f64>> = (0..3)
        .map(|_| {
            let constant = load(&overview.address, |_, _| constant.clone())?.rate;
            Ok(conditional(overview)? / constant * 100.0)
        })
        .collect();
    let how = "GET /api/v1/overview with If-None-Match: 304, of /healthz in turns; limit 70";
    Ok(Figure::of(format!("an unchanged poll of {size} servers"), middle(ratios?), "%", how))
}

fn conditional(overview: &Overview) -> Result<f64> {
    let tag = overview.etag()?;
    let request = format!(
        "GET /api/v1/overview HTTP/1.1\r\nHost: {}\r\nIf-None-Match: {tag}\r\n\r\n",
        overview.address
    );
    Ok(load(&overview.address, |_, _| request.clone())?.rate)
}
