//! How long does the server need for a page and an overview of a thousand servers?

use std::time::Instant;

use anyhow::Result;
use testkit::Overview;

use super::{Figure, LARGE_CLUSTER_SERVERS, median};
use crate::test_server;

/// Times the page and the overview as they are rendered, compressed and sent.
pub(super) fn measure(overview: &Overview) -> Result<Vec<Figure>> {
    let timed = |what: &str, path: &str| -> Result<Figure> {
        let mut times = Vec::new();
        let mut length = 0;
        for _ in 0..15 {
            let since = Instant::now();
            length = test_server::compressed_length(overview, path)?;
            times.push(since.elapsed().as_secs_f64() * 1_000.0);
        }
        let how =
            format!("{LARGE_CLUSTER_SERVERS} servers, {length} bytes of brotli, median of 15");
        Ok(Figure::new(what, median(times), "ms", how))
    };
    Ok(vec![
        timed("the page, first 200 rows", "/")?,
        timed("/api/v1/overview", "/api/v1/overview")?,
    ])
}
