//! Do imports go down only?

#![allow(clippy::unwrap_used, reason = "a source that cannot be read fails the test")]

mod imports;

use std::path::Path;

/// From the bottom up.
const LAYERS: [&str; 73] = [
    "cluster::order",
    "cluster::time",
    "cluster::version",
    "cluster::server_name",
    "cluster::component_key",
    "cluster::finding",
    "cluster::digest",
    "cluster::incident",
    "cluster::news",
    "cluster::upkeep",
    "cluster::keys",
    "cluster::boot",
    "cluster::observation",
    "cluster::unsteady",
    "cluster::messenger",
    "cluster::interruptions",
    "cluster::component",
    "cluster::settings",
    "cluster::heartbeat",
    "cluster::reference_keys",
    "cluster::health",
    "cluster::pulse",
    "cluster::stability",
    "cluster::receive",
    "cluster::capacity",
    "cluster::rejected",
    "cluster::snapshot",
    "cluster::change",
    "cluster::reject",
    "cluster::versions",
    "cluster::overview",
    "cluster::removal",
    "cluster::shared_addresses",
    "cluster::in_common",
    "cluster::hints",
    "cluster::judge",
    "cluster::incidents",
    "cluster::preview",
    "cluster::history::record",
    "cluster::history",
    "cluster",
    "i18n",
    "protocol",
    "packed",
    "server_fns",
    "page::route::query",
    "page::appearance",
    "page::settings::draft",
    "page::route::dialog",
    "page::route",
    "page::status_style",
    "page::view_context",
    // The models, and above them what puts them together.
    "page::servers::hint_link",
    "page::servers::columns",
    "page::servers::groups",
    "page::servers::listing",
    "page::servers::model",
    "page::servers::row_cache",
    "page::servers::search",
    "page::servers::list",
    "page::servers::map::model",
    "page::hints::model",
    "page::panel::model",
    "page::settings::model",
    "page::banner::model",
    "page::header::model",
    "page::model",
    "page::client::rendering",
    "page::servers::chunks",
    "page::state",
    "page",
    "page::client",
    "pages",
];

#[test]
fn a_module_imports_only_from_layers_below_its_own() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    assert_eq!(imports::upward(&sources, &LAYERS), Vec::<String>::new());
}
