//! `GET /export.csv` and `GET /export.json`: the servers that the page shows with the same query, one line for each component.

use std::sync::Arc;

use app::cluster::health::KeyVerdict;
use app::cluster::{ComponentStatus, Snapshot, Timestamp, VersionCheck};
use app::pages::export::exported_servers;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;

use crate::http::api::dto;
use crate::http::csv::{Csv, download};
use crate::http::single_flight::on_blocking_thread;
use crate::live::LiveView;
use crate::site::Site;

/// What the file is called, before its date.
const FILE_NAME: &str = "cluster-overview-servers";

/// A component, with the words of the API. `None`: not compared, or not reported.
#[derive(Serialize)]
struct Line {
    server: String,
    role: &'static str,
    product: Option<String>,
    version: String,
    version_in_sync: Option<bool>,
    key_in_sync: Option<bool>,
    pulse: &'static str,
    health: &'static str,
    /// Since when it has its pulse.
    since: String,
    last_heartbeat: String,
    address: String,
    os: String,
    os_version: String,
    messenger: Option<&'static str>,
}

const HEADINGS: [&str; 14] = [
    "server",
    "role",
    "product",
    "version",
    "version_in_sync",
    "key_in_sync",
    "pulse",
    "health",
    "since",
    "last_heartbeat",
    "address",
    "os",
    "os_version",
    "messenger",
];

impl Line {
    fn new(status: &ComponentStatus, snapshot: &Snapshot, now: Timestamp) -> Self {
        let component = &status.component;
        let facts = &component.facts;
        let messenger = status.messenger.as_deref().map(dto::Messenger::from);
        Self {
            server: component.server.to_string(),
            role: component.role.as_str(),
            product: facts.product.clone(),
            version: facts.version.clone(),
            version_in_sync: status.version.map(|check| check == VersionCheck::InSync),
            key_in_sync: status.key.map(|verdict| verdict == KeyVerdict::InSync),
            pulse: status.pulse.as_str(),
            health: status.health.as_str(),
            since: snapshot.pulse_since(status).unwrap_or(now).rfc3339(),
            last_heartbeat: component.last_heartbeat.rfc3339(),
            address: facts.ip.to_string(),
            os: facts.os.name.clone(),
            os_version: facts.os.version.clone(),
            messenger: messenger.map(|messenger| messenger.state.as_str()),
        }
    }

    /// In the order of [`HEADINGS`].
    fn cells(&self) -> [&str; 14] {
        let word = |verdict: Option<bool>| match verdict {
            Some(true) => "true",
            Some(false) => "false",
            None => "",
        };
        [
            &self.server,
            self.role,
            self.product.as_deref().unwrap_or_default(),
            &self.version,
            word(self.version_in_sync),
            word(self.key_in_sync),
            self.pulse,
            self.health,
            &self.since,
            &self.last_heartbeat,
            &self.address,
            &self.os,
            &self.os_version,
            self.messenger.unwrap_or_default(),
        ]
    }
}

pub(crate) async fn csv(State(site): State<Arc<Site>>, RawQuery(query): RawQuery) -> Response {
    export(site, query, |lines, now| {
        let mut csv = Csv::new(HEADINGS);
        for line in lines {
            csv.push(line.cells());
        }
        csv.into_response(FILE_NAME, now)
    })
    .await
}

pub(crate) async fn json(State(site): State<Arc<Site>>, RawQuery(query): RawQuery) -> Response {
    export(site, query, |lines, now| {
        // Serializing texts and lists does not fail.
        let body = serde_json::to_string_pretty(lines).unwrap_or_default();
        download(body, "application/json", FILE_NAME, "json", now)
    })
    .await
}

/// Writes the components of the servers that the page with this query shows.
async fn export(
    site: Arc<Site>,
    query: Option<String>,
    write: fn(&[Line], Timestamp) -> Response,
) -> Response {
    // It must have at least what the page showed, which may be of another web server.
    site.live.refresh().await;
    on_blocking_thread(move || {
        let LiveView { snapshot, now, .. } = site.live.view();
        let overview = snapshot.overview(now);
        let servers =
            exported_servers(&snapshot, &overview, now, query.as_deref().unwrap_or_default());
        let components = servers.iter().flat_map(|server| &server.components);
        let lines: Vec<Line> = components.map(|status| Line::new(status, &snapshot, now)).collect();
        write(&lines, now)
    })
    .await
}
