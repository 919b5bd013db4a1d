//! What a browser may not know: the store, the intake, the watch, the routes, the nodes.
//!
//! A program of its own calls [`serve`]. A host product nests [`router`], and calls [`Site::stop`] before and
//! [`Site::close`] after it finishes its requests.

pub mod agent;
pub mod auth;
pub mod cli;
pub mod clock;
mod commands;
pub mod demo;
pub mod files;
mod http;
pub mod ingest;
pub mod live;
pub mod messenger;
pub mod net;
pub mod self_report;
pub mod site;
pub mod store;
pub mod telemetry;

use std::future::Future;
use std::sync::Arc;

use crate::net::listener::{self, Listener};

pub use crate::site::{FollowedFiles, MAX_SERVERS, Options, Site};

/// All routes of a site, its base path included.
pub fn router(site: Arc<Site>) -> axum::Router {
    http::router(site, None)
}

/// Serves a site on `listener` until `shutdown`: then takes no more requests, finishes those it has,
/// and says goodbye for its own components.
pub async fn serve(
    listener: impl Into<Listener>,
    site: Arc<Site>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    let listener = listener.into();
    if let Ok(listening) = listener.socket.local_addr() {
        site.connect_to_services(listening);
    }
    let stopping = Arc::clone(&site);
    let shutdown = async move {
        shutdown.await;
        stopping.stop();
    };
    let connections = listener::places();
    let router = http::router(Arc::clone(&site), Some(connections));
    let proxies = site.access.policy.proxies.clone();
    let limits = listener::Limits { connections, proxies };
    listener.serve(router, limits, shutdown).await;
    site.close().await;
}
