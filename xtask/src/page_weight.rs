//! How many bytes of HTML does the page of ten servers have, before any script?

use anyhow::Result;

use crate::test_server;
use crate::workspace::Profile;

/// The page of ten servers with both components, compressed with brotli.
pub(crate) fn measure_html(profile: Profile) -> Result<u64> {
    let overview = test_server::start(profile);
    test_server::send_heartbeats(&overview, &test_server::cluster_heartbeats(1..=10, 1))?;
    test_server::compressed_length(&overview, "/")
}
