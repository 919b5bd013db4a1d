//! The server: everything that a browser must not know.
//!
//! A standalone program calls [`serve`]. A host product nests [`router`], calls [`Site::stop`] before it finishes its last
//! requests, and [`Site::close`] after them.

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
pub mod notify;
mod past;
pub mod self_report;
pub mod site;
pub mod store;
pub mod telemetry;

use std::future::Future;
use std::sync::Arc;

use crate::net::listener::{self, Listener};

pub use crate::site::{FollowedFiles, MAX_SERVERS, Options, Site};

/// All routes of a site, below its base path. Call it once for each site: limits, caches and request metrics belong to the router.
pub fn router(site: Arc<Site>) -> axum::Router {
    http::router(site, None)
}

/// Serves a site on `listener` until `shutdown`. Then it accepts no more requests, finishes those it has, and reports its own
/// components as stopped.
pub async fn serve(
    listener: impl Into<Listener>,
    site: Arc<Site>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    let listener = listener.into();
    if let Ok(address) = listener.socket.local_addr() {
        site.connect_to_services(address);
    }
    let stopping = Arc::clone(&site);
    let shutdown = async move {
        shutdown.await;
        stopping.stop();
    };
    let max_connections = listener::max_connections();
    let router = http::router(Arc::clone(&site), Some(max_connections));
    let proxies = site.auth.policy.proxies.clone();
    let limits = listener::ConnectionLimits { max_connections, proxies };
    listener.serve(router, limits, shutdown).await;
    site.close().await;
}
