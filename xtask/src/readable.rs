//! How many bytes of HTML does a browser get of a cluster of ten servers, before any script?

use anyhow::Result;

use crate::overview;
use crate::workspace::Profile;

/// Asks a server of ours for the page of a cluster of ten, each with both components.
pub(crate) fn html(profile: Profile) -> Result<u64> {
    let overview = overview::start(profile);
    overview::beat(&overview, &overview::cluster(1..=10, 1))?;
    overview::length(&overview, "/")
}
