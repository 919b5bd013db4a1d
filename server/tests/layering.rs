//! Do imports go down only?

#![allow(clippy::unwrap_used, reason = "a source that cannot be read fails the test")]

// The reader of imports stands with the crate below: a crate of its own would be more than it.
#[path = "../../app/tests/imports/mod.rs"]
mod imports;

use std::path::Path;

/// From the bottom up.
const LAYERS: [&str; 30] = [
    "clock",
    "telemetry",
    "files",
    "agent::host",
    "net::back_off",
    "auth::secret",
    "auth::normalization",
    "auth::proxy::trusted",
    "auth::proxy::forwarded",
    "auth::origin",
    // What the store stores of people, tokens and their acts.
    "auth::model",
    "auth::cache",
    "auth::audit",
    "store",
    "live",
    "past",
    "auth",
    "net",
    "ingest",
    "messenger",
    "notify",
    "commands",
    "self_report",
    "site",
    "http",
    "agent",
    "demo",
    "cli",
    "lib",
    "main",
];

#[test]
fn a_module_imports_only_from_layers_below_its_own() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    assert_eq!(imports::upward(&sources, &LAYERS), Vec::<String>::new());
}
