//! What does a cluster of a thousand cost the server?

use std::time::Instant;

use anyhow::Result;
use testkit::Overview;

use super::{Figure, MANY, middle};
use crate::overview;

/// The page and the picture as they are rendered, compressed and sent.
pub(super) fn figures(overview: &Overview) -> Result<Vec<Figure>> {
    let timed = |what: &str, path: &str| -> Result<Figure> {
        let mut times = Vec::new();
        let mut length = 0;
        for _ in 0..15 {
            let since = Instant::now();
            length = overview::length(overview, path)?;
            times.push(since.elapsed().as_secs_f64() * 1_000.0);
        }
        let how = format!("{MANY} servers, {length} bytes of brotli, middle of 15");
        Ok(Figure::of(what, middle(times), "ms", how))
    };
    Ok(vec![
        timed("the page, first 200 rows", "/")?,
        timed("/api/v1/overview", "/api/v1/overview")?,
    ])
}
